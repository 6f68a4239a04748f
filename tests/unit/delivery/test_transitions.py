"""The ledger's states: what a plan makes of each, and what each becomes. One table each, as the design has them."""

from __future__ import annotations

from itertools import product
from typing import Any

import duckdb
import pytest

from shared.delivery.state.transitions import AFTER, AFTER_CODE, Becomes, PlanStep, RunKind, Status, case, rules
from shared.vendors.contract import PROFILE_MISSING, Kind, Outcome

SAME, OTHER = 1, 2
NEVER, CHANGED, NEXT = "never", "when changed", "next run"

# status, hash, refused_hash, retry -> step for values with the hash SAME, by kind of run
IN_SEGMENT: list[tuple[tuple[Any, ...], dict[RunKind, str]]] = [
    ((None, None, None, None), {RunKind.DELIVERY: "add", RunKind.RETRY: "outside", RunKind.FULL_RESYNC: "add"}),
    (
        ("member", SAME, None, None),
        {RunKind.DELIVERY: "unchanged", RunKind.RETRY: "outside", RunKind.FULL_RESYNC: "add"},
    ),
    (("member", OTHER, None, None), {RunKind.DELIVERY: "change", RunKind.RETRY: "outside"}),
    (("member", None, None, None), {RunKind.DELIVERY: "change", RunKind.RETRY: "change"}),
    (("member", OTHER, SAME, CHANGED), {RunKind.DELIVERY: "held", RunKind.RETRY: "change"}),
    (("member", OTHER, SAME, NEVER), {RunKind.DELIVERY: "held"}),
    (("member", OTHER, SAME, NEXT), {RunKind.DELIVERY: "change", RunKind.RETRY: "change"}),
    (("member", OTHER, OTHER, CHANGED), {RunKind.DELIVERY: "change", RunKind.RETRY: "change"}),
    (("maybe", None, None, None), {RunKind.DELIVERY: "add", RunKind.RETRY: "add", RunKind.FULL_RESYNC: "add"}),
    (("removed", None, None, None), {RunKind.DELIVERY: "add", RunKind.RETRY: "outside"}),
    (("refused", None, SAME, NEVER), {RunKind.DELIVERY: "held", RunKind.RETRY: "held", RunKind.FULL_RESYNC: "held"}),
    (("refused", None, OTHER, NEVER), {RunKind.DELIVERY: "held"}),
    (("refused", None, SAME, CHANGED), {RunKind.DELIVERY: "held", RunKind.RETRY: "add", RunKind.FULL_RESYNC: "add"}),
    (("refused", None, OTHER, CHANGED), {RunKind.DELIVERY: "add", RunKind.RETRY: "add"}),
    (("refused", None, SAME, NEXT), {RunKind.DELIVERY: "add", RunKind.RETRY: "add"}),
]

# status -> step for an address that is not in the segment, by kind of run and mode
NOT_IN_SEGMENT = {
    (RunKind.DELIVERY, "mirror"): {"member": "remove", "maybe": "remove", "removed": "none", "refused": "none"},
    (RunKind.DELIVERY, "add"): {"member": "left", "maybe": "left", "removed": "none", "refused": "none"},
    (RunKind.RETRY, "mirror"): {"member": "none", "maybe": "remove", "removed": "none", "refused": "none"},
    (RunKind.RETRY, "add"): {"member": "none", "maybe": "none", "removed": "none", "refused": "none"},
    (RunKind.FULL_RESYNC, "mirror"): {"member": "remove", "maybe": "remove", "removed": "none", "refused": "none"},
    (RunKind.WITHDRAW, "add"): {"member": "remove", "maybe": "remove", "removed": "none", "refused": "none"},
    (RunKind.DRY_RUN, "mirror"): {"member": "remove", "maybe": "remove", "removed": "none", "refused": "none"},
}

A, C, R = Kind.ADD, Kind.CHANGE, Kind.REMOVE
MEMBER, MAYBE, REMOVED, REFUSED = Status.MEMBER, Status.MAYBE, Status.REMOVED, Status.REFUSED
BECOMES = {
    (A, Outcome.ACCEPTED): Becomes(MEMBER, "new"),
    (A, Outcome.REJECTED): Becomes(REFUSED, "none", refused=True),
    (A, Outcome.SKIPPED): Becomes(None),
    (A, Outcome.UNKNOWN): Becomes(MAYBE, "none"),
    (C, Outcome.ACCEPTED): Becomes(MEMBER, "new"),
    (C, Outcome.REJECTED): Becomes(MEMBER, "old", refused=True),
    (C, Outcome.SKIPPED): Becomes(None),
    (C, Outcome.UNKNOWN): Becomes(MEMBER, "none"),
    (R, Outcome.ACCEPTED): Becomes(REMOVED, "none"),
    (R, Outcome.REJECTED): Becomes(None),
    (R, Outcome.SKIPPED): Becomes(None),
    (R, Outcome.UNKNOWN): Becomes(MAYBE, "none"),
}


def step(sql: str, row: tuple[Any, ...]) -> str:
    columns = "$s::VARCHAR AS status, $h::INT AS hash, $r::INT AS refused_hash, $t::VARCHAR AS retry"
    with duckdb.connect() as connection:
        found = connection.execute(
            f"SELECT {sql} FROM (SELECT {columns}, {SAME} AS wanted_hash)", dict(zip("shrt", row, strict=True))
        ).fetchone()
    assert found is not None
    return str(found[0])


@pytest.mark.parametrize(
    ("row", "kind", "expected"),
    [(row, kind, expected) for row, steps in IN_SEGMENT for kind, expected in steps.items()],
)
def test_of_an_address_in_the_segment(row: tuple[Any, ...], kind: RunKind, expected: str) -> None:
    assert step(case(rules(kind, "mirror")[0]), row) == expected


@pytest.mark.parametrize(
    ("kind", "mode", "status", "expected"),
    [(*place, status, expected) for place, steps in NOT_IN_SEGMENT.items() for status, expected in steps.items()],
)
def test_of_an_address_that_is_not_in_the_segment(kind: RunKind, mode: str, status: str, expected: str) -> None:
    assert step(case(rules(kind, mode)[1]), (status, None, None, None)) == expected


def test_every_operation_and_outcome_has_one_transition() -> None:
    assert AFTER == BECOMES
    assert set(AFTER) == set(product(Kind, Outcome))


def test_a_person_whom_the_vendor_no_longer_has_is_added_by_the_next_run() -> None:
    assert {PROFILE_MISSING: Becomes(MAYBE, "none")} == AFTER_CODE
    assert step(case(rules(RunKind.DELIVERY, "mirror")[0]), ("maybe", None, None, None)) == "add"


def test_the_words_that_are_kept_stay_what_they_are() -> None:
    """They lie in rows, ledgers and plans."""
    kinds = ["delivery", "dry_run", "full_resync", "rebuild", "retry", "withdraw", "repair", "rehearsal"]
    assert list(map(str, RunKind)) == kinds
    assert list(map(str, Status)) == ["member", "maybe", "removed", "refused"]
    assert list(map(str, PlanStep)) == ["add", "change", "remove", "unchanged", "held", "left", "outside", "none"]


def test_what_a_row_becomes_keeps_old_values_and_remembers_no_refusal_unless_it_says_so() -> None:
    assert Becomes(MEMBER) == Becomes(MEMBER, "old", refused=False)
