"""Removals: one request for each person, a few at a time. Contract, section 5: there is no bulk removal.

Whoever is looked up one by one before a change takes turns in the same way.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace

from shared.errors import ExportError, LeaseLost, OutcomeUnknown, RetryAfter, UserMustAct
from shared.vendors.batches import Part, Reading, carry_out
from shared.vendors.campaign_monitor import receipts as known
from shared.vendors.contract import BatchResult, Receipt, Retry, Row
from shared.wording import say

LANES = 8
"""Requests under way at once."""
GROUP = 64
"""People who are sent for together; all are answered before the next group."""
TURN_SECONDS = 160.0
"""After the first batch, later ones begin within so many seconds, since a worker lives for minutes only."""

_GRAVEST = (LeaseLost, OutcomeUnknown, UserMustAct, RetryAfter, ExportError)


class Turns:
    """One batch at a time. Those that wait for too long are sent back with nothing done."""

    def __init__(self, seconds: float = TURN_SECONDS) -> None:
        self._seconds = seconds
        self._turn = threading.Lock()
        self._count = threading.Lock()
        self._here = 0
        self._until: float | None = None

    @contextmanager
    def take(self) -> Iterator[None]:
        """Wait for the turn and have it. Raises RetryAfter when it is too late to begin."""
        self._come(1)
        try:
            with self._turn:
                if self._until is not None and time.monotonic() > self._until:
                    raise RetryAfter(1.0, say("Requests for single people go on shortly."))
                yield
                if self._until is None:
                    self._until = time.monotonic() + self._seconds
        finally:
            self._come(-1)

    def _come(self, more: int) -> None:
        with self._count:
            self._here += more
            if not self._here:
                self._until = None


def remove(
    rows: Sequence[Row],
    alone: Mapping[int, Receipt],
    remove_one: Callable[[Row], Receipt],
    wait: Callable[[float], None],
) -> BatchResult:
    """Take everyone off except those in `alone`, whose receipts they are. Raises as `carry_out` does."""
    wanted = [index for index in range(len(rows)) if index not in alone]
    groups = [wanted[start : start + GROUP] for start in range(0, len(wanted), GROUP)]
    with ThreadPoolExecutor(LANES, thread_name_prefix="removal") as pool:

        def ask(part: Part) -> Reading:
            return _reading(list(pool.map(lambda index: _outcome(remove_one, rows[index]), part)))

        result = carry_out(groups, ask, wait)
    return replace(result, others={**result.others, **alone}, requests=len(wanted))


def _outcome(remove_one: Callable[[Row], Receipt], row: Row) -> Receipt | ExportError:
    try:
        return remove_one(row)
    except ExportError as error:
        return error


def _reading(outcomes: Sequence[Receipt | ExportError]) -> Reading:
    """A group's receipts, and the people to ask for again. Raises the gravest error when nobody has an answer."""
    errors = {place: error for place, error in enumerate(outcomes) if isinstance(error, ExportError)}
    gravest = min(errors.values(), key=_gravity, default=None)
    if gravest is not None and (isinstance(gravest, LeaseLost) or len(errors) == len(outcomes)):
        raise gravest
    receipts = {place: outcome for place, outcome in enumerate(outcomes) if isinstance(outcome, Receipt)}
    unknown = {place: error for place, error in errors.items() if isinstance(error, OutcomeUnknown)}
    receipts |= {place: known.unknown(error.reason) for place, error in unknown.items()}
    again = [place for place in errors if place not in unknown]
    later = known.rejected("not_sent", str(gravest), Retry.NEXT_RUN)
    return Reading(receipts, [again] if again else [], known.unknown(str(gravest)) if unknown else later)


def _gravity(error: ExportError) -> int:
    return next(rank for rank, kind in enumerate(_GRAVEST) if isinstance(error, kind))
