"""Carries out one batch in as many requests as it takes, and gives every row its receipt."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from shared.errors import ExportError, LeaseLost, OutcomeUnknown, RetryAfter, UserMustAct
from shared.vendors.contract import CONFIRMED, BatchResult, Outcome, Receipt, Retry
from shared.wording import say

EXTRA_REQUESTS = 60
"""Requests that may be spent on a batch to find out which of its rows the vendor means."""
FRUITLESS_REQUESTS = 12
"""So many of them without one acceptance, and the cause is no single row: enough to reach one row of 4,096."""
MID_BATCH_PATIENCE = 120.0
"""Seconds to wait out a rate limit once part of the batch is done and going back is no longer possible."""

UNKNOWN = Receipt(Outcome.UNKNOWN, "unknown", say("The vendor's answer did not say what became of this row."))

Part = Sequence[int]
"""Rows that share a request, by their index in the batch."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What one answer says about the rows of its request; here indices count within that request.

    Every row is in `receipts` or in one group of `again`, or `rest` is its receipt, as it is of nearly all. Rows of
    `again` get `otherwise` when no more may be asked; it is UNKNOWN when this request may have done something for them.
    """

    receipts: Mapping[int, Receipt]
    again: Sequence[Part] = ()
    otherwise: Receipt = UNKNOWN
    warnings: Sequence[str] = ()
    rest: Receipt = UNKNOWN
    """A row that the reading forgot would otherwise pass as whatever the default is."""

    def asks_again(self) -> set[int]:
        """All rows of `again`."""
        return {index for group in self.again for index in group}


def halves(rows: Part) -> list[Part]:
    """Two parts of nearly the same size; of a single row only itself."""
    middle = len(rows) // 2
    return [half for half in (rows[:middle], rows[middle:]) if half]


def refused(rows: int, receipt: Receipt) -> Reading:
    """A request of so many rows, refused as a whole: nothing of it was done. It is halved until the row to blame,
    whose receipt this is, is alone."""
    if rows == 1:
        return Reading({0: receipt})
    # Which row is to blame is not known, so none of them may be written off for good.
    reason = say("A request with this person in it was refused. %(why)s", why=receipt.reason)
    return Reading({}, halves(range(rows)), Receipt(Outcome.REJECTED, receipt.code, reason, Retry.NEXT_RUN))


def nobody_fits(receipts: Sequence[Receipt], misfit: Receipt, label: str) -> list[Receipt]:
    """The receipts; but where each is `misfit` (a value that its field does not take), a field was changed or deleted
    at the vendor, so it is tried again by the next run and not only when the values change."""
    if len(receipts) < 2 or any(receipt != misfit for receipt in receipts):
        return list(receipts)
    reason = say(
        "Nobody's values fit: a field was deleted in %(vendor)s, or has another type now. Put it "
        "back, or change the data matching.",
        vendor=label,
    )
    return [Receipt(Outcome.REJECTED, "field_changed", reason, Retry.NEXT_RUN)] * len(receipts)


def beside(alone: Mapping[int, Receipt], part: Part, ask: Callable[[Part], Reading]) -> Reading:
    """Asks for the rows of the part that are not left alone, which are those with a receipt already (by their place in
    the part)."""
    if not alone:
        return ask(part)
    sent = [place for place in range(len(part)) if place not in alone]
    if not sent:
        return Reading(alone)
    reading = ask([part[place] for place in sent])
    return replace(
        reading,
        receipts={**alone, **{sent[place]: receipt for place, receipt in reading.receipts.items()}},
        again=[[sent[place] for place in group] for group in reading.again],
    )


def cut(sizes: Sequence[int], most_rows: int, most_bytes: int) -> list[Part]:
    """Consecutive parts within both limits; a row above `most_bytes` is a part of its own."""
    if len(sizes) <= most_rows and sum(sizes) <= most_bytes:
        return [range(len(sizes))] if sizes else []
    parts: list[Part] = []
    start, total = 0, 0
    for index, size in enumerate(sizes):
        if index > start and (index - start >= most_rows or total + size > most_bytes):
            parts.append(range(start, index))
            start, total = index, 0
        total += size
    parts.append(range(start, len(sizes)))
    return parts


def cut_entries(entries: Sequence[bytes], most_rows: int, most_bytes: int) -> list[Part]:
    """As `cut`, of entries with a comma behind each. Nearly all batches are one part, which is looked at first."""
    if len(entries) <= most_rows and sum(map(len, entries)) + len(entries) <= most_bytes:
        return [range(len(entries))] if entries else []
    return cut([len(entry) + 1 for entry in entries], most_rows, most_bytes)


def body_of(before: bytes, entries: Sequence[bytes], after: bytes) -> bytes:
    """Entries with commas between them in one piece, copied once: half a megabyte is a lot to copy for each request."""
    if len(entries) < 2:
        return before + b"".join(entries) + after
    return b",".join([before + entries[0], *entries[1:-1], entries[-1] + after])


def carry_out(parts: Iterable[Part], ask: Callable[[Part], Reading], wait: Callable[[float], None]) -> BatchResult:
    """Ask for every part, and again for what an answer left open.

    OutcomeUnknown makes the rows of its request unknown. Other errors leave only while nothing was done; later the
    rows that were not sent are rejected until the next run. LeaseLost always leaves.
    """
    batch = _Batch(ask, wait)
    batch.carry_out(deque(_Open(part) for part in parts if part))
    return batch.result()


@dataclass(frozen=True, slots=True)
class _Open:
    """Rows that need an answer. `otherwise` is set when they have been asked for before."""

    part: Part
    otherwise: Receipt | None = None

    @property
    def maybe_done(self) -> bool:
        return self.otherwise is not None and self.otherwise.outcome is Outcome.UNKNOWN


class _Batch:
    def __init__(self, ask: Callable[[Part], Reading], wait: Callable[[float], None]) -> None:
        self._ask = ask
        self._wait = wait
        self._receipts: dict[int, Receipt] = {}
        self._warnings: dict[str, None] = {}
        self._requests = self._extra = self._fruitless = 0
        self._waited = 0.0
        self._touched = False
        """The vendor has changed something, or may have."""

    def carry_out(self, work: deque[_Open]) -> None:
        while work:
            item = work.popleft()
            if item.otherwise and not self._may_ask_again():
                self._settle(item.part, item.otherwise)
                continue
            try:
                reading = self._ask_patiently(item)
            except OutcomeUnknown as error:
                self._touched = True
                self._settle(item.part, Receipt(Outcome.UNKNOWN, "unknown", error.reason))
            except LeaseLost:
                raise
            except ExportError as error:
                if not self._touched:
                    raise
                return self._give_up([item, *work], error)
            else:
                work.extendleft(reversed(self._absorb(item, reading)))
        return None

    def result(self) -> BatchResult:
        """The commonest receipt as the default, the rest by row."""
        receipts = self._receipts.values()
        default, others = next(iter(receipts), CONFIRMED), {}
        # Nearly always all rows share one receipt, and hashing and comparing them takes long.
        if len(set(map(id, receipts))) > 1:
            default = Counter(receipts).most_common(1)[0][0]
            others = {row: receipt for row, receipt in self._receipts.items() if receipt != default}
        return BatchResult(default, others, requests=self._requests, warnings=tuple(self._warnings))

    def _may_ask_again(self) -> bool:
        return self._extra < EXTRA_REQUESTS and self._fruitless < FRUITLESS_REQUESTS

    def _ask_patiently(self, item: _Open) -> Reading:
        """Once part of the batch is done there is no way back, so rate limits are waited out here, up to a point."""
        while True:
            self._requests += 1
            try:
                return self._ask(item.part)
            except RetryAfter as error:
                pause = max(error.seconds, 1.0)
                if not self._touched or self._waited + pause > MID_BATCH_PATIENCE:
                    raise
            self._waited += pause
            self._wait(pause)

    def _absorb(self, item: _Open, reading: Reading) -> list[_Open]:
        """Note the receipts; what has to be asked again."""
        receipts = {item.part[index]: receipt for index, receipt in reading.receipts.items()}
        again = [_Open([item.part[index] for index in group], reading.otherwise) for group in reading.again]
        told = [*receipts.values()]
        if len(receipts) + len(reading.asks_again()) < len(item.part):
            told.append(reading.rest)
        self._receipts |= dict.fromkeys(item.part, reading.rest) | receipts
        self._warnings |= dict.fromkeys(reading.warnings)
        accepted = any(receipt.outcome is Outcome.ACCEPTED for receipt in told)
        self._touched = self._touched or accepted or any(rest.maybe_done for rest in again)
        if item.otherwise:
            self._extra += 1
            self._fruitless = 0 if accepted else self._fruitless + 1
        return again

    def _settle(self, part: Part, receipt: Receipt) -> None:
        self._receipts |= dict.fromkeys(part, receipt)

    def _give_up(self, items: Iterable[_Open], error: ExportError) -> None:
        """Rows that were not sent wait for the next run; those sent before without a clear answer stay unknown."""
        code = error.code if isinstance(error, UserMustAct) else "not_sent"
        not_sent = Receipt(Outcome.REJECTED, code, error.words, Retry.NEXT_RUN)
        for item in items:
            self._settle(item.part, item.otherwise if item.otherwise and item.maybe_done else not_sent)
