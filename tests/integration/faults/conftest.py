"""What the fault tests share: vendors that can be interrupted, two threads a slice, and quiet dead workers."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain
from typing import Any

import pytest

from dev.faults.interruptions import Died
from dev.faults.seam import watched_vendors
from shared.cloud.settings import StorageAddress
from shared.delivery.account import connecting
from shared.vendors.campaign_monitor import vendor as campaign_monitor
from shared.vendors.contract import Definition
from shared.vendors.iterable import vendor as iterable
from shared.vendors.iterable.definition import SIZE
from shared.vendors.klaviyo import receipts as klaviyo
from shared.vendors.klaviyo.definition import COUNT
from shared.vendors.mailchimp import vendor as mailchimp
from shared.vendors.omnisend import vendor as omnisend
from shared.vendors.registry import definition
from tests.integration.faults.points import Tally
from tests.memory import in_memory
from tests.sampling import EVERY

NOISY = ("azure.core.pipeline.policies.http_logging_policy", "urllib3.connectionpool")
"""They would log tens of thousands of requests."""
PROPERTY = "interrupted"
THREADS, BATCH_ROWS = 2, 5
"""With the vendor's own numbers, so few people would all be in one window. Sizes of lists are asked for without a
limit: hundreds of deliveries within minutes are verified here."""


@pytest.fixture(autouse=True)
def interruptible(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    hook = threading.excepthook

    def few_threads(name: str) -> Definition:
        found = definition(name)
        rates = tuple(rate for rate in found.rates if {SIZE, COUNT}.isdisjoint(rate.endpoints))
        return replace(found, concurrency=THREADS, rates=rates, batch_rows=min(found.batch_rows, BATCH_ROWS))

    def quiet(arguments: Any) -> None:
        if not issubclass(arguments.exc_type, Died):
            hook(arguments)

    monkeypatch.setattr(connecting, "definition", few_threads)
    # Next runs begin at once here, and the simulators show at once what was written.
    for vendor in (campaign_monitor, iterable, klaviyo, mailchimp, omnisend):
        monkeypatch.setattr(vendor, "DEFINITION", replace(vendor.DEFINITION, fresh_seconds=0.0))
    monkeypatch.setattr(threading, "excepthook", quiet)
    with watched_vendors(), _quiet(NOISY):
        yield


@pytest.fixture
def storage(request: pytest.FixtureRequest) -> Iterator[StorageAddress]:
    """In memory, which one conformance suite holds to Azurite; on Azurite in `make faults`, and where the whole app is
    killed."""
    if EVERY:
        yield StorageAddress(connection_string=request.getfixturevalue("azurite").connection_string)
    else:
        with in_memory() as address:
            yield address


@pytest.fixture
def tally(record_property: Callable[[str, object], None], request: pytest.FixtureRequest) -> Iterator[Tally]:
    """Later chunks may begin behind the last point, but where the first one reaches none, nothing was interrupted."""
    counted = Tally()
    yield counted
    record_property(PROPERTY, [counted.kind, counted.tried, counted.survived, counted.sent_again])
    assert counted.tried or _chunk(request.node), "no point was reached"


def _chunk(test: pytest.Item) -> int | None:
    """Which share of the points a test tries; None where it tries all."""
    case = getattr(test, "callspec", None)
    return case.params.get("chunk") if case else None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What was tried, where this folder was asked for by name."""
    told: dict[str, list[Any]] = {}
    for report in chain.from_iterable(terminalreporter.stats.values()):
        for name, value in getattr(report, "user_properties", ()):
            if name == PROPERTY:
                told[report.nodeid] = value
    sums: dict[str, list[int]] = {}
    for kind, *counts in told.values():
        sums[kind] = [sum(pair) for pair in zip(sums.get(kind, (0, 0, 0)), counts, strict=True)]
    if sums:
        terminalreporter.section("interrupted workers")
        terminalreporter.write_line(f"{'':32}{'points':>8}{'survived':>10}{'rows sent again':>17}")
    for kind, (tried, survived, again) in sorted(sums.items()):
        terminalreporter.write_line(f"{kind:32}{tried:>8}{survived:>10}{again:>17}")


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
