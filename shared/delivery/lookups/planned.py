"""A plan beside the last one, for whoever has to decide about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import repeat
from typing import Any

from shared.cloud.cloud import Cloud
from shared.delivery import addresses
from shared.delivery.state import layout
from shared.delivery.state import plan as plans
from shared.delivery.state.records import WELL, Run
from shared.delivery.state.runs import Runs
from shared.delivery.state.transitions import RunKind
from shared.errors import Blocked

_USUAL = frozenset({RunKind.DELIVERY, RunKind.FULL_RESYNC, RunKind.REBUILD})


@dataclass(frozen=True, slots=True)
class SnapshotRead:
    """A snapshot that the plan was made of."""

    segment: str
    snapshot: str
    taken_at: datetime
    files: int
    rows: int
    excluded: bool = False


@dataclass(frozen=True, slots=True)
class PeopleKeptBack:
    """How many people a rule keeps back."""

    reason: str
    people: int


@dataclass(frozen=True, slots=True)
class Planned:
    """What a plan says of itself; `refused` are rows by the reason in words."""

    snapshots: tuple[SnapshotRead, ...]
    members_before: int
    refused: dict[str, int]
    kept_back: tuple[PeopleKeptBack, ...]
    first_run: Mapping[str, Any] | None


def read(cloud: Cloud, export: str, run: str, index: int) -> Planned | None:
    """None where there is no plan, or none that can be read."""
    try:
        found = plans.read(cloud.blobs, layout.delivery_folder(export, run, index))
    except Blocked:
        return None
    if found is None:
        return None
    plan = found[0]
    own = zip(plan.snapshots, plan.snapshot_rows, repeat(False))
    barring = zip(plan.excluded, plan.excluded_rows, repeat(True))
    snapshots = [
        SnapshotRead(
            each["name"], each["key"], datetime.fromisoformat(each["taken_at"]), len(each["files"]), rows, excluded
        )
        for each, rows, excluded in (*own, *barring)
    ]
    refused = {str(addresses.REASONS.get(code, code)): rows for code, rows in plan.balance.refused.items()}
    kept_back = tuple(
        PeopleKeptBack(words, people)
        for name, words in plan.rules.items()
        if (people := plan.balance.kept_back.get(name))
    )
    return Planned(tuple(snapshots), plan.members_before, refused, kept_back, plan.first_run or None)


def before(runs: Runs, export: str, run: str) -> Run | None:
    """The last run before this one that read all of the segments and left the lists as they say."""
    return next((each for each in runs.history(export, after=run) if each.kind in _USUAL and each.state in WELL), None)
