"""What a slice tells the vendor's module beforehand: how many it may ask about, for one decision about all batches."""

from __future__ import annotations

from shared.delivery.send.step import expected
from shared.delivery.state.files import DataFile
from shared.delivery.state.journal import Folded
from shared.delivery.state.plan import Balance, Plan, number
from shared.vendors.contract import CONFIRMED, BatchResult, Kind
from shared.vendors.looking_up import Prospect


def plan() -> Plan:
    files = [(kind, 0, DataFile(f"{kind}", "", 0, 25)) for kind in Kind]
    return Plan(10, 1, "", False, 1_000, [], [], Balance(), files=number(files, 10))


def test_changes_and_removals_are_told_with_how_many_the_list_has() -> None:
    assert expected(plan(), Folded()) == Prospect(changes=25, removals=25, members=1_000)


def test_what_was_answered_or_is_worked_on_is_not_asked_about_again() -> None:
    # Three batches each: additions 0 to 2, changes 3 to 5, removals 6 to 8.
    folded = Folded(results={0: BatchResult(CONFIRMED), 3: BatchResult(CONFIRMED), 8: BatchResult(CONFIRMED)})
    folded.staged[4] = "a job"
    assert expected(plan(), folded) == Prospect(changes=5, removals=20, members=1_000)
