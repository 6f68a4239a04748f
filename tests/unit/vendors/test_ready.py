"""A batch without rows: who is in it is told by its entries, and its rows are read once, when somebody looks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.vendors.contract import Row
from shared.vendors.forms import Address, AllValues, Form
from shared.vendors.ready import ReadyBatch, addresses, entries, some, together

FORM = Form(('{"Zoë":', Address(), AllValues(',"is":'), "}"))
ROWS = [
    Row(f"åsa{number}@example.com", '{"a":"b"}', entry=f'{{"Zoë":"åsa{number}@example.com","is":{{"a":"b"}}}}'.encode())
    for number in range(5)
]


def ready(rows: Sequence[Row], read: Callable[[], Sequence[Row]]) -> ReadyBatch:
    return ReadyBatch([row.entry for row in rows if row.entry], FORM, read)


def unread(rows: Sequence[Row] = ROWS) -> ReadyBatch:
    def read() -> Sequence[Row]:
        raise AssertionError("somebody looked")

    return ready(rows, read)


def write(row: Row) -> bytes:
    return row.address.encode()


def test_entries_addresses_and_parts_need_no_row() -> None:
    part = some(unread(), [4, 0])
    assert addresses(part) == [ROWS[4].address, ROWS[0].address]
    assert entries(part, write) == [ROWS[4].entry, ROWS[0].entry]
    assert len(together([part, unread()])) == 7


def test_everybody_in_their_order_is_the_batch_itself() -> None:
    batch = unread()
    assert some(batch, range(5)) is batch
    assert addresses(some(batch, [1, 0, 2, 3, 4]))[0] == ROWS[1].address


@pytest.mark.parametrize("batch", [ROWS, ready(ROWS, lambda: ROWS)], ids=["rows", "ready"])
def test_rows_of_a_part_and_of_pieces_are_those_of_the_entries(batch: Sequence[Row]) -> None:
    part = some(batch, [3, 1])
    assert [*part] == [ROWS[3], ROWS[1]] and part[1:] == [ROWS[1]]
    assert [*together([part, batch])] == [ROWS[3], ROWS[1], *ROWS]


def test_a_piece_of_rows_makes_rows_of_the_batch() -> None:
    whole = together([ready(ROWS[:2], lambda: ROWS[:2]), ROWS[2:]])
    assert whole == ROWS and not isinstance(whole, ReadyBatch)


def test_whoever_has_no_entry_is_written() -> None:
    assert entries([ROWS[0], Row("ana@example.com")], write) == [ROWS[0].entry, b"ana@example.com"]


def test_whoever_is_odd_is_told_of_without_the_others() -> None:
    odd = Row('"odd"@example.com', returning=True)

    def mixed(place: int) -> ReadyBatch:
        found: list[bytes | None] = [row.entry for row in ROWS]
        found[place] = None
        return ReadyBatch(found, FORM, unread().__iter__, {place: odd})  # type: ignore[arg-type]  # raises

    both = together([mixed(1), some(mixed(3), [4, 3])])
    assert isinstance(both, ReadyBatch) and dict(both.odd) == {1: odd, 6: odd} and both[6] == odd
    assert addresses(both) == [
        *(ROWS[0].address, odd.address, *(row.address for row in ROWS[2:])),
        *(ROWS[4].address, odd.address),
    ]
    assert entries(both, write) == [
        *(ROWS[0].entry, odd.address.encode(), *(row.entry for row in ROWS[2:])),
        *(ROWS[4].entry, odd.address.encode()),
    ]


def test_rows_are_read_once_however_many_threads_look() -> None:
    reads: list[int] = []

    def read() -> Sequence[Row]:
        reads.append(1)
        return ROWS

    batch = ready(ROWS, read)
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(lambda place: batch[place % 5].address, range(40))) == set(addresses(ROWS))
    assert len(reads) == 1


def test_rows_that_are_not_those_of_the_entries_end_it() -> None:
    with pytest.raises(AssertionError, match="rows are those of the entries"):
        len([*ready(ROWS, lambda: ROWS[:-1])])
