"""A journal proves what was sent and answered, whatever a crash left of it."""

from __future__ import annotations

import orjson
from hypothesis import given
from hypothesis import strategies as st

from shared.delivery.state import journal
from shared.delivery.state.journal import Folded
from shared.vendors.contract import CONFIRMED, BatchResult, Outcome, Receipt, Retry

REFUSED = Receipt(Outcome.REJECTED, "address_invalid", "not an address", Retry.WHEN_CHANGED)
RESULT = BatchResult(CONFIRMED, {7: REFUSED})


def folded(*lines: object) -> Folded:
    found = Folded()
    text = b"\n".join(orjson.dumps(line, option=orjson.OPT_NON_STR_KEYS) for line in lines)
    for line in journal.parse(text):
        found.take(line)
    return found


def test_sent_without_a_receipt_is_in_flight() -> None:
    found = folded(journal.sent(0, 3), journal.answered(1, RESULT), journal.unsent([3]))
    assert found.in_flight() == {0, 2}


def test_a_receipt_comes_back_as_it_was_written() -> None:
    assert folded(journal.answered(5, RESULT)).results == {5: RESULT}


def test_a_receipt_of_which_a_later_version_tells_more_comes_back_too() -> None:
    line = journal.answered(5, RESULT)
    more = {
        "default": [*line["default"], "more"],
        "others": {each: [*told, 1] for each, told in line["others"].items()},
    }
    assert folded(line | more).results == {5: RESULT}


def test_a_staged_batch_is_neither_answered_nor_in_flight_until_its_outcome() -> None:
    staged = BatchResult(CONFIRMED, staged="job-1")
    found = folded(journal.sent(0, 0), journal.answered(0, staged))
    assert (found.staged, found.in_flight(), found.results) == ({0: "job-1"}, set(), {})
    found = folded(journal.sent(0, 0), journal.answered(0, staged), journal.answered(0, RESULT))
    assert (found.staged, found.results) == ({}, {0: RESULT})


def test_a_torn_line_is_passed_over() -> None:
    text = orjson.dumps(journal.sent(0, 1)) + b"\n" + orjson.dumps(journal.answered(0, BatchResult(CONFIRMED)))[:-9]
    found = Folded()
    for line in journal.parse(text):
        found.take(line)
    assert found.in_flight() == {0, 1}


def test_foreign_lines_are_passed_over() -> None:
    assert folded({"what": 1}, {"sent": "0-3"}, {"batch": "x", "default": None, "others": {}}, [1]) == Folded()


lines = st.lists(
    st.one_of(
        st.tuples(st.integers(0, 5), st.integers(0, 5)).map(lambda pair: journal.sent(min(pair), max(pair))),
        st.integers(0, 5).map(lambda batch: journal.answered(batch, RESULT)),
    ),
    max_size=20,
)


@given(lines, st.data())
def test_a_block_that_was_appended_twice_changes_nothing(written: list[object], data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(written)))
    end = data.draw(st.integers(start, len(written)))
    assert folded(*written[:end], *written[start:end], *written[end:]) == folded(*written)


def test_ten_million_rows_stay_far_from_the_limit_of_blocks() -> None:
    """An append blob holds 50,000 blocks; a slice writes one blob."""
    batches = 10_000_000 // 1000
    windows = batches / (4 * 2)
    longest_slice, receipts_every = 240, 0.25
    assert windows + longest_slice / receipts_every < 50_000 / 10
