"""`segment-exports`, and `python -m cli`."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command; says what to install where its libraries are missing."""
    try:
        from cli.app import app
    except ModuleNotFoundError as error:
        sys.exit(
            f"The library {error.name} is missing: install this project with its group cli (pip install '.[cli]')."
        )
    app(prog_name="segment-exports")


if __name__ == "__main__":
    main()
