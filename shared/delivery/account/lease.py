"""The lease of a vendor account: vendors count limits by account, so one account has one active slice.

The lease blob's body carries the limiter's windows from slice to slice. It says whether the last holder let go of it
properly; after one that did not, a newcomer first waits until no request of the old holder can still be under way and
a full window has passed. Whoever lets go calls who has waited longest (`waiting.py`), and the account is kept for that
one for a minute.
"""

from __future__ import annotations

import logging
import math
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from threading import Event, Thread
from types import TracebackType
from typing import Any, Self, TypeVar

import orjson
from pydantic import BaseModel, TypeAdapter, ValidationError

from shared.cloud.blobs import Blobs
from shared.cloud.queue import Queue
from shared.delivery.account.waiting import WaitingMessage, WaitingRow
from shared.delivery.state import layout
from shared.errors import ExportError, LeaseLost

log = logging.getLogger(__name__)

T = TypeVar("T")

LEASE_SECONDS = 60
RENEW_SECONDS = 15.0
SAFE_SECONDS = 40.0
"""Without a renewal for so long the worker must stop: another may take the account over after 60 seconds."""
ROUGH_SECONDS = 2.0
LOOK_SECONDS = 2.0
"""How often the background thread looks for a cancellation."""

CALL_SECONDS = 60.0
"""For so long the account is kept for whoever was called."""

SENT_AGAIN = 60.0
"""Seconds after which work is tried again that lost its lease."""


class InUse(ExportError):
    """Another worker has the account, or is called to have it next."""

    def __init__(self) -> None:
        super().__init__("the account is in use")


class Taken(InUse):
    """A worker that died had the account until just now; try again after `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds


@contextmanager
def sent_again(queue: Queue, message: Mapping[str, Any], what: str) -> Iterator[None]:
    """Send the message again, for later, where the work in the block cannot have the account or loses it."""
    try:
        yield
    except Taken as taken:
        queue.send(message, delay=taken.seconds + random.uniform(0, 1))
    except LeaseLost as lost:
        log.warning("%s stopped: %s.", what, lost)
        queue.send(message, delay=SENT_AGAIN)


class _Window(BaseModel):
    """A rate's window, as the limiter keeps it."""

    times: list[float] = []
    until: float = 0.0
    factor: float = 1.0
    slowed: float = 0.0
    quiet: float = 0.0


class _Carried(BaseModel):
    """`jobs`: how many jobs each delivery has open, and since when it says so. `answers`: by endpoint, how much was
    answered and how long that took."""

    windows: dict[str, _Window] = {}
    jobs: dict[str, tuple[int, float]] = {}
    answers: dict[str, tuple[float, float]] = {}


class _Body(BaseModel):
    """What the lease's blob holds: what one holder leaves to the next. `called` is the ticket of who was called at
    `called_at`, empty where nobody waited; `again` says that it was for the second time."""

    released: bool = True
    called: str = ""
    called_at: float = 0.0
    again: bool = False
    renewed_at: float = 0.0
    carried: _Carried = _Carried()

    def left(self) -> dict[str, Any]:
        """What is carried on, as the next body has it."""
        return self.carried.model_dump(exclude_unset=True)


_BODY = TypeAdapter(_Body)


class AccountLease:
    """Hold an account for a slice: `with AccountLease(…) as lease`. Entering raises InUse, or Taken, which is one.

    `quiet_seconds` is the vendor's longest request plus its longest rate window; `state` is called for what the
    body carries on; `look` is called every two seconds and may raise to stop the work (a cancellation); `row` is who
    else waits for the account.
    """

    def __init__(
        self,
        blobs: Blobs,
        account: str,
        *,
        quiet_seconds: float,
        look: Callable[[], None],
        row: WaitingRow | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._blobs = blobs
        self._name = layout.lease(account)
        self._quiet_seconds = quiet_seconds
        self._look = look
        self._row = row
        self._clock = clock
        self._id = ""
        self._unanswered = ""
        self._renewed = 0.0
        self._ended = Event()
        self._trouble: ExportError | None = None
        self._troubled = Event()
        self._thread = Thread(target=self._keep, name="account-lease", daemon=True)
        self.state: Callable[[], dict[str, Any]] = dict
        self.carried: dict[str, Any] = {}

    def __enter__(self) -> Self:
        body, etag = self._body()
        own = self._row.own if self._row else ""
        if body.released and body.called not in ("", own) and self._clock() - body.called_at < CALL_SECONDS:
            raise InUse
        # As it was read: else whoever was called since would find the account in use, by us, for a moment.
        lease = self._blobs.acquire(self._name, LEASE_SECONDS, etag=etag, hear=self._set_clock)
        if lease is None:
            raise InUse
        self._id, self._renewed = lease, time.monotonic()
        try:
            self._take_over(body if etag else self._body()[0])
        except BaseException:
            with suppress(ExportError):
                self._blobs.release(self._name, lease)
            raise
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()
        following = self._of_row(WaitingRow.first)
        try:
            self._write(released=True, called=following)
            self._blobs.release(self._name, self._id)
        except LeaseLost:
            log.warning("The lease of an account was gone before it was released.")
            return
        # Who came between looking and letting go found the account in use: nobody else would call it.
        late = self._of_row(WaitingRow.first) if following is None else None
        if called := following or late:
            self._of_row(lambda row: row.call(called))
        if late:
            self._of_row(lambda row: row.leave(late.ticket))

    def _of_row(self, act: Callable[[WaitingRow], T]) -> T | None:
        """What the row gives. Trouble with it neither keeps the account nor fails the work: the timer looks again."""
        try:
            return act(self._row) if self._row else None
        except Exception:
            log.warning("The row of who waits for an account could not be used; the timer looks again.", exc_info=True)
            return None

    def check(self) -> None:
        """Raise if this worker must not send another request: LeaseLost, or what `look` raised."""
        if self._trouble is not None:
            raise self._trouble
        self.hold()

    def hold(self) -> None:
        """Raise LeaseLost if the account may be another worker's."""
        if isinstance(self._trouble, LeaseLost):
            raise self._trouble
        if time.monotonic() - self._renewed > SAFE_SECONDS:
            raise LeaseLost("the lease could not be renewed in time")

    def wait(self, seconds: float) -> None:
        """Sleep, unless there is trouble: then raise it at once."""
        self._troubled.wait(seconds)
        self.check()

    def _set_clock(self, at: float) -> None:
        """Take the time from storage, which all workers share: one whose own clock is ahead would not wait long enough
        for the last holder. Storage tells whole seconds, so a difference of two may be none."""
        ahead = self._clock() - at
        if abs(ahead) > ROUGH_SECONDS:
            own = self._clock
            self._clock = lambda: own() - ahead

    def _take_over(self, body: _Body) -> None:
        """Carry on what the last holder left. Raises Taken while that one may be at work."""
        if (wait := self._must_wait(body)) > 0:
            raise Taken(wait)
        self.carried = body.left()
        self.state = lambda: self.carried
        self._write(released=False)
        self._of_row(lambda row: row.leave(*self._no_longer_waiting(body, row)))

    def _no_longer_waiting(self, body: _Body, row: WaitingRow) -> set[str]:
        """The own message, which has the account, and another's that did not come though it was called twice."""
        if body.called != row.own and not body.again:
            self._unanswered = body.called
        came = row.own if row.stands or body.called == row.own else ""
        return {came, body.called if body.again else ""} - {""}

    def _body(self) -> tuple[_Body, str | None]:
        """What the last holder left, and its ETag, None where there is nothing yet. A body that cannot be read tells
        nothing, so its holder may be at work."""
        found = self._blobs.read(self._name)
        if found is None:
            return _Body(), None
        try:
            return _BODY.validate_json(found[0]), found[1]
        except ValidationError:
            log.error("The body of %s cannot be read and is written anew; its rate windows are lost.", self._name)
            return _Body(released=False, renewed_at=math.inf), found[1]

    def _must_wait(self, body: _Body) -> float:
        if body.released:
            return 0.0
        silent = self._clock() - body.renewed_at
        if silent < 0:  # the holder's clock was ahead, or it is not known: count the wait from now, and only once
            self._write(released=False, carried=body.left())
        return self._quiet_seconds - max(silent, 0.0)

    def _write(
        self, *, released: bool, carried: dict[str, Any] | None = None, called: WaitingMessage | None = None
    ) -> None:
        kept = self.state() if carried is None else carried
        body: dict[str, Any] = {"released": released, "renewed_at": self._clock(), "carried": kept}
        if called:
            again = called.ticket == self._unanswered
            body |= {"called": called.ticket, "called_at": self._clock(), "again": again}
        self._blobs.write(self._name, orjson.dumps(body), lease=self._id)

    def _keep(self) -> None:
        while not self._ended.wait(LOOK_SECONDS):
            try:
                if time.monotonic() - self._renewed >= RENEW_SECONDS:
                    self._renew()
                if self._trouble is None:
                    self._look()
            except LeaseLost as error:
                self._stop(error)
                return
            except ExportError as error:  # a cancellation: the account stays held until the commit is done
                self._stop(error)
            except Exception:
                log.warning("Renewing the lease of an account failed; trying again.", exc_info=True)

    def _stop(self, error: ExportError) -> None:
        self._trouble = error
        self._troubled.set()

    def _renew(self) -> None:
        started = time.monotonic()
        self._blobs.renew(self._name, self._id)
        self._renewed = started
        self._write(released=False)
