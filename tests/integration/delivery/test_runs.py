"""One export, run after run: the list equals the segment, and every row has an outcome."""

from __future__ import annotations

import pytest

from shared.cloud.settings import StorageAddress
from shared.delivery.plan import division
from shared.delivery.state import ledger
from shared.delivery.state.ledger import Ledger
from shared.delivery.state.records import State
from tests.integration.delivery import engine as engines
from tests.integration.delivery.engine import Engine, Person, people
from tests.kits import ITERABLE


def balanced(rows: dict[str, int]) -> bool:
    ends = ("add", "change", "unchanged", "held", "duplicates", "refused_here")
    return rows["rows_read"] == sum(rows[name] for name in ends)


def test_the_first_run_brings_everyone_and_accounts_for_every_row(engine: Engine) -> None:
    extra = [Person("bad@@example"), Person(""), Person(" PERSON1@Example.com ", "Double"), Person("x y@example.com")]
    engine.land([*people(1200), *extra])
    engine.define(first_run="deliver")
    run = engine.run()
    assert run.state is State.WARNINGS
    assert engine.members().keys() == {person.email for person in people(1200)}
    assert engine.members()["person1@example.com"] == {"first": "First1", "city": "City 1"}
    report = engine.report(run)
    assert balanced(report["rows"])
    assert report["rows"] | {"rows_read": 1204, "add": 1200, "duplicates": 1, "refused_here": 3} == report["rows"]
    assert report["outcomes"] == {"add accepted": 1200}


def test_refused_rows_say_where_they_stand_and_why(engine: Engine) -> None:
    engine.land([*people(3), Person("=cmd|'@example"), Person("")], files=1)
    engine.define()
    formula, empty = engine.rejected(engine.run())
    assert (formula["address"], formula["row"], formula["code"]) == ("'=cmd|'@example", "4", "address_invalid")
    assert (empty["row"], empty["code"], empty["segment"]) == ("5", "address_missing", "Loyal")
    assert empty["file"].endswith("part-0.csv")


def test_names_of_segments_and_files_are_no_formulas_either(engine: Engine) -> None:
    engine.land([*people(3), Person("")], segment="=1+1", files=1)
    engine.define(targets=[{"segments": ["=1+1"], "list_name": "Formulas"}])
    [row] = engine.rejected(engine.run())
    assert (row["segment"], row["file"][:5]) == ("'=1+1", "'=1+1")


def test_the_second_run_sends_only_the_difference(engine: Engine) -> None:
    engine.land(people(300))
    engine.define()
    engine.run()
    before = len(engine.calls("POST"))
    engine.land([Person("person5@example.com", "Changed", "City 5"), *people(270, 20), *people(10, 1000)])
    run = engine.run()
    assert run.state is State.SUCCEEDED
    assert engine.report(run)["outcomes"] == {"add accepted": 20, "change accepted": 1, "remove accepted": 29} | {
        "add accepted": 10
    }
    endpoints = [(call.endpoint.rpartition("/")[2], call.rows) for call in engine.calls("POST")[before:]]
    assert endpoints == [("subscribe", 10), ("bulkUpdate", 1), ("unsubscribe", 29)]
    assert len(engine.members()) == 281
    assert engine.members()["person5@example.com"]["first"] == "Changed"


def test_no_change_is_nothing_to_do_and_no_write(engine: Engine) -> None:
    engine.land(people(10))
    engine.define()
    engine.run()
    writes = len(engine.calls("POST"))
    engine.land(people(10))
    assert engine.run().state is State.NOTHING
    assert len(engine.calls("POST")) == writes


def test_everyone_changed_is_no_new_subscription(engine: Engine) -> None:
    engine.land(people(50))
    engine.define()
    engine.run()
    engine.land([Person(person.email, "New " + person.first, person.city) for person in people(50)])
    assert engine.report(engine.run())["outcomes"] == {"change accepted": 50}
    assert [call.rows for call in engine.calls("subscribe")].count(50) == 1


def test_everyone_left_is_stopped_by_a_guard_with_numbers(engine: Engine) -> None:
    engine.land(people(200))
    engine.define()
    engine.run()
    writes = len(engine.calls("POST"))
    engine.land([])
    run = engine.run()
    assert run.state is State.BLOCKED
    assert "would remove 200 of 200 (100%), limit 20%" in run.message
    assert len(engine.calls("POST")) == writes
    assert len(engine.members()) == 200


@pytest.mark.parametrize(
    ("decision", "left", "state"), [("deliver", 1, State.SUCCEEDED), ("discard", 200, State.CANCELLED)]
)
def test_a_person_decides_about_a_blocked_run(engine: Engine, decision: str, left: int, state: State) -> None:
    engine.land(people(200))
    engine.define()
    engine.run()
    engine.land(people(1))
    run = engine.run()
    plan = engine.delivery(run).plan
    engine.service.decide(run.export, run.run, plan=plan, decision=decision, by="admin")  # type: ignore[arg-type]
    engine.pump()
    assert engine.current(run).state is state
    assert len(engine.members()) == left
    [target] = (engine.service.runs.view(run.export, run.run) or pytest.fail("the run is gone")).targets
    assert (target.decision, target.decided_by) == (decision, "admin")
    assert target.decided_at is not None


def test_additions_go_out_while_removals_are_held(engine: Engine) -> None:
    engine.land(people(200))
    engine.define()
    engine.run()
    engine.land(people(5, 500))
    run = engine.run()
    engine.service.decide(run.export, run.run, plan=engine.delivery(run).plan, decision="additions_only", by="admin")
    engine.pump()
    assert len(engine.members()) == 205
    assert engine.report(run)["outcomes"] == {"add accepted": 5, "remove skipped": 200}


def test_a_newer_run_takes_the_place_of_a_blocked_one(engine: Engine) -> None:
    engine.land(people(200))
    engine.define()
    engine.run()
    engine.land([])
    blocked = engine.run()
    engine.land(people(199))
    assert engine.run().state is State.SUCCEEDED
    assert engine.current(blocked).state is State.CANCELLED
    assert len(engine.members()) == 199


def test_a_schedule_leaves_a_question_about_the_newest_snapshot(engine: Engine) -> None:
    engine.land(people(200))
    following = {"kind": "on_refresh"}
    engine.define(schedule=following)
    engine.run()
    engine.land([])
    blocked = engine.run()
    assert [engine.tick() for _ in range(2)] == [[], []]
    assert engine.current(blocked).state is State.BLOCKED
    engine.land(people(199))
    [newer] = engine.tick()
    assert engine.current(blocked).state is State.CANCELLED
    assert engine.current(newer).state is State.SUCCEEDED


def test_a_schedule_asks_anew_once_the_export_is_another(engine: Engine) -> None:
    engine.land(people(200))
    engine.define(schedule={"kind": "on_refresh"})
    engine.run()
    engine.land([])
    blocked = engine.run()
    engine.define(schedule={"kind": "on_refresh"}, mode="add")
    assert len(engine.tick()) == 1
    assert engine.current(blocked).state is State.CANCELLED


def test_mode_add_never_takes_anyone_off(engine: Engine) -> None:
    engine.land(people(20))
    engine.define(mode="add")
    engine.run()
    engine.land(people(5, 10))
    run = engine.run()
    assert engine.report(run)["rows"]["left"] == 15
    assert len(engine.members()) == 20


def test_an_empty_cell_is_kept_or_cleared_as_chosen(engine: Engine) -> None:
    engine.land([Person("ana@example.com", "Ana", "Rome")])
    engine.define()
    engine.run()
    engine.land([Person("ana@example.com", "", "")])
    engine.run()
    assert engine.members() == {"ana@example.com": {"first": "Ana"}}


def test_people_who_return_are_added_again(engine: Engine) -> None:
    engine.define()
    for present in (people(10), people(5), people(10)):
        engine.land(present)
        engine.run()
    assert len(engine.members()) == 10


def test_several_segments_of_a_target_are_their_union(engine: Engine) -> None:
    engine.land(people(20))
    engine.land([Person("person3@example.com", "Second", ""), *people(5, 100)], "New")
    engine.define(targets=[{"segments": ["Loyal", "New"]}])
    run = engine.run()
    assert len(engine.members()) == 25
    assert engine.members()["person3@example.com"]["first"] == "First3"
    assert engine.report(run)["rows"]["duplicates"] == 1
    engine.land(people(2, 100), "New")
    engine.run()
    assert len(engine.members()) == 22


def test_each_target_of_an_export_has_its_own_list_and_delivery(engine: Engine) -> None:
    engine.land(people(20))
    engine.land(people(5, 100), "New")
    engine.define(targets=[{"segments": ["Loyal"]}, {"segments": ["New"], "list_name": "Welcome"}])
    run = engine.run()
    assert run.state is State.WARNINGS or run.state is State.SUCCEEDED
    assert (len(engine.members("Loyal")), len(engine.members("Welcome"))) == (20, 5)


@pytest.mark.parametrize("rows_per_file", [100, 160])
def test_a_segment_too_large_for_one_file_is_delivered_part_by_part(
    storage: StorageAddress, unique: str, rows_per_file: int
) -> None:
    """The same outcome, whatever the number of parts."""
    with engines.engine(storage, unique, rows_per_file=rows_per_file) as engine:
        engine.connect()
        engine.land([*people(900), Person("PERSON7@example.com"), Person("bad")], files=3)
        engine.define()
        first = engine.run()
        assert engine.report(first)["rows"]["add"] == 900
        assert len(engine.members()) == 900
        engine.land([*people(800, 50), *people(5, 2000)], files=3)
        second = engine.run()
        assert balanced(engine.report(second)["rows"])
        assert engine.report(second)["outcomes"] == {"add accepted": 5, "remove accepted": 100}
        assert len(engine.members()) == 805
        engine.land([*people(800, 50), *people(5, 2000)], files=3)
        assert engine.run().state is State.NOTHING


@pytest.mark.parametrize(("before", "after"), [(16, 32), (2, 1), (1, 4)])
def test_a_ledger_that_was_divided_otherwise_goes_on(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, before: int, after: int
) -> None:
    """The segment grew, or an earlier version divided it otherwise."""

    def kept() -> Ledger:
        [name] = [each for each in engine.cloud.blobs.names("ledgers/") if each.endswith("manifest.json")]
        return ledger.read(engine.cloud.blobs, name.removesuffix("manifest.json"))

    def divided(parts: int) -> int:
        """Run in so many parts; how many files the ledger has then."""
        monkeypatch.setattr(division, "division", lambda *segments_and_ledger: parts)
        engine.run()
        return len(kept().files)

    engine.land(people(300))
    engine.define()
    assert divided(before) == before
    engine.land([*people(250), *people(100, 1000)])
    assert divided(after) == after
    assert len(engine.members()) == 350
    assert kept().members == 350
    engine.land([*people(250), *people(100, 1000)])
    run = engine.run()
    assert (run.state, engine.report(run)["rows"]["unchanged"]) == (State.NOTHING, 350)


def test_a_batch_reaches_over_parts_and_everyone_gets_their_own_receipt(storage: StorageAddress, unique: str) -> None:
    odd = [Person(f"odd{number}@nowhere.unknownzone") for number in range(40)]
    with engines.engine(storage, unique, rows_per_file=60) as engine:
        engine.connect(settings={**ITERABLE.settings, "batch_rows": 70})
        engine.simulator.vendor.settings.known_domains_only = True
        engine.land([*people(300), *odd])
        engine.define()
        first = engine.run()
        carried = [call for call in engine.calls("POST") if call.rows]
        assert sorted(call.rows for call in carried) == [60] + [70] * 4
        assert engine.report(first)["outcomes"] == {"add accepted": 300, "add rejected": 40}
        assert {row["address"] for row in engine.rejected(first)} == {person.email for person in odd}
        assert engine.run().state is State.NOTHING, "whoever was refused is known, and so is everyone on the list"


def test_slices_go_on_in_the_middle_of_a_part_and_of_a_batch(storage: StorageAddress, unique: str) -> None:
    with engines.engine(storage, unique, rows_per_file=60, slice_seconds=0.001) as engine:
        engine.connect(settings={**ITERABLE.settings, "batch_rows": 9})
        engine.land(people(300))
        engine.define()
        run = engine.start()
        assert engine.pump() == engine.delivery(run).turn > 2
        assert sum(call.rows for call in engine.calls("POST")) == 300
        assert engine.report(run)["outcomes"] == {"add accepted": 300}
        assert len(engine.members()) == 300


def test_additions_of_all_parts_go_before_any_removal(storage: StorageAddress, unique: str) -> None:
    with engines.engine(storage, unique, rows_per_file=60) as engine:
        engine.connect()
        engine.land(people(500))
        engine.define()
        engine.run()
        before = len(engine.calls("POST"))
        engine.land([*people(450), *people(50, 1000)])
        engine.run()
        kinds = [call.endpoint.rpartition("/")[2] for call in engine.calls("POST")[before:]]
        assert kinds == sorted(kinds)
        assert {"subscribe", "unsubscribe"} <= set(kinds)


def test_a_slice_that_is_out_of_time_goes_on_in_the_next(storage: StorageAddress, unique: str) -> None:
    with engines.engine(storage, unique, slice_seconds=0.001) as engine:
        engine.connect(settings={"subscribe_rate": 1000, "batch_rows": 1})
        engine.land(people(40))
        engine.define()
        run = engine.start()
        assert engine.pump() == engine.delivery(run).turn > 2
        assert engine.current(run).state in (State.SUCCEEDED, State.WARNINGS)
        assert len(engine.members()) == 40
        assert [call.rows for call in engine.calls("subscribe")] == [1] * 40
