"""The course of one engine batch: contacts in batches of Omnisend's, then, once those are there, the tag.

Facts: Omnisend contract, sections 2 to 4. Every step may be repeated: contacts are created or updated, and a tag that
is put on twice is on once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from shared.errors import ExportError, LeaseLost, OutcomeUnknown
from shared.vendors.batches import Part, Reading, carry_out, cut
from shared.vendors.contract import CONFIRMED, BatchResult, Kind, Outcome, Receipt, Row
from shared.vendors.http import Client
from shared.vendors.omnisend import outcomes, requests, responses
from shared.vendors.omnisend.board import Board
from shared.vendors.omnisend.definition import MOST_BYTES, MOST_CONTACTS, MOST_TAGGED
from shared.vendors.omnisend.job import Job, Rows
from shared.vendors.omnisend.people import person
from shared.vendors.omnisend.responses import BatchState

NEW_SECONDS = 600
"""A batch that Omnisend does not know may be too new rather than gone."""

_PENDING = Receipt(Outcome.UNKNOWN, "pending")
"""Stands for a row whose request did not go out; never leaves this module."""

Ask = Callable[[list[int]], Reading]


@dataclass(slots=True)
class Course:
    """One engine batch on its way. `clock` tells seconds since 1970."""

    client: Client
    board: Board
    wait: Callable[[float], None]
    clock: Callable[[], float]
    tag: str
    kind: Kind
    rows: Sequence[Row]
    _warnings: dict[str, None] = field(default_factory=dict)
    _requests: int = 0

    def begin(self) -> BatchResult:
        """Raises RetryAfter and UserMustAct only when nothing was done."""
        everyone = range(len(self.rows))
        return self._go_on(Job(ready=everyone) if self.kind is Kind.REMOVE else Job(unsent=everyone))

    def go_on(self, text: str) -> BatchResult | None:
        """The next steps of a staged batch; None while Omnisend still works on it. Raises like `begin`."""
        job = Job.parse(text)
        if job.waiting and not job.unsent:
            states = ended(self.board, self.clock(), job)
            if states is None:
                return None
            job = self._read(job, states)
        return self._go_on(job)

    def _go_on(self, job: Job) -> BatchResult:
        if job.unsent:
            job = self._send_contacts(job)
        if job.ready and not (job.unsent or job.waiting):
            job = self._put_tag(job)
        return self._result(job)

    def _send_contacts(self, job: Job) -> Job:
        now = f"{datetime.fromtimestamp(self.clock(), UTC):%Y-%m-%dT%H:%M:%SZ}"
        people = {row: person(self.rows[row], now) for row in job.unsent}
        self._warnings |= dict.fromkeys(words for each in people.values() for words in each.warnings)

        def ask(rows: list[int]) -> Reading:
            answer = self.client.call(requests.create_batch([people[row].entry for row in rows]))
            return responses.created(len(rows), answer)

        sizes = [len(each.entry) + 1 for each in people.values()]
        found = self._in_parts(job.unsent, cut(sizes, MOST_CONTACTS, MOST_BYTES), ask)
        waiting = {batch: list(rows) for batch, rows in job.waiting.items()}
        for row, receipt in found.items():
            if receipt.code == responses.STAGED:
                waiting.setdefault(str(receipt.vendor_id), []).append(row)
        staged = {row for rows in waiting.values() for row in rows}
        final = {row: receipt for row, receipt in found.items() if row not in staged and receipt != _PENDING}
        return replace(
            job,
            unsent=_pending(found),
            waiting=waiting,
            receipts={**job.receipts, **final},
            sent_at=int(self.clock()),
        )

    def _read(self, job: Job, states: dict[str, BatchState | None]) -> Job:
        found: dict[int, Receipt] = {}
        for batch, rows in job.waiting.items():
            found |= zip(rows, self._receipts(batch, rows, states[batch]), strict=True)
        written = [row for row, receipt in found.items() if receipt == CONFIRMED]
        lost = [row for row, receipt in found.items() if outcomes.worth_repeating(receipt) and not job.again]
        # A change is done with its contact, an addition only with its tag.
        left = {*lost, *(written if self.kind is Kind.ADD else ())}
        return replace(
            job,
            unsent=sorted(lost),
            waiting={},
            ready=sorted([*job.ready, *written]) if self.kind is Kind.ADD else (),
            receipts={**job.receipts, **{row: receipt for row, receipt in found.items() if row not in left}},
            again=job.again or bool(lost),
        )

    def _receipts(self, batch: str, rows: Rows, state: BatchState | None) -> list[Receipt]:
        """Items are read only where somebody may have been refused."""
        if state is None:
            return [outcomes.GONE] * len(rows)
        if state.complete(len(rows), 0):
            return [CONFIRMED] * len(rows)
        addresses = [self.rows[row].address for row in rows]
        found = self.client.ask(requests.items(batch), lambda answer: outcomes.read(addresses, responses.batch(answer)))
        self._requests += 1
        return found

    def _put_tag(self, job: Job) -> Job:
        def ask(rows: list[int]) -> Reading:
            request = requests.tag(self.kind, self.tag, [self.rows[row].address for row in rows])
            return responses.tagging(len(rows), self.client.call(request))

        sizes = [len(self.rows[row].address) for row in job.ready]
        found = self._in_parts(job.ready, cut(sizes, MOST_TAGGED, MOST_BYTES), ask)
        final = {row: receipt for row, receipt in found.items() if receipt != _PENDING}
        return replace(job, ready=_pending(found), receipts={**job.receipts, **final})

    def _in_parts(self, rows: Rows, parts: Sequence[Part], ask: Ask) -> dict[int, Receipt]:
        """A receipt for each of `rows`, which `parts` count. What stops the first request is raised; what stops a
        later one leaves the rest pending, for the next time."""
        stopped: ExportError | None = None

        def until_stopped(part: Part) -> Reading:
            nonlocal stopped
            if stopped is None:
                try:
                    return ask([rows[place] for place in part])
                except (LeaseLost, OutcomeUnknown):
                    raise
                except ExportError as error:
                    stopped = error
            return Reading(dict.fromkeys(range(len(part)), _PENDING))

        result = carry_out(parts, until_stopped, self.wait)
        self._requests += result.requests
        self._warnings |= dict.fromkeys(result.warnings)
        found = {row: result.others.get(place, result.default) for place, row in enumerate(rows)}
        if stopped is not None and all(receipt == _PENDING for receipt in found.values()):
            raise stopped
        return found

    def _result(self, job: Job) -> BatchResult:
        warnings = tuple(self._warnings)
        if not job.done:
            return BatchResult(_PENDING, staged=job.text(), requests=self._requests, warnings=warnings)
        default = Counter(job.receipts.values()).most_common(1)[0][0] if job.receipts else CONFIRMED
        others = {row: receipt for row, receipt in job.receipts.items() if receipt != default}
        return BatchResult(default, others, requests=self._requests, warnings=warnings)


def ended(board: Board, now: float, job: Job) -> dict[str, BatchState | None] | None:
    """How a job's batches ended; None while one of them has not. Raises what `Board.state` raises."""
    states: dict[str, BatchState | None] = {}
    for batch in job.waiting:
        states[batch] = state = board.state(batch)
        too_new = state is None and now - job.sent_at < NEW_SECONDS
        if too_new or (state is not None and not state.over):
            return None
    return states


def _pending(found: dict[int, Receipt]) -> list[int]:
    return sorted(row for row, receipt in found.items() if receipt == _PENDING)
