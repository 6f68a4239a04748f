"""Rows of the table `runs`: a run, its deliveries, and the one row that makes a run the export's active one.

They share the export's partition, so a run starts and ends in one transaction.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field, fields
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any, Self

from shared.catalog.models import Export
from shared.cloud.tables import Entity
from shared.cloud.unreadable import reading
from shared.delivery.state.transitions import RunKind
from shared.wording import kept, kept_within, read, read_within

ACTIVE = "active"
"""Row that makes a run the export's active one."""
LOOKING = "active:dry_run"
"""The same for a dry run or a rehearsal, which look beside the active run and are in nobody's way."""
_FAR = 10**14


class State(StrEnum):
    """States of a run and of each of its deliveries."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    WARNINGS = "succeeded with warnings"
    FAILED = "failed"
    BLOCKED = "blocked"
    CANCELLED = "cancelled"
    NOTHING = "nothing to do"


WELL = frozenset({State.SUCCEEDED, State.WARNINGS, State.NOTHING})
"""Good ends."""
ENDED = WELL | {State.FAILED, State.CANCELLED}


GROUPS: dict[str, frozenset[State]] = {
    "blocked": frozenset({State.BLOCKED}),
    "failed": frozenset({State.FAILED}),
    "running": frozenset({State.QUEUED, State.RUNNING}),
    "warnings": frozenset({State.WARNINGS}),
    "well": frozenset({State.SUCCEEDED, State.NOTHING}),
    "cancelled": frozenset({State.CANCELLED}),
}
"""Filters by how a run went."""


def group_of(state: State) -> str:
    """The filter that finds it."""
    return next(name for name, states in GROUPS.items() if state in states)


class Step(StrEnum):
    """Where a delivery stands; each slice goes on from here."""

    PLAN = "plan"
    PREPARE = "prepare"
    DELIVER = "deliver"
    REHEARSE = "rehearse"
    COMMIT = "commit"
    DONE = "done"


def now() -> datetime:
    return datetime.now(UTC)


def new_run_id(at: datetime) -> str:
    """Sortable by time, and readable: `20261122-144501-123-9f3a`."""
    return f"{at:%Y%m%d-%H%M%S}-{at.microsecond // 1000:03d}-{secrets.token_hex(2)}"


def run_key(run: str) -> str:
    """Row key that lists the newest run first."""
    digits = run.replace("-", "")[:17]
    number = int(digits) if digits.isdigit() else 0
    return f"run:{10**17 - number:018d}:{run}"


def begun_before(day: date) -> str:
    """Where the keys of runs begin that began before this day (UTC); those of this day and later ones are less."""
    number = 10**17 - int(f"{day:%Y%m%d}000000000")
    return f"run:{number:018d}:~"


def delivery_key(run: str, index: int) -> str:
    return f"delivery:{run}:{index:03d}"


class Verdict(StrEnum):
    """What a verification came to."""

    AGREES = "agrees"
    EXPLAINED = "explained"
    DIFFERS = "differs"
    NOT_VERIFIED = "not verified"


@dataclass(frozen=True, slots=True)
class Run:
    """One execution of an export, with the definition that it was started with."""

    export: str
    run: str
    state: State
    trigger: str
    definition: str
    deliveries: int
    kind: RunKind
    created_at: datetime
    finished_at: datetime | None = None
    message: str = ""
    cancel_requested: bool = False
    trace: str = ""
    """`traceparent` of what started it; its slices belong to the same trace."""
    started_by: str = ""
    """The person who asked for it; nobody for a schedule."""
    vendor: str = ""
    counts: dict[str, int] = field(default_factory=dict)
    """Of all its deliveries together, once it ended or waits for a decision."""
    members: int | None = None
    """People on all its targets afterwards; None where nothing was committed."""

    def entity(self) -> Entity:
        return _entity(self, self.export, run_key(self.run))

    @classmethod
    def of(cls, entity: Entity) -> Self:
        """Raises UnreadableRow."""
        with reading("runs", entity):
            values = _known(cls, entity)
            if "counts" in values:
                values["counts"] = json.loads(values["counts"])
            found = cls(**{**values, "state": State(entity["state"]), "kind": RunKind(entity["kind"])})
            _in_place(found, run_key(found.run), entity)
            return found

    @property
    def pointer(self) -> str:
        """The row that makes it the one that is under way; an export has one of each at most."""
        return LOOKING if self.kind.only_looks else ACTIVE

    @property
    def pinned(self) -> Export:
        """The definition. A newer version may have written fields that this one does not know. Raises UnreadableRow."""
        with reading("runs", {"RowKey": run_key(self.run)}):
            return Export.model_validate_json(self.definition, extra="ignore")


@dataclass(frozen=True, slots=True)
class Delivery:
    """The work of a run on one target; `turn` names the only message that may go on with it.

    `counts` are the plan's, and operations by kind and outcome; `left_out` are cells by field; `target` is what the
    vendor calls it, once prepared; `decision` is a person's answer to a guard, and `decided_by` that person; `ending`
    is the state that it will end in when that is not for the commit to say; `stalled_since` is when trouble began that
    no progress has ended; `waits` counts looks at the vendor's jobs since the last progress; `verification` is what
    was found at the vendor afterwards.
    """

    export: str
    run: str
    index: int
    target_key: str
    account: str
    state: State = State.QUEUED
    step: Step = Step.PLAN
    turn: int = 1
    worker: str = ""
    heartbeat: datetime = field(default_factory=now)
    due_at: datetime = field(default_factory=now)
    started_at: datetime | None = None
    finished_at: datetime | None = None
    stalled_since: datetime | None = None
    waits: int = 0
    message: str = ""
    code: str = ""
    plan: str = ""
    decision: str = ""
    ending: str = ""
    target: dict[str, Any] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)
    done: int = 0
    total: int = 0
    requests: int = 0
    retries: int = 0
    throttled_seconds: float = 0.0
    warnings: list[str] = field(default_factory=list)
    verification: dict[str, Any] = field(default_factory=dict)
    foreseen: dict[str, Any] = field(default_factory=dict)
    """Of a rehearsal, what it found out so far; see `rehearse/foreseen.py`."""
    decided_by: str = ""
    decided_at: datetime | None = None
    members: int | None = None
    """People on the target once it was committed."""

    def entity(self) -> Entity:
        return _entity(self, self.export, delivery_key(self.run, self.index))

    @classmethod
    def of(cls, entity: Entity) -> Self:
        """Raises UnreadableRow."""
        with reading("runs", entity):
            values = _known(cls, entity)
            for name in {"target", "counts", "left_out", "warnings", "verification", "foreseen"} & values.keys():
                values[name] = read_within(json.loads(values[name]))
            found = cls(**{**values, "state": State(entity["state"]), "step": Step(entity["step"])})
            _in_place(found, delivery_key(found.run, found.index), entity)
            return found


def _entity(record: Run | Delivery, partition: str, row: str) -> Entity:
    values = {each.name: getattr(record, each.name) for each in fields(record)}
    told = {name: _cell(value) for name, value in values.items() if value is not None}
    return {"PartitionKey": partition, "RowKey": row, **told}


LISTED = ("PartitionKey", "RowKey", *(each.name for each in fields(Run) if each.name not in ("definition", "trace")))
"""Columns of a run that lists need: without its definition, which is longer than all of them."""


def listed_run(entity: Entity) -> Run:
    """A run of which only these columns were read. Raises UnreadableRow."""
    return Run.of({**entity, "definition": "{}"})


def _in_place(record: Run | Delivery, row_key: str, entity: Entity) -> None:
    """Raises ValueError for a row that was copied from another."""
    if (record.export, row_key) != (entity["PartitionKey"], entity["RowKey"]):
        raise ValueError("its keys are another's")


def _cell(value: Any) -> Any:
    if isinstance(value, dict | list):
        return json.dumps(kept_within(value), separators=(",", ":"))
    return kept(value) if isinstance(value, str) else value


def _known(cls: type[Run] | type[Delivery], entity: Entity) -> dict[str, Any]:
    names = {each.name for each in fields(cls)}
    values = {name: value for name, value in entity.items() if name in names}
    return values | {"message": read(values.get("message", ""))}
