"""All calls of tests judged by the vendors' own descriptions, where `DESCRIPTIONS` names a folder that has them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from dev.described.judging import Judge
from dev.described.proxy import proxy
from dev.described.vendors import VENDORS, judge

FOLDER = os.environ.get("DESCRIPTIONS")


@contextmanager
def judged(vendor: str, url: str) -> Iterator[str]:
    """The address to call instead. Raises AssertionError at the end where the description forbids what was seen."""
    if FOLDER is None or vendor not in VENDORS:
        yield url
        return
    seen = _judge(vendor, Path(FOLDER))
    before = dict(seen.found)
    with proxy(url, seen) as address:
        yield address
    found = {name: times for name, times in seen.found.items() if times != before.get(name)}
    assert found == {}, f"against {vendor}'s own description: {found}"


@cache
def _judge(vendor: str, folder: Path) -> Judge:
    """One for all tests of a process: a description takes seconds to read."""
    return judge(vendor, folder)
