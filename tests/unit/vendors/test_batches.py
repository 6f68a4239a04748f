"""A batch takes as many requests as it needs; every row ends with exactly one receipt, whatever goes wrong between."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import ExportError, LeaseLost, OutcomeUnknown, RetryAfter, UserMustAct
from shared.vendors import batches
from shared.vendors.batches import Part, Reading, body_of, carry_out, cut, cut_entries, halves
from shared.vendors.contract import CONFIRMED, BatchResult, Outcome, Receipt, Retry

BAD = Receipt(Outcome.REJECTED, "bad", "It is bad.", Retry.WHEN_CHANGED)
REFUSED = Receipt(Outcome.REJECTED, "refused", "Refused together.", Retry.NEXT_RUN)
LOST = Receipt(Outcome.UNKNOWN, "unknown", "Lost count.")


def accept(part: Part) -> Reading:
    return Reading({}, rest=CONFIRMED)


def receipts(result: BatchResult, rows: int) -> list[Receipt]:
    return [result.others.get(row, result.default) for row in range(rows)]


def fail(error: Exception) -> Reading:
    raise error


class Waits:
    def __init__(self) -> None:
        self.seconds: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


def run(asked: Callable[[Part], Reading], *parts: Sequence[int], waits: Waits | None = None) -> BatchResult:
    return carry_out(parts, asked, waits or Waits())


@given(st.lists(st.integers(0, 50)), st.integers(1, 6), st.integers(1, 100))
def test_parts_are_consecutive_and_within_both_limits(sizes: list[int], rows: int, size: int) -> None:
    parts = cut(sizes, rows, size)
    assert [row for part in parts for row in part] == list(range(len(sizes)))
    for part in parts:
        assert 1 <= len(part) <= rows
        assert len(part) == 1 or sum(sizes[row] for row in part) <= size


def test_halves_keep_the_order_and_end_at_one_row() -> None:
    assert halves([1, 2, 3]) == [[1], [2, 3]]
    assert halves([1]) == [[1]]


def test_an_empty_batch_asks_nothing() -> None:
    result = run(lambda part: fail(AssertionError()))
    assert result == BatchResult(CONFIRMED, {}, requests=0)


def test_the_commonest_receipt_is_the_default() -> None:
    result = run(lambda part: Reading({0: CONFIRMED, 1: BAD, 2: BAD}, warnings=["w", "w"]), [0, 1, 2])
    assert (result.default, result.others) == (BAD, {0: CONFIRMED})
    assert result.warnings == ("w",)


def blame(bad: set[int], together: Receipt = REFUSED) -> Callable[[Part], Reading]:
    """A vendor that refuses a whole request for one bad row."""

    def asked(part: Part) -> Reading:
        if not bad & set(part):
            return accept(part)
        return Reading({0: BAD}) if len(part) == 1 else Reading({}, halves(range(len(part))), together)

    return asked


def test_a_bad_row_is_found_and_the_others_go_through() -> None:
    result = run(blame({37, 800}), range(500), range(500, 1000))
    assert result.default == CONFIRMED
    assert result.others == {37: BAD, 800: BAD}
    assert result.requests < 45


def test_the_search_ends_where_every_row_is_refused() -> None:
    result = run(blame(set(range(1000))), range(1000))
    assert result.requests <= 1 + batches.FRUITLESS_REQUESTS
    assert {receipt.outcome for receipt in receipts(result, 1000)} == {Outcome.REJECTED}


def test_the_search_is_bounded() -> None:
    result = run(blame(set(range(0, 1000, 7))), range(1000))
    assert result.requests <= 1 + batches.EXTRA_REQUESTS
    found = receipts(result, 1000)
    assert all(found[row] in (BAD, REFUSED) for row in range(0, 1000, 7))


def test_an_unknown_outcome_stays_with_its_part() -> None:
    result = run(lambda part: fail(OutcomeUnknown("no answer")) if 0 in part else accept(part), [0, 1], [2, 3])
    found = receipts(result, 4)
    assert [each.outcome for each in found] == ["unknown", "unknown", "accepted", "accepted"]
    assert found[0].reason == "no answer"


@given(st.lists(st.binary(max_size=9), max_size=12), st.integers(1, 12), st.integers(1, 90))
def test_entries_are_cut_by_their_sizes_with_a_comma_behind_each(entries: list[bytes], rows: int, size: int) -> None:
    assert cut_entries(entries, rows, size) == cut([len(entry) + 1 for entry in entries], rows, size)


@given(st.lists(st.binary(max_size=3), max_size=5))
def test_a_body_has_all_entries_with_commas_between_them(entries: list[bytes]) -> None:
    assert body_of(b"[", entries, b"]") == b"[" + b",".join(entries) + b"]"


@pytest.mark.parametrize(
    "error", [RetryAfter(5, "later"), UserMustAct("bad_credentials", "New key, please."), LeaseLost("gone")]
)
def test_errors_leave_while_nothing_was_done(error: ExportError) -> None:
    with pytest.raises(type(error)):
        run(lambda part: fail(error), [0], [1])
    refused_first = iter([Reading({0: BAD})])
    with pytest.raises(type(error)):
        run(lambda part: next(refused_first, None) or fail(error), [0], [1])


@pytest.mark.parametrize(
    ("error", "code"), [(RetryAfter(500, "later"), "not_sent"), (UserMustAct("bad_key", "New key."), "bad_key")]
)
def test_once_part_was_done_the_rest_waits_for_the_next_run(error: ExportError, code: str) -> None:
    result = run(lambda part: accept(part) if 0 in part else fail(error), [0, 1], [2, 3], [4])
    found = receipts(result, 5)
    assert [each.outcome for each in found] == ["accepted", "accepted", *["rejected"] * 3]
    assert {(each.code, each.retry) for each in found[2:]} == {(code, Retry.NEXT_RUN)}


def test_a_short_rate_limit_in_the_middle_is_waited_out() -> None:
    waits, errors = Waits(), iter([RetryAfter(30, "later"), RetryAfter(0, "later")])

    def asked(part: Part) -> Reading:
        error = next(errors, None) if 2 in part else None
        return fail(error) if error else accept(part)

    assert run(asked, [0, 1], [2, 3], waits=waits).default == CONFIRMED
    assert waits.seconds == [30, 1]


def test_a_lost_lease_always_leaves() -> None:
    with pytest.raises(LeaseLost):
        run(lambda part: accept(part) if 0 in part else fail(LeaseLost("gone")), [0], [1])


def test_rows_that_were_sent_without_a_clear_answer_stay_unknown() -> None:
    answers = iter([Reading({0: CONFIRMED}, [[1, 2]], LOST)])
    result = run(lambda part: next(answers, None) or fail(RetryAfter(500, "later")), [0, 1, 2])
    assert [each.outcome for each in receipts(result, 3)] == ["accepted", "unknown", "unknown"]
    answers = iter([Reading({}, [[0], [1]], LOST)])
    result = run(lambda part: next(answers, None) or fail(RetryAfter(500, "later")), [0, 1])
    assert [each.outcome for each in receipts(result, 2)] == ["unknown", "unknown"]


def test_a_row_that_a_reading_forgets_is_unknown() -> None:
    result = run(lambda part: Reading({0: CONFIRMED, 1: CONFIRMED}), [0, 1, 2])
    assert [each.outcome for each in receipts(result, 3)] == ["accepted", "accepted", "unknown"]


@given(st.data())
def test_every_row_has_one_receipt_and_bad_ones_never_pass(data: st.DataObject) -> None:
    rows = data.draw(st.integers(1, 60))
    bad = data.draw(st.sets(st.integers(0, rows - 1)))
    trouble = data.draw(st.lists(st.sampled_from([None, None, None, OutcomeUnknown("x"), RetryAfter(500, "x")])))
    script = iter(trouble)
    honest = blame(bad)

    def asked(part: Part) -> Reading:
        error = next(script, None)
        return fail(error) if error else honest(part)

    try:
        result = run(asked, *cut([1] * rows, 17, 10**6))
    except RetryAfter:
        return
    found = receipts(result, rows)
    assert all(found[row].outcome is not Outcome.ACCEPTED for row in bad)
    assert set(result.others) <= set(range(rows))


MISFIT = Receipt(Outcome.REJECTED, "invalid_data", "A value does not fit.", Retry.WHEN_CHANGED)


def test_a_request_refused_as_a_whole_is_halved_and_writes_nobody_off() -> None:
    found = batches.refused(5, MISFIT)
    assert [list(group) for group in found.again] == [[0, 1], [2, 3, 4]]
    assert (found.receipts, found.otherwise.code, found.otherwise.retry) == ({}, "invalid_data", Retry.NEXT_RUN)
    assert batches.refused(1, MISFIT).receipts == {0: MISFIT}


def test_values_that_fit_for_nobody_are_the_fields_fault_and_tried_again() -> None:
    assert {(each.code, each.retry) for each in batches.nobody_fits([MISFIT] * 3, MISFIT, "Letterbox")} == {
        ("field_changed", Retry.NEXT_RUN)
    }
    for receipts in ([MISFIT], [MISFIT, CONFIRMED], []):
        assert batches.nobody_fits(receipts, MISFIT, "Letterbox") == receipts
