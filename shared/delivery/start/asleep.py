"""Exports whose schedule is known not to fire yet, so that a tick need not read what the timer remembers of each.

A row holds for one version of the definition, and until a time or for the snapshots that were looked at. Losing it, or
reading an old one, costs a look.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from shared.cloud.tables import Entity, Table

PARTITION = "asleep"


@dataclass(frozen=True, slots=True)
class Quiet:
    """A schedule that does not fire before `until`, or while the newest snapshots are these, by segment."""

    until: datetime | None = None
    keys: Mapping[str, str] | None = None


class Asleep:
    """What is known at one tick; read once, in the table `underway`."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._rows = {str(each.entity["RowKey"]): each.entity for each in table.query(PARTITION)}

    def until(self, export: str, version: str) -> datetime | None:
        """Before then this version of the export does not fire."""
        found: datetime | None = self._known(export, version).get("until")
        return found

    def keys(self, export: str, version: str) -> Mapping[str, str] | None:
        """While these are the newest snapshots this version of the export does not fire."""
        row = self._known(export, version)
        found: Mapping[str, str] | None = json.loads(row["keys"]) if "keys" in row else None
        return found

    def note(self, export: str, version: str, quiet: Quiet) -> None:
        """Keep it for later ticks."""
        row: Entity = {"PartitionKey": PARTITION, "RowKey": export, "version": version}
        if quiet.until is not None:
            row["until"] = quiet.until
        if quiet.keys is not None:
            row["keys"] = json.dumps(dict(quiet.keys))
        if {name: value for name, value in row.items() if self._rows.get(export, {}).get(name) != value}:
            self._table.put(row)

    def _known(self, export: str, version: str) -> Entity:
        row = self._rows.get(export, {})
        return row if row.get("version") == version else {}
