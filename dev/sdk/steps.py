"""A walk in steps, each told as it is done; run by the Python that has the vendors' libraries."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any


class WalkError(Exception):
    """A step ended otherwise than it should."""


def step(what: str, found: Any, expected: Any) -> None:
    """Raises `WalkError` where what was found is not what should be."""
    if found != expected:
        raise WalkError(f"{what}: found {found!r}, not {expected!r}")
    print(f"  {what}: {found!r}")


def refused(what: str, call: Callable[[], Any], status: int, told: str = "") -> None:
    """Raises `WalkError` unless the call is refused with this status, and this text in what the library tells."""
    try:
        call()
    except Exception as error:  # each library has its own
        found = getattr(error, "status", None) or getattr(error, "status_code", None)
        text = f"{getattr(error, 'body', '')}{getattr(error, 'text', '')}"
        if found != status or told not in text:
            raise WalkError(f"{what}: refused with {found}, not {status} {told!r}: {text[:300]}") from error
        print(f"  {what}: refused with {status} {told}")
        return
    raise WalkError(f"{what}: not refused")


def main(walk: Callable[[str], None]) -> None:
    walk(sys.argv[1])
