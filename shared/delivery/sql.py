"""Names, texts, cells and addresses in SQL. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote

from shared.mailbox import BLANKS, INVISIBLE, ZERO_WIDTH

_SIGNS = r"=+@\x{FF1D}\x{FF0B}\x{FF0D}\x{FF20}-"
"""What spreadsheets begin a formula with, also in its full-width form."""
_FORMULA = rf"^\s*[\t\r\n{_SIGNS}]"
"""A formula, or what spreadsheets overlook before one."""
_LATER = rf"(;\s*)([{_SIGNS}])"
"""A formula behind a semicolon, at which a cell ends for spreadsheets of countries that write decimals with a comma."""


def identifier(name: str) -> str:
    """Quoted for SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Quoted for SQL."""
    return "'" + text.replace("'", "''") + "'"


def enumeration(texts: Iterable[str]) -> str:
    """The type of a column that has no texts but these. DuckDB writes such a column as one of texts, for a fifth of the
    processor's time."""
    return f"ENUM({', '.join(map(literal, sorted(set(texts))))})"


LETTERS = (("!", "~"), ("À", "ɏ"), ("Ͱ", "ӿ"), ("぀", "힣"))
"""Ranges of characters, first and last, that are no blanks and not invisible: what most cells begin and end with."""


def trimmed(cell: str) -> str:
    """The cell without blanks and invisible characters around it, NULL where nothing is left."""
    # Taking them off takes seven times as long as looking for such ends, so only a cell that may have some pays for it.
    is_ascii, last = f"strlen({cell}) = length({cell})", f"substring({cell}, length({cell}), 1)"
    is_plain = f"WHEN {is_ascii} AND {cell} >= '!' AND {last} >= '!' THEN {cell}"
    has_letters = f"WHEN {_begins_with_letter(cell)} AND {_begins_with_letter(last)} THEN {cell}"
    without = f"nullif(trim({cell}, {_characters(BLANKS + INVISIBLE)}), '')"
    return f"CASE {is_plain} {has_letters} ELSE {without} END"


def _begins_with_letter(text: str) -> str:
    """DuckDB compares texts byte by byte, which for UTF-8 is the order of its characters."""
    ranges = (f"({text} >= '{first}' AND {text} < '{chr(ord(last) + 1)}')" for first, last in LETTERS)
    return f"({' OR '.join(ranges)})"


def address(cell: str) -> str:
    """The address of a trimmed cell in small letters, without what nobody sees; '' where the cell is empty."""
    text = f"coalesce(lower({cell}), '')"
    return f"CASE WHEN strlen({cell}) > length({cell}) THEN {_without(text, ZERO_WIDTH)} ELSE {text} END"


def _without(text: str, characters: str) -> str:
    return f"translate({text}, {_characters(characters)}, '')"


def _characters(text: str) -> str:
    """Spelled as numbers, since some of them end a query or are not seen in one; as one constant, since to put
    together many takes longer to plan than a small segment to read."""
    return f"url_decode('{quote(text, safe='')}')"


def harmless(column: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    later = rf"regexp_replace({column}, '{_LATER}', '\1''\2', 'g')"
    cell = f"CASE WHEN contains({column}, ';') THEN {later} ELSE {column} END"
    return f"if(regexp_matches({column}, '{_FORMULA}'), '''', '') || {cell}"
