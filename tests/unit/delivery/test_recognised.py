"""A row that is as it was when its person was last delivered is recognised, and nobody sees a difference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from shared.catalog.derived import Derived
from shared.catalog.holdout import Holdout
from shared.catalog.rules import Exclude, Limit, ReadAs, Require, Rules
from shared.delivery.commit.new_ledger import LedgerPlace, Outcomes, commit_part
from shared.delivery.plan import attempt, recognised
from shared.delivery.plan.cell_values import Matched
from shared.delivery.plan.operations import Wish
from shared.delivery.plan.recognising import seed
from shared.delivery.sql import literal
from shared.delivery.state.journal import Folded
from shared.delivery.state.plan import Balance, Plan, number
from shared.delivery.state.transitions import RunKind
from shared.vendors.contract import CONFIRMED, PROFILE_MISSING, BatchResult, FieldType, Fit, Outcome, Receipt, Retry
from tests.sampling import EVERY
from tests.unit.delivery import parts
from tests.unit.delivery.parts import Blobs, database
from tests.unit.delivery.planned_parts import Planned, World

ANN, BOB, CYD, DAN, EVE = (f"{name}@example.com" for name in ("ann", "bob", "cyd", "dan", "eve"))
CITY = Matched("city", "City", fit=Fit(longest=6))
CUT = Matched("short", "City", fit=Fit(longest=3, cut=True))
POINTS = Matched("points", "Points", FieldType.INTEGER, clear=True)
JOINED = Matched("both", "", derived=Derived.model_validate({"take": "join", "columns": ["City", "Points"]}))
MATCHES = (CITY, POINTS, JOINED)
Row = tuple[str | None, str | None, str | None]


@dataclass
class Target:
    """A target over days; `recognises` whom it knows by their rows, or reads everybody's every day."""

    recognises: bool
    blobs: Blobs = field(default_factory=Blobs)
    ledger: list[dict[str, Any]] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    """Who was recognised by the last run."""

    def run(
        self, *files: Sequence[Sequence[str | None]], answers: Mapping[str, Receipt] | None = None, **how: Any
    ) -> Planned:
        """Plan and commit; the vendor takes everything but what `answers` say."""
        with TemporaryDirectory() as folder:
            world = World(Path(folder), self.blobs)
            barred = how.pop("barred", ())
            sources = [world.source(*rows, first=at) for at, rows in enumerate(files) if rows]
            sources += [world.source(*((who,) for who in barred), segment=1, excluded=0)] if barred else []
            how = {"matches": MATCHES, "recognises": self.recognises, **how}
            made = world.plan(*sources, before=self.ledger, **how)
            known = Path(folder) / "staged.known.parquet"
            query = f"SELECT address FROM read_parquet({literal(str(known))}) WHERE recognised"
            self.seen = {who for (who,) in database().execute(query).fetchall()} if known.exists() else set()
            if how.get("kind") is not RunKind.DRY_RUN:
                self._commit(world, made, answers or {})
        return made

    def _commit(self, world: World, made: Planned, answers: Mapping[str, Receipt]) -> None:
        plan = Plan(1000, 1, "", False, 0, [], [], Balance(), files=number(made.tally.files, 1000))
        plan = replace(plan, newly_known=made.tally.newly_known, recognisable=made.tally.recognisable)
        results = dict[int, BatchResult]()
        for file in plan.files:
            people = [row["address"] for row in parts.rows(self.blobs, file.file, world.folder)]
            others = {at: answers[who] for at, who in enumerate(people) if who in answers}
            results[plan.place(file, 0)[0]] = BatchResult(CONFIRMED, others)
        before = parts.ledger(self.blobs, world.folder, *self.ledger)
        place = LedgerPlace("ledger/", "runs/e/r/0/", "this-run", "attempt-1", world.folder, learns=True)
        outcomes = Outcomes()
        commit_part(
            parts.database(),
            parts.files(self.blobs),
            outcomes,
            plan=plan,
            part=0,
            folded=Folded(results, sent={*results}),
            before=before,
            place=place,
        )
        self.ledger = [row for file in outcomes.files for row in parts.rows(self.blobs, file.file, world.folder)]


def told(made: Planned, target: Target) -> dict[str, Any]:
    """All that anybody sees of a run: nothing of what rows are recognised by."""
    files = {
        "files",
        "refused_files",
        "left_out_files",
        "kept_back_files",
        "newly_known",
        "recognisable",
        "known_before",
    }
    counted = {name: each for name, each in asdict(made.tally).items() if name not in files}
    without_row = {
        kind: {who: {**row, "row": None, "unsure_since": "unsure_since" in row} for who, row in people.items()}
        for kind, people in made.operations.items()
    }
    return {
        **counted,
        "operations": without_row,
        "refused": sorted(map(str, made.refused)),
        "left out": sorted(map(str, made.left_out)),
        "kept back": made.kept_back,
        "known before": made.known_before,
        "newly known": made.newly_known,
        "ids": made.ids,
        "ledger": {row["address"]: _lasting(row) for row in target.ledger},
    }


def _lasting(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "row": None, "changed_at": None, "removed_at": row.get("removed_at") is not None}


# Random days

EXAMPLES = 400 if EVERY else 5
NAMES = ("ann", "bob", "cyd", "dan")
ADDRESSES = (
    *(f"{name}@example.com" for name in NAMES),
    *("ANN@Example.com", " bob@example.com", "cyd\u200b@example.com", "dan@bücher.example", "Eve@BÜCHER.example"),
    *("nobody", "", '"quoted"@example.com'),
)
rows = st.tuples(
    st.sampled_from(ADDRESSES),
    st.sampled_from([None, "Ulm", " Ulm", "Rottweil", "NULL", " ", "Żnin"]),
    st.sampled_from([None, "1", "1.0", "one", "99999999999999999999"]),
    st.sampled_from([None, "A", "B", "null"]),
)
edits = st.lists(st.tuples(st.sampled_from(["put", "twice", "drop", "first"]), st.integers(0, 9), rows), max_size=3)
answers = st.dictionaries(
    st.sampled_from([f"{name}@example.com" for name in NAMES]),
    st.sampled_from(
        [
            Receipt(Outcome.REJECTED, "wrong", "Wrong.", Retry.WHEN_CHANGED),
            Receipt(Outcome.REJECTED, "never", "Never.", Retry.NEVER),
            Receipt(Outcome.REJECTED, PROFILE_MISSING, "Gone.", Retry.NEXT_RUN),
            Receipt(Outcome.UNKNOWN, "odd", "Odd."),
            replace(CONFIRMED, left_out=("city",)),
        ]
    ),
    max_size=2,
)
KINDS = (RunKind.DELIVERY, RunKind.DELIVERY, RunKind.DRY_RUN, RunKind.FULL_RESYNC, RunKind.RETRY)
days = st.lists(st.tuples(edits, answers, st.sampled_from(KINDS)), min_size=2, max_size=5)
RULES: tuple[dict[str, Any], ...] = (
    {},
    {"mode": "add"},
    {"id_column": "Id"},
    {"rules": Rules(exclude=(Exclude(segment="No"),)), "barred": (BOB, CYD)},
    {"rules": Rules(require=(Require(column="City"),), holdout=Holdout(name="h", share=0.3))},
    {"rules": Rules(limit=Limit(first=2, by="Points", read_as=ReadAs.NUMBER)), "id_column": "Id"},
)


def edited(rows: Sequence[Any], edits: Sequence[tuple[str, int, Any]]) -> list[Any]:
    """Another day's rows."""
    made = list(rows)
    for what, at, row in edits:
        place = at % len(made) if made else 0
        if what == "put":
            made[place : place + 1] = [row]
        elif what == "drop":
            made[place : place + 1] = []
        elif what == "first":
            made.reverse()
        else:
            made.append((made[place][0], *row[1:]) if made else row)
    return made


FIRST = [
    (ANN, "Ulm", "1", "A"),
    (BOB, None, "2", "B"),
    ("CYD@example.com", "Rome", None, None),
    (DAN, "NULL", "1", "C"),
]


@pytest.mark.timeout(600)
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(rows, max_size=8), days, st.sampled_from(RULES))
@example(FIRST, [([], {}, RunKind.DELIVERY)] * 3, RULES[0])
@example(FIRST, [([], {}, RunKind.DELIVERY), ([("put", 0, (ANN, "Bonn", "1", "A"))], {}, RunKind.DELIVERY)], RULES[2])
@example(FIRST, [([], {}, RunKind.DELIVERY)] * 2, RULES[4])
def test_nobody_sees_whether_rows_are_recognised(
    rows: Sequence[Any], days: Sequence[tuple[Any, Mapping[str, Receipt], RunKind]], how: Mapping[str, Any]
) -> None:
    judging, recognising = Target(recognises=False), Target(recognises=True)
    for edits, answers, kind in days:
        rows = edited(rows, edits)
        files = (rows[: len(rows) // 2], rows[len(rows) // 2 :])
        seen = [told(each.run(*files, answers=answers, kind=kind, **how), each) for each in (judging, recognising)]
        assert seen[0] == seen[1]


# Who is recognised


def test_who_is_as_they_were_is_recognised_from_the_second_day_on() -> None:
    target = Target(recognises=True)
    target.run([(ANN, "Ulm", "1"), (BOB, None, "2")])
    assert target.seen == set()
    made = target.run([(BOB, None, "2"), (ANN, "Ulm", "1"), (CYD, "Ulm", "3")])
    assert target.seen == {ANN, BOB}
    assert made.who == {"add": {CYD}}
    assert made.tally.counts["unchanged"] == 2
    made = target.run([(ANN, "Bonn", "1"), (BOB, None, "2"), (CYD, "Ulm", "3")])
    assert target.seen == {BOB, CYD}
    assert made.who == {"change": {ANN}}


PLAIN: list[tuple[Row, bool]] = [
    ((ANN, "Ulm", "1"), True),
    (("Ann@Example.COM", "Ulm", "1"), True),
    ((ANN, " Ulm ", "1"), True),
    ((ANN, None, None), True),
    ((f" {ANN}", "Ulm", "1"), False),
    (("ann\u200b@example.com", "Ulm", "1"), False),
    (("ann@bücher.example", "Ulm", "1"), False),
    (('"a n"@example.com', "Ulm", "1"), False),
    ((ANN, "Rottweil", "1"), False),
    ((ANN, "Ulm", "one"), False),
    ((ANN, "NULL", "1"), False),
    ((ANN, " ", "1"), False),
    ((ANN, "NULL", " "), False),
]


@pytest.mark.parametrize(("row", "known"), PLAIN)
def test_of_rows_that_are_recognised_nothing_is_to_be_told(row: Row, known: bool) -> None:
    target = Target(recognises=True)
    target.run([row])
    target.run([row])
    assert bool(target.seen) is known


def test_a_text_that_is_cut_is_told_every_day() -> None:
    target = Target(recognises=True)
    for _ in range(3):
        made = target.run([(ANN, "Ulmer Alb")], matches=(CUT,))
        assert made.tally.left_out == {"short": 1}
        assert not target.seen


def test_a_row_is_recognised_for_its_own_address_only() -> None:
    """Somebody may find a row with the hash of another person's."""
    target = Target(recognises=True)
    target.run([(ANN, "Ulm", "1")])
    [known] = target.ledger
    target.ledger = [{**known, "address": BOB, "bucket": parts.bucket(BOB)}]
    made = target.run([(ANN, "Ulm", "1")])
    assert not target.seen
    assert made.who == {"add": {ANN}, "remove": {BOB}}


@pytest.mark.parametrize("status", ["removed", "maybe", "refused"])
def test_only_members_are_recognised(status: str) -> None:
    target = Target(recognises=True)
    target.run([(ANN, "Ulm", "1")])
    target.ledger = [{**target.ledger[0], "status": status}]
    made = target.run([(ANN, "Ulm", "1")])
    assert not target.seen
    assert made.who == {"add": {ANN}}


@pytest.mark.parametrize("kind", [kind for kind in RunKind if kind not in recognised.KINDS | {RunKind.WITHDRAW}])
def test_a_run_that_may_send_unchanged_people_recognises_nobody(kind: RunKind) -> None:
    target = Target(recognises=True)
    target.run([(ANN, "Ulm", "1")])
    with TemporaryDirectory() as folder:
        world, before = World(Path(folder)), target.ledger
        wish = Wish("EMail", MATCHES, "mirror", kind)
        ledger = parts.ledger(world.blobs, world.folder, *before)
        made, known = world.stage(wish, [world.source((ANN, "Ulm", "1"))], 1, ledger)
        query = f"SELECT row IS NOT NULL FROM read_parquet({literal(str(made))})"
        assert database().execute(query).fetchall() == [(True,)], "it is to be known the day after"
        query = f"SELECT count_if(recognised) FROM read_parquet({literal(str(known))})"
        assert database().execute(query).fetchall() == [(0,)]


def test_a_full_resync_notes_the_rows_that_it_sends() -> None:
    target = Target(recognises=True)
    target.run([(ANN, "Ulm", "1")])
    target.ledger = [{**target.ledger[0], "row": None}]
    target.run([(ANN, "Ulm", "1")], kind=RunKind.FULL_RESYNC)
    target.run([(ANN, "Ulm", "1")])
    assert target.seen == {ANN}


def test_a_refused_change_leaves_the_row_that_was_accepted() -> None:
    target, no = Target(recognises=True), Receipt(Outcome.REJECTED, "no", "No.", Retry.WHEN_CHANGED)
    target.run([(ANN, "Ulm", "1")])
    target.run([(ANN, "Bonn", "1")], answers={ANN: no})
    made = target.run([(ANN, "Bonn", "1")])
    assert (target.seen, made.tally.counts["held"]) == (set(), 1)
    target.run([(ANN, "Ulm", "1")])
    assert target.seen == {ANN}


# After a change of what turns cells into values

WISH = Wish("EMail", MATCHES, "mirror")
OTHER_WISHES = {
    "another field": replace(WISH, matches=(replace(CITY, field="town"), POINTS, JOINED)),
    "another type": replace(WISH, matches=(CITY, replace(POINTS, type=FieldType.STRING), JOINED)),
    "another limit of the vendor's": replace(WISH, matches=(replace(CITY, fit=Fit(longest=7)), POINTS, JOINED)),
    "empty cells clear": replace(WISH, matches=(replace(CITY, clear=True), POINTS, JOINED)),
    "a field less": replace(WISH, matches=(CITY, POINTS)),
    "a rule": replace(WISH, rules=Rules(require=(Require(column="City"),))),
}


@pytest.mark.parametrize("other", OTHER_WISHES.values(), ids=OTHER_WISHES)
def test_after_another_wish_nobody_is_recognised_once(other: Wish) -> None:
    assert seed(other) != seed(WISH)
    target = Target(recognises=True)
    target.run([(ANN, "Ulm", "1"), (BOB, "Bonn", "2")])
    how: dict[str, Any] = {"matches": other.matches, "rules": other.rules}
    target.run([(ANN, "Ulm", "1"), (BOB, "Bonn", "2")], **how)
    assert target.seen == set()
    made = target.run([(ANN, "Ulm", "1"), (BOB, "Bonn", "2")], **how)
    assert target.seen == {ANN, BOB}
    assert made.who == {}


@pytest.mark.parametrize(("owner", "name"), [(attempt, "code"), (duckdb, "__version__")])
def test_another_version_recognises_nobody_once_and_everybody_from_the_next_run_on(
    owner: Any, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, people = Target(recognises=True), [(f"p{each}@example.com", "Ulm", "1") for each in range(20)]
    target.run(people)
    other = (lambda: "another") if callable(getattr(owner, name)) else "another"
    monkeypatch.setattr(owner, name, other)
    made = target.run(people)
    assert (target.seen, made.who) == (set(), {})
    assert set(made.recognisable) == {who for who, *_ in people}
    made = target.run(people)
    assert len(target.seen) == 20
    assert made.recognisable == {}


def test_a_ledger_of_an_earlier_version_knows_no_rows_and_learns_them() -> None:
    target, people = Target(recognises=True), [(ANN, "Ulm", "1"), (BOB, "Rottweil", "2"), (CYD, "Ulm", "1")]
    target.run(people)
    target.ledger = [{name: each for name, each in row.items() if name != "row"} for row in target.ledger]
    made = target.run([*people, (CYD, "Bonn", "3"), (DAN, "Ulm", "1")])
    assert set(made.recognisable) == {ANN, CYD}, "not who is told of every day, nor who is sent"
    target.run(people)
    assert target.seen == {ANN, CYD}


def test_a_handful_is_judged_again_rather_than_a_ledger_written() -> None:
    people = [(f"p{each}@example.com", "Ulm", "1") for each in range(300)]
    target = Target(recognises=True)
    target.run(people)
    spelled = [(who, "Ulm ", points) for who, _, points in people]
    made = target.run([*spelled[:2], *people[2:]])
    assert (made.recognisable, len(target.seen)) == ({}, 298)
    made = target.run([*spelled[:3], *people[3:]])
    assert len(made.recognisable) == 3
    target.run([*spelled[:3], *people[3:]])
    assert len(target.seen) == 300


def test_who_is_kept_back_and_who_only_looks_note_nothing() -> None:
    rules = Rules(exclude=(Exclude(segment="No"),))
    target = Target(recognises=True)
    target.run([(ANN, "Ulm", "1"), (BOB, "Ulm", "1")], rules=rules, mode="add")
    target.ledger = [{**row, "row": None} for row in target.ledger]
    people = [(ANN, "Ulm", "1"), (BOB, "Ulm", "1")]
    made = target.run(people, rules=rules, mode="add", kind=RunKind.DRY_RUN)
    assert made.recognisable == {}
    made = target.run(people, rules=rules, barred=[BOB], mode="add")
    assert set(made.recognisable) == {ANN}
