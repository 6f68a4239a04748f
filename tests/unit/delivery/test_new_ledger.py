"""A commit's part: how each operation ended, what is counted of it, and what the ledger knows afterwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from shared.delivery.commit.new_ledger import LedgerPlace, Outcomes, Why, commit_part
from shared.delivery.state import vendor_ids
from shared.delivery.state.files import DataFile
from shared.delivery.state.journal import Folded
from shared.delivery.state.ledger import Ledger, LedgerFile
from shared.delivery.state.plan import Balance, Plan, number
from shared.errors import Blocked
from shared.vendors.contract import (
    ACKNOWLEDGED,
    CONFIRMED,
    PROFILE_MISSING,
    BatchResult,
    Evidence,
    Kind,
    Outcome,
    Receipt,
    Retry,
)
from shared.wording import say
from tests.unit.delivery import parts
from tests.unit.delivery.parts import LONG_AGO, Blobs, bucket, database

ANN, BOB, CYD, DAN, EVE = (f"{name}@example.com" for name in ("ann", "bob", "cyd", "dan", "eve"))
TYPES = {
    "address": "VARCHAR",
    "bucket": "UTINYINT",
    '"values"': "VARCHAR",
    "hash": "UBIGINT",
    "vendor_id": "VARCHAR",
    "n": "BIGINT",
    "segment": "INTEGER",
    "file_index": "INTEGER",
}
WRONG = Receipt(Outcome.REJECTED, "wrong", say("%(vendor)s took it for wrong.", vendor="Acme"), Retry.WHEN_CHANGED)
LEFT = Receipt(Outcome.SKIPPED, "unsubscribed", "Unsubscribed.")
UNKNOWN = Receipt(Outcome.UNKNOWN, "odd", "Odd.")


@dataclass
class World:
    folder: Path
    blobs: Blobs = field(default_factory=Blobs)
    plan: Plan = field(default_factory=lambda: Plan(2, 1, "", False, 0, [], [], Balance()))
    before: Ledger = field(default_factory=Ledger)

    def planned(self, *operations: tuple[Kind, Sequence[str]], batch_rows: int = 10, of: int = 1) -> None:
        """People by kind, in their order. The hash of a person is 1, 2, 3; so is the number of the row."""
        files = []
        for kind, people in operations:
            for part in range(of):
                own = [
                    {
                        "address": who,
                        "values": "{}",
                        "hash": n,
                        "n": n,
                        "segment": 0,
                        "file_index": 7,
                        "vendor_id": None,
                    }
                    for n, who in enumerate(people, 1)
                    if bucket(who) // (256 // of) == part
                ]
                if own:
                    name = f"plan/{part}-{kind}.parquet"
                    files.append((kind, part, parts.stored(self.blobs, name, own, TYPES, self.folder)))
        self.plan = replace(self.plan, parts=of, batch_rows=batch_rows, files=number(files, batch_rows))

    def known(self, *rows: Mapping[str, object], of: int = 1) -> None:
        self.before = parts.ledger(self.blobs, self.folder, *rows, parts=of)

    def commit(self, folded: Folded, *, part: int = 0, swapped: bool = False) -> Outcomes:
        outcomes, there = Outcomes(), set(self.folder.iterdir())
        commit_part(
            database(),
            parts.files(self.blobs),
            outcomes,
            plan=self.plan,
            part=part,
            folded=folded,
            before=None if swapped else self.before,
            place=LedgerPlace("ledger/", "runs/e/r/0/", "this-run", "attempt-1", self.folder),
        )
        assert set(self.folder.iterdir()) == there, "nothing is left on disk"
        return outcomes

    def rows(self, file: Any) -> dict[str, dict[str, Any]]:
        return {row.pop("address"): row for row in parts.rows(self.blobs, file, self.folder)}

    def ledger(self, outcomes: Outcomes) -> dict[str, dict[str, Any]]:
        return {who: row for each in outcomes.files for who, row in self.rows(each.file).items()}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def answered(default: Receipt, **others: Receipt) -> Folded:
    """The first batch's receipts; `at_1` is that of the second person."""
    each = {int(name.removeprefix("at_")): receipt for name, receipt in others.items()}
    return Folded({0: BatchResult(default, each)}, sent={0})


def row(address: str, status: str, **more: object) -> dict[str, object]:
    return {"address": address, "status": status, "hash": 90, "vendor_id": "old", **more}


def just_now(moment: datetime) -> bool:
    return abs(datetime.now(UTC).replace(tzinfo=None) - moment) < timedelta(minutes=5)


NEW = {"status": "member", "hash": 1, "run": "this-run"}
SAME = {"status": "member", "hash": 90, "vendor_id": "old", "changed_at": LONG_AGO, "run": "before"}

ENDS: list[tuple[Kind, dict[str, object] | None, Receipt, dict[str, object]]] = [
    (Kind.ADD, None, CONFIRMED, NEW),
    (Kind.ADD, None, replace(CONFIRMED, vendor_id="v-1"), {**NEW, "vendor_id": "v-1"}),
    (Kind.ADD, None, WRONG, {"status": "refused", "refused_hash": 1, "code": "wrong", "retry": "when changed"}),
    (Kind.ADD, None, UNKNOWN, {"status": "maybe"}),
    (Kind.ADD, None, LEFT, {}),
    (Kind.CHANGE, row(ANN, "member"), CONFIRMED, {**NEW, "vendor_id": "old"}),
    (Kind.CHANGE, row(ANN, "member"), replace(CONFIRMED, vendor_id="new"), {**NEW, "vendor_id": "new"}),
    (
        Kind.CHANGE,
        row(ANN, "member"),
        WRONG,
        {"status": "member", "hash": 90, "refused_hash": 1, "code": "wrong", "retry": "when changed"},
    ),
    (Kind.CHANGE, row(ANN, "member", code="old", retry="never", refused_hash=3), CONFIRMED, NEW),
    (Kind.CHANGE, row(ANN, "member"), UNKNOWN, {"status": "member"}),
    (Kind.CHANGE, row(ANN, "member"), LEFT, SAME),
    (Kind.CHANGE, row(ANN, "member"), replace(WRONG, code=PROFILE_MISSING), {"status": "maybe"}),
    (Kind.REMOVE, row(ANN, "member"), CONFIRMED, {"status": "removed"}),
    (Kind.REMOVE, row(ANN, "member"), UNKNOWN, {"status": "maybe"}),
    (Kind.REMOVE, row(ANN, "member"), WRONG, SAME),
    (Kind.REMOVE, row(ANN, "member"), LEFT, SAME),
]


@pytest.mark.parametrize(("kind", "before", "receipt", "after"), ENDS)
def test_an_operation_and_its_outcome_decide_what_is_known(
    world: World, kind: Kind, before: dict[str, object] | None, receipt: Receipt, after: dict[str, object]
) -> None:
    if before:
        world.known(before)
    world.planned((kind, [ANN]))
    own = answered(LEFT, at_0=receipt)  # only a receipt of one's own tells one's id
    found = world.ledger(world.commit(own if receipt.vendor_id else answered(receipt)))
    if not after:
        assert found == {}
        return
    made = found[ANN]
    if after is not SAME:
        assert just_now(made.pop("changed_at"))
        took_off = kind is Kind.REMOVE
        assert took_off == ("removed_at" in made) and (not took_off or just_now(made.pop("removed_at")))
        after = {"run": "this-run", **({"vendor_id": "old"} if before else {}), **after}
    assert made == {"bucket": bucket(ANN), **after}


@pytest.mark.parametrize(
    ("kind", "receipt", "still"),
    [
        (Kind.ADD, UNKNOWN, True),
        (Kind.ADD, WRONG, True),
        (Kind.ADD, CONFIRMED, False),
        (Kind.CHANGE, UNKNOWN, False),
    ],
)
def test_who_was_taken_off_is_known_as_such_until_they_are_a_member(
    world: World, kind: Kind, receipt: Receipt, still: bool
) -> None:
    """It keeps returners from being subscribed anew at vendors where they said no."""
    world.known(row(ANN, "removed", removed_at=LONG_AGO))
    world.planned((kind, [ANN]))
    made = world.ledger(world.commit(answered(receipt)))[ANN]
    assert made.get("removed_at") == (LONG_AGO if still else None)


def test_all_others_stay_as_they_were(world: World) -> None:
    world.known(row(BOB, "member"), row(CYD, "maybe"), row(DAN, "removed", removed_at=LONG_AGO))
    world.planned((Kind.ADD, [ANN, EVE]))
    outcomes = world.commit(answered(CONFIRMED, at_1=UNKNOWN))
    found = world.ledger(outcomes)
    assert found[BOB] == {"bucket": bucket(BOB), **SAME}
    assert found[DAN] == {"bucket": bucket(DAN), **SAME, "status": "removed", "removed_at": LONG_AGO}
    assert found.keys() == {ANN, BOB, CYD, DAN, EVE}
    [file] = outcomes.files
    assert (file.first, file.last, file.members, file.maybe) == (0, 255, 4, 2)
    assert file.file.name == "ledger/attempt-1/000.parquet"
    assert found[ANN]["hash"] == 1
    assert "hash" not in found[EVE]


def test_a_part_in_which_nothing_was_planned_keeps_its_file(world: World) -> None:
    people = [f"p{number}@example.com" for number in range(12)]
    world.known(*(row(each, "member") for each in people), of=2)
    low = [each for each in people if bucket(each) < 128]
    world.planned((Kind.REMOVE, low[:1]), of=2)
    first, second = (world.commit(answered(CONFIRMED), part=part) for part in (0, 1))
    assert second.files == [world.before.files[1]]
    assert first.files[0].file.name == "ledger/attempt-1/000.parquet"
    assert first.files[0].members == len(low) - 1
    assert (first.files[0].first, first.files[0].last) == (0, 127)


def test_a_ledger_in_other_parts_is_cut_anew(world: World) -> None:
    people = [f"p{number}@example.com" for number in range(12)]
    world.known(*(row(each, "member") for each in people))
    world.planned((Kind.REMOVE, people[:1]), of=2)
    made = [world.commit(answered(CONFIRMED), part=part) for part in (0, 1)]
    assert [set(world.ledger(each)) for each in made] == [
        {each for each in people if bucket(each) < 128},
        {each for each in people if bucket(each) >= 128},
    ]
    assert made[1].files[0] == LedgerFile(128, 255, made[1].files[0].members, made[1].files[0].file, 0)


def test_nobody_left_is_no_file(world: World) -> None:
    world.planned((Kind.ADD, [ANN]))
    assert world.commit(answered(WRONG, at_0=LEFT)).files == []


def test_what_became_of_whom_is_counted(world: World) -> None:
    world.planned((Kind.ADD, [ANN, BOB, CYD, DAN]), (Kind.REMOVE, [EVE]), batch_rows=4)
    folded = Folded(
        {0: BatchResult(ACKNOWLEDGED, {1: WRONG, 2: replace(CONFIRMED, left_out=("city", "age")), 3: WRONG})}
    )
    folded.results[1] = BatchResult(CONFIRMED)
    outcomes = world.commit(folded)
    assert outcomes.counts == {"add accepted": 2, "add rejected": 2, "remove accepted": 1}
    assert outcomes.evidence == {Evidence.ACKNOWLEDGED: 1, Evidence.CONFIRMED: 2}
    assert outcomes.left_out == {"city": 1, "age": 1}
    reason = say("%(vendor)s took it for wrong.", vendor="Acme")
    assert outcomes.reasons == {Why("rejected", "wrong", reason, "when changed"): 2}
    [why] = outcomes.reasons
    assert getattr(why.reason, "values", None) == {"vendor": "Acme"}, "it can be said in other languages"


def test_counts_of_parts_add_up(world: World) -> None:
    world.planned((Kind.ADD, [ANN, BOB]))
    outcomes = Outcomes({"add accepted": 5}, {}, evidence={"confirmed": 5}, left_out={"city": 5})
    outcomes.reasons[Why("rejected", "wrong", str(WRONG.reason), "when changed")] = 5
    place = LedgerPlace("ledger/", "runs/e/r/0/", "this-run", "attempt-1", world.folder)
    folded = answered(replace(CONFIRMED, left_out=("city",)), at_1=WRONG)
    commit_part(
        database(),
        parts.files(world.blobs),
        outcomes,
        plan=world.plan,
        part=0,
        folded=folded,
        before=None,
        place=place,
    )
    assert outcomes.counts == {"add accepted": 6, "add rejected": 1}
    assert (outcomes.evidence, outcomes.left_out) == ({"confirmed": 6}, {"city": 6})
    assert list(outcomes.reasons.values()) == [6]


def test_each_receipt_is_that_of_its_own_person_in_every_batch(world: World) -> None:
    people = [f"p{number}@example.com" for number in range(9)]
    world.planned((Kind.ADD, people), batch_rows=4)
    other = {0: {3: WRONG}, 1: {0: UNKNOWN, 3: WRONG}, 2: {0: LEFT}}
    folded = Folded({batch: BatchResult(CONFIRMED, each) for batch, each in other.items()})
    status = {who: row["status"] for who, row in world.ledger(world.commit(folded)).items()}
    expected = dict.fromkeys(people[:8], "member") | {people[3]: "refused", people[4]: "maybe", people[7]: "refused"}
    assert status == expected


def test_what_was_sent_without_an_answer_is_unknown_and_the_rest_was_not_sent(world: World) -> None:
    world.planned((Kind.ADD, [ANN, BOB, CYD, DAN, EVE]), batch_rows=2)
    outcomes = world.commit(Folded({0: BatchResult(CONFIRMED)}, sent={0, 1}))
    assert outcomes.counts == {"add accepted": 2, "add unknown": 2, "add skipped": 1}
    codes = {(why.outcome, why.code, why.retry) for why in outcomes.reasons}
    assert codes == {("unknown", "no_answer", None), ("skipped", "not_sent", None)}
    assert {who: each["status"] for who, each in world.ledger(outcomes).items()} == {
        **dict.fromkeys((ANN, BOB), "member"),
        **dict.fromkeys((CYD, DAN), "maybe"),
    }


def test_whoever_was_not_accepted_is_kept_for_the_report(world: World) -> None:
    world.planned((Kind.ADD, [ANN, BOB]), (Kind.REMOVE, [CYD]))
    folded = answered(CONFIRMED, at_1=WRONG)
    folded.results[1] = BatchResult(LEFT)
    [file] = world.commit(folded).rejected
    assert file.name == "runs/e/r/0/rejected/attempt-1/000-rejected.parquet"
    reason = "Acme took it for wrong."
    assert world.rows(file) == {
        BOB: {"kind": "add", "outcome": "rejected", "code": "wrong", "reason": reason, "retry": "when changed"},
        CYD: {"kind": "remove", "outcome": "skipped", "code": "unsubscribed", "reason": "Unsubscribed."},
    }


def test_the_place_of_a_value_that_the_vendor_did_not_take_is_kept(world: World) -> None:
    world.planned((Kind.ADD, [ANN, BOB, CYD]))
    folded = answered(CONFIRMED, at_1=replace(CONFIRMED, left_out=("city",)), at_2=replace(WRONG, left_out=("age",)))
    outcomes = world.commit(folded)
    [file] = outcomes.values_left_out
    assert file.name == "runs/e/r/0/rejected/attempt-1/000-left-out.parquet"
    place = {"n": 2, "segment": 0, "file_index": 7}
    assert parts.rows(world.blobs, file, world.folder) == [{**place, "field": "city", "why": "refused_by_vendor"}]
    assert outcomes.left_out == {"city": 1}


def test_where_all_went_well_there_is_nothing_to_keep(world: World) -> None:
    world.planned((Kind.ADD, [ANN]))
    outcomes = world.commit(answered(CONFIRMED))
    assert (outcomes.rejected, outcomes.values_left_out, outcomes.reasons, outcomes.left_out) == ([], [], {}, {})


def test_a_ledger_that_was_swapped_already_is_only_counted(world: World) -> None:
    world.planned((Kind.ADD, [ANN, BOB]))
    outcomes = world.commit(answered(CONFIRMED, at_1=WRONG), swapped=True)
    assert outcomes.counts == {"add accepted": 1, "add rejected": 1}
    assert outcomes.files == []
    assert not [name for name in world.blobs.contents if name.startswith("ledger/attempt")]
    assert outcomes.rejected


def test_an_operation_tells_a_vendors_id_where_the_receipt_has_none(world: World) -> None:
    own = [{"address": ANN, "values": "{}", "vendor_id": "planned", "hash": 1}]
    file = parts.stored(world.blobs, "plan/0-remove.parquet", own, TYPES, world.folder)
    world.plan = replace(world.plan, files=number([(Kind.REMOVE, 0, file)], 2))
    assert world.ledger(world.commit(answered(CONFIRMED)))[ANN]["vendor_id"] == "planned"
    own_id = answered(LEFT, at_0=replace(CONFIRMED, vendor_id="told"))
    assert world.ledger(world.commit(own_id))[ANN]["vendor_id"] == "told"


def test_ids_of_a_file_are_their_own_peoples_in_every_part_that_a_batch_reaches_into(world: World) -> None:
    everyone = [ANN, BOB, CYD, DAN, EVE]
    world.planned((Kind.ADD, everyone), of=2)
    in_order = [who for part in range(2) for who in everyone if bucket(who) // 128 == part]
    assert len({bucket(who) // 128 for who in everyone}) == 2
    told = {index: f"id of {who}" for index, who in enumerate(in_order) if who != BOB}
    file = vendor_ids.store(parts.files(world.blobs), database(), told, "ids/0.parquet", world.folder / "ids")
    folded = replace(answered(CONFIRMED), ids={0: file})
    world.known(of=2)
    found = world.ledger(world.commit(folded, part=0)) | world.ledger(world.commit(folded, part=1))
    expected = {who: None if who == BOB else f"id of {who}" for who in everyone}
    assert {who: found[who].get("vendor_id") for who in found} == expected


def test_people_whose_ids_are_lost_are_on_the_list_without_one(world: World) -> None:
    world.planned((Kind.ADD, [ANN]))
    folded = replace(answered(CONFIRMED), ids={0: DataFile("ids/gone", "m", 1, 1)})
    ann = world.ledger(world.commit(folded))[ANN]
    assert (ann["status"], ann.get("vendor_id")) == ("member", None)


def test_a_file_of_the_plan_that_is_gone_stops_the_commit(world: World) -> None:
    world.planned((Kind.ADD, [ANN]))
    del world.blobs.contents["plan/0-add.parquet"]
    with pytest.raises(Blocked) as raised:
        world.commit(answered(CONFIRMED))
    assert raised.value.code == "ledger_damaged"
