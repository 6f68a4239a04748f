"""What a run's change of state has to tell, as steps of the transaction that changes it. Pure."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from shared.cloud.events import Event
from shared.cloud.tables import Delete, Insert, Stored
from shared.delivery.state.records import WELL, Delivery, Run, State
from shared.delivery.state.transitions import RunKind
from shared.notify.outbox import Notice

TROUBLE = "trouble"
"""Row in an export's partition from a run that failed or was blocked until one ends well."""

_EVENTS = {State.FAILED: Event.RUN_FAILED, State.BLOCKED: Event.RUN_BLOCKED}
_EARNEST = frozenset({RunKind.DELIVERY, RunKind.RETRY, RunKind.FULL_RESYNC, RunKind.REBUILD, RunKind.REPAIR})
"""Kinds of runs whose end says something about the export."""
_LONGEST_MESSAGE = 2000
_COUNTED = ("expected", "counted", "difference", "looked_at", "different")
FEW = 10
"""With fewer refused people than this, the share counts as nought."""


def started(run: Run) -> Insert:
    """The notice of a new run."""
    return _notice(Event.RUN_STARTED, run, run.created_at, ()).insert()


def steps(run: Run, deliveries: Sequence[Delivery], trouble: Stored | None, at: datetime) -> list[Insert | Delete]:
    """What goes along with a run's end or its block: notices, and the export's trouble, begun or over.

    `run` is as it will be, `trouble` the row TROUBLE as it is.
    """
    told: list[Insert | Delete] = [_notice(_EVENTS.get(run.state, Event.RUN_FINISHED), run, at, deliveries).insert()]
    if run.kind not in _EARNEST:
        return told
    if run.state in _EVENTS and trouble is None:
        told.append(Insert({"PartitionKey": run.export, "RowKey": TROUBLE, "run": run.run, "at": at}))
    elif run.state in WELL and trouble is not None:
        told += [Delete(TROUBLE, trouble.etag), _notice(Event.RUN_RECOVERED, run, at, deliveries).insert()]
    return told


def differs(run: Run, delivery: Delivery, at: datetime) -> Insert:
    """The notice of a verification that found the vendor's list different from what was delivered."""
    found = delivery.verification
    named = {**found, **found.get("sample", {})}
    counts = {name: named[name] for name in _COUNTED if named.get(name) is not None}
    notice = _notice(Event.VERIFICATION_DIFFERS, run, at, ())
    message = str(found.get("message", ""))[:_LONGEST_MESSAGE]
    facts = {"kind": str(run.kind), "trigger": run.trigger, "target": delivery.target_key}
    return replace(notice, message=message, facts=facts, counts=counts).insert()


def rejected_share(counts: Mapping[str, int]) -> float:
    """The larger of two shares, from 0 to 1: rows of the segment that were refused here, operations that the vendor
    rejected. One row in ten thousand changes may be rejected daily, so neither can hide behind the other's total."""
    rejected = sum(number for name, number in counts.items() if name.endswith("_rejected"))
    operations = sum(counts.get(name, 0) for name in ("add", "change", "remove"))
    return max(_share(counts.get("refused_here", 0), counts.get("rows_read", 0)), _share(rejected, operations))


def _share(part: int, whole: int) -> float:
    return part / whole if part >= FEW and whole else 0.0


def _notice(event: Event, run: Run, at: datetime, deliveries: Sequence[Delivery]) -> Notice:
    counts = Counter[str]()
    for delivery in deliveries:
        counts.update({name.replace(" ", "_"): number for name, number in delivery.counts.items()})
    codes = sorted({each.code for each in deliveries if each.code})
    return Notice(
        event,
        f"{run.run}-{event}-{secrets.token_hex(4)}",
        at,
        run.export,
        run.run,
        str(run.state),
        run.message[:_LONGEST_MESSAGE],
        facts={
            "kind": str(run.kind),
            "trigger": run.trigger,
            "codes": ",".join(codes),
            "rejected_share": round(rejected_share(counts), 4),
        },
        counts=counts,
    )
