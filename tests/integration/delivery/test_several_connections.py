"""An export on two connections: what starts, stops and heals together, and what keeps one from nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from shared.access.person import LOCAL
from shared.catalog.models import ConnectionInput, Schedule
from shared.control import comparing, exports
from shared.delivery.state.records import ENDED, State
from shared.delivery.state.runs import Runs
from shared.delivery.state.transitions import RunKind
from shared.errors import RetryAfter, Unprocessable
from shared.wording import Message
from tests.contract.outcomes import GOOD
from tests.contract.pairs import NAME, Pair, pair
from tests.integration.delivery.engine import Engine, Person, people


@pytest.fixture
def both(engine: Engine) -> Iterator[Pair]:
    engine.connect()
    with pair(engine) as made:
        engine.land(people(4))
        made.save()
        yield made


def disable(both: Pair, name: str) -> None:
    catalog = both.engine.catalog
    held = catalog.connection(name)
    sent = ConnectionInput.model_validate(dict(held.item) | {"disabled": True}, extra="ignore")
    catalog.save_connection(name, sent, LOCAL, held)


def test_a_connection_that_cannot_start_keeps_the_other_one_from_nothing(both: Pair) -> None:
    disable(both, both.other.kit.name)
    started = both.engine.service.begin(NAME)
    [beside] = started.beside
    assert (beside.run, beside.connection) == (None, both.other.kit.name)
    assert "disabled" in beside.message
    both.engine.pump()
    assert both.engine.current(started.run).state in GOOD


def test_where_the_export_itself_cannot_start_the_others_did_and_it_says_so(both: Pair) -> None:
    disable(both, both.engine.kit.name)
    with pytest.raises(Unprocessable, match=f"started on its other connections: {both.other.kit.name}"):
        both.engine.service.begin(NAME)
    both.engine.pump()
    assert len(both.other.members()) == 4


def test_a_schedule_starts_each(both: Pair) -> None:
    both.save(schedule={"kind": "on_refresh"})
    assert both.engine.tick() == [], "what lies there was not asked for"
    both.engine.land(people(5))
    assert {run.export for run in both.engine.tick()} == {NAME, both.companion}
    assert both.engine.members().keys() == both.other.members().keys() == {each.email for each in people(5)}
    exports.set_schedule(both.engine.service, both.engine.catalog.export(NAME), LOCAL, paused=True)
    both.engine.land(people(6))
    assert both.engine.tick() == []
    schedule = Schedule(kind="on_refresh", existing=True)
    held = both.engine.catalog.export(NAME)
    exports.set_schedule(both.engine.service, held, LOCAL, paused=False, schedule=schedule)
    assert {run.export for run in both.engine.tick()} == {NAME, both.companion}


def test_cancelling_the_export_cancels_what_runs_beside_it(both: Pair) -> None:
    started = both.engine.service.begin(NAME)
    looking = both.engine.service.begin(NAME, RunKind.DRY_RUN)
    both.engine.service.cancel(NAME, started.run.run)
    both.engine.pump()
    [beside], [look] = started.beside, looking.beside
    assert beside.run is not None and look.run is not None
    assert both.engine.current(beside.run).state is State.CANCELLED
    assert both.engine.current(look.run).state is not State.CANCELLED, "a dry run is another kind"
    assert both.engine.current(look.run).state in ENDED


def test_a_run_on_one_connection_may_be_started_and_cancelled_alone(both: Pair) -> None:
    started = both.engine.service.begin(both.companion)
    assert started.beside == ()
    both.engine.service.cancel(both.companion, started.run.run)
    assert Runs(both.engine.cloud.runs).active(NAME) is None


def test_the_timer_makes_a_companion_that_a_death_left_unmade(both: Pair) -> None:
    held = both.engine.catalog.export(both.companion)
    both.engine.catalog.claims.delete(held)
    both.engine.tick()
    healed = both.engine.catalog.export(both.companion).item
    parts = ("targets", "matching", "rules", "schedule", "owned_by", "account")
    assert all(getattr(healed, part) == getattr(held.item, part) for part in parts)
    version = both.engine.catalog.export(both.companion).etag
    both.engine.tick()
    assert both.engine.catalog.export(both.companion).etag == version, "what agrees is not written again"


def test_withdrawing_takes_everyone_off_both(both: Pair) -> None:
    both.run()
    both.engine.service.begin(NAME, RunKind.WITHDRAW)
    both.engine.pump()
    assert both.engine.members() == both.other.members() == {}


def test_rebuild_is_about_one_list(both: Pair) -> None:
    both.run()
    assert both.engine.service.begin(NAME, RunKind.REBUILD).beside == ()


def test_reasons_follow_what_the_other_connection_last_did(both: Pair) -> None:
    service = both.engine.service
    both.run()
    disable(both, both.other.kit.name)
    both.engine.land([*people(4), Person("late@example.com")])
    service.begin(NAME)
    both.engine.pump()
    [late] = comparing.compare(service, NAME, "", "").reasons
    assert (late.outcome, late.people) == ("not yet", 1)
    assert "not in the segment when it was delivered there last" in late.reason
    both.engine.land(people(3))
    service.begin(NAME)
    both.engine.pump()
    [left] = comparing.compare(service, NAME, both.other.kit.name, both.engine.kit.name).reasons
    assert (left.outcome, left.people) == ("removed", 1)


def test_people_whom_a_rule_keeps_off_one_are_named_with_it(both: Pair) -> None:
    service = both.engine.service
    both.run()
    both.save(rules={"require": [{"column": "City", "one_of": [f"City {number}" for number in range(3)]}]})
    service.begin(both.companion)
    both.engine.pump()
    [kept] = comparing.compare(service, NAME, "", "").reasons
    assert (kept.outcome, kept.code, kept.people) == ("kept back", "require/0", 1)
    assert str(kept.reason) == "City is none of: City 0, City 1, City 2."


def test_a_comparison_goes_part_by_part(both: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    both.engine.cloud.settings = replace(both.engine.cloud.settings, rows_per_file=4)
    both.other.kit.refuse(both.other, "person7@example.com")
    both.engine.land(people(40))
    both.run()
    found = comparing.compare(both.engine.service, NAME, "", "")
    assert (found.people, found.missing) == (40, 1)
    monkeypatch.setattr("shared.delivery.lookups.compared.MOST_ROWS", 0)
    with comparing.people(both.engine.service, NAME, "", "") as path:
        assert len(path.read_text().splitlines()) == 1, "no more people than may be"


def test_lists_that_take_too_long_are_not_compared(both: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    both.run()
    monkeypatch.setattr("shared.delivery.lookups.compared.LOOK_SECONDS", -1.0)
    with pytest.raises(Unprocessable, match="too large to be compared at once"):
        comparing.compare(both.engine.service, NAME, "", "")
    monkeypatch.undo()
    assert comparing.compare(both.engine.service, NAME, "", "").people == 4, "the next one has its turn"


def test_comparisons_come_one_after_the_other(both: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    both.run()
    monkeypatch.setattr("shared.delivery.lookups.compared.WAIT_SECONDS", 0.0)
    service = both.engine.service
    at_work, waits = threading.Event(), threading.Event()

    def linger(*_: object) -> dict[tuple[str, str], Message]:
        at_work.set()
        waits.wait(60)
        return {}

    with monkeypatch.context() as patch, ThreadPoolExecutor(1) as pool:
        patch.setattr("shared.delivery.lookups.last_reasons.words", linger)
        first = pool.submit(comparing.compare, service, NAME, "", "")
        assert at_work.wait(60)
        with pytest.raises(RetryAfter, match="Somebody else is comparing"), comparing.people(service, NAME, "", ""):
            pass
        waits.set()
        assert first.result(60).people == 4
