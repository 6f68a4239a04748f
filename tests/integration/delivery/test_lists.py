"""A list of exports asks storage as often for three hundred as for one; what it says is right after every crash."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from shared.control import exports as control
from shared.delivery.start import latest_runs
from shared.delivery.state import latest
from shared.delivery.state.records import State
from tests.integration.delivery.engine import Engine, people
from tests.memory.tables import MemoryTable

EXPORTS = 300
WELL = (State.SUCCEEDED, State.WARNINGS)


@contextmanager
def table_requests() -> Iterator[Counter[str]]:
    counts: Counter[str] = Counter()

    def counting(name: str) -> Any:
        real = getattr(MemoryTable, name)

        def counted(table: MemoryTable, *given: Any, **named: Any) -> Any:
            counts[name] += 1
            return real(table, *given, **named)

        return mock.patch.object(MemoryTable, name, counted)

    with counting("query_entities"), counting("get_entity"):
        yield counts


def test_three_hundred_exports_cost_a_query_for_each_table(engine: Engine) -> None:
    engine.land(people(3))
    engine.define()
    engine.run()
    held = engine.catalog.export("newsletter")
    for number in range(EXPORTS):
        engine.catalog.exports.insert(held.item.model_copy(update={"name": f"export-{number:03d}"}))
    with table_requests() as counts:
        found = control.views(engine.service)
    assert len(found) == EXPORTS + 1
    assert {view.name for view in found if view.last_run} == {"newsletter"}
    assert counts == {"query_entities": 2}, "one for exports, one for newest runs"


def told(engine: Engine) -> State | None:
    found = latest.every(engine.cloud.runs).get("newsletter")
    return found.state if found else None


def test_the_newest_run_is_told_from_its_start_to_its_end(engine: Engine) -> None:
    engine.land(people(30))
    engine.define(guards={"max_removed_people": 0})
    engine.start()
    assert told(engine) is State.QUEUED
    engine.pump()
    assert told(engine) in WELL
    engine.land(people(3))
    waiting = engine.run()
    assert told(engine) is State.BLOCKED
    engine.service.decide(waiting.export, waiting.run, plan=engine.delivery(waiting).plan, decision="discard", by="Ada")
    assert told(engine) is State.CANCELLED


def test_the_timer_puts_right_what_a_crash_left_untold(engine: Engine) -> None:
    engine.land(people(3))
    engine.define()
    assert latest_runs.heal(engine.cloud, [held.item.name for held in engine.catalog.exports.all()]) == 1, (
        "an export that never ran is told once"
    )
    assert latest_runs.heal(engine.cloud, [held.item.name for held in engine.catalog.exports.all()]) == 0
    with mock.patch.object(latest, "tell"):
        engine.start()
    assert told(engine) is None
    assert latest_runs.heal(engine.cloud, [held.item.name for held in engine.catalog.exports.all()]) == 1
    assert told(engine) is State.QUEUED
    with mock.patch.object(latest, "tell"):
        engine.pump()
    assert latest_runs.heal(engine.cloud, [held.item.name for held in engine.catalog.exports.all()]) == 1
    assert told(engine) in WELL
    assert latest_runs.heal(engine.cloud, [held.item.name for held in engine.catalog.exports.all()]) == 0


def test_a_row_that_cannot_be_read_is_put_right_and_hides_no_other(engine: Engine) -> None:
    engine.land(people(3))
    engine.define()
    run = engine.run()
    stored = engine.cloud.runs.get(latest.PARTITION, latest.row_key("newsletter"))
    assert stored is not None
    engine.cloud.runs.replace({**stored.entity, "state": "asleep", "run": "99991231-000000-000-0000"}, stored.etag)
    assert told(engine) is None
    assert latest_runs.heal(engine.cloud, [held.item.name for held in engine.catalog.exports.all()]) == 1
    found = latest.every(engine.cloud.runs)["newsletter"]
    assert found is not None and found.run == run.run


def test_an_export_may_be_called_what_rows_are_looked_for_by(engine: Engine) -> None:
    engine.land(people(3))
    engine.define("active")
    run = engine.run("active")
    assert list(engine.service.runs.latest()) == ["active"]
    engine.service.tick()
    assert engine.service.runs.latest()["active"].run == run.run


def test_an_older_run_never_takes_the_place_of_a_newer_one(engine: Engine) -> None:
    engine.land(people(3))
    engine.define()
    first, second = engine.run(), engine.run()
    latest.tell(engine.cloud.runs, first)
    found = latest.every(engine.cloud.runs)["newsletter"]
    assert found is not None and found.run == second.run
