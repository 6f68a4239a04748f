"""Exports on several connections, and which segment, list and vendor each export of a soak has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from shared.access.person import LOCAL
from shared.catalog.companions import companion_name
from shared.catalog.models import ExportInput
from shared.control import exports
from shared.vendors.registry import definition
from tests.kits import Kit
from tests.load.fleet import Desk


class OwnExport(NamedTuple):
    """An export that people define; its segment and its lists have its name. `beside` is the other vendor that its
    people go to."""

    vendor: str
    number: int
    ruled: bool
    beside: str = ""

    @property
    def name(self) -> str:
        return f"{self.vendor}-{self.number}"

    @property
    def companion(self) -> str:
        return companion_name(self.name, self.beside)


def planned(vendors: Sequence[str], exports_each: int) -> list[OwnExport]:
    """So many exports of each vendor, every other one with rules. Of several each, all with rules are on the connection
    of the vendor before, too; of one each the last with rules is, in the place of an export of that vendor's own."""
    own = [
        OwnExport(vendor, number, (order + number) % 2 == 0, vendors[order - 1])
        for number in range(exports_each)
        for order, vendor in enumerate(vendors)
    ]
    together = [each for each in own if each.ruled][0 if exports_each > 1 else -1 :]
    instead = {each.beside for each in together} if exports_each == 1 else set[str]()
    return [each if each in together else each._replace(beside="") for each in own if each.vendor not in instead]


def put_beside(desk: Desk, other: Desk, own: OwnExport) -> None:
    """Save an export anew with the connection of another vendor, as API and pages do."""
    held = desk.catalog.export(own.name)
    also = {"connection": own.beside, "matching": _matching(other.kit), **other.kit.export}
    given = {name: getattr(held.item, name) for name in ExportInput.model_fields}
    sent = ExportInput.model_validate({**given, "also": [also]})
    exports.save(desk.service, own.name, sent, LOCAL, held, keep_members=True)


def _matching(kit: Kit) -> list[Mapping[str, str]]:
    when_empty = "clear" if definition(kit.name).clears(kit.city) else "keep"
    return [
        {"field": kit.first, "column": "FirstName"},
        {"field": kit.city, "column": "City", "when_empty": when_empty},
    ]


def lists(own: Iterable[OwnExport]) -> dict[str, tuple[str, str]]:
    """Export, companions too -> its vendor, and the name of its segment and list."""
    found: dict[str, tuple[str, str]] = {}
    for each in own:
        found[each.name] = (each.vendor, each.name)
        if each.beside:
            found[each.companion] = (each.beside, each.name)
    return found
