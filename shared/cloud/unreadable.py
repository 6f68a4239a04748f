"""Rows that cannot be read: damaged, or written by a version of the service that knew more.

Such a row is named, in the log or to whoever asked for it, and left for a person. It never hides the rows beside it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from shared.cloud.tables import Stored
from shared.errors import Blocked
from shared.wording import say

log = logging.getLogger(__name__)

T = TypeVar("T")

CODE = "row_unreadable"
_SIGNS = (ValueError, KeyError, TypeError, AttributeError)
"""What reading raises of a value that is not what it should be; pydantic's errors are ValueErrors."""


class UnreadableRow(Blocked):
    """A row of a table is not what this version can read."""

    def __init__(self, table: str, row: str) -> None:
        super().__init__(
            CODE,
            say(
                "The row '%(row)s' of the table '%(table)s' cannot be read: it is damaged, or a newer "
                "version of the service wrote it. Put it back from a backup, or delete it there.",
                row=row,
                table=table,
            ),
        )


@contextmanager
def reading(table: str, entity: Mapping[str, Any]) -> Iterator[None]:
    """Say which row it is that cannot be read. Raises UnreadableRow."""
    try:
        yield
    except _SIGNS:
        raise UnreadableRow(table, str(entity.get("RowKey"))) from None


def readable(found: Iterable[Stored], read: Callable[[Stored], T]) -> Iterator[T]:
    """The rows that can be read. The log names the others."""
    for stored in found:
        try:
            yield read(stored)
        except UnreadableRow as error:
            log.error("%s", error.message)
