"""python -m dev.demo: one export from beginning to end on this machine; exit status 0 only if all of it was right."""

from __future__ import annotations

import argparse
import sys
import threading
import time

from rich.console import Console

from dev.demo.api import DemoError
from dev.demo.setting import stage
from dev.demo.story import Story
from dev.demo.vendors import VENDORS


def main() -> int:
    options = _parse()
    console = Console(width=None if sys.stdout.isatty() else 120)
    vendors = list(VENDORS.values()) if options.vendor == "all" else [VENDORS[options.vendor]]
    for vendor in vendors:
        started = time.monotonic()
        console.print(f"Starting storage, Key Vault, the {vendor.label} simulator and the app …")
        with stage(vendor) as running:
            try:
                Story(running, vendor, console).tell(options.people)
            except DemoError as error:
                console.print(f"The demo failed: {error}", style="red")
                console.print(running.host.log()[-5000:], markup=False)
                return 1
            console.print(f"All of it took {time.monotonic() - started:.1f} seconds.")
            if options.serve:
                _serve(console, running.host.url, running.host.key)
    return 0


def _serve(console: Console, url: str, key: str) -> None:
    places = f"The app is at {url}/ and its API at {url}/api/docs; the function key is {key}"
    console.print(f"{places}\nCtrl-C ends it.", soft_wrap=True)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        console.print("Ending.")


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m dev.demo", description="One export from beginning to end.")
    parser.add_argument("--vendor", choices=[*VENDORS, "all"], default="iterable")
    parser.add_argument("--people", type=int, default=50_000, help="rows of the segment; default 50,000")
    parser.add_argument("--serve", action="store_true", help="leave everything running afterwards")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
