"""What happened to a person is told as sentences, the newest first, each with its time and its run."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from shared.delivery.lookups.story import story
from shared.delivery.state.transitions import Status
from shared.vendors.contract import Kind, Outcome, Retry
from shared.wording import say

THERE = {
    "segment": "blob/ci:VIP",
    "rows": 1,
    "taken_at": "2026-11-22T06:00:00+00:00",
    "places": [{"file": "part-0", "row_of_snapshot": 12}],
}


def receipt(operation: str, outcome: str, run: str = "r1", at: str = "2026-11-20T06:00:00+00:00", **more: str) -> Any:
    return {"operation": operation, "outcome": outcome, "run": run, "at": at, "code": "", "reason": "", **more}


def row(status: str, run: str = "r0-000", **more: Any) -> dict[str, Any]:
    return {"status": status, "run": run, "changed_at": datetime(2026, 11, 1, 6), "retry": None, **more}


def told(*given: Any) -> list[tuple[str, str, str]]:
    return [(each["at"][:10], each["run"], str(each["text"])) for each in story(*given)]


def test_a_person_joined_changed_and_left() -> None:
    receipts = [
        receipt("remove", "accepted", "r3", "2026-11-21T06:00:00+00:00"),
        receipt("change", "rejected", "r2", "2026-11-20T07:00:00+00:00", reason="The city is too long."),
        receipt("add", "accepted", "r1", "2026-11-20T06:00:00+00:00", reason="of no interest"),
    ]
    gone = {**THERE, "rows": 0, "places": []}
    assert told([gone], row("removed", "r3-000"), receipts) == [
        ("2026-11-22", "", "Not in the newest snapshot of VIP."),
        ("2026-11-21", "r3", "Taken off the list."),
        ("2026-11-20", "r2", "Data not brought up to date: the vendor refused. The city is too long."),
        ("2026-11-20", "r1", "Added to the list."),
    ]


def event(operation: str, outcome: str | None, run: str, day: int, **more: Any) -> dict[str, Any]:
    at = datetime(2026, 10, day, 6, tzinfo=UTC).isoformat()
    return {"operation": operation, "outcome": outcome, "run": run, "at": at, "code": "", "why": None, **more}


def test_what_was_written_down_is_told_where_no_receipt_is_left() -> None:
    events = [
        event("remove", "accepted", "r5", 6, why="exclude/0"),
        event("list", None, "r4", 5),
        event("remove", "accepted", "r3", 4, why="moved"),
        event("change", "rejected", "r2", 3, code="invalid"),
        event("add", "accepted", "r1", 2, code="of no interest"),
        event("list", None, "r0", 1),
    ]
    assert told([], row("removed", "r5-000"), [receipt("add", "accepted", "r1")], (), events) == [
        ("2026-11-20", "r1", "Added to the list."),
        ("2026-10-06", "r5", "Taken off the list. A rule keeps the person back."),
        ("2026-10-04", "r3", "Taken off the list. The person changed their address."),
        ("2026-10-03", "r2", "Data not brought up to date: the vendor refused. The code is invalid."),
        ("2026-10-01", "", "Was on the list when this began to be written down."),
    ]


def test_what_only_the_ledger_knows_is_told_too() -> None:
    assert told([THERE], row("member"), []) == [
        ("2026-11-22", "", "In the newest snapshot of VIP, row 12."),
        ("2026-11-01", "r0", "Put on the list, or data brought up to date, by an earlier run."),
    ]
    assert told([], row("refused", retry="when changed"), []) == [
        ("2026-11-01", "r0", "Refused in an earlier run. It is tried again once the row changes.")
    ]


def test_what_a_receipt_tells_is_not_told_twice() -> None:
    assert len(told([], row("member", "r1-000"), [receipt("add", "accepted")])) == 1


def test_a_segment_that_cannot_be_read_says_why() -> None:
    found = {"segment": "blob/ci:VIP", "rows": 0, "problem": say("There is no such segment.")}
    assert told([found], None, []) == [("", "", "VIP could not be looked into: There is no such segment.")]


@pytest.mark.parametrize("operation", [*map(str, Kind)])
@pytest.mark.parametrize("outcome", [*map(str, Outcome), "in flight", "not sent"])
def test_every_outcome_has_a_sentence(operation: str, outcome: str) -> None:
    [(_, _, text)] = told([], None, [receipt(operation, outcome)])
    assert text.endswith(".")


@pytest.mark.parametrize("status", list(Status))
@pytest.mark.parametrize("retry", [None, *Retry])
def test_every_state_has_a_sentence(status: Status, retry: Retry | None) -> None:
    [(_, _, text)] = told([], row(status, retry=retry), [])
    assert text.endswith(".")
