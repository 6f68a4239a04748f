"""The chart's geometry: what is drawn stays in its frame and is as large as it says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.control.runs import Counts, RunRow
from shared.delivery.state.records import State
from shared.delivery.state.transitions import RunKind
from shared.pages.chart import BARS_BOTTOM, BARS_TOP, LEFT, MIDDLE, RIGHT, TOP, chart, ticks


def run(number: int, members: int | None, *, state: State = State.SUCCEEDED, **changes: Any) -> RunRow:
    at = datetime(2026, 11, 1, tzinfo=UTC) + timedelta(days=number)
    counts = Counts(**{name: changes.pop(name) for name in list(changes) if name in Counts.model_fields})
    values: dict[str, Any] = {"export": "vips", "trigger": "on demand", "finished_at": at, **changes}
    return RunRow(run=f"r{number}", started_at=at, state=state, members=members, counts=counts, **values)


def test_people_are_a_line_that_skips_runs_without_a_word_on_them() -> None:
    made = chart([run(1, 0), run(2, None, state=State.FAILED), run(3, 500)])
    assert made
    assert [tick.value for tick in made.people] == [0, 200, 400, 600]
    assert [mark.dot for mark in made.marks] == [MIDDLE, None, MIDDLE - (MIDDLE - TOP) * 500 / 600]
    assert len(made.line.split()) == 2
    assert (made.least, made.most) == (0, 500)
    assert [mark.bad for mark in made.marks] == [False, True, False]


def test_whom_a_run_added_stands_above_the_line_and_whom_it_removed_below() -> None:
    made = chart([run(1, 10, added=100, removed=50, rejected=20, refused_here=5), run(2, 10)])
    assert made
    bars = {bar.kind: bar for bar in made.marks[0].bars}
    assert {kind: bar.value for kind, bar in bars.items()} == {"added": 100, "removed": 50, "refused": 25}
    assert bars["added"].y + bars["added"].height == pytest.approx(made.zero, abs=0.2)
    assert bars["removed"].y == made.zero
    assert bars["added"].height == pytest.approx(2 * bars["removed"].height, abs=0.3)
    assert bars["refused"].height == pytest.approx(bars["added"].height / 4, abs=0.3)
    assert made.marks[1].bars == (), "nobody is no bar"


def test_everything_stays_within_the_frame() -> None:
    made = chart(
        [run(number, number * 977, added=number * 31, removed=number**2, rejected=number) for number in range(30)]
    )
    assert made
    for mark in made.marks:
        assert LEFT <= mark.x <= RIGHT
        assert mark.dot is not None
        assert TOP <= mark.dot <= MIDDLE
        for bar in mark.bars:
            assert LEFT <= bar.x <= bar.x + bar.width <= RIGHT
            assert BARS_TOP - 0.2 <= bar.y <= bar.y + bar.height <= BARS_BOTTOM + 1.2
    assert sum(mark.dated for mark in made.marks) == 6, "dates do not run into each other"


@pytest.mark.parametrize("most", [0, 1, 2, 3, 4, 7, 10, 12, 60, 99, 100, 101, 1_999, 123_456, 1_000_000])
def test_ticks_are_few_round_numbers_up_to_the_most(most: int) -> None:
    found = ticks(most)
    assert found[0] == 0
    assert found[-1] >= most
    assert 2 <= len(found) <= 4
    assert str(found[1]).rstrip("0") in ("1", "2", "5")


def test_dry_runs_runs_under_way_and_a_single_run_make_no_chart() -> None:
    assert chart([run(1, 5)]) is None
    assert chart([run(1, 5), run(2, None, kind=RunKind.DRY_RUN)]) is None
    assert chart([run(1, 5), run(2, None, state=State.RUNNING, finished_at=None)]) is None
    assert chart([]) is None
