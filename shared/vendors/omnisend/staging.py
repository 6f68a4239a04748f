"""The steps of one engine batch: contacts in batches of Omnisend's, then, once those are there, the tag.

Facts: Omnisend contract, sections 2 to 4. The steps are done one after the other, and a rate limit may cut any of them
short. The job, a text that the journal keeps until the receipts are there, says what is left. Every step may be
repeated: contacts are created or updated, and a tag that is put on twice is on once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, Self

import orjson

from shared.errors import ExportError, LeaseLost, OutcomeUnknown, RetryAfter
from shared.vendors import presence
from shared.vendors.batches import Part, Reading, beside, carry_out, cut
from shared.vendors.contract import ACKNOWLEDGED, CONFIRMED, BatchResult, Evidence, Kind, Outcome, Receipt, Retry, Row
from shared.vendors.http import Client
from shared.vendors.omnisend import receipts, requests, responses
from shared.vendors.omnisend.client import Board
from shared.vendors.omnisend.definition import DEFINITION, MOST_BYTES, MOST_CONTACTS, MOST_TAGGED
from shared.vendors.omnisend.responses import BatchState
from shared.vendors.omnisend.spellings import TOO_MANY, OtherSpellings
from shared.vendors.presence import Presence
from shared.wording import say

STEP_SECONDS = 30.0
"""A step sends nothing more after so long: the rest is the next step's, since a worker lives for minutes only."""
NEW_SECONDS = 600
"""A batch that Omnisend does not know may be too new rather than gone."""

_PENDING = Receipt(Outcome.UNKNOWN, "pending")
"""Stands for a row whose request did not go out; never leaves this module."""

NOT_LOOKED_UP = replace(
    ACKNOWLEDGED,
    code="not_looked_up",
    reason=say(
        "The tag was taken off. Whether Omnisend still has somebody under this address was not asked: whoever has "
        "another address there keeps the tag."
    ),
)
"""Of a leaver among many of a tag too long to be read, or after a look that failed."""

_TIME_IS_UP = RetryAfter(1.0, say("Sending to Omnisend goes on shortly."))

Ask = Callable[[list[int]], Reading]

Rows = Sequence[int]
"""Rows of the engine's batch, by index, ascending."""


@dataclass(frozen=True, slots=True)
class BatchJob:
    """Every row is in exactly one of the first four."""

    unsent: Rows = ()
    """Whose contact goes out next."""
    waiting: Mapping[str, Rows] = field(default_factory=dict)
    """Omnisend's batch id -> whose contact is in it."""
    ready: Rows = ()
    """The people who are written and still need the tag."""
    receipts: Mapping[int, Receipt] = field(default_factory=dict)
    again: bool = False
    """Contacts were sent a second time because Omnisend lost or put off the first; there is no third."""
    sent_at: int = 0
    """When the last contacts went out, in seconds since 1970."""

    @property
    def done(self) -> bool:
        return not (self.unsent or self.waiting or self.ready)

    def text(self) -> str:
        receipts = [[_plain(receipt), _runs(rows)] for receipt, rows in _grouped(self.receipts)]
        fields = {
            "unsent": _runs(self.unsent),
            "waiting": {batch: _runs(rows) for batch, rows in self.waiting.items()},
            "ready": _runs(self.ready),
            "receipts": receipts,
            "again": self.again,
            "sent_at": self.sent_at,
        }
        return orjson.dumps({name: value for name, value in fields.items() if value}).decode()

    @classmethod
    def parse(cls, text: str) -> Self:
        fields = orjson.loads(text)
        return cls(
            unsent=_rows(fields.get("unsent", ())),
            waiting={batch: _rows(runs) for batch, runs in fields.get("waiting", {}).items()},
            ready=_rows(fields.get("ready", ())),
            receipts={row: _receipt(plain) for plain, runs in fields.get("receipts", ()) for row in _rows(runs)},
            again=fields.get("again", False),
            sent_at=fields.get("sent_at", 0),
        )


def _grouped(receipts: Mapping[int, Receipt]) -> Iterable[tuple[Receipt, list[int]]]:
    groups: dict[Receipt, list[int]] = {}
    for row, receipt in sorted(receipts.items(), key=lambda pair: pair[0]):
        groups.setdefault(receipt, []).append(row)
    return groups.items()


def _runs(rows: Rows) -> list[list[int]]:
    """[first, last] of each run of consecutive rows."""
    ordered = sorted(rows)
    runs = [[row for _, row in run] for _, run in groupby(enumerate(ordered), lambda pair: pair[1] - pair[0])]
    return [[run[0], run[-1]] for run in runs]


def _rows(runs: Iterable[Sequence[int]]) -> list[int]:
    return [row for first, last in runs for row in range(first, last + 1)]


def _plain(receipt: Receipt) -> list[str | None]:
    return [receipt.outcome, receipt.code, receipt.reason, receipt.retry, receipt.evidence]


def _receipt(plain: Any) -> Receipt:
    outcome, code, reason, retry, evidence = plain
    return Receipt(
        Outcome(outcome), code, reason, Retry(retry) if retry else None, Evidence(evidence) if evidence else None
    )


@dataclass(slots=True)
class Staging:
    """Carries out one engine batch. `clock` tells seconds since 1970."""

    client: Client
    board: Board
    wait: Callable[[float], None]
    clock: Callable[[], float]
    tag: str
    kind: Kind
    rows: Sequence[Row]
    spellings: OtherSpellings
    presence: Presence
    _warnings: dict[str, None] = field(default_factory=dict)
    _requests: int = 0
    _unasked: set[int] = field(default_factory=set)
    """Leavers of whom Omnisend was not asked whether it has them."""

    def build(self) -> object:
        """Everything that is sent of these rows, in all steps."""
        people = () if self.kind is Kind.REMOVE else [requests.person(row, self._now()) for row in self.rows]
        return people, requests.tag(self.kind, self.tag, [row.address for row in self.rows])

    def begin(self) -> BatchResult:
        """Raises RetryAfter and UserMustAct only when nothing was done."""
        everyone = range(len(self.rows))
        if self.kind is Kind.REMOVE:
            return self._go_on(BatchJob(ready=everyone))
        alone = self.spellings.among(self.rows) or {}
        return self._go_on(BatchJob(unsent=[row for row in everyone if row not in alone], receipts=alone))

    def go_on(self, text: str) -> BatchResult | None:
        """The next steps of a staged batch; None while Omnisend still works on it. Raises like `begin`."""
        job = BatchJob.parse(text)
        if job.waiting and not job.unsent:
            states = ended(self.board, self.clock(), job)
            if states is None:
                return None
            job = self._read(job, states)
        return self._go_on(job)

    def _go_on(self, job: BatchJob) -> BatchResult:
        if job.unsent:
            job = self._send_contacts(job)
        if job.ready and not (job.unsent or job.waiting):
            job = self._put_tag(job)
        return self._result(job)

    def _send_contacts(self, job: BatchJob) -> BatchJob:
        now = self._now()
        consent = self.spellings.among(self.rows) is not None
        people = {row: requests.person(self.rows[row], now, consent=consent) for row in job.unsent}
        self._warnings |= {} if consent else {TOO_MANY: None}
        self._warnings |= dict.fromkeys(words for each in people.values() for words in each.warnings)

        def create(rows: Part) -> Reading:
            answer = self.client.call(requests.create_batch([people[row].entry for row in rows]))
            return receipts.created(len(rows), answer)

        def ask(rows: list[int]) -> Reading:
            return beside(self._absent(rows), rows, create)

        sizes = [len(each.entry) + 1 for each in people.values()]
        found = self._in_parts(job.unsent, cut(sizes, MOST_CONTACTS, MOST_BYTES), ask)
        waiting = {batch: list(rows) for batch, rows in job.waiting.items()}
        for row, receipt in found.items():
            if receipt.code == receipts.STAGED:
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

    def _absent(self, rows: Sequence[int]) -> Mapping[int, Receipt]:
        """Receipts of those whom Omnisend does not have, by place in `rows`."""
        if self.kind is Kind.CHANGE:  # a contact that is sent would make them anew
            return self.presence.absent(self.kind, [self.rows[row] for row in rows])
        return self._not_found(rows) if self.kind is Kind.REMOVE else {}

    def _not_found(self, rows: Sequence[int]) -> Mapping[int, Receipt]:
        """Leavers who are not found. Taking a tag off makes nobody, so they are only looked for where that is cheap;
        and nobody keeps the tag because a look failed."""
        places = [place for place, row in enumerate(rows) if self.rows[row].unsure_since is None]
        found = self._looked_for([self.rows[rows[place]] for place in places])
        self._unasked |= {rows[places[index]] for index, each in found.items() if each.code == presence.NOT_LOOKED_AT}
        self._warnings |= dict.fromkeys(presence.told(DEFINITION.label, self.kind, found.values()))
        return {places[index]: receipt for index, receipt in found.items() if receipt.code == presence.NOT_FOUND}

    def _looked_for(self, leavers: Sequence[Row]) -> Mapping[int, Receipt]:
        with suppress(RetryAfter):
            if self.presence.is_cheap(len(leavers)):
                return self.presence.absent(self.kind, leavers)
        return dict.fromkeys(range(len(leavers)), presence.not_looked_at(DEFINITION.label))

    def _now(self) -> str:
        return f"{datetime.fromtimestamp(self.clock(), UTC):%Y-%m-%dT%H:%M:%SZ}"

    def _read(self, job: BatchJob, states: dict[str, BatchState | None]) -> BatchJob:
        found: dict[int, Receipt] = {}
        for batch, rows in job.waiting.items():
            found |= zip(rows, self._receipts(batch, rows, states[batch]), strict=True)
        written = [row for row, receipt in found.items() if receipt == CONFIRMED]
        lost = [row for row, receipt in found.items() if receipts.worth_repeating(receipt) and not job.again]
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
            return [receipts.GONE] * len(rows)
        if state.complete(len(rows), 0):
            return [CONFIRMED] * len(rows)
        addresses = [self.rows[row].address for row in rows]
        found = self.client.ask(requests.items(batch), lambda answer: receipts.read(addresses, responses.batch(answer)))
        self._requests += 1
        return found

    def _put_tag(self, job: BatchJob) -> BatchJob:
        def put(rows: Part) -> Reading:
            request = requests.tag(self.kind, self.tag, [self.rows[row].address for row in rows])
            return receipts.tagging(len(rows), self.client.call(request))

        def ask(rows: list[int]) -> Reading:
            return beside(self._absent(rows), rows, put)

        sizes = [len(self.rows[row].address) for row in job.ready]
        found = self._in_parts(job.ready, cut(sizes, MOST_TAGGED, MOST_BYTES), ask)
        final = {row: receipt for row, receipt in found.items() if receipt != _PENDING}
        final |= {
            row: NOT_LOOKED_UP for row, receipt in final.items() if receipt == ACKNOWLEDGED and row in self._unasked
        }
        return replace(job, ready=_pending(found), receipts={**job.receipts, **final})

    def _in_parts(self, rows: Rows, parts: Sequence[Part], ask: Ask) -> dict[int, Receipt]:
        """A receipt for each of `rows`, which `parts` count. What stops the first request is raised; what stops a
        later one leaves the rest pending, for the next time, as does time."""
        stopped: ExportError | None = None
        until = self.clock() + STEP_SECONDS

        def until_stopped(part: Part) -> Reading:
            nonlocal stopped
            if stopped is None:
                try:
                    reading = ask([rows[place] for place in part])
                except (LeaseLost, OutcomeUnknown):
                    raise
                except ExportError as error:
                    stopped = error
                else:
                    if self.clock() > until:
                        stopped = _TIME_IS_UP
                    return reading
            return Reading(dict.fromkeys(range(len(part)), _PENDING))

        result = carry_out(parts, until_stopped, self.wait)
        self._requests += result.requests
        self._warnings |= dict.fromkeys(result.warnings)
        found = {row: result.others.get(place, result.default) for place, row in enumerate(rows)}
        if stopped is not None and all(receipt == _PENDING for receipt in found.values()):
            raise stopped
        return found

    def _result(self, job: BatchJob) -> BatchResult:
        warnings = tuple(self._warnings)
        if not job.done:
            return BatchResult(_PENDING, staged=job.text(), requests=self._requests, warnings=warnings)
        default = Counter(job.receipts.values()).most_common(1)[0][0] if job.receipts else CONFIRMED
        others = {row: receipt for row, receipt in job.receipts.items() if receipt != default}
        return BatchResult(default, others, requests=self._requests, warnings=warnings)


def ended(board: Board, now: float, job: BatchJob) -> dict[str, BatchState | None] | None:
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
