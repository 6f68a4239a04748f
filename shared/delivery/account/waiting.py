"""Messages that wait for a vendor account, in the order in which they came: whoever leaves the account calls the first.

A row of the table `waiting` is one message. It is written before a worker ends that found the account in use, and goes
when its message has the account, or did not answer its call. So a worker that dies between leaving and calling, or
whose call gets lost, costs a minute: the timer looks for accounts that are free and have somebody waiting.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

from shared.cloud.queue import Queue
from shared.cloud.tables import Stored, Table
from shared.cloud.unreadable import readable, reading
from shared.delivery.messages import FAILED
from shared.delivery.state.records import now
from shared.errors import Conflict

log = logging.getLogger(__name__)

FORGOTTEN_AFTER = timedelta(seconds=60)
"""From then on the timer looks whether the account of somebody who waits is free."""


@dataclass(frozen=True, slots=True)
class WaitingMessage:
    """A message that waits for an account. `quiet_seconds` is as its lease has it."""

    account: str
    ticket: str
    since: datetime
    quiet_seconds: float
    message: Mapping[str, Any]

    @classmethod
    def of(cls, stored: Stored) -> Self:
        """Raises UnreadableRow."""
        row = stored.entity
        with reading("waiting", row):
            message = json.loads(row["message"])
            return cls(row["PartitionKey"], row["RowKey"], row["since"], float(row["quiet_seconds"]), message)


def ticket(message: Mapping[str, Any]) -> str:
    """The same for the same message, however often it failed, so that nobody stands in the row twice."""
    same = {name: value for name, value in message.items() if name != FAILED}
    return hashlib.sha256(json.dumps(same, sort_keys=True).encode()).hexdigest()[:32]


class WaitingRow:
    """The row of one account, as the message with this ticket sees it; the timer has none."""

    def __init__(self, table: Table, queue: Queue, account: str, own: str = "") -> None:
        self._table = table
        self._queue = queue
        self._account = account
        self.own = own
        self.stands = False
        """Whether the own message is known to stand here."""

    def stand(self, message: Mapping[str, Any], quiet_seconds: float, clock: Callable[[], datetime] = now) -> None:
        """Have the message called when its turn comes."""
        entity = {
            "PartitionKey": self._account,
            "RowKey": self.own,
            "since": clock(),
            "quiet_seconds": quiet_seconds,
            "message": json.dumps(dict(message)),
        }
        with suppress(Conflict):
            self._table.insert(entity)
        self.stands = True

    def leave(self, *gone: str) -> None:
        """The messages with these tickets wait no more."""
        for each in gone:
            self._table.delete(self._account, each)

    def first(self) -> WaitingMessage | None:
        """Who has waited longest."""
        return min(
            readable(self._table.query(self._account), WaitingMessage.of), key=lambda each: each.since, default=None
        )

    def call(self, waiting: WaitingMessage) -> None:
        """Send the message, now that the account is free."""
        self._queue.send(waiting.message)


def all_waiting(table: Table) -> list[WaitingMessage]:
    """Everybody who waits for any account."""
    return list(readable(table.scan("PartitionKey ne ''", {}), WaitingMessage.of))


def standing(table: Table, ticket: str) -> list[WaitingMessage]:
    """Where the message with this ticket stands, if it does."""
    return list(readable(table.scan("RowKey eq @ticket", {"ticket": ticket}), WaitingMessage.of))


def forgotten(waiting: Iterable[WaitingMessage], at: datetime) -> list[WaitingMessage]:
    """Of each account whoever has waited longest, where that is too long to have been overlooked by nobody."""
    longest = dict[str, WaitingMessage]()
    for each in sorted(waiting, key=lambda each: each.since, reverse=True):
        longest[each.account] = each
    return [each for each in longest.values() if at - each.since > FORGOTTEN_AFTER]
