"""The list that a connection has for exports whose target names none. Pure.

Its id is copied into the target when the export is saved: from then on it is a list given by id, with one owner and
with a choice about its members, and a later change of the connection moves nobody.
"""

from __future__ import annotations

from collections.abc import Mapping

from shared.catalog.models import Connection, ExportInput, Target
from shared.vendors.contract import Definition


def default_list(connection: Connection | None, definitions: Mapping[str, Definition]) -> str:
    """Its id, "" where the connection has none."""
    definition = definitions.get(connection.vendor) if connection else None
    if connection is None or definition is None:
        return ""
    return str(connection.settings.get(definition.default_list, "")).strip()


def settled(export: ExportInput, list_id: str) -> ExportInput:
    """The export, with this list in every target that leans on the connection's."""
    if not list_id:
        return export
    return export.model_copy(update={"targets": tuple(_settled(target, list_id) for target in export.targets)})


def _settled(target: Target, list_id: str) -> Target:
    leans = target.list_id is None and target.list_name is None
    return target.model_copy(update={"list_id": list_id}) if leans else target
