"""Companions in storage: what they are, what they will be, and putting one there with its claims."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from shared.catalog import companions, stamps
from shared.catalog.claims import Claims
from shared.catalog.models import Connection, Export, ExportInput
from shared.catalog.store import DefinitionStore, Held


@dataclass(frozen=True, slots=True)
class StoredCompanions:
    """The companions of all exports."""

    connections: DefinitionStore[Connection]
    exports: DefinitionStore[Export]
    claims: Claims
    now: Callable[[], datetime]

    def owned(self, name: str) -> list[Held[Export]]:
        """The companions of an export, as they are stored."""
        return [held for held in self.exports.all() if held.item.owned_by == name]

    def wanted(self, name: str, sent: ExportInput, by: str) -> list[tuple[Held[Export] | None, Export]]:
        """The companions of an export of this name as they are stored, and as they will be: of those whose connection
        has an account, and whose name is not another export's."""
        found = []
        for companion, definition in companions.wanted(name, sent).items():
            held, connection = self.exports.get(companion), self.connections.get(definition.connection)
            stranger = held is not None and held.item.owned_by != name
            if connection and connection.item.account and not stranger:
                place = {"name": companion, "account": connection.item.account, "owned_by": name}
                stamped = stamps.written(held.item if held else None, by, self.now())
                found.append((held, Export.model_validate({**dict(definition), **place, **stamped})))
        return found

    def put(self, held: Held[Export] | None, item: Export) -> None:
        """Store a companion and its claims. Raises Invalid where a list is another export's, and Conflict."""
        dropped = self.claims.dropped(held.item, item) if held else []
        with self.claims.held(item):
            if held:
                self.exports.replace(item, held.etag)
            else:
                self.exports.insert(item)
        self.claims.release(dropped)
