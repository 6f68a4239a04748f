"""The first step of a delivery: what is planned from what, who is asked before anything is sent, what goes on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from shared.catalog.models import Existing, Guards, Target
from shared.delivery.plan import step
from shared.delivery.plan.drift import to_remember
from shared.delivery.plan.operations import Tally
from shared.delivery.state import layout, ledger
from shared.delivery.state import plan as plans
from shared.delivery.state.journal import Folded
from shared.delivery.state.ledger import Commit
from shared.delivery.state.plan import Balance, Plan
from shared.delivery.state.records import State, Step
from shared.delivery.state.transitions import RunKind
from shared.errors import Blocked
from shared.vendors.contract import FieldType
from shared.wording import kept, say
from tests.unit.delivery import parts
from tests.unit.delivery.parts import bucket
from tests.unit.delivery.planning import ANN, AT, BOB, CONNECTION, CYD, NAME, PEOPLE, RUN_ID, World, everyone, planning


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with planning(tmp_path) as made:
        yield made


# What is planned


def test_the_plan_is_the_difference_and_is_noted_with_its_numbers(world: World) -> None:
    world.land((ANN, "Ulm"), (BOB, "Bonn"), ("nobody", "Ulm"))
    base = world.known(BOB, CYD)
    work = world.plan()
    assert work.planned
    made, fingerprint = work.planned
    row = work.delivery
    assert (row.step, row.state, row.plan, row.total) == (Step.PREPARE, State.RUNNING, fingerprint, 3)
    assert {name: row.counts[name] for name in ("add", "change", "remove", "refused_here")} == {
        **dict.fromkeys(("add", "change", "remove", "refused_here"), 1)
    }
    assert row.warnings == []
    assert work.base == base
    assert (made.base, made.base_generation, made.fresh, made.members_before) == ("before", 1, False, 2)
    assert (made.folder, made.parts, made.snapshot_rows, made.made_at) == (work.folder, 1, [3], AT.isoformat())
    folder = layout.plan_folder(work.folder, "000007-w1")
    assert all(each.file.name.startswith(folder) for each in made.files)
    published = plans.read(world.cloud.blobs, work.folder)
    assert published
    assert published[1] == fingerprint
    assert work.folded == Folded(), "nobody can have sent anything of it"
    assert world.sample is None, "nobody has to decide"


def test_values_that_were_left_out_are_noted(world: World) -> None:
    world.vendor.types = {"city": FieldType.INTEGER}
    world.land((ANN, "Ulm"), (BOB, "7"))
    work = world.plan()
    assert work.delivery.left_out == {"city": 1}
    assert work.planned
    assert work.planned[0].fields == {"city": FieldType.INTEGER}
    assert world.vendor.asked == ["field_types", "fits ['city']"]


def test_without_data_matching_the_vendor_is_asked_nothing(world: World) -> None:
    world.land((ANN, "Ulm"))
    assert world.made(matching=()).fields == {}
    assert not world.vendor.asked


def test_where_nothing_changed_the_delivery_is_committed_at_once(world: World) -> None:
    world.land()
    work = world.plan()
    assert (work.delivery.step, work.delivery.total) == (Step.COMMIT, 0)
    assert work.planned
    assert work.planned[0].snapshot_rows == [0]
    look = work.planned[0].looks[0]
    assert (look["rows"], look["filled"]) == (0, {"City": 0.0})
    assert work.planned[0].parts == 1


def test_a_plan_that_is_made_is_not_made_again(world: World) -> None:
    world.land((ANN, "Ulm"))
    made = world.plan().planned
    assert made
    world.put("People/20261129T110000Z/part-0.csv", b"Nobody,Nothing")
    again = world.plan(first=False)
    assert again.planned
    assert again.planned[1] == made[1]
    assert (again.delivery.step, again.folded) == (Step.PREPARE, None), "something of it may be sent already"


def test_of_two_who_plan_at_the_same_time_the_first_ones_plan_holds(world: World) -> None:
    world.land((ANN, "Ulm"))
    made = world.made()
    world.land((ANN, "Ulm"), (BOB, "Ulm"), at=AT - timedelta(minutes=30))
    other = world.plan()
    assert other.planned
    assert (other.planned[0].made_at, other.planned[0].balance) == (made.made_at, made.balance)
    assert other.delivery.total == 1
    assert other.folded is None


def test_a_plan_that_lost_a_row_is_never_one(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.land((ANN, "Ulm"))
    monkeypatch.setattr(Tally, "balance", lambda tally: Balance(rows_read=1))
    with pytest.raises(AssertionError, match="accounts for 0 of 1 rows"):
        world.plan()
    assert plans.read(world.cloud.blobs, world.work().folder) is None


@pytest.mark.parametrize(("settings", "rows"), [({}, None), ({"batch_rows": "7"}, 7)])
def test_batches_are_as_large_as_the_connection_says(world: World, settings: dict[str, Any], rows: int | None) -> None:
    world.land((ANN, "Ulm"))
    made = world.made(connection=CONNECTION.model_copy(update={"settings": settings}))
    assert made.batch_rows == (rows or world.definition.batch_rows)


def test_a_small_segment_is_a_single_part_however_its_ledger_is_divided(world: World) -> None:
    second = [each for each in PEOPLE if bucket(each) // 16 == 1]
    world.land(*everyone(*PEOPLE))
    world.known(*second, of=16)
    made = world.made()
    assert made.parts == 1
    assert (made.balance.add, made.balance.change) == (len(PEOPLE) - len(second), len(second))


def test_what_was_not_used_of_the_segment_is_a_warning(world: World) -> None:
    snapshot = {"passed_over": [kept(say("It is late"))], "beside": [kept(say("It is odd"))]}
    older: dict[str, Any] = {"passed_over": []}
    made = Plan(2, 1, "", False, 0, [snapshot, older], [0, 0], Balance(add=1), warnings=[say("It differs.")])
    plans.publish(world.cloud.blobs, world.work().folder, made)
    assert world.plan(first=False).delivery.warnings == [
        "A newer snapshot was not used: It is late.",
        "Something in the segment's folder was not used: It is odd.",
        "It differs.",
    ]


def test_people_who_were_on_the_list_before_us_may_be_protected(world: World) -> None:
    world.vendor.on_the_list = [BOB]
    target = Target(segments=("People",), list_id="7", existing=Existing.PROTECT)
    world.remember()
    world.land((ANN, "Ulm"))
    world.known(BOB, CYD)
    balance = world.made(targets=(target,)).balance
    assert (balance.remove, balance.left) == (1, 1)


# From which ledger


def test_a_list_that_is_made_anew_gets_everybody(world: World) -> None:
    world.land((ANN, "Ulm"))
    world.known(ANN, BOB)
    made = world.made(RunKind.REBUILD)
    assert (made.fresh, made.base, made.members_before, made.balance.add, made.balance.remove) == (True, "", 0, 1, 0)


@pytest.mark.parametrize(("generation", "code"), [(None, "ledger_missing"), (5, "ledger_older"), (1, "ledger_damaged")])
def test_a_ledger_that_is_not_right_stops_a_delivery(world: World, generation: int | None, code: str) -> None:
    world.land((ANN, "Ulm"))
    _lose(world, generation, code)
    with pytest.raises(Blocked) as raised:
        world.plan()
    assert raised.value.code == code


@pytest.mark.parametrize(("generation", "code"), [(None, "ledger_missing"), (1, "ledger_damaged")])
def test_a_full_resync_goes_on_without_a_ledger_that_is_lost(
    world: World, generation: int | None, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    world.land((ANN, "Ulm"))
    _lose(world, generation, code)
    made = world.made(RunKind.FULL_RESYNC)
    assert (made.fresh, made.base, made.members_before, made.balance.add) == (True, "", 0, 1)
    assert "is lost; everyone in the segment is sent again" in caplog.text


def test_a_full_resync_goes_on_from_an_older_ledger_since_leavers_are_in_it(world: World) -> None:
    world.land((ANN, "Ulm"))
    _lose(world, 5, "ledger_older")
    work = world.plan(RunKind.FULL_RESYNC)
    assert work.planned
    made = work.planned[0]
    assert (made.fresh, made.base, made.members_before, made.balance.remove) == (False, "before", 2, 1)
    assert work.base == ledger.read(world.cloud.blobs, work.ledger_folder)


def _lose(world: World, generation: int | None, code: str) -> None:
    """A target whose last commit is remembered, and whose ledger is not that of it."""
    if generation is not None:
        world.known(ANN, BOB)
    world.remember(**Commit("zzz", generation or 1).facts())
    if code == "ledger_damaged":
        name = layout.ledger_manifest(world.work().ledger_folder)
        found = world.cloud.blobs.read(name)
        assert found
        world.cloud.blobs.write(name, b"{", etag=found[1])


# Who is asked before


def test_a_guard_stops_the_delivery_and_shows_who_is_concerned(world: World) -> None:
    world.land()
    world.known(ANN, BOB)
    work = world.plan()
    row = world.runs.delivery(NAME, RUN_ID, 0)
    assert row
    assert row.value == work.delivery, "it is written, since the slice ends here"
    message = "Blocked before the first write: the snapshot is empty, and 2 people are on the list."
    assert (row.value.state, row.value.code, row.value.message) == (State.BLOCKED, "empty", message)
    assert (row.value.step, row.value.total) == (Step.PLAN, 2)
    assert sorted(world.sample or []) == [ANN, BOB]


@pytest.mark.parametrize("decision", ["deliver", "additions_only"])
def test_a_person_may_decide_to_deliver(world: World, decision: str) -> None:
    world.land()
    world.known(ANN, BOB)
    work = world.plan(decision=decision)
    assert (work.delivery.step, work.delivery.state) == (Step.PREPARE, State.RUNNING)
    assert world.sample is None


def test_a_dry_run_shows_who_is_planned_and_sends_nothing_whatever_a_guard_says(world: World) -> None:
    world.land()
    world.known(ANN, BOB)
    work = world.plan(RunKind.DRY_RUN)
    assert (work.delivery.step, work.delivery.state, work.delivery.total) == (Step.COMMIT, State.RUNNING, 2)
    assert sorted(world.sample or []) == [ANN, BOB]


def test_to_take_everybody_off_was_asked_for(world: World) -> None:
    world.known(ANN, BOB)
    work = world.plan(RunKind.WITHDRAW)
    assert work.planned
    assert (work.delivery.step, work.planned[0].findings, work.planned[0].balance.remove) == (Step.PREPARE, [], 2)


def test_the_vendors_limit_of_people_holds_where_the_export_has_none(world: World) -> None:
    world.definition = replace(world.definition, max_profiles=2)
    world.land(*everyone(ANN, BOB, CYD))
    assert world.stopped() == [("size", "the segment has 3 people, limit 2")]


def test_an_exports_own_limit_of_people_comes_first(world: World) -> None:
    world.land(*everyone(ANN, BOB))
    assert world.stopped(guards=Guards(max_profiles=1)) == [("size", "the segment has 2 people, limit 1")]


def test_a_snapshot_that_is_older_than_the_one_delivered_is_not(world: World) -> None:
    world.land((ANN, "Ulm"), at=AT - timedelta(hours=2))
    delivered = [{"key": "k", "taken_at": at} for at in ("2026-11-29T11:30:00+00:00", "2026-11-29T12:00:00+01:00")]
    world.known(ANN, snapshots=tuple(delivered))
    said = "the snapshot of 2026-11-29 10:00 is older than the one last delivered (2026-11-29 11:00)"
    assert world.stopped() == [("older", said)]


def test_more_leavers_than_usual_are_asked_about(world: World) -> None:
    """Usual is what deliveries to this list did: of other kinds of runs, other ends and other lists nothing counts."""
    for day, state in enumerate((State.SUCCEEDED, State.WARNINGS, State.SUCCEEDED), 1):
        world.ran(day, state, {"add": 1} if day == 1 else {"remove": 0})
    world.ran(4, State.SUCCEEDED, {"remove": 90}, kind=RunKind.RETRY)
    world.ran(5, State.FAILED, {"remove": 90})
    world.ran(6, State.NOTHING, {"remove": 90})
    world.ran(7, State.SUCCEEDED, {"remove": 90}, target_key="other")
    world.land(*everyone(*PEOPLE[25:]))
    world.known(*PEOPLE)
    said = "would remove 25 of 130, and at most 0 in any of the last 3 runs"
    assert world.stopped() == [("unusual", said)]


def test_as_many_leavers_as_before_stop_nothing(world: World) -> None:
    for day, remove in enumerate((0, 3, 1), 1):
        world.ran(day, State.SUCCEEDED, {"remove": remove})
    world.land(*everyone(*PEOPLE[25:]))
    world.known(*PEOPLE)
    assert world.stopped() == [], "ten times as many"


def test_leavers_who_only_lost_their_address_are_asked_about(world: World) -> None:
    world.ran(1, State.SUCCEEDED, {"refused_here": 8})
    world.ran(2, State.NOTHING, {})
    world.ran(3, State.FAILED, {"refused_here": 8})
    world.land(*everyone(*PEOPLE[10:]), *[("", "Ulm")] * 8)
    world.known(*PEOPLE)
    said = "8 of 130 people would leave because their address cannot be read, limit 2%"
    assert world.stopped() == [("unreadable", said)]


def test_addresses_that_could_not_be_read_before_either_stop_nothing(world: World) -> None:
    world.ran(1, State.NOTHING, {"refused_here": 8})
    world.land(*everyone(*PEOPLE[10:]), *[("", "Ulm")] * 8)
    world.known(*PEOPLE)
    assert world.stopped() == []


def test_the_connection_must_lead_to_the_account_that_the_list_is_in(world: World) -> None:
    work = world.work()
    step.require_same_account(work)
    work.connection = CONNECTION.model_copy(update={"account": None})
    step.require_same_account(work)
    work.connection = CONNECTION.model_copy(update={"account": "another"})
    with pytest.raises(Blocked) as raised:
        step.require_same_account(work)
    assert raised.value.code == "account_switched"


# What the next run compares with


def test_what_is_seen_of_a_segment_is_kept_for_the_next_run(world: World) -> None:
    world.land((ANN, "Ulm"), (BOB, "NULL"), (CYD, ""), segment="People")
    world.land((ANN, "Ulm"), segment="Others")
    targets = (Target(segments=("People", "Others")),)
    first, second = world.made(targets=targets).looks
    assert (first["name"], first["rows"], first["filled"], first["texts"]) == (
        *("People", 3),
        {"City": 0.667},
        {"City": 0.333},
    )
    assert (second["name"], second["rows"], second["filled"], second["texts"]) == ("Others", 1, {"City": 1.0}, {})
    assert first["types"] == {}, "text has none"
    assert list(first["columns"]) == ["EMail", "City"]


def test_types_are_seen_where_files_say_them(world: World) -> None:
    path = world.to / "people.parquet"
    query = f'SELECT \'{ANN}\' AS "EMail", 7::INTEGER AS "City"'
    parts.database().execute(f"COPY ({query}) TO '{path}' (FORMAT parquet)")
    world.put("People/20261129T110000Z/part-0.parquet", path.read_bytes())
    world.put("People/20261129T110000Z/_SUCCESS", b"")
    assert world.made().looks[0]["types"] == {"City": "INTEGER"}


def test_a_column_that_was_full_and_is_bare_stops_the_delivery(world: World) -> None:
    world.land(*everyone(*PEOPLE))
    looks = world.made().looks
    remembered = to_remember(looks)
    world.cloud.blobs.delete(layout.plan_manifest(world.work().folder))
    world.remember(looks=remembered)
    world.land(*((each, "") for each in PEOPLE), at=AT - timedelta(minutes=30))
    [(guard, words)] = world.stopped()
    assert (guard, words) == ("emptied", "City is empty in 100% of the rows of People, 0% before")
