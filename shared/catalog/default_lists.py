"""The lists that connections have for exports whose targets name none."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from shared.catalog import companions
from shared.catalog.models import Also, AlsoTarget, Connection, ExportInput, Target
from shared.vendors.contract import Definition

DefaultOf = Callable[[str], str]
"""Name of a connection -> id of its default list, "" where it has none."""


def default_list(connection: Connection | None, definitions: Mapping[str, Definition]) -> str:
    """Id of the list that the connection has for exports whose target names none; "" where it has none."""
    definition = definitions.get(connection.vendor) if connection else None
    if connection is None or definition is None:
        return ""
    return str(connection.settings.get(definition.default_list, "")).strip()


def settled(export: ExportInput, default_of: DefaultOf) -> ExportInput:
    """The export as it is stored: with a connection's default list in every target that leans on it.

    From then on it is a list given by id, with one owner and with a choice about its members, and a later change of the
    connection moves nobody.
    """
    also = tuple(each.model_copy(update={"targets": _also(export, each, default_of)}) for each in export.also)
    return _own(export.model_copy(update={"also": also}), default_of(export.connection))


def _own(export: ExportInput, list_id: str) -> ExportInput:
    if not list_id:
        return export
    return export.model_copy(update={"targets": tuple(_target(target, list_id) for target in export.targets)})


def _target(target: Target, list_id: str) -> Target:
    leans = target.list_id is None and target.list_name is None
    return target.model_copy(update={"list_id": list_id}) if leans else target


def _also(export: ExportInput, entry: Also, default_of: DefaultOf) -> tuple[AlsoTarget, ...]:
    before = companions.definition(export, entry)
    after = _own(before, default_of(entry.connection)).targets
    if after == before.targets:
        return entry.targets
    return tuple(AlsoTarget(list_id=each.list_id, list_name=each.list_name, existing=each.existing) for each in after)
