"""How long answers take is remembered by endpoint; large ones tell more than small ones."""

from __future__ import annotations

import pytest

from shared.vendors.answer_times import AnswerTimes


def test_an_endpoint_that_was_never_answered_is_like_the_others() -> None:
    assert AnswerTimes().seconds("import", 0.7) == 0.7


def test_one_large_answer_tells_more_than_many_small_ones() -> None:
    times = AnswerTimes()
    for _ in range(50):
        times.note("import", 99, 0.1)
    times.note("import", 999_999, 8.0)
    times.note("status", 10, 0.2)
    assert times.seconds("import", 0.0) == pytest.approx(8.0, rel=0.01)
    assert times.seconds("status", 0.0) == pytest.approx(0.2)


def test_the_latest_slices_tell_most() -> None:
    state: dict[str, object] = {}
    for seconds in (9.0, 9.0, 2.0, 2.0, 2.0):
        times = AnswerTimes()
        times.restore(state)
        for _ in range(4):
            times.note("import", 999, seconds)
        state = times.state()
    found = AnswerTimes()
    found.restore(state)
    assert 2.0 < found.seconds("import", 0.0) < 3.0
