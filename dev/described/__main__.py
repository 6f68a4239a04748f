"""python -m dev.described VENDOR --descriptions FOLDER --to URL [--port N]: judge what goes to URL and comes back.

Prints `listening on http://127.0.0.1:N`, and when it ends (SIGTERM, SIGINT) what it found; its exit status is then 1.
It tells the same at any time under /_described.
"""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dev.described.proxy import proxy
from dev.described.vendors import VENDORS, judge


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m dev.described", description=__doc__)
    parser.add_argument("vendor", choices=sorted(VENDORS))
    parser.add_argument("--descriptions", type=Path, required=True, help="the folder with the vendors' own files")
    parser.add_argument("--to", required=True, help="the vendor, or its simulator")
    parser.add_argument("--port", type=int, default=0)
    chosen = parser.parse_args()
    seen = judge(chosen.vendor, chosen.descriptions)
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    with proxy(chosen.to, seen, chosen.port) as url:
        print(f"listening on {url}", flush=True)
        ended.wait()
    return told(seen.report())


def told(report: Mapping[str, Any]) -> int:
    """Print a report; 1 where the description forbids something that was seen."""
    print(f"{sum(report['judged'].values())} calls of {len(report['judged'])} operations were judged.")
    for name, title in (
        ("not_described", "Not in the description"),
        ("allowed", "Known to differ"),
        ("found", "Against the description"),
    ):
        for each, times in report[name].items():
            print(f"{title}: {each} ({times} times)")
    if not report["found"]:
        print("Nothing was against the vendor's description.")
    sys.stdout.flush()
    return 1 if report["found"] else 0


if __name__ == "__main__":
    sys.exit(main())
