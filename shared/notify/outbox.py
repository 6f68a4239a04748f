"""Notices: what happened, as rows of the table `runs`, written in the transaction that makes it happen.

So no state changes without its notice and none is announced twice; the timer tells them (`shared/notify/telling.py`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain
from typing import Any, Self

from shared.cloud.events import Event
from shared.cloud.tables import Delete, Entity, Insert, Replace, Stored, Table
from shared.cloud.unreadable import readable, reading

_PREFIX = "notice:"
_BODY = ("export", "run", "state", "message", "facts", "counts")
"""What of a notice is in its row as one JSON object."""
_BEYOND = "notice;"
"""The first row key behind all notices."""
NOBODY = "-"
"""Partition of notices that belong to no export; no export can have this name."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to tell. `id` is unique and stays the same however often it is told; receivers drop repetitions by it.

    `counts` are numbers by name, `facts` further ids and states. `message` is for people; it holds no address.
    """

    event: Event
    id: str
    at: datetime
    export: str = ""
    run: str = ""
    state: str = ""
    message: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def partition(self) -> str:
        """Where its row lies: with its export's runs."""
        return self.export or NOBODY

    def insert(self) -> Insert:
        """The new notice, as a step of a transaction in the export's partition."""
        return Insert(_entity(PendingNotice(self, "", due_at=self.at)))


@dataclass(frozen=True, slots=True)
class PendingNotice:
    """A notice that is still to be told: `logged` says whether the log has it, `attempts` how often it was sent."""

    notice: Notice
    etag: str
    logged: bool = False
    attempts: int = 0
    due_at: datetime = field(kw_only=True)

    @classmethod
    def of(cls, stored: Stored) -> Self:
        """A newer version may tell more than this one knows. Raises UnreadableRow."""
        row = stored.entity
        with reading("runs", row):
            body = {name: value for name, value in json.loads(row["body"]).items() if name in _BODY}
            notice = Notice(**{**body, "event": Event(row["event"]), "id": row["id"], "at": row["at"]})
            return cls(notice, stored.etag, bool(row["logged"]), int(row["attempts"]), due_at=row["due_at"])


class Outbox:
    """The notices among the rows of the table `runs`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def add(self, notice: Notice) -> None:
        """A notice without a transaction of its own. Raises Conflict where there is one with its id."""
        self._table.insert(notice.insert().entity)

    def pending(self, partitions: Iterable[str]) -> list[PendingNotice]:
        """Notices of these exports, or of nobody's, that are still to be told and can be read, the oldest first."""
        rows = chain.from_iterable(self._table.query(each, first=_PREFIX, last=_BEYOND) for each in partitions)
        return sorted(readable(rows, PendingNotice.of), key=lambda each: (each.notice.at, each.notice.id))

    def has_any(self, partition: str) -> bool:
        """Whether there is a notice, readable or not."""
        return any(True for _ in self._table.query(partition, first=_PREFIX, last=_BEYOND))

    def partitions(self) -> set[str]:
        """Of all notices; reads the whole table."""
        bounds = {"first": _PREFIX, "last": _BEYOND}
        rows = self._table.scan("RowKey ge @first and RowKey lt @last", bounds)
        return {str(each.entity["PartitionKey"]) for each in rows}

    def keep(self, pending: PendingNotice, *, also: Notice | None = None, **changes: Any) -> PendingNotice:
        """Remember what became of it, and maybe add another notice with it. Raises Conflict where another was first."""
        changed = replace(pending, **changes)
        etag, *_ = self._change(pending, Replace(_entity(changed), pending.etag), also)
        return replace(changed, etag=etag)

    def done(self, pending: PendingNotice, *, also: Notice | None = None) -> None:
        """Told, or given up. Raises Conflict where another was first."""
        self._change(pending, Delete(_key(pending.notice), pending.etag), also)

    def _change(self, pending: PendingNotice, step: Replace | Delete, also: Notice | None) -> list[str]:
        added = [also.insert()] if also else []
        return self._table.transaction(pending.notice.partition, [step, *added])


def _entity(pending: PendingNotice) -> Entity:
    notice = pending.notice
    body = {name: getattr(notice, name) for name in _BODY}
    return {
        "PartitionKey": notice.partition,
        "RowKey": _key(notice),
        "event": str(notice.event),
        "id": notice.id,
        "at": notice.at,
        "body": json.dumps(body, separators=(",", ":")),
        "logged": pending.logged,
        "attempts": pending.attempts,
        "due_at": pending.due_at,
    }


def _key(notice: Notice) -> str:
    return f"{_PREFIX}{notice.id}"
