"""Why a Delta table is not read, in words that follow `… cannot be read:`."""

from __future__ import annotations

from shared.errors import ExportError
from shared.wording import Message, Value, say

_LOWER = say(
    "lower the table as Customer Insights asks for it, too (reader version 2 at most, no deletion vectors), or write "
    "the rows as CSV or Parquet into a dated folder"
)
_COMPACT = say("let its writer make a checkpoint and compact it (OPTIMIZE)")


class BadTable(ExportError):
    """The table cannot be read as its log says; its words say why."""


def unknown(feature: Value) -> BadTable:
    """It uses something that is not understood, so nobody can tell which rows count."""
    return BadTable(
        say(
            "it is a Delta table that uses %(feature)s, which is not read; %(way_out)s", feature=feature, way_out=_LOWER
        )
    )


def broken(why: Message) -> BadTable:
    """Its log, or what the log names, is not as it should be."""
    return BadTable(say("it is a Delta table, and %(why)s", why=why))


def too_large(what: Message) -> BadTable:
    """More than a look may take."""
    return BadTable(say("it is a Delta table, and %(what)s; %(way_out)s", what=what, way_out=_COMPACT))
