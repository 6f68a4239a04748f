"""python -m dev.demo: one export from beginning to end on this machine; exit status 0 only if all of it was right."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
import time
from pathlib import Path

from rich.console import Console

from dev.demo.api import DemoError
from dev.demo.setting import stage
from dev.demo.story import Story
from dev.demo.vendors import VENDORS, DemoVendor
from dev.described.__main__ import told
from dev.described.judging import Judge
from dev.described.vendors import VENDORS as DESCRIBED
from dev.described.vendors import judge

INTERRUPTED = 130


def main() -> int:
    options = _parse()
    console = Console(width=None if sys.stdout.isatty() else 120)
    vendors = list(VENDORS.values()) if options.vendor == "all" else [VENDORS[options.vendor]]
    for word in (signal.SIGTERM, signal.SIGINT):  # else everything that was started would go on without us
        signal.signal(word, _end)  # also where whoever started us had Ctrl-C ignored, as a shell does in its background
    together = [vendors] if options.serve else [[vendor] for vendor in vendors]
    try:
        return max(_tell(console, each, options) for each in together)
    except KeyboardInterrupt:
        console.print("Ended.")
        return 0 if options.serve else INTERRUPTED


def _end(*_: object) -> None:
    raise KeyboardInterrupt


def _tell(console: Console, vendors: list[DemoVendor], options: argparse.Namespace) -> int:
    """The story of each vendor, on one stage; then, to serve, wait for the end."""
    started = time.monotonic()
    labels = ", ".join(vendor.label for vendor in vendors)
    console.print(f"Starting storage, Key Vault, the simulator of {labels} and the app …")
    judges = _judges(vendors, options.descriptions)
    with stage(vendors, judges) as running:
        try:
            for vendor in vendors:
                Story(running, vendor, console, stays=options.serve).tell(options.people)
        except DemoError as error:
            console.print(f"The demo failed: {error}", style="red")
            console.print(running.host.log()[-5000:], markup=False)
            return 1
        judged = max((told(judge.report()) for judge in judges.values()), default=0)
        console.print(f"All of it took {time.monotonic() - started:.1f} seconds.")
        if options.serve:
            _serve(console, running.host.url, running.host.key)
        else:
            again = f" VENDOR={vendors[0].name}" if vendors[0].name != "iterable" else ""
            console.print(
                f"Everything has ended. To look at the pages and try for yourself: make serve {again}".rstrip()
            )
    return judged


def _judges(vendors: list[DemoVendor], folder: Path | None) -> dict[str, Judge]:
    """A judge for each vendor that describes itself in that folder; without a folder none."""
    described = [vendor.name for vendor in vendors if folder is not None and vendor.name in DESCRIBED]
    if folder is not None and not described:
        raise SystemExit(f"Of these vendors none describes itself: {', '.join(each.name for each in vendors)}")
    return {name: judge(name, folder) for name in described if folder is not None}


def _serve(console: Console, url: str, key: str) -> None:
    for line in (
        f"The pages are at {url}/ and the API at {url}/api/docs; the function key is {key}",
        "Try next: open an export and press Dry run; press Explain at the foot of its run; make an export of your own.",
        f"Command line: SEGMENT_EXPORTS_URL={url} python -m cli list exports",
        "Ctrl-C ends it.",
    ):
        console.print(line, soft_wrap=True)
    threading.Event().wait()


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m dev.demo", description="One export from beginning to end.")
    parser.add_argument("--vendor", choices=[*VENDORS, "all"], default="iterable")
    parser.add_argument("--people", type=int, default=50_000, help="rows of the segment; default 50,000")
    parser.add_argument("--descriptions", type=Path, help="a folder with the vendors' own, to judge all calls by")
    parser.add_argument("--serve", action="store_true", help="leave everything running afterwards")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
