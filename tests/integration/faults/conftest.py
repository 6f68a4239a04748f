"""What the fault tests share: vendors that can be interrupted, two threads a slice, and quiet dead workers."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from dev.faults.interruptions import Died
from dev.faults.seam import watched_vendors
from shared.delivery import connecting
from shared.vendors.contract import Definition
from shared.vendors.registry import definition

NOISY = ("azure.core.pipeline.policies.http_logging_policy", "urllib3.connectionpool")
"""They would log tens of thousands of requests."""
THREADS = 2
"""With the vendor's own eight, so few people would all be in one window."""


@pytest.fixture(autouse=True)
def interruptible(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    hook = threading.excepthook

    def few_threads(name: str) -> Definition:
        return replace(definition(name), concurrency=THREADS)

    def quiet(arguments: Any) -> None:
        if not issubclass(arguments.exc_type, Died):
            hook(arguments)

    monkeypatch.setattr(connecting, "definition", few_threads)
    monkeypatch.setattr(threading, "excepthook", quiet)
    with watched_vendors(), _quiet(NOISY):
        yield


@contextmanager
def _quiet(names: Sequence[str]) -> Iterator[None]:
    levels = {name: logging.getLogger(name).level for name in names}
    for name in names:
        logging.getLogger(name).setLevel(logging.WARNING)
    try:
        yield
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
