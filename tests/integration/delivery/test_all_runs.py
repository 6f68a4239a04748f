"""A page of all runs asks once, however many there are; what it shows is right after every crash, and of old runs."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from unittest import mock

import pytest

from shared.access.visitors import LocalAccess
from shared.app import create_app
from shared.control import runs as control
from shared.control.runs import RunsAsked
from shared.delivery import upkeep
from shared.delivery.erase import expiry
from shared.delivery.start import run_list
from shared.delivery.state import every_run, latest
from shared.delivery.state.records import Run, State, new_run_id
from shared.delivery.state.transitions import RunKind
from tests.integration.delivery.engine import Engine, people
from tests.integration.delivery.test_lists import table_requests
from tests.unit.api.asgi import Client

EXPORTS, RUNS = 60, 8
LAST = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def listed(engine: Engine, top: int = 50, **asked: object) -> list[tuple[str, State]]:
    found = engine.service.runs.rows_of_all(RunsAsked(**asked), top=top)  # type: ignore[arg-type]
    return [(row.run, row.state) for row in found.rows]


def told(engine: Engine, run: Run) -> State:
    """How it went, as its own page says."""
    view = engine.service.runs.view(run.export, run.run)
    assert view
    return view.state


def past(export: str, at: datetime, state: State = State.SUCCEEDED, vendor: str = "iterable") -> Run:
    return Run(
        export,
        new_run_id(at),
        state,
        "schedule cron",
        "{}",
        1,
        RunKind.DELIVERY,
        at,
        finished_at=at + timedelta(seconds=5),
        vendor=vendor,
        counts={"add": 3, "add accepted": 3},
        members=3,
    )


@pytest.fixture
def many(engine: Engine) -> Engine:
    """Sixty exports with eight runs each, an hour apart, of which every tenth failed; rows and nothing else."""
    engine.land(people(3))
    engine.define()
    held = engine.catalog.export("newsletter")
    for number in range(EXPORTS):
        changes = {"name": f"export-{number:02}", "display_name": f"Export {number:02}"}
        engine.catalog.exports.insert(held.item.model_copy(update=changes))
        for age in range(RUNS):
            at = LAST - timedelta(hours=age, seconds=number)
            state = State.FAILED if (number + age) % 10 == 0 else State.SUCCEEDED
            engine.cloud.runs.insert(past(f"export-{number:02}", at, state).entity())
    assert run_list.heal(engine.cloud) == EXPORTS * RUNS
    return engine


def test_a_run_is_shown_from_its_start_to_its_end_with_what_it_did(engine: Engine) -> None:
    engine.land(people(30))
    engine.define(guards={"max_removed_people": 0})
    first = engine.start()
    assert listed(engine) == [(first.run, State.QUEUED)]
    engine.pump()
    engine.land(people(3))
    second = engine.run()
    assert [run for run, _ in listed(engine)] == [second.run, first.run]
    blocked, done = engine.service.runs.rows_of_all(RunsAsked(), top=9).rows
    assert (blocked.state, done.state) == (State.BLOCKED, told(engine, first))
    assert (done.counts.add, done.added, done.removed, done.members) == (30, 30, 0, 30)
    assert (blocked.counts.remove, blocked.removed, blocked.members) == (27, 0, None), "nobody is taken off yet"
    assert engine.service.runs.points("newsletter", top=5)[0].members == 30, "which costs no look into a report"


PAGES = [
    ("/", {"query_entities": 3}),
    ("/exports", {"query_entities": 3}),
    ("/exports/export-07", {"query_entities": 1, "get_entity": 2}),
    ("/exports/export-07/runs", {"query_entities": 1, "get_entity": 1}),
    ("/runs", {"query_entities": 2}),
    ("/runs?state=failed", {"query_entities": 2}),
    ("/runs?vendor=iterable&since=2026-11-20", {"query_entities": 2}),
    ("/runs?q=export", {"query_entities": 3}),
]


@pytest.mark.parametrize(("path", "asked"), PAGES)
def test_a_page_asks_each_table_once(many: Engine, path: str, asked: dict[str, int]) -> None:
    client = Client(create_app(many.service, LocalAccess()), {"accept": "text/html", "host": "localhost"})
    where, _, query = path.partition("?")
    with table_requests() as counts:
        answer = client.get(where, query=dict(each.split("=") for each in query.split("&") if each))
    assert answer.status == 200
    assert counts == Counter(asked)


def test_pages_follow_one_another_and_leave_out_and_repeat_nobody(many: Engine) -> None:
    seen: list[str] = []
    after = ""
    while True:
        found = many.service.runs.rows_of_all(RunsAsked(after=after), top=50)
        seen += [row.run for row in found.rows]
        after = found.next
        if not after:
            break
    assert len(seen) == len(set(seen)) == EXPORTS * RUNS
    assert [each[:19] for each in seen] == sorted((each[:19] for each in seen), reverse=True)


def test_what_is_asked_for_is_found(many: Engine) -> None:
    failed = many.service.runs.rows_of_all(RunsAsked(state="failed"), top=100)
    assert len(failed.rows) == EXPORTS * RUNS / 10
    assert {row.state for row in failed.rows} == {State.FAILED}
    assert len(listed(many, 500, exports=frozenset({"export-03", "export-04"}))) == 2 * RUNS
    assert listed(many, vendor="omnisend") == []
    day = LAST.date()
    assert len(listed(many, 500, since=day, until=day)) == EXPORTS * RUNS
    assert listed(many, since=day + timedelta(days=1)) == []
    assert listed(many, until=day - timedelta(days=1)) == []


def test_a_day_begins_and_ends_at_midnight(engine: Engine) -> None:
    midnight = datetime(2026, 11, 20, tzinfo=UTC)
    before, at = past("a", midnight - timedelta(milliseconds=1)), past("a", midnight)
    for each in (before, at):
        every_run.tell(engine.cloud.runs, each)
        engine.cloud.runs.insert(each.entity())
    for rows in (engine.service.runs.rows_of_all, lambda asked, top: engine.service.runs.rows("a", asked, top=top)):
        assert [row.run for row in rows(RunsAsked(since=midnight.date()), top=5).rows] == [at.run]
        assert [row.run for row in rows(RunsAsked(until=midnight.date() - timedelta(days=1)), top=5).rows] == [
            before.run
        ]


def test_a_rare_thing_is_looked_for_a_bounded_way_and_then_further_back(
    many: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "MOST_LOOKED_AT", 100)
    oldest = frozenset({"export-59"})
    first = many.service.runs.rows_of_all(RunsAsked(exports=oldest), top=50)
    assert len(first.rows) == 1
    assert first.looked_back_to is not None
    seen, after = list(first.rows), first.next
    while after:
        found = many.service.runs.rows_of_all(RunsAsked(exports=oldest, after=after), top=50)
        seen, after = [*seen, *found.rows], found.next
    assert len(seen) == RUNS


def test_what_a_crash_left_untold_is_put_right_by_the_timer(engine: Engine) -> None:
    engine.land(people(3))
    engine.define()
    with mock.patch.object(every_run, "tell", side_effect=RuntimeError("died")):
        run = engine.run()
    assert listed(engine) == []
    assert latest.every(engine.cloud.runs) == {}, "the newest run is told after it, so a tick notices"
    upkeep.tidy(engine.cloud)
    assert listed(engine) == [(run.run, told(engine, run))]


def test_the_daily_look_fills_in_old_runs_and_drops_what_is_gone(engine: Engine) -> None:
    old = past("newsletter", LAST)
    engine.cloud.runs.insert(old.entity())
    every_run.tell(engine.cloud.runs, past("gone", LAST))
    upkeep.look_daily(engine.cloud)
    assert listed(engine) == [(old.run, State.SUCCEEDED)]
    assert run_list.heal(engine.cloud) == 0


def test_the_daily_look_puts_right_a_state_that_was_not_told(engine: Engine) -> None:
    run = past("newsletter", datetime.now(UTC))
    engine.cloud.runs.insert(run.entity())
    every_run.tell(engine.cloud.runs, replace(run, state=State.RUNNING))
    assert run_list.heal(engine.cloud) == 1
    assert listed(engine) == [(run.run, State.SUCCEEDED)]


def test_many_old_runs_take_several_ticks(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_list, "MOST", 4)
    for age in range(6):
        engine.cloud.runs.insert(past("newsletter", LAST - timedelta(hours=age)).entity())
    upkeep.look_daily(engine.cloud)
    assert len(listed(engine)) == 4
    upkeep.look_daily(engine.cloud)
    assert len(listed(engine)) == 6


def test_what_expires_is_shown_no_more(engine: Engine) -> None:
    engine.land(people(3))
    engine.define()
    engine.run()
    later = datetime.now(UTC) + timedelta(days=engine.cloud.settings.artefact_days + 1)
    assert expiry.expire(engine.cloud, clock=lambda: later) == 1
    assert listed(engine) == []


def test_a_place_that_no_page_gave_is_refused(engine: Engine) -> None:
    client = Client(create_app(engine.service, LocalAccess()), {"accept": "text/html", "host": "localhost"})
    assert client.get("/runs", query={"continue": "' or 1"}).status == 422
