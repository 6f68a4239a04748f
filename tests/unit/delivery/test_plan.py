"""How a plan's operations are cut in batches: through all files of a kind, so that few are part-filled."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.delivery.state.files import DataFile
from shared.delivery.state.plan import Balance, Plan, number
from shared.vendors.contract import Kind


def plan(rows: Sequence[tuple[Kind, int, int]], batch_rows: int) -> Plan:
    """Of files with so many rows: kind, part, rows."""
    files = [(kind, part, DataFile(f"{part}-{kind}", "", 0, count)) for kind, part, count in rows]
    return Plan(batch_rows, 4, "", False, 0, [], [], Balance(), files=number(files, batch_rows))


@pytest.mark.parametrize(
    ("rows", "batches"),
    [
        ([], []),
        ([(Kind.ADD, 0, 5)], [{0: 5}]),
        ([(Kind.ADD, 0, 10)], [{0: 10}]),
        ([(Kind.ADD, 0, 25)], [{0: 10, 1: 10, 2: 5}]),
        ([(Kind.ADD, 0, 3), (Kind.ADD, 1, 3), (Kind.ADD, 3, 3)], [{0: 3}, {0: 3}, {0: 3}]),
        ([(Kind.ADD, 0, 7), (Kind.ADD, 1, 14)], [{0: 7}, {0: 3, 1: 10, 2: 1}]),
        ([(Kind.REMOVE, 0, 2), (Kind.ADD, 1, 4), (Kind.CHANGE, 0, 1)], [{0: 4}, {1: 1}, {2: 2}]),
        ([(Kind.ADD, 0, 10), (Kind.REMOVE, 0, 10)], [{0: 10}, {1: 10}]),
    ],
    ids=["none", "one", "full", "three", "shared by three", "over the edge", "kinds never share", "full ones"],
)
def test_batches_of_files(rows: Sequence[tuple[Kind, int, int]], batches: Sequence[dict[int, int]]) -> None:
    made = plan(rows, batch_rows=10)
    assert [made.batches(file) for file in made.files] == batches


kinds = st.sampled_from(list(Kind))
files = st.lists(st.tuples(kinds, st.integers(0, 3), st.integers(1, 40)), unique_by=lambda each: each[:2])


@given(files, st.integers(1, 12))
def test_every_operation_has_one_place_and_calls_are_as_few_as_can_be(
    rows: Sequence[tuple[Kind, int, int]], batch_rows: int
) -> None:
    made = plan(rows, batch_rows)
    places = [made.place(file, row) for file in made.files for row in range(file.file.rows)]
    assert len(set(places)) == len(places)
    counted = [
        (batch, row) for file in made.files for batch, count in made.batches(file).items() for row in range(count)
    ]
    assert [batch for batch, _ in counted] == [batch for batch, _ in places]
    totals = [sum(count for kind, _, count in rows if kind is each) for each in Kind]
    assert len({batch for batch, _ in places}) == sum(-(-total // batch_rows) for total in totals)
    assert all(index < batch_rows for _, index in places)
    by_batch = {batch: file.kind for file in made.files for batch in made.batches(file)}
    assert all(by_batch[batch] is file.kind for file in made.files for batch in made.batches(file))
