"""The storage libraries log each request in full, which takes longer than many requests."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

TALKATIVE = ("azure", "urllib3", "asyncio")


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Nothing but warnings from them; what they log is looked at in all other tests."""
    loggers = [logging.getLogger(name) for name in TALKATIVE]
    levels = [each.level for each in loggers]
    for each in loggers:
        each.setLevel(logging.WARNING)
    try:
        yield
    finally:
        for each, level in zip(loggers, levels, strict=True):
            each.setLevel(level)
