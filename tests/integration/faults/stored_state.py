"""What can be wrong with each thing that the service keeps, and how it gets there.

`STATES` says where a thing lies and when it is broken; `broken` breaks it. What comes of it is the table in
docs/reliability.md, which `test_stored_state` carries out.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from shared.catalog.store import PARTITION
from shared.catalog.targets import table_key, target_key
from shared.cloud.tables import Entity, Table
from shared.delivery.state import every_run, latest, layout
from shared.delivery.state.records import ACTIVE, delivery_key, run_key
from tests.integration.faults.world import World


class Fault(StrEnum):
    """What became of a blob or row since the service wrote it."""

    MISSING = "missing"
    OLDER = "older"
    DAMAGED = "damaged"
    NEWER = "of a newer version"
    EARLIER = "of an older version"
    FOREIGN = "somebody else's"


class Stage(StrEnum):
    """When it is broken."""

    BETWEEN = "between two runs"
    DURING = "during a run"
    AFTER = "after a run, before its verification"
    ASKED = "while it is under way"


Change = Callable[[Any], Any]
"""Of the JSON in a blob, or of a row."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a thing lies: a blob, or with `table` a row of (partition, row)."""

    name: str
    table: str = ""
    partition: str = ""


@dataclass(frozen=True, slots=True)
class Kept:
    """A kind of thing. `where` finds an export's; `newer` and `earlier` make of it what other versions wrote."""

    where: Callable[[World, str], Place]
    stage: Stage = Stage.DURING
    newer: Change = lambda found: {**found, "later": {"more": 1}}
    earlier: Change = lambda found: found
    damaged: Change | None = None
    """For rows, whose properties storage keeps whole."""


def _without(*names: str) -> Change:
    return lambda found: {name: value for name, value in found.items() if name not in names}


def _with(**values: Any) -> Change:
    return lambda found: {**found, **values}


def _run(made: World, export: str) -> str:
    run = made.run(export)
    assert run is not None
    return run.run


def _folder(made: World, export: str) -> str:
    return layout.delivery_folder(export, _run(made, export), 0)


def _in_memory(change: Change) -> Change:
    return lambda row: {**row, "memory": json.dumps(change(json.loads(row["memory"])))}


def _in_definition(change: Change) -> Change:
    return lambda row: {**row, "definition": json.dumps(change(json.loads(row["definition"])))}


def _last(made: World, prefix: str) -> str:
    return max(made.cloud.blobs.names(prefix))


def _target(made: World, export: str) -> Place:
    item = made.engine.catalog.export(export).item
    return Place(target_key(item.targets[0]), "targets", table_key(item.account))


def _ledger(made: World, export: str) -> str:
    return str(made.memory(export)["ledger"])


def _account(made: World, export: str) -> str:
    return made.engine.catalog.export(export).item.account


STATES: Mapping[str, Kept] = {
    "plan's manifest": Kept(
        lambda made, export: Place(layout.plan_manifest(_folder(made, export))),
        earlier=_without("file_starts", "refused", "made_at", "base_generation"),
    ),
    "plan's file": Kept(lambda made, export: Place(_plan_file(made, export))),
    "journal": Kept(lambda made, export: Place(_last(made, layout.journal_folder(_folder(made, export))))),
    "ledger's manifest": Kept(
        lambda made, export: Place(layout.ledger_manifest(_ledger(made, export))),
        Stage.BETWEEN,
        newer=_with(version=2),
        earlier=_without("generation"),
    ),
    "ledger's file": Kept(lambda made, export: Place(_ledger_file(made, export)), Stage.BETWEEN),
    "account's lease": Kept(
        lambda made, export: Place(layout.lease(_account(made, export))), earlier=_without("carried", "renewed_at")
    ),
    "verification": Kept(
        lambda made, export: Place(layout.verification(export, _run(made, export), 0)),
        Stage.AFTER,
        earlier=_without("looks", "turn"),
    ),
    "check-up": Kept(
        lambda made, export: Place(layout.check_up(export, 0)), Stage.ASKED, earlier=_without("members", "advice")
    ),
    "probe": Kept(lambda made, export: Place(layout.probe("iterable")), Stage.ASKED, earlier=_without("facts")),
    "target's row": Kept(
        _target,
        Stage.BETWEEN,
        newer=_in_memory(_with(later={"more": 1})),
        earlier=_in_memory(_without("generation", "delivered", "delivered_by")),
        damaged=_with(memory='{"list_id'),
    ),
    "run's row": Kept(
        lambda made, export: Place(run_key(_run(made, export)), "runs", export),
        newer=_with(state="asleep"),
        earlier=_without("trace", "message", "cancel_requested"),
        damaged=_with(definition='{"name'),
    ),
    "delivery's row": Kept(
        lambda made, export: Place(delivery_key(_run(made, export), 0), "runs", export),
        newer=_with(step="rest"),
        earlier=_without("verification", "warnings", "left_out", "waits"),
        damaged=_with(target='{"list_id'),
    ),
    "row of the active run": Kept(
        lambda made, export: Place(ACTIVE, "runs", export),
        newer=_with(later="more"),
        damaged=_with(run="20000101-000000-000-0000"),
    ),
    "row of the newest run": Kept(
        lambda made, export: Place(latest.row_key(export), "runs", latest.PARTITION),
        newer=_with(later="more"),
        damaged=_with(state="asleep"),
    ),
    "row of a run in the list of all": Kept(
        lambda made, export: Place(every_run.row_key(export, _run(made, export)), "runs", every_run.PARTITION),
        newer=_with(later="more"),
        damaged=_with(state="asleep"),
    ),
    "export's row": Kept(
        lambda made, export: Place(export, "exports", PARTITION),
        Stage.BETWEEN,
        newer=_in_definition(_with(later={"more": 1})),
        earlier=_in_definition(_without("guards", "mode", "paused")),
        damaged=_with(definition='{"display_name'),
    ),
    "connection's row": Kept(
        lambda made, export: Place(made.engine.catalog.export(export).item.connection, "connections", PARTITION),
        newer=_in_definition(_with(later={"more": 1})),
        earlier=_in_definition(_without("rate_budget", "disabled")),
        damaged=_with(definition='{"display_name'),
    ),
}


def _plan_file(made: World, export: str) -> str:
    return _last(made, f"{layout.plan_files(_folder(made, export))}0")


def _ledger_file(made: World, export: str) -> str:
    manifest = made.cloud.blobs.read(layout.ledger_manifest(_ledger(made, export)))
    assert manifest is not None
    name: str = json.loads(manifest[0])["files"][0]["file"]["name"]
    return name


@dataclass
class Backup:
    """Everything as it was at some time."""

    blobs: dict[str, bytes] = field(default_factory=dict)
    rows: dict[tuple[str, str, str], Entity] = field(default_factory=dict)

    @classmethod
    def of(cls, made: World) -> Backup:
        blobs = {name: _content(made, name) for name in made.cloud.blobs.names("")}
        rows = {
            (table, str(each.entity["PartitionKey"]), str(each.entity["RowKey"])): dict(each.entity)
            for table in ("runs", "targets", "exports", "connections")
            for each in _table(made, table).scan("RowKey ne ''", {})
        }
        return cls(blobs, rows)


def broken(made: World, state: str, fault: Fault, export: str, other: str, backup: Backup) -> bool:
    """Break an export's thing; False where it cannot be broken so: it did not exist earlier, or is the other's too."""
    kept = STATES[state]
    place, theirs = kept.where(made, export), kept.where(made, other)
    if fault is Fault.FOREIGN and place == theirs:
        return False
    return (
        _break_row(made, kept, fault, place, theirs, backup)
        if place.table
        else _break_blob(made, kept, fault, place.name, theirs.name, backup)
    )


def _break_blob(made: World, kept: Kept, fault: Fault, name: str, theirs: str, backup: Backup) -> bool:
    content = _content(made, name)
    match fault:
        case Fault.MISSING:
            made.cloud.blobs.delete(name)
            return True
        case Fault.OLDER if name not in backup.blobs:
            return False
        case Fault.OLDER:
            changed = backup.blobs[name]
        case Fault.DAMAGED:
            changed = content[: len(content) // 2]
        case Fault.FOREIGN:
            found = made.cloud.blobs.read(theirs)
            if found is None:
                return False
            changed = found[0]
        case _ if not name.endswith(".json"):
            return False
        case Fault.NEWER:
            changed = json.dumps(kept.newer(json.loads(content))).encode()
        case _:
            changed = json.dumps(kept.earlier(json.loads(content))).encode()
    if changed == content:
        return False
    made.cloud.blobs.delete(name)  # a journal is a blob of another kind
    made.cloud.blobs.write(name, changed)
    return True


def _break_row(made: World, kept: Kept, fault: Fault, place: Place, theirs: Place, backup: Backup) -> bool:
    table = _table(made, place.table)
    stored = table.get(place.partition, place.name)
    assert stored is not None
    keys = {"PartitionKey": place.partition, "RowKey": place.name}
    match fault:
        case Fault.MISSING:
            table.delete(place.partition, place.name)
            return True
        case Fault.OLDER if (place.table, place.partition, place.name) not in backup.rows:
            return False
        case Fault.OLDER:
            changed = backup.rows[place.table, place.partition, place.name]
        case Fault.FOREIGN:
            found = table.get(theirs.partition, theirs.name)
            if found is None:
                return False
            changed = {**found.entity, **keys}
        case Fault.DAMAGED:
            assert kept.damaged is not None
            changed = kept.damaged(stored.entity)
        case Fault.NEWER:
            changed = kept.newer(stored.entity)
        case _:
            changed = kept.earlier(stored.entity)
    if changed == stored.entity:
        return False
    table.replace(changed, stored.etag)
    return True


def _table(made: World, name: str) -> Table:
    found: Table = getattr(made.cloud, name)
    return found


def _content(made: World, name: str) -> bytes:
    found = made.cloud.blobs.read(name)
    assert found is not None
    return found[0]
