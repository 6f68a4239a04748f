"""Whether a ledger is older than the last commit that is remembered, whatever clock named the runs."""

from __future__ import annotations

import pytest

from shared.delivery.state.ledger import Commit, Ledger

EARLY, LATE = "20261129-120000-000-aaaa-000", "20261129-120200-000-bbbb-000"


@pytest.mark.parametrize(
    ("remembered", "found", "older"),
    [
        (Commit(), Ledger(), False),
        (Commit(), Ledger(EARLY, generation=1), False),
        (Commit(LATE, 2), Ledger(LATE, generation=2), False),
        # A worker died between writing the ledger and remembering it; it was started by a clock that was behind.
        (Commit(LATE, 2), Ledger(EARLY, generation=3), False),
        # A backup, of a run that was started by a clock that was ahead.
        (Commit(EARLY, 3), Ledger(LATE, generation=2), True),
        (Commit(LATE, 3), Ledger(EARLY, generation=2), True),
        # Written by a version that counted no generations, before or after one that did.
        (Commit(LATE), Ledger(LATE), False),
        (Commit(LATE), Ledger(EARLY), True),
        (Commit(LATE, 5), Ledger(LATE), False),
        (Commit(LATE, 5), Ledger(EARLY), True),
        (Commit(LATE), Ledger(LATE, generation=1), False),
        # That version wrote the latest, and what was put back is of before.
        (Commit(LATE, 5), Ledger(EARLY, generation=5), True),
    ],
)
def test_which_ledger_is_older(remembered: Commit, found: Ledger, older: bool) -> None:
    assert remembered.is_after(found) == older


def test_a_commit_is_remembered_as_it_is_read() -> None:
    assert Commit.of(Commit(LATE, 7).facts()) == Commit(LATE, 7)
    assert Commit.of({"committed": None}) == Commit.of({}) == Commit()
    assert Commit.of({"committed": EARLY}) == Commit(EARLY)
