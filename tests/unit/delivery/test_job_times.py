"""How long a vendor's jobs take is learned from runs: between two looks, by phase and by people."""

from __future__ import annotations

from typing import Any

import pytest

from shared.delivery.state import job_times, journal
from shared.delivery.state.files import DataFile
from shared.delivery.state.job_times import REMOVE, SEND, TookTime
from shared.delivery.state.journal import Folded
from shared.delivery.state.plan import Balance, Plan, PlanFile
from shared.vendors.contract import CONFIRMED, BatchResult, Kind

PEOPLE = 100


def file_of(kind: Kind, first: int, rows: int) -> PlanFile:
    return PlanFile(kind, 0, DataFile("file", "", 0, rows), first)


FILES = [file_of(Kind.ADD, 0, 150), file_of(Kind.REMOVE, 200, 80)]
PLAN = Plan(PEOPLE, 1, "", False, 0, [], [], Balance(), files=FILES)
DONE = BatchResult(CONFIRMED)


def staged(batch: int, at: float, job: str = "job", **more: Any) -> dict[str, Any]:
    return journal.answered(batch, BatchResult(CONFIRMED, staged=job)) | {"at": at} | more


def folded(*lines: dict[str, Any]) -> Folded:
    found = Folded()
    for line in lines:
        found.take(line)
    return found


def of_run(*lines: dict[str, Any]) -> list[TookTime]:
    return job_times.of_run(PLAN, folded(*lines))


def test_a_job_ended_half_way_between_the_looks_before_and_after() -> None:
    lines = staged(0, 1000), journal.under_way([(0, 1010)]), journal.answered(0, DONE, ended=1030)
    assert of_run(*lines) == [TookTime(SEND, PEOPLE, 20.0)]


def test_one_that_had_ended_at_the_first_look_took_half_as_long() -> None:
    assert of_run(staged(0, 1000), journal.answered(0, DONE, ended=1004)) == [TookTime(SEND, PEOPLE, 2.0)]


def test_the_largest_of_each_phase_counts_and_the_longest_of_those() -> None:
    lines = (
        *(staged(0, 1000), staged(1, 1000), staged(2, 1000), staged(0, 1020, "two", ended=1010)),
        *(journal.answered(0, DONE, ended=1060), journal.answered(1, DONE, ended=1200)),
        journal.answered(2, DONE, ended=1008),
    )
    assert of_run(*lines) == [TookTime(SEND, PEOPLE, 20.0), TookTime(REMOVE, 80, 4.0)]


def test_a_job_that_follows_another_has_a_time_of_its_own() -> None:
    lines = (
        *(staged(0, 1000, "one"), staged(0, 1020, "two", ended=1010)),
        *(journal.under_way([(0, 1040)]), journal.answered(0, DONE, ended=1060)),
    )
    assert of_run(*lines) == [TookTime(SEND, PEOPLE, 30.0)]


def test_a_job_whose_end_nobody_saw_tells_nothing() -> None:
    assert of_run(staged(0, 1000), journal.under_way([(0, 1010)]), journal.answered(0, DONE)) == []


def test_a_run_without_jobs_leaves_what_is_remembered() -> None:
    assert job_times.together(of_run(journal.answered(0, DONE)), {job_times.REMEMBERED: [["send", 5, 1.0]]}) == {}


def test_the_latest_runs_are_remembered() -> None:
    memory: dict[str, Any] = {}
    for number in range(25):
        memory |= job_times.together([TookTime(SEND, number, 1.0)], memory)
    assert [each.people for each in job_times.remembered(memory)] == list(range(24, 14, -1))


def test_what_an_earlier_version_remembered_is_known_of_no_size() -> None:
    known = job_times.remembered({"job_seconds": 12.5})
    for phase in (SEND, REMOVE):
        found = job_times.expected(known, phase, 10_000)
        assert found is not None
        assert (found.seconds, found.largest) == (12.5, 0)


@pytest.mark.parametrize(
    ("known", "people", "seconds"),
    [
        ([(100, 4.0)], 1000, 4.0),
        ([(100, 4.0), (1000, 13.0)], 500, 8.0),
        ([(100, 4.0), (1000, 13.0)], 10_000, 103.0),
        ([(100, 4.0), (1000, 3.0)], 1000, 3.5),
        ([(1000, 10.0), (1100, 90.0), (1000, 12.0)], 1000, 12.0),
        ([(10, 1.0), (10_000, 100.0), (10_000, 4000.0), (10_000, 101.0), (20, 1.1)], 10_000, 101.0),
    ],
    ids=["one size", "between", "beyond", "more take no less", "about one size", "one bad hour"],
)
def test_what_is_expected_follows_from_people(known: list[tuple[int, float]], people: int, seconds: float) -> None:
    found = job_times.expected([TookTime(SEND, *each) for each in known], SEND, people)
    assert found is not None
    assert found.seconds == pytest.approx(seconds, rel=0.02)


def test_removals_tell_nothing_about_additions() -> None:
    assert job_times.expected([TookTime(REMOVE, 10, 5.0)], SEND, 10) is None
