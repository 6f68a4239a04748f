"""What can happen to a worker at its n-th call: it dies, it stalls until it is woken up, or the call fails.

Each is an `Around` of `seam`, for one worker.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from enum import StrEnum
from typing import Any, NoReturn

from dev.faults.seam import Around


class When(StrEnum):
    """On which side of the work the interruption strikes."""

    BEFORE = "before"
    AFTER = "after"


class Died(BaseException):
    """The worker is dead. No `except Exception` stops it, as none stops a crash."""


_READS = ("get", "query", "scan", "read", "names", "exists", "download", "fetch")


def has_effect(name: str) -> bool:
    """Does the call change anything? Between two such calls it makes no difference where a worker dies."""
    call, _, _ = name.partition(" ")
    return call.partition(".")[2] not in (*_READS, "GET")


def any_call(name: str) -> bool:
    return True


class Calls:
    """Counts a worker's calls for which `counted` holds, from 1, and strikes the `at`-th (0: none). Thread safe.

    `strike` is called with the work for the call that is struck; `every` before and after each call of the worker.
    """

    def __init__(self, at: int = 0, counted: Callable[[str], bool] = any_call) -> None:
        self.names: list[str] = []
        self.at = at
        self._counted = counted
        self._lock = threading.Lock()

    def __call__(self, name: str, work: Callable[[], Any]) -> Any:
        self.every()
        number = 0
        if self._counted(name):
            with self._lock:
                self.names.append(name)
                number = len(self.names)
        result = self.strike(name, work) if number and number == self.at else work()
        self.every()
        return result

    @property
    def struck(self) -> str:
        """The name of the call that was struck, "" if none was."""
        return self.names[self.at - 1] if 0 < self.at <= len(self.names) else ""

    def was_struck(self) -> bool:
        return bool(self.struck)

    def every(self) -> None:
        return None

    def strike(self, name: str, work: Callable[[], Any]) -> Any:
        return work()


class Life(Calls):
    """Ends before or after its `at`-th call: from then on no call is made, and no answer is heard."""

    def __init__(
        self,
        at: int = 0,
        when: When = When.BEFORE,
        counted: Callable[[str], bool] = any_call,
        end: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(at, counted)
        self.dead = False
        self._when = when
        self._end = end

    def every(self) -> None:
        if self.dead:
            raise Died

    def strike(self, name: str, work: Callable[[], Any]) -> Any:
        if self._when is When.BEFORE:
            self._die()
        try:
            return work()
        finally:
            self._die()

    def _die(self) -> NoReturn:
        self.dead = True
        self._end()
        raise Died


def kill_this_process() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class Stall(Calls):
    """Stands still at its `at`-th call, all threads with it, until `wake`; then goes on as if nothing had happened."""

    def __init__(self, at: int = 0, when: When = When.BEFORE, counted: Callable[[str], bool] = any_call) -> None:
        super().__init__(at, counted)
        self.stalled = threading.Event()
        self._when = when
        self._going = threading.Event()
        self._going.set()

    def wake(self) -> None:
        self._going.set()

    def every(self) -> None:
        self._going.wait()

    def strike(self, name: str, work: Callable[[], Any]) -> Any:
        if self._when is When.BEFORE:
            self._stand_still()
            return work()
        result = work()
        self._stand_still()
        return result

    def _stand_still(self) -> None:
        self._going.clear()
        self.stalled.set()
        self._going.wait()


class Trouble(Calls):
    """The `at`-th call raises `error`, without its work or after it."""

    def __init__(
        self,
        error: Callable[[], Exception],
        at: int = 0,
        when: When = When.BEFORE,
        counted: Callable[[str], bool] = any_call,
    ) -> None:
        super().__init__(at, counted)
        self._error = error
        self._when = when

    def strike(self, name: str, work: Callable[[], Any]) -> Any:
        if self._when is When.AFTER:
            work()
        raise self._error()


def together(*arounds: Around) -> Around:
    """Several at once, the first outermost."""

    def around(name: str, work: Callable[[], Any]) -> Any:
        for each in reversed(arounds):
            work = _nested(each, name, work)
        return work()

    return around


def _nested(around: Around, name: str, work: Callable[[], Any]) -> Callable[[], Any]:
    return lambda: around(name, work)
