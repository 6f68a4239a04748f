"""python -m dev.sdk --python PYTHON [--descriptions FOLDER] [VENDOR ...]: the vendors' own libraries walk a list's
whole life at the simulators. PYTHON has the libraries of requirements.txt.

With the folder of the vendors' descriptions, all that goes over the wire is judged by them too.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from dev.described.__main__ import told
from dev.described.judging import Judge
from dev.described.proxy import proxy
from dev.described.vendors import judge
from dev.simulators.common.serving import serve
from dev.simulators.common.simulator import AnyVendor, Simulator
from dev.simulators.klaviyo import Klaviyo
from dev.simulators.mailchimp import Mailchimp

REPOSITORY = Path(__file__).parents[2]

WALKS: Mapping[str, tuple[type[AnyVendor], str]] = {
    "klaviyo": (Klaviyo, "dev.sdk.klaviyo_walk"),
    "mailchimp": (Mailchimp, "dev.sdk.mailchimp_walk"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m dev.sdk", description=__doc__)
    parser.add_argument("vendors", nargs="*", metavar="VENDOR", help=f"{' or '.join(WALKS)}; all by default")
    parser.add_argument("--python", required=True, help="a Python that has the vendors' libraries")
    parser.add_argument("--descriptions", type=Path, help="the folder with the vendors' own descriptions")
    chosen = parser.parse_args(arguments)
    if strangers := [each for each in chosen.vendors if each not in WALKS]:
        parser.error(f"no walk for {', '.join(strangers)}")
    return max(_walk(vendor, chosen.python, chosen.descriptions) for vendor in chosen.vendors or WALKS)


def _walk(vendor: str, python: str, folder: Path | None) -> int:
    made, module = WALKS[vendor]
    print(f"{vendor}:", flush=True)
    seen = judge(vendor, folder) if folder else None
    with serve(Simulator(made())) as simulator, _before(simulator.url, seen) as url:
        status = subprocess.run([python, "-m", module, url], cwd=REPOSITORY, check=False).returncode
    return max(int(status != 0), told(seen.report()) if seen else 0)


@contextmanager
def _before(url: str, seen: Judge | None) -> Iterator[str]:
    if seen is None:
        yield url
        return
    with proxy(url, seen) as before:
        yield before


if __name__ == "__main__":
    sys.exit(main())
