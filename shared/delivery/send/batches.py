"""Send a plan's batches: announce a window in the journal, send it through a few threads, write the receipts.

Additions and changes are all answered before the first removal goes out.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from enum import Enum, auto
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.delivery.send.reading import LookedInto, SentFile
from shared.delivery.state import journal, vendor_ids
from shared.delivery.state import plan as plans
from shared.delivery.state.files import Files
from shared.delivery.state.journal import Folded, Journal
from shared.delivery.state.plan import Plan, PlanFile
from shared.errors import ExportError, LeaseLost, OutcomeUnknown, RetryAfter
from shared.vendors.contract import BatchResult, Kind, Outcome, Receipt, Row
from shared.vendors.forms import Form
from shared.vendors.ready import together

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

WINDOWS = 2
"""A window is this many batches for each thread: what may be in flight when a worker dies."""
WRITE_SECONDS = 0.25
"""Receipts wait so long for others to share a block with."""

Batch = tuple[int, Sequence[Row]]
"""Its number, and its people."""
Send = Callable[[Kind, Sequence[Row]], BatchResult]
Settle = Callable[[Kind, Sequence[Row], str], BatchResult | None]
FormOf = Callable[[Kind], Form | None]


class Ending(Enum):
    """Why sending stopped: everything has its receipt, the slice is over, or the vendor still works on its jobs."""

    FINISHED = auto()
    OUT_OF_TIME = auto()
    WAITING = auto()


@dataclass(slots=True)
class Sender:
    """One slice's sending. `out_of_time` says that no new window may start; `progress` hears of answered rows."""

    files: Files
    database: DuckDBPyConnection
    journal: Journal
    folded: Folded
    send: Send
    settle: Settle
    threads: int
    out_of_time: Callable[[], bool]
    progress: Callable[[int], None]
    where: Path
    first_batch_alone: bool = False
    most_jobs: int = 0
    asks_at_end: bool = False
    """The jobs are asked about also where the slice is over: no other slice can."""
    form: FormOf = lambda kind: None
    warnings: list[str] = field(default_factory=list)
    _staged: dict[int, tuple[Kind, Sequence[Row]]] = field(default_factory=dict)
    _under_way: dict[Future[BatchResult], tuple[int, Kind, Sequence[Row]]] = field(default_factory=dict)
    _looks: LookedInto = field(default_factory=LookedInto)
    _lines: list[dict[str, Any]] = field(default_factory=list)
    _written: float = 0.0
    _error: BaseException | None = None

    @property
    def jobs(self) -> int:
        """Jobs that the vendor still works on."""
        return len(self.folded.staged)

    def run(self, plan: Plan, kinds: Sequence[Kind]) -> Ending:
        """Send what has no receipt yet of these kinds, in this order, and ask after the vendor's jobs.

        Raises what stopped it (RetryAfter, UserMustAct, LeaseLost, a cancellation) after every request under way
        was answered and every receipt is in the journal.
        """
        with ThreadPoolExecutor(self.threads, thread_name_prefix="batch") as pool:
            try:
                return self._run(pool, plan, kinds)
            finally:
                self._drain()

    def _run(self, pool: ThreadPoolExecutor, plan: Plan, kinds: Sequence[Kind]) -> Ending:
        removals = [kind for kind in kinds if kind is Kind.REMOVE]
        others = [kind for kind in kinds if kind is not Kind.REMOVE]
        for stage in (others, removals):
            ending = self._send_kinds(pool, plan, stage)
            self._wait()
            if (ending is Ending.FINISHED or self.asks_at_end) and not self._settled() and ending is Ending.FINISHED:
                ending = Ending.WAITING
            if ending is not Ending.FINISHED:
                return ending
        return Ending.FINISHED

    def _send_kinds(self, pool: ThreadPoolExecutor, plan: Plan, kinds: Sequence[Kind]) -> Ending:
        sent = False
        for kind in kinds:
            for window in self._windows(plan, kind):
                if sent and self.out_of_time():
                    return Ending.OUT_OF_TIME
                if not self._room_for_jobs():
                    return Ending.WAITING
                self._send_window(pool, kind, window)
                sent = True  # each slice sends something, however little time it has
        return Ending.FINISHED

    def _room_for_jobs(self) -> bool:
        """May more batches be staged? Asks after those that are, where the account has no room for more."""
        if self.jobs + len(self._under_way) < self.most_jobs or not self.most_jobs:
            return True
        self._drain()
        self._settled()
        return self.jobs < self.most_jobs

    def _settled(self) -> bool:
        """Ask after every staged batch of the files that were gone through; True when none is left."""
        if not self._staged:
            return True
        self._flush()  # asking takes its time
        under_way = list[tuple[int, float]]()
        for batch, (kind, rows) in list(self._staged.items()):
            job, looked = self.folded.staged[batch], time.time()
            result = self.settle(kind, rows, job)
            if result is not None and result.staged != job:
                self._answer(batch, kind, rows, result, looked)
            else:
                under_way.append((batch, looked))
        if under_way:
            self._lines.append(journal.under_way(under_way))
        self._flush()
        return not self._staged

    def _windows(self, plan: Plan, kind: Kind) -> Iterator[list[Batch]]:
        """Batches of a kind that have no receipt, in windows; the very first batch on its own where that is wished."""
        window: list[Batch] = []
        size = self.threads * WINDOWS if not self.most_jobs else 1
        for batch, rows in self._batches(plan, kind):
            window.append((batch, rows))
            if len(window) == size or (batch == 0 and self.first_batch_alone):
                yield window
                window = []
        if window:
            yield window

    def _batches(self, plan: Plan, kind: Kind) -> Iterator[Batch]:
        for batch, pieces in groupby(self._open_rows(plan, kind), key=itemgetter(0)):
            people = together([rows for _, rows in pieces])
            if batch in self.folded.staged:
                self._staged[batch] = (kind, people)
            else:
                yield batch, people

    def _open_rows(self, plan: Plan, kind: Kind) -> Iterator[Batch]:
        """Rows of batches that have no receipt; those of a batch may come in several pieces, one from each file."""
        answered = self.folded.results.keys()
        for file in plan.files:
            batches = plan.batches(file)
            if file.kind is kind and any(batch not in answered for batch in batches):
                # Only batches keep the local file, which is gone when they are answered.
                yield from self._local(plan, file).pieces(batches, answered)

    def _local(self, plan: Plan, file: PlanFile) -> SentFile:
        path = self.where / f"sending-{file.first}.parquet"
        if not self.files.download(file.file.stored, path):
            raise plans.unreadable()
        return SentFile(
            self.database,
            path,
            self.form(file.kind),
            self._looks,
            known_before=self._known_before(plan, file),
            may_be_ready=file.kind is Kind.ADD and not self.most_jobs,
        )

    def _known_before(self, plan: Plan, file: PlanFile) -> Path | None:
        """A local file of addresses by which people of a plan file were known, None where there are none."""
        found = plan.known_before.get(file.part) if file.kind is Kind.ADD else None
        if found is None:
            return None
        path = self.where / f"known-before-{file.first}.parquet"
        if not self.files.download(found.stored, path):
            raise plans.unreadable()
        return path

    def _send_window(self, pool: ThreadPoolExecutor, kind: Kind, window: list[Batch]) -> None:
        self._make_room()
        self._lines.append(journal.sent(window[0][0], window[-1][0]))
        self._flush()
        for batch, rows in window:
            self._under_way[pool.submit(self.send, kind, rows)] = (batch, kind, rows)
        if window[0][0] == 0 and self.first_batch_alone:
            self._wait()

    def _make_room(self) -> None:
        """Let the window before last be answered, so that threads never idle and little is in flight."""
        while len(self._under_way) > self.threads:
            self._collect()

    def _collect(self) -> None:
        done, _ = wait(self._under_way, return_when=FIRST_COMPLETED)
        for future in done:
            self._take(*self._under_way.pop(future), future)
        if time.monotonic() - self._written > WRITE_SECONDS:
            self._flush()
        if self._error is not None:
            raise self._error

    def _take(self, batch: int, kind: Kind, rows: Sequence[Row], future: Future[BatchResult]) -> None:
        error = future.exception()
        match error:
            case None:
                self._answer(batch, kind, rows, future.result())
            case OutcomeUnknown():
                self._answer(batch, kind, rows, BatchResult(Receipt(Outcome.UNKNOWN, "no_answer", error.reason)))
            case LeaseLost():  # may come after a request whose answer is not known: the batch stays in flight
                self._error = _graver(self._error, error)
            case ExportError():
                # The vendor's contract: these are raised only when nothing of the batch was done.
                self._lines.append(journal.unsent([batch]))
                self._error = _graver(self._error, error)
            case _:
                self._error = error

    def _answer(
        self, batch: int, kind: Kind, rows: Sequence[Row], result: BatchResult, job_ended: float | None = None
    ) -> None:
        result, ids = vendor_ids.apart(result)
        path = self.where / f"ids-{batch}.parquet"
        name = self.journal.ids_name(batch)
        kept = vendor_ids.store(self.files, self.database, ids, name, path) if ids else None
        line = journal.answered(batch, result, kept, job_ended)
        self._lines.append(line)
        self.folded.take(line)
        self.warnings += result.warnings
        if result.staged is None:
            self._staged.pop(batch, None)
            self.progress(len(rows))
        else:
            self._staged[batch] = (kind, rows)

    def _flush(self) -> None:
        if self._lines:
            self.journal.write(self._lines)
            self._lines = []
        self._written = time.monotonic()

    def _wait(self) -> None:
        """Wait for everything under way; raise what went wrong, if anything did. The receipts share their block with
        what is announced next."""
        while self._under_way:
            done, _ = wait(self._under_way)
            for future in done:
                self._take(*self._under_way.pop(future), future)
        if self._error is not None:
            raise self._error

    def _drain(self) -> None:
        """Wait, and write everything down."""
        try:
            self._wait()
        finally:
            self._flush()


def _graver(before: BaseException | None, error: BaseException) -> BaseException:
    """The error to report when several batches fail. An error that a person must mend comes before one that passes."""
    return error if before is None or isinstance(before, RetryAfter) else before
