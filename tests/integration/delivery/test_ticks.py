"""What a tick of the timer costs follows what is due or under way, not what exists or ever ran."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

import pytest

from shared.cloud.blobs import Blobs
from shared.cloud.tables import Table
from shared.cloud.under_way import GRACE, UnderWay
from shared.delivery import inbox, upkeep
from shared.delivery.start import starting
from shared.delivery.state.records import Delivery, Run, State
from shared.delivery.state.runs import Runs
from shared.delivery.state.transitions import RunKind
from shared.notify import telling
from shared.snapshots import walking
from tests.integration.delivery.engine import Engine, engine, people
from tests.memory import in_memory
from tests.memory.blobs import MemoryContainer

MOST = 12
NIGHTLY = {"kind": "cron", "expression": "0 6 * * *", "time_zone": "UTC"}
READS = ((Table, "get"), (Table, "query"), (Table, "scan"), (Blobs, "names"), (Blobs, "read"))
WRITES = ((Table, "insert"), (Table, "replace"), (Table, "put"), (Table, "transaction"), (Table, "delete"))


@pytest.fixture
def made(unique: str) -> Iterator[Engine]:
    with in_memory() as address, engine(address, unique) as one:
        one.connect()
        one.land(people(3))
        yield one


def define(made: Engine, exports: int, **changes: Any) -> None:
    for number in range(exports):
        targets = [{"segments": ["Loyal"], "list_name": f"L{number}"}]
        made.define(f"export-{number}", targets=targets, **({"schedule": NIGHTLY} | changes))


@contextmanager
def counted() -> Iterator[Counter[str]]:
    """Requests to tables, and lists of blobs, by what they are. A table's answers come in pages of 1,000 rows."""
    found = Counter[str]()

    def counting(owner: type, name: str) -> Any:
        real: Callable[..., Any] = getattr(owner, name)

        def call(self: Any, *given: Any, **named: Any) -> Any:
            found[f"{name} {getattr(self, '_name', '')}".strip()] += 1
            return real(self, *given, **named)

        return mock.patch.object(owner, name, call)

    patches = [counting(owner, name) for owner, name in (*READS, *WRITES)]
    for patch in patches:
        patch.start()
    try:
        yield found
    finally:
        for patch in patches:
            patch.stop()


def old_runs(made: Engine, number: int) -> None:
    """Runs that ended, as the table has them after months."""
    runs = Runs(made.cloud.runs)
    for each in range(number):
        at = datetime.now(UTC) - timedelta(minutes=each)
        name = f"{at:%Y%m%d-%H%M%S}-000-{each:04x}"
        run = Run("export-0", name, State.SUCCEEDED, "test", "{}", 1, RunKind.DELIVERY, at, finished_at=at)
        runs._table.insert(run.entity())
        runs._table.insert(Delivery("export-0", name, 0, "t", "1", state=State.SUCCEEDED).entity())


@pytest.mark.parametrize("schedule", [NIGHTLY, {"kind": "on_refresh"}, {"kind": "manual"}])
def test_an_idle_tick_costs_the_same_however_many_exports_there_are(made: Engine, schedule: dict[str, Any]) -> None:
    costs = []
    for exports in (2, 12):
        define(made, exports, schedule=schedule)
        made.tick()
        made.tick()
        later = datetime.now(UTC) + 2 * GRACE
        upkeep.tidy(made.cloud, clock=lambda at=later: at)  # type: ignore[misc]
        with counted() as requests:
            assert made.tick() == []
        costs.append(requests)
    assert costs[0] == costs[1]
    assert costs[0].total() <= MOST, costs[0]


def test_an_idle_tick_reads_nothing_of_what_ever_ran(made: Engine) -> None:
    define(made, 1)
    old_runs(made, 30)
    made.tick()
    with counted() as requests:
        made.tick()
    assert not [each for each in requests if each.endswith(" runs")], requests


def test_an_export_that_is_changed_is_looked_at_at_once(made: Engine) -> None:
    define(made, 1)
    made.tick()
    soon = {"kind": "cron", "expression": "*/5 * * * *", "time_zone": "UTC"}
    define(made, 1, schedule=soon)
    later = datetime.now(UTC) + timedelta(minutes=6)
    assert len(starting.tick(made.cloud, clock=lambda: later, newest=lambda segment: None)) == 1


def test_an_export_that_slept_fires_when_it_is_due(made: Engine) -> None:
    define(made, 1)
    made.tick()
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    for _ in range(2):
        assert starting.tick(made.cloud, clock=lambda: tomorrow, newest=lambda segment: None) != [] or made.pump()
    assert not starting.tick(made.cloud, clock=lambda: tomorrow, newest=lambda segment: None)


def test_what_is_under_way_is_found_again_within_a_day_where_its_mark_is_lost(made: Engine) -> None:
    define(made, 1)
    made.tick()
    made.start("export-0")
    late, day = (datetime.now(UTC) + timedelta(**by) for by in ({"hours": 1}, {"days": 2}))
    [row] = made.cloud.underway.query("exports")
    UnderWay(made.cloud.underway).drop(row)
    assert inbox.wake(made.cloud, clock=lambda: late) == 0
    upkeep.look_daily(made.cloud, clock=lambda: day)
    assert inbox.wake(made.cloud, clock=lambda: day) == 1


def test_a_run_is_looked_at_until_it_has_ended_and_was_told(made: Engine) -> None:
    define(made, 1)
    made.start("export-0")
    late = datetime.now(UTC) + 2 * GRACE
    rows = UnderWay(made.cloud.underway)
    upkeep.tidy(made.cloud, clock=lambda: late)
    assert rows.exports() == ["export-0"], "it is under way"
    made.pump()
    upkeep.tidy(made.cloud, clock=lambda: late)
    assert rows.exports() == ["export-0"], "its end is to be told"
    telling.tell(made.cloud)
    upkeep.tidy(made.cloud)
    assert rows.exports() == ["export-0"], "it may be just beginning"
    upkeep.tidy(made.cloud, clock=lambda: late)
    assert rows.exports() == []


def test_a_mark_that_is_renewed_meanwhile_stays(made: Engine) -> None:
    rows = UnderWay(made.cloud.underway)
    rows.mark("news")
    [old] = rows.marked()
    assert rows.may_go(old, datetime.now(UTC) + 2 * GRACE)
    rows.mark("news")
    rows.drop(old)
    assert rows.exports() == ["news"]


@pytest.mark.parametrize("few", [5_000, 0], ids=["little lies there", "much lies there"])
@pytest.mark.parametrize("reference", ["Loyal", "{container}:Loyal"], ids=["by its name", "by its id"])
def test_a_new_snapshot_starts_a_run_however_much_lies_there(
    made: Engine, reference: str, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = reference.format(container=made.container)
    made.define("export", targets=[{"segments": [wanted], "list_name": "L"}], schedule={"kind": "on_refresh"})
    made.run("export")
    monkeypatch.setattr(walking, "FEW", few)
    assert made.tick() == []
    made.land(people(4))
    assert len(made.tick()) == 1
    listed = list_prefixes(monkeypatch)
    made.tick()
    own = ["", "Loyal/", "Loyal/_delta_log/", "Loyal/"]
    assert listed == ([""] if few else [*own, *listed[len(own) :]]), "everything is never walked through"
    assert all(prefix.startswith("Loyal/") for prefix in listed[1:])


def list_prefixes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is listed of segments from now on, by delimiter or not."""
    listed: list[str] = []
    for name in ("list_blobs", "walk_blobs"):
        real = getattr(MemoryContainer, name)

        def noted(
            container: MemoryContainer, name_starts_with: str = "", include: Any = None, *, real: Any = real
        ) -> Any:
            if container.container_name.endswith("-segments"):
                listed.append(name_starts_with)
            return real(container, name_starts_with, include)

        monkeypatch.setattr(MemoryContainer, name, noted)
    return listed
