"""A run's looks at a vendor's jobs are foreseen as it makes them: the sender itself is held against that."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.delivery.rehearse.watching import JobLooks, Jobs, RateGate, Watched, watched
from shared.delivery.send.batches import Ending, Sender
from shared.delivery.send.pausing import pause
from shared.delivery.state.journal import Folded
from shared.delivery.state.plan import Balance, Plan
from shared.vendors.contract import CONFIRMED, BatchResult, Kind, Row

PLAN = Plan(1, 1, "", False, 0, [], [], Balance())


class Lines:
    """A journal that nobody reads."""

    def ids_name(self, batch: int) -> str:
        return ""

    def write(self, lines: object) -> None:
        return


@dataclass(slots=True)
class SlowVendor:
    """Its time goes on only by what is done. A job's name is its batch and its number."""

    jobs: Jobs
    looking: JobLooks
    now: float = 0.0
    under_way: int = 0
    over: dict[str, float] = field(default_factory=dict)

    def send(self, kind: Kind, rows: Sequence[Row]) -> BatchResult:
        for _ in range(self.looking.slots):
            self.now = self.looking.gate.passed(self.now)
        self.now += self.jobs.apart
        return self._begun(rows[0].address, 1)

    def settle(self, kind: Kind, rows: Sequence[Row], job: str) -> BatchResult | None:
        self.now = self.looking.gate.passed(self.now)
        if self.over[job] > self.now:
            self.now += self.looking.look
            self.under_way += 1
            return None
        self.now += self.looking.settle
        batch, _, number = job.partition("/")
        return self._begun(batch, int(number) + 1) if int(number) < self.jobs.jobs else BatchResult(CONFIRMED)

    def _begun(self, batch: str, number: int) -> BatchResult:
        job = f"{batch}/{number}"
        self.over[job] = self.now + self.jobs.seconds
        return BatchResult(CONFIRMED, staged=job)


class OneRowBatches(Sender):
    """Sends made-up rows, one to a batch, and looks at batches in their order: answers of threads come in any."""

    batches = 0

    def _settled(self) -> bool:
        self._staged = dict(sorted(self._staged.items()))
        return super()._settled()

    def _open_rows(self, plan: Plan, kind: Kind) -> Iterator[tuple[int, list[Row]]]:
        for batch in range(self.batches):
            if batch not in self.folded.results:
                yield batch, [Row(str(batch))]


def sent(jobs: Jobs, looking: JobLooks) -> Watched:
    """What a run comes to that sends this, slice after slice."""
    vendor, folded, waits = SlowVendor(jobs, looking), Folded(), 0
    while True:
        done: list[int] = []
        sender = OneRowBatches(
            files=cast("Any", None),
            database=cast("Any", None),
            journal=cast("Any", Lines()),
            folded=folded,
            send=vendor.send,
            settle=vendor.settle,
            threads=1,
            out_of_time=lambda: False,
            progress=done.append,
            where=Path(),
            most_jobs=jobs.most,
        )
        sender.batches = jobs.batches
        if sender.run(PLAN, [Kind.ADD]) is Ending.FINISHED:
            return Watched(vendor.now, vendor.under_way)
        waits = 0 if done else waits
        vendor.now += looking.pause(waits)
        waits += 1


def paused(waits: int) -> float:
    return pause(2.0, waits)


def quick(requests: int = 10**6, slots: int = 0) -> JobLooks:
    """Looks of a quarter of a second, half a second where a job has ended; so many requests a minute."""
    return JobLooks(0.25, 0.5, paused, RateGate(requests, 60.0), slots)


@settings(max_examples=60, deadline=None)
@given(
    jobs=st.builds(
        Jobs,
        batches=st.integers(1, 12),
        jobs=st.integers(1, 3),
        seconds=st.integers(0, 400).map(lambda halves: halves / 2),
        apart=st.sampled_from([0.0, 0.5, 4.0]),
        most=st.integers(1, 6),
    ),
    requests=st.integers(1, 30),
    slots=st.integers(0, 3),
)
def test_looks_and_pauses_are_those_of_the_sender(jobs: Jobs, requests: int, slots: int) -> None:
    assert watched(jobs, quick(requests, slots)) == sent(jobs, quick(requests, slots))


@pytest.mark.parametrize(
    ("seconds", "at"),
    [(0.0, 2.0), (1.0, 4.25), (3.0, 8.5), (10.0, 16.75), (1000.0, 1029.25)],
    ids=["at once", "after the first pause", "after the second", "after the third", "a minute between looks"],
)
def test_an_end_is_seen_at_the_next_look(seconds: float, at: float) -> None:
    """One batch, sent in a second and a half."""
    assert watched(Jobs(1, 1, seconds, 1.5, 10), quick()).seconds == at


def test_no_more_jobs_go_on_than_the_vendor_takes() -> None:
    """Three at once: the fourth of six begins when the first have ended."""
    few, many = (watched(Jobs(6, 1, 30.0, 0.0, most), quick()).seconds for most in (3, 6))
    assert few > 2 * 30.0 > many > 30.0


def test_looks_wait_for_the_rate_that_they_share_with_sending() -> None:
    """Four batches and their four looks, five requests a minute."""
    assert watched(Jobs(4, 1, 0.0, 0.0, 10), quick(requests=5, slots=1)).seconds > 60.0
    assert watched(Jobs(4, 1, 0.0, 0.0, 10), quick(requests=8, slots=1)).seconds < 60.0
