"""Watches the leases of accounts: who holds one, how often, and that nobody else holds it at the same time."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from unittest import mock

from shared.delivery.account.lease import AccountLease, InUse


class Held(NamedTuple):
    """A lease that was held, in monotonic seconds."""

    account: str
    since: float
    until: float


@dataclass
class Leases:
    """`together` are accounts that two slices worked on at once; `turned_away` counts attempts that found one taken."""

    together: list[str] = field(default_factory=list)
    turned_away: Counter[str] = field(default_factory=Counter)
    held: list[Held] = field(default_factory=list)
    _active: dict[str, float] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def abandoned(self, account: str, let_go: Callable[[], None]) -> None:
        """Have the lease of a worker that is no more let go of, unless another holds the account by now."""
        with self._lock:
            if account not in self._active:
                let_go()

    def begin(self, account: str) -> None:
        with self._lock:
            if account in self._active:
                self.together.append(account)
            self._active[account] = time.monotonic()

    def entering(self) -> AbstractContextManager[Any]:
        """Held while a lease is asked for, so that nobody is taken for dead meanwhile."""
        return self._lock

    def end(self, account: str) -> None:
        with self._lock:
            self.held.append(Held(account, self._active.pop(account, 0.0), time.monotonic()))

    def refuse(self, account: str) -> None:
        with self._lock:
            self.turned_away[account] += 1


_here = threading.local()


def turned_away(function: Callable[[], str]) -> tuple[str, bool]:
    """What the function gives, and whether this thread asked for an account in it and went without."""
    _here.turned_away = False
    return function(), _here.turned_away


@contextmanager
def watched() -> Iterator[Leases]:
    """Every lease that is taken in this process while the block lasts."""
    leases, enter, leave = Leases(), AccountLease.__enter__, AccountLease.__exit__

    def entered(lease: AccountLease) -> AccountLease:
        with leases.entering():
            try:
                result = enter(lease)
            except InUse:
                leases.refuse(_account(lease))
                _here.turned_away = True
                raise
            _here.turned_away = False
            leases.begin(_account(lease))
        return result

    def left(lease: AccountLease, *how: Any) -> None:
        leases.end(_account(lease))  # before it lets go, so that the next holder never seems to come too early
        leave(lease, *how)

    with mock.patch.object(AccountLease, "__enter__", entered), mock.patch.object(AccountLease, "__exit__", left):
        yield leases


def _account(lease: AccountLease) -> str:
    """The lease's blob, which stands for the account."""
    return lease._name
