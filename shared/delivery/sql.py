"""Names, texts, cells and addresses in SQL. Pure."""

from __future__ import annotations

_BLANKS = (32, 9, 10, 13, 160)
"""Code points that are nothing at the ends of a cell."""


_FORMULA = r"^\s*[=+@\t\r\n\x{FF1D}\x{FF0B}\x{FF0D}\x{FF20}-]"
"""What spreadsheets begin a formula with, also in its full-width form, or overlook before one."""


def identifier(name: str) -> str:
    """Quoted for SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Quoted for SQL."""
    return "'" + text.replace("'", "''") + "'"


def trimmed(column: str) -> str:
    """The cell without blanks around it, NULL where nothing is left."""
    cell = identifier(column)
    blanks = [f"chr({code})" for code in _BLANKS]
    # Looking for blanks first costs a fifth of taking them off every cell.
    has_blanks = f"ord({cell}) IN {_BLANKS} OR {cell}[-1] IN ({', '.join(blanks)})"
    return f"nullif(CASE WHEN {has_blanks} THEN trim({cell}, {' || '.join(blanks)}) ELSE {cell} END, '')"


def address(column: str) -> str:
    """The normalised address of a row, '' where the cell is empty."""
    return f"coalesce(lower({trimmed(column)}), '')"


def harmless(column: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"CASE WHEN regexp_matches({column}, '{_FORMULA}') THEN '''' || {column} ELSE {column} END"
