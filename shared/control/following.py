"""Companions follow their owner: whatever is saved of an export is carried over to its other connections.

The owner's stored definition is the truth. Who dies between two writes leaves companions that are not as it says: the
timer compares all of them with their owners, which costs nothing where they agree, and puts them right.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from shared.catalog import companions
from shared.catalog.catalog import Catalog
from shared.catalog.models import Export
from shared.catalog.schedules import newly_followed
from shared.catalog.store import Held
from shared.cloud.apart import apart


@dataclass(frozen=True, slots=True)
class Following:
    """`busy`: is a run of the export under way? `overlook`: its schedule looks only at snapshots of these segments that
    land from now on."""

    catalog: Catalog
    busy: Callable[[str], bool]
    overlook: Callable[[str, Sequence[str]], None]

    def follow(self, name: str) -> None:
        """Make the companions of an export as its stored definition says. What stands in the way of one is logged,
        keeps no other from it, and is tried again by the timer."""
        held = self.catalog.exports.get(name)
        owned = self.catalog.companions.owned(name)
        if owned or (held and held.item.also):
            self._make_equal(name, held.item if held else None, owned)

    def heal(self, exports: Sequence[Held[Export]]) -> None:
        """Put right what a death between two writes left; `exports` are all that there are."""
        owned: dict[str, list[Held[Export]]] = defaultdict(list)
        for held in exports:
            if held.item.owned_by:
                owned[held.item.owned_by].append(held)
        owners = {held.item.name: held.item for held in exports}
        for name in sorted({*owned, *(each.name for each in owners.values() if each.also)}):
            if _differ(owners.get(name), name, owned[name]):
                with apart("companions", name):
                    self._make_equal(name, owners.get(name), owned[name], only_differing=True)

    def quietly(self, before: Export | None, after: Export) -> None:
        """Saving starts no run: what lies there already was not asked for, unless the export says so. Said before it is
        saved, so that no timer comes between the two."""
        if not after.schedule.existing and (segments := newly_followed(before, after)):
            self.overlook(after.name, segments)

    def _make_equal(
        self, name: str, owner: Export | None, owned: Sequence[Held[Export]], *, only_differing: bool = False
    ) -> None:
        staying = companions.wanted(name, owner) if owner else {}
        for held in owned:
            if held.item.name not in staying and not self.busy(held.item.name):
                with apart("companion", held.item.name):
                    self.catalog.claims.delete(held)
        for held_before, after in self.catalog.companions.wanted(name, owner, owner.updated_by) if owner else ():
            before = held_before.item if held_before else None
            if only_differing and before and not companions.differs(before, after):
                continue
            with apart("companion", after.name):
                self.quietly(before, after)
                self.catalog.companions.put(held_before, after)


def _differ(owner: Export | None, name: str, owned: Sequence[Held[Export]]) -> bool:
    wanted = companions.wanted(name, owner) if owner else {}
    there = {held.item.name: held.item for held in owned}
    return there.keys() != wanted.keys() or any(companions.differs(there[each], wanted[each]) for each in wanted)
