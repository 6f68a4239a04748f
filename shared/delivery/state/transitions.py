"""The ledger's states and all their transitions, as data. Planning and commit turn these tables into SQL."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from shared.vendors.contract import PROFILE_MISSING, Kind, Outcome


class RunKind(StrEnum):
    """What a run is for."""

    DELIVERY = "delivery"
    DRY_RUN = "dry_run"
    FULL_RESYNC = "full_resync"
    REBUILD = "rebuild"
    RETRY = "retry"
    WITHDRAW = "withdraw"
    REPAIR = "repair"
    REHEARSAL = "rehearsal"

    @property
    def only_looks(self) -> bool:
        """Whether nothing is written at the vendor, nor to what is known of the target."""
        return self in (RunKind.DRY_RUN, RunKind.REHEARSAL)


class Status(StrEnum):
    """What we know of one address on one target."""

    MEMBER = "member"
    MAYBE = "maybe"
    REMOVED = "removed"
    REFUSED = "refused"


class PlanStep(StrEnum):
    """What a plan makes of one address: an operation, or a reason for none."""

    ADD = Kind.ADD
    CHANGE = Kind.CHANGE
    REMOVE = Kind.REMOVE
    UNCHANGED = "unchanged"
    HELD = "held"
    LEFT = "left"
    OUTSIDE = "outside"
    NONE = "none"


Conditions = tuple[tuple[str, PlanStep], ...]
"""Conditions on a ledger row in order; the first that holds decides."""

_REFUSED_FOR_GOOD: Conditions = (("status = 'refused' AND retry = 'never'", PlanStep.HELD),)

IN_SEGMENT: dict[RunKind, Conditions] = {
    RunKind.DELIVERY: (
        ("status IS NULL", PlanStep.ADD),
        ("status = 'member' AND hash = wanted_hash", PlanStep.UNCHANGED),
        ("status = 'member' AND refused_hash = wanted_hash AND retry <> 'next run'", PlanStep.HELD),
        ("status = 'member'", PlanStep.CHANGE),
        *_REFUSED_FOR_GOOD,
        ("status = 'refused' AND retry = 'when changed' AND refused_hash = wanted_hash", PlanStep.HELD),
        ("true", PlanStep.ADD),  # maybe, removed, refused for now
    ),
    RunKind.FULL_RESYNC: (*_REFUSED_FOR_GOOD, ("true", PlanStep.ADD)),
    RunKind.RETRY: (
        *_REFUSED_FOR_GOOD,
        ("status IN ('maybe', 'refused')", PlanStep.ADD),
        ("status = 'member' AND (hash IS NULL OR refused_hash IS NOT NULL)", PlanStep.CHANGE),
        ("true", PlanStep.OUTSIDE),
    ),
    RunKind.REPAIR: (
        ("what IS NULL", PlanStep.OUTSIDE),
        *_REFUSED_FOR_GOOD,
        ("what = 'missing' AND status = 'member'", PlanStep.ADD),
        ("what = 'differs' AND status = 'member'", PlanStep.CHANGE),
        ("what = 'lost' AND coalesce(status, 'removed') = 'removed'", PlanStep.ADD),
        ("true", PlanStep.OUTSIDE),
    ),
}
"""For an address that is in the segment, by kind of run."""

NOT_IN_SEGMENT: dict[tuple[RunKind, str], Conditions] = {
    (RunKind.DELIVERY, "mirror"): (("status IN ('member', 'maybe')", PlanStep.REMOVE), ("true", PlanStep.NONE)),
    (RunKind.DELIVERY, "add"): (("status IN ('member', 'maybe')", PlanStep.LEFT), ("true", PlanStep.NONE)),
    (RunKind.RETRY, "mirror"): (("status = 'maybe'", PlanStep.REMOVE), ("true", PlanStep.NONE)),
    (RunKind.RETRY, "add"): (("true", PlanStep.NONE),),
    (RunKind.REPAIR, "mirror"): (
        ("what = 'lost' AND coalesce(status, 'removed') = 'removed'", PlanStep.REMOVE),
        ("true", PlanStep.NONE),
    ),
    (RunKind.REPAIR, "add"): (
        ("what = 'lost' AND coalesce(status, 'removed') = 'removed'", PlanStep.LEFT),
        ("true", PlanStep.NONE),
    ),
}
"""For an address of the ledger that is not in the segment, by kind of run and mode; see `rules` for the others."""


def rules(kind: RunKind, mode: str) -> tuple[Conditions, Conditions]:
    """What to make of addresses in the segment, and of those that are not in it.

    A dry run and a rehearsal plan as a delivery does. A full resync treats leavers as a delivery does. Withdrawing has
    no segment, and takes everyone off whatever the mode is. A rebuild starts with an empty ledger. A repair looks at
    nobody but those whom a check-up found, and at `what` it found of them.
    """
    if kind is RunKind.WITHDRAW:
        return IN_SEGMENT[RunKind.DELIVERY], NOT_IN_SEGMENT[RunKind.DELIVERY, "mirror"]
    inside = IN_SEGMENT.get(kind, IN_SEGMENT[RunKind.DELIVERY])
    outside = NOT_IN_SEGMENT.get((kind, mode), NOT_IN_SEGMENT[RunKind.DELIVERY, mode])
    return inside, outside


@dataclass(frozen=True, slots=True)
class Becomes:
    """A ledger row after an operation. `status` None leaves the row as it was (or absent).

    `values`: "new" = the values sent are what the vendor holds, "old" = what was there before, "none" = not known.
    `refused`: remember the values' hash, code and retry of the refusal.
    """

    status: Status | None
    values: str = "old"
    refused: bool = False


AFTER: dict[tuple[Kind, Outcome], Becomes] = {
    (Kind.ADD, Outcome.ACCEPTED): Becomes(Status.MEMBER, "new"),
    (Kind.ADD, Outcome.REJECTED): Becomes(Status.REFUSED, "none", refused=True),
    (Kind.ADD, Outcome.SKIPPED): Becomes(None),
    (Kind.ADD, Outcome.UNKNOWN): Becomes(Status.MAYBE, "none"),
    (Kind.CHANGE, Outcome.ACCEPTED): Becomes(Status.MEMBER, "new"),
    (Kind.CHANGE, Outcome.REJECTED): Becomes(Status.MEMBER, "old", refused=True),
    (Kind.CHANGE, Outcome.SKIPPED): Becomes(None),
    (Kind.CHANGE, Outcome.UNKNOWN): Becomes(Status.MEMBER, "none"),
    (Kind.REMOVE, Outcome.ACCEPTED): Becomes(Status.REMOVED, "none"),
    (Kind.REMOVE, Outcome.REJECTED): Becomes(None),
    (Kind.REMOVE, Outcome.SKIPPED): Becomes(None),
    # Perhaps gone already: in the segment again, it must be added again.
    (Kind.REMOVE, Outcome.UNKNOWN): Becomes(Status.MAYBE, "none"),
}
"""Every operation and outcome; a row that was never touched has no entry."""

AFTER_CODE: dict[str, Becomes] = {PROFILE_MISSING: Becomes(Status.MAYBE, "none")}
"""Codes that decide alone, whatever the operation."""


def case(conditions: Conditions) -> str:
    """The SQL of a table of conditions."""
    return "CASE " + " ".join(f"WHEN {condition} THEN '{step}'" for condition, step in conditions) + " END"
