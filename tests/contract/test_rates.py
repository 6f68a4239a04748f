"""The vendor's limits hold over whole deliveries that are cut into slices, by the simulator's own clock."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from shared.cloud.settings import StorageAddress
from tests.contract.hurry import WINDOW, hurry
from tests.contract.outcomes import GOOD
from tests.contract.prompt import Prompt
from tests.integration.delivery import engine as engines
from tests.integration.delivery.engine import Engine, people
from tests.kits import Kit, Limit

JITTER = 0.2
"""Seconds that a busy machine may take for one request longer than for another, so that they arrive closer together."""
BUDGET = 0.15
"""The connection's share of the documented limits."""
PEOPLE = 0.1
"""What checks and saving have beside it."""
ROWS = 16
"""People of the first run; each is a batch."""
FEWER = {"klaviyo": 6}
"""Vendors that may be called once a second with this budget."""


@pytest.fixture(autouse=True)
def small_batches(impatient: None, monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch, batch_rows=1, concurrency=2)


@contextmanager
def slow_engine(kit: Kit, storage: StorageAddress, unique: str) -> Iterator[Engine]:
    """Many slices, each of which hands the account's windows on to the next."""
    with engines.engine(storage, unique, kit, slice_seconds=0.001) as engine:
        engine.cloud.slices = Prompt(storage, f"{unique}-slices")
        engine.connect(settings=dict(kit.paced), rate_budget=BUDGET)
        yield engine


def most_at_once(moments: list[float], seconds: float) -> int:
    """The most moments that lie within any window of so many seconds."""
    return max((sum(start <= other < start + seconds for other in moments) for start in moments), default=0)


def share(limit: Limit) -> float:
    """Calls in a window that deliveries may make."""
    return limit.calls if limit.ours else limit.calls * BUDGET


def allowed(limit: Limit) -> float:
    return limit.calls if limit.ours else limit.calls * (BUDGET + PEOPLE)


def test_no_window_ever_has_more_calls_than_the_budget(kit: Kit, storage: StorageAddress, unique: str) -> None:
    with slow_engine(kit, storage, unique) as engine:
        rows = FEWER.get(kit.name, ROWS)
        engine.land(people(rows))
        engine.define()
        first = engine.run()
        engine.land(people(rows - 4))
        second = engine.run()
        assert first.state in GOOD and second.state in GOOD, (first.message, second.message)
        assert engine.members().keys() == {each.email for each in people(rows - 4)}
        assert engine.delivery(first).turn > 2, "it was one slice"
        binding = 0
        for limit in kit.limits:
            moments = [entry.at for entry in engine.calls() if entry.endpoint in limit.endpoints]
            most = most_at_once(moments, min(limit.seconds, WINDOW) - JITTER)
            assert most <= allowed(limit), f"{most} calls to {limit.endpoints} in a window"
            binding += len(moments) > 1.5 * share(limit)
        assert binding, "no limit was ever met"
