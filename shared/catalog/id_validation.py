"""What is wrong with an export's id column, judged when it is saved. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from shared.catalog.issues import Issue
from shared.catalog.models import ExportInput, Mode
from shared.wording import say

ID_COLUMN = "/id_column"


def id_issues(export: ExportInput) -> Iterator[Issue]:
    """A column that names nobody when an address changes, and a mode in which nobody can move."""
    if export.id_column is None:
        return
    if export.id_column == export.address_column:
        yield Issue(
            ID_COLUMN,
            say(
                "The column with the address cannot be the id, which has to stay the same when the "
                "address changes: choose another column, or none."
            ),
        )
    if export.mode is Mode.ADD:
        yield Issue(
            ID_COLUMN,
            say(
                "In this mode nobody is taken off, so an old address would stay on the list beside the new one: choose "
                "the mode mirror, or no id column."
            ),
        )
