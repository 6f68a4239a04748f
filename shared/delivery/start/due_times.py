"""When an export's schedule fires, what the timer remembers of it, and when a due time counts as missed."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shared.catalog.models import Export
from shared.catalog.schedules import due, next_times, refreshed
from shared.catalog.targets import TargetStore, target_key
from shared.cloud.cloud import Cloud
from shared.cloud.events import Event
from shared.cloud.tables import Insert, Replace, Stored
from shared.cloud.under_way import UnderWay
from shared.delivery.start.asleep import Quiet
from shared.delivery.state.records import now
from shared.delivery.state.run_notices import TROUBLE
from shared.errors import Conflict, UserMustAct
from shared.notify.outbox import Notice
from shared.snapshots.snapshot import Snapshot
from shared.wording import say, say_many

NewestSnapshot = Callable[[str], Snapshot | None]

TRIES = 5
"""To write the row that timers write too."""

TICKS = "ticks"
"""Row of the table `runs` that remembers, in an export's partition, when its schedule last fired."""


@dataclass(frozen=True, slots=True)
class Firing:
    """A schedule that fired. `due_at` is when a cron schedule was due, None for one that follows the segment."""

    cloud: Cloud
    export: Export
    at: datetime
    due_at: datetime | None
    keys: Mapping[str, str]
    stored: Stored | None

    def late(self) -> str:
        """Why a run that starts now counts as missed; empty where it is in time."""
        limit = timedelta(minutes=self.cloud.settings.missed_minutes)
        if self.due_at is None or self.at - self.due_at <= limit:
            return ""
        return say_many(
            "It ran %(num)s minute late.",
            "It ran %(num)s minutes late.",
            round((self.at - self.due_at).total_seconds() / 60),
        )

    def swallowed(self, created_at: datetime) -> str:
        """Why the due time counts as missed where a run was under way that was created then."""
        early = self.due_at is not None and created_at < self.due_at
        return say("Another run of the export was under way.") if early else ""

    def keep(self, missed: str = "") -> None:
        """Remember the firing, and tell what is wrong with it: both or neither."""
        entity = {
            "PartitionKey": self.export.name,
            "RowKey": TICKS,
            "at": self.at,
            "keys": json.dumps(dict(self.keys)),
        }
        first: Insert | Replace = Replace(entity, self.stored.etag) if self.stored else Insert(entity)
        told = [
            *([self._notice(Event.SCHEDULE_MISSED, missed)] if missed else []),
            *([self._notice(Event.EXPORT_OVERDUE, overdue)] if (overdue := self._overdue()) else []),
        ]
        if told:
            UnderWay(self.cloud.underway).mark(self.export.name)
        try:
            self.cloud.runs.transaction(self.export.name, [first, *(notice.insert() for notice in told)])
        except Conflict:  # another timer kept the same firing
            return

    def _overdue(self) -> str:
        """Why the export counts as overdue: its trouble is older than its last firing, so a whole period had no good
        end. Empty where it does not."""
        before: datetime | None = self.stored.entity["at"] if self.stored else None
        trouble = self.cloud.runs.get(self.export.name, TROUBLE) if before else None
        if before is None or trouble is None or trouble.entity["at"] >= before:
            return ""
        ended = format(trouble.entity["at"], "%Y-%m-%d %H:%M")
        return say("It is due again, and no run has ended well since %(at)s UTC.", at=ended)

    def _notice(self, event: Event, message: str) -> Notice:
        due_at = self.due_at or self.at
        identity = f"{self.export.name}-{due_at:%Y%m%d-%H%M}-{event}-{secrets.token_hex(4)}"
        facts: dict[str, Any] = {"due_at": due_at.isoformat()}
        return Notice(event, identity, self.at, self.export.name, message=message, facts=facts)


def overlook(cloud: Cloud, export: str, segments: Sequence[str], newest: NewestSnapshot) -> None:
    """Have the schedule look only at snapshots that land from now on. Raises Conflict where timers keep being first."""
    there: dict[str, str] = {}
    with suppress(UserMustAct):  # nothing can be found there, so nothing is passed over
        there = newest_keys(segments, newest)
    for _ in range(TRIES):
        with suppress(Conflict):
            _remember(cloud, export, there)
            return
    raise Conflict("the timer keeps remembering the export's firings")


def _remember(cloud: Cloud, export: str, there: Mapping[str, str]) -> None:
    stored = cloud.runs.get(export, TICKS)
    if stored is None:
        keys = json.dumps(dict(there))
        cloud.runs.insert({"PartitionKey": export, "RowKey": TICKS, "at": now(), "keys": keys})
        return
    seen: dict[str, str] = json.loads(stored.entity.get("keys", "{}"))
    cloud.runs.replace({**stored.entity, "keys": json.dumps({**seen, **there})}, stored.etag)


def follows_a_schedule(export: Export) -> bool:
    """Whether the timer has to look at it."""
    return not (export.paused or export.detached or export.schedule.kind == "manual")


def newest_keys(segments: Iterable[str], newest: NewestSnapshot) -> dict[str, str]:
    """Segment -> key of its newest snapshot, where there is one."""
    return {found.segment_id: found.key for each in segments if (found := newest(each)) is not None}


def firing(cloud: Cloud, export: Export, at: datetime, newest: NewestSnapshot) -> Firing | Quiet:
    """The schedule's firing since the last one that was kept, if there is one. Missed firings make one."""
    stored = cloud.runs.get(export.name, TICKS)
    entity = stored.entity if stored else {}
    seen: dict[str, str] = json.loads(entity.get("keys", "{}"))
    if export.schedule.kind == "cron":
        fired_at: datetime = entity.get("at", export.updated_at)
        since = max(fired_at, export.updated_at)
        if not due(export.schedule, since, at):
            return Quiet(until=next_times(export.schedule, since, 1)[0])
        return Firing(cloud, export, at, next_times(export.schedule, since, 1)[0], seen, stored)
    keys = newest_keys(export.followed, newest)
    if not _any_newer(keys, seen):
        return Quiet(keys=keys)
    if not _any_newer(keys, _delivered(cloud, export)):
        return Quiet()
    return Firing(cloud, export, at, None, keys, stored)


def _any_newer(keys: Mapping[str, str], before: Mapping[str, str]) -> bool:
    return any(refreshed(key, before.get(segment)) for segment, key in keys.items())


def _delivered(cloud: Cloud, export: Export) -> dict[str, str]:
    """Segment -> key of the snapshot that all its targets have: the oldest of them."""
    store, delivered = TargetStore(cloud.targets), dict[str, str]()
    for target in export.targets:
        claim = store.owner(export.account, target_key(target))
        own = claim is not None and claim.memory.get("delivered_by") == export.name
        for segment, key in (claim.memory["delivered"] if claim and own else {}).items():
            delivered[segment] = min(key, delivered.get(segment, key))
    return delivered
