"""How long a run would take: its requests at the budget or as fast as answers come, then the vendor's jobs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from shared.delivery.rehearse import pace
from shared.delivery.work import Work
from shared.vendors.answer_times import AnswerTimes
from shared.vendors.contract import Rate
from shared.vendors.limits import WINDOW_SLACK
from shared.vendors.registry import definition

VENDOR = replace(
    definition("dotdigital"),
    rates=(Rate(("write", "status"), 10, 60.0, published=False), Rate(("other",), 10, 60.0, published=False)),
    concurrency=4,
    most_jobs=5,
)
MINUTE = 60.0 + WINDOW_SLACK


def of_run(noted: Mapping[str, Any], memory: Mapping[str, Any] | None = None, **answers: float) -> pace.Pace:
    times = AnswerTimes()
    for endpoint, seconds in answers.items():
        times.note(endpoint, 1, seconds)
    work = SimpleNamespace(
        memory=lambda: memory or {},
        opened=SimpleNamespace(definition=VENDOR, outside=SimpleNamespace(answer_times=times)),
        connection=SimpleNamespace(rate_budget=1.0, settings={}),
        cloud=SimpleNamespace(settings=SimpleNamespace(job_seconds=2.0)),
    )
    return pace.of_run(cast("Work", work), noted, writing=1.0)


def noted(writes: int, people: int = 0, **more: Any) -> dict[str, Any]:
    """A rehearsal with so many requests that write, each of which begins a job of so many people, if any."""
    jobs = {"jobs": {"send": writes}, "staged": {"send": [writes, people]}} if people else {}
    looks = {"send_looks": {"status": writes}} if people else {}
    return {
        "planned": 3.0,
        "asked": {"send": {"write": writes}, **looks},
        "unanswered": {"send": {"write": writes}, **looks},
        "answers": [2, 1.0],
        **jobs,
        **more,
    }


def took(*jobs: tuple[str, int, float]) -> dict[str, Any]:
    return {"jobs_took": [list(each) for each in jobs]}


def test_answers_are_waited_for_a_few_at_a_time() -> None:
    """Four at once, half a second each as in the rehearsal: two turns, with planning and writing."""
    assert of_run(noted(8)).seconds == 3.0 + 1.0 + 2 * 0.5


def test_an_answer_takes_as_long_as_such_a_one_took_lately() -> None:
    assert of_run(noted(8), write=5.0).seconds == 3.0 + 1.0 + 2 * 5.0


def test_making_the_requests_may_be_what_binds() -> None:
    assert of_run(noted(8, spent={"send": 20.0})).seconds == 3.0 + 1.0 + 20.0 + 0.5


def test_the_rate_may_be_what_binds() -> None:
    assert of_run(noted(25)).seconds == pytest.approx(3.0 + 1.0 + 2 * MINUTE, abs=0.1)


def test_looks_share_the_rate_of_what_they_follow() -> None:
    found = of_run(noted(5, 100), took(("send", 100, 0.0)))
    assert found.seconds < MINUTE
    found = of_run(noted(6, 100), took(("send", 100, 0.0)))
    assert found.seconds == pytest.approx(3.0 + 1.0 + MINUTE, abs=1.0)


def test_while_looks_wait_for_their_slot_jobs_end_so_fewer_are_seen_under_way() -> None:
    """Five of eight are begun and seen under way. Most looks after that wait for the next minute, and see an end."""
    found = of_run(noted(8, 100), took(("send", 100, 30.0)))
    assert found.looks == 7
    assert found.seconds == pytest.approx(4.0 + 2 * MINUTE, abs=5.0)


def test_the_vendors_jobs_take_as_long_as_they_took() -> None:
    """One job of ten seconds: looked at after 0, 2, 6 and 14 seconds, each look half a second."""
    found = of_run(noted(1, 100), took(("send", 100, 10.0)))
    assert found.seconds == pytest.approx(4.0 + 0.5 + 3 * 0.5 + 14.0 + 0.5, abs=0.1)
    assert (found.looks, found.jobs_known, found.jobs_known_to) == (3, True, None)


def test_where_no_run_tells_of_jobs_they_are_left_out_and_that_is_said() -> None:
    found = of_run(noted(1, 100))
    assert (found.seconds, found.looks, found.jobs_known) == (4.0 + 0.5 + 0.5, 0, False)
    assert not of_run(noted(1, 100), took(("remove", 100, 10.0))).jobs_known


def test_of_far_larger_jobs_than_are_known_it_says_so() -> None:
    assert of_run(noted(1, 201), took(("send", 100, 10.0))).jobs_known_to == 100
    assert of_run(noted(1, 200), took(("send", 100, 10.0))).jobs_known_to is None
    assert of_run(noted(1, 200), {"job_seconds": 9.0}).jobs_known_to == 0, "an earlier version did not keep it"


def test_a_run_without_jobs_says_nothing_of_them() -> None:
    found = of_run(noted(3))
    assert (found.looks, found.jobs_known, found.jobs_known_to) == (0, True, None)
