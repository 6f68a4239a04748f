"""python -m dev.bench: measure everything, or some of it."""

from __future__ import annotations

import argparse
import os
import sys
import time

from rich.console import Console

from dev.bench import results
from dev.bench.options import MILLION, Options
from dev.bench.registry import PARTS


def main() -> int:
    chosen = _parse()
    console = Console(width=None if sys.stdout.isatty() else 140)
    options = Options(rows=chosen.rows, seconds=chosen.seconds)
    console.print(f"{results.machine()}; load {os.getloadavg()[0]:.1f}; {options.rows:,} profiles")
    for name in chosen.only or PARTS:
        started = time.monotonic()
        measured = PARTS[name].measure(options)
        results.show(console, PARTS[name].title, measured)
        results.write(name, measured, options)
        console.print(f"{name} took {time.monotonic() - started:.0f} seconds.\n")
    console.print(f"All results are in {results.FOLDER.name}/.")
    return 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m dev.bench", description="Measures; see docs/performance.md.")
    parser.add_argument("--only", action="append", choices=list(PARTS), help="one part; may be given several times")
    parser.add_argument("--rows", type=int, default=MILLION, help="profiles of the segment; default 1,000,000")
    parser.add_argument("--seconds", type=float, default=180.0, help="how long limits are watched; default 180")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
