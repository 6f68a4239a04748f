"""A journal proves what was sent and answered, whatever a crash left of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.cloud.blobs import Blobs
from shared.delivery.state import journal, layout
from shared.delivery.state.files import DataFile
from shared.delivery.state.journal import Folded, Journal
from shared.vendors.contract import CONFIRMED, BatchResult, Outcome, Receipt, Retry
from tests.memory import in_memory

REFUSED = Receipt(Outcome.REJECTED, "address_invalid", "not an address", Retry.WHEN_CHANGED)
SHORTER = Receipt(Outcome.ACCEPTED, left_out=("age", "Größe"))
RESULT = BatchResult(CONFIRMED, {7: REFUSED, 8: SHORTER})


FOLDER = "runs/news/1/000/"


@pytest.fixture
def blobs() -> Iterator[Blobs]:
    with in_memory() as address:
        yield Blobs(address)


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

    def longer(told: list[Any]) -> list[Any]:
        return [*told, *([] if len(told) > 6 else [[]]), "more"]

    more = {"default": longer(line["default"]), "others": {n: longer(told) for n, told in line["others"].items()}}
    assert folded(line | more).results == {5: RESULT}


def test_a_staged_batch_is_neither_answered_nor_in_flight_until_its_outcome() -> None:
    staged = BatchResult(CONFIRMED, staged="job-1")
    found = folded(journal.sent(0, 0), journal.answered(0, staged))
    assert (found.staged, found.in_flight(), found.results) == ({0: "job-1"}, set(), {})
    found = folded(journal.sent(0, 0), journal.answered(0, staged), journal.answered(0, RESULT))
    assert (found.staged, found.results) == ({}, {0: RESULT})


def test_the_file_of_a_batchs_ids_is_the_one_of_its_last_receipt() -> None:
    first, second = DataFile("ids/a", "m", 7, 2), DataFile("ids/b", "n", 8, 3)
    found = folded(journal.answered(5, RESULT, first), journal.answered(6, RESULT))
    assert (found.ids, found.results) == ({5: first}, {5: RESULT, 6: RESULT})
    assert folded(journal.answered(5, RESULT, first), journal.answered(5, RESULT, second)).ids == {5: second}
    assert folded(journal.answered(5, RESULT, first), journal.answered(5, RESULT)).ids == {}


def test_a_receipt_whose_file_of_ids_cannot_be_made_out_is_passed_over() -> None:
    assert folded({**journal.answered(5, RESULT), "ids": {"name": "ids/a"}}) == Folded()


def test_each_turn_keeps_ids_under_names_of_its_own(blobs: Blobs) -> None:
    names = {Journal(blobs, FOLDER, turn).ids_name(batch) for turn in (1, 2) for batch in (0, 1)}
    assert len(names) == 4
    assert all(name.startswith(FOLDER) for name in names)


def test_a_torn_line_is_passed_over() -> None:
    text = orjson.dumps(journal.sent(0, 1)) + b"\n" + orjson.dumps(journal.answered(0, BatchResult(CONFIRMED)))[:-9]
    found = Folded()
    for line in journal.parse(text):
        found.take(line)
    assert found.in_flight() == {0, 1}


def test_foreign_lines_are_passed_over() -> None:
    assert folded({"what": 1}, {"sent": "0-3"}, {"batch": "x", "default": None, "others": {}}, [1]) == Folded()


def test_what_turns_wrote_is_read_together_and_says_whose_it_is(blobs: Blobs) -> None:
    first, second = Journal(blobs, FOLDER, 1), Journal(blobs, FOLDER, 2)
    first.write([])
    assert list(blobs.names("")) == [], "nothing is written for no lines"
    first.write([journal.sent(0, 1), journal.unsent([1])])
    second.write([journal.answered(0, RESULT)])
    first.write([journal.sent(2, 2)])
    found = journal.fold(blobs, FOLDER)
    assert (found.sent, found.results) == ({0, 2}, {0: RESULT})
    lines = [kept[0].splitlines() for name in blobs.names(FOLDER) if (kept := blobs.read(name))]
    assert [len(each) for each in lines] == [4, 2]
    assert [orjson.loads(each[0]) for each in lines] == [{"folder": FOLDER}] * 2
    assert all("folder" not in orjson.loads(line) for each in lines for line in each[1:])


def test_a_journal_is_made_with_its_first_lines_and_looked_for_no_more(
    blobs: Blobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[bool] = []
    monkeypatch.setattr(blobs, "append", lambda name, block, *, create: made.append(create))
    written = Journal(blobs, FOLDER, 1)
    for batch in range(3):
        written.write([journal.sent(batch, batch)])
    assert made == [True, False, False]


def test_the_journal_of_another_delivery_is_passed_over_and_the_log_names_it(
    blobs: Blobs, caplog: pytest.LogCaptureFixture
) -> None:
    Journal(blobs, "runs/other/1/000/", 1).write([journal.sent(5, 6)])
    theirs, own = layout.journal("runs/other/1/000/", 1), layout.journal(FOLDER, 1)
    copied = blobs.read(theirs)
    assert copied is not None
    blobs.write(own, copied[0])
    Journal(blobs, FOLDER, 2).write([journal.sent(0, 0)])
    assert journal.fold(blobs, FOLDER).sent == {0}
    assert own in caplog.text


def test_one_operation_has_its_own_receipt_or_its_batchs_or_none() -> None:
    found = folded(journal.answered(0, RESULT))
    told = [found.receipt(0, 7), found.receipt(0, 8), found.receipt(0, 9), found.receipt(1, 7)]
    assert told == [REFUSED, SHORTER, CONFIRMED, None]


def test_jobs_are_left_behind_until_it_is_known_of_everyone_what_became_of_them() -> None:
    unknown = Receipt(Outcome.UNKNOWN, "given_up", "", Retry.NEXT_RUN)
    staged = [journal.answered(batch, BatchResult(CONFIRMED, staged=f"job-{batch}")) for batch in range(4)]
    ends = [
        journal.answered(0, RESULT),
        journal.answered(1, BatchResult(unknown)),
        journal.answered(2, BatchResult(CONFIRMED, {3: unknown})),
    ]
    assert folded(*staged, *ends).left_behind() == {1: "job-1", 2: "job-2", 3: "job-3"}


@pytest.mark.parametrize("torn", [b"{", b"[1]", b"7", b""])
def test_what_follows_a_torn_or_foreign_line_is_read(torn: bytes) -> None:
    assert list(journal.parse(torn + b"\n" + orjson.dumps(journal.sent(1, 2)))) == [journal.sent(1, 2)]


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
