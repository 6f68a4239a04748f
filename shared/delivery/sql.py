"""Names, texts, cells and addresses in SQL. Pure."""

from __future__ import annotations

from shared.mailbox import BLANKS, INVISIBLE, ZERO_WIDTH

_FORMULA = r"^\s*[=+@\t\r\n\x{FF1D}\x{FF0B}\x{FF0D}\x{FF20}-]"
"""What spreadsheets begin a formula with, also in its full-width form, or overlook before one."""


def identifier(name: str) -> str:
    """Quoted for SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Quoted for SQL."""
    return "'" + text.replace("'", "''") + "'"


def trimmed(cell: str) -> str:
    """The cell without blanks and invisible characters around it, NULL where nothing is left."""
    # Looking for such ends first costs a third of taking them off every cell; `cell[-1]` would cost more.
    is_ascii, last = f"strlen({cell}) = length({cell})", f"substring({cell}, length({cell}), 1)"
    is_plain = f"{is_ascii} AND ord({cell}) > 32 AND {last} > ' '"
    return f"nullif(CASE WHEN {is_plain} THEN {cell} ELSE trim({cell}, {_characters(BLANKS + INVISIBLE)}) END, '')"


def address(cell: str) -> str:
    """The address of a trimmed cell in small letters, without what nobody sees; '' where the cell is empty."""
    text = f"coalesce(lower({cell}), '')"
    return f"CASE WHEN strlen({cell}) > length({cell}) THEN {_without(text, ZERO_WIDTH)} ELSE {text} END"


def _without(text: str, characters: str) -> str:
    return f"translate({text}, {_characters(characters)}, '')"


def _characters(text: str) -> str:
    """Spelled as numbers, since some of them end a query or are not seen in one."""
    return f"chr({') || chr('.join(str(ord(character)) for character in text)})"


def harmless(column: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"CASE WHEN regexp_matches({column}, '{_FORMULA}') THEN '''' || {column} ELSE {column} END"
