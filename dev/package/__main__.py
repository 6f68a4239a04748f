"""`python -m dev.package --python 3.11 --output build/app.zip`: build what is deployed, and say how large it is."""

from __future__ import annotations

import argparse
import hashlib
import sys
from pathlib import Path

from dev.package.building import REQUIREMENTS, TooLarge, build
from dev.package.wheels import NotDownloaded

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m dev.package", description="Build the deployed zip.")
    parser.add_argument("--python", required=True, help="Python version of the deployed app, such as 3.11")
    parser.add_argument("--output", type=Path, default=Path("build/app.zip"))
    parser.add_argument(
        "--requirements", default=REQUIREMENTS, help="file in the project's folder that names the libraries"
    )
    given = parser.parse_args()
    try:
        size = build(ROOT, given.output, given.python, ROOT / given.requirements)
    except (NotDownloaded, ValueError, TooLarge) as error:
        print(f"package: {error}", file=sys.stderr)
        return 1
    digest = hashlib.sha256(given.output.read_bytes()).hexdigest()
    print(f"{given.output}: {size / 1e6:.1f} MB, sha256 {digest}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
