"""A vendor's form of an entry as SQL, which DuckDB fills in with the rows of a plan. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from shared.delivery.sql import literal
from shared.vendors.forms import Address, AllValues, Form, Piece, Value, ValueList


def filled(form: Form, rows: str) -> str:
    """SQL: `rows`, which has `address` and `values`, with the column `entry`: the form filled in with a row, NULL where
    Python has to write it."""
    texts = {field: f"text_{place}" for place, field in enumerate(form.picked, 1)}
    usual, written = _usual(form, texts), (text for piece in form.pieces for text in _texts(piece, texts))
    entry = f"CASE WHEN {' AND '.join(usual)} THEN concat({', '.join(written)}) END AS entry"
    if not texts:
        return f"SELECT *, {entry} FROM {rows}"
    # Each is looked at several times, and so made a column of its own first.
    found = f'json_extract("values", [{", ".join(literal(f"/{field}") for field in texts)}])'
    columns = ", ".join(f"found[{place}]::VARCHAR AS {text}" for place, text in enumerate(texts.values(), 1))
    return f"""
        SELECT * EXCLUDE ({", ".join(texts.values())}), {entry}
        FROM (SELECT * EXCLUDE (found), {columns} FROM (SELECT *, {found} AS found FROM {rows}))
    """


def _usual(form: Form, texts: Mapping[str, str]) -> Iterator[str]:
    """Conditions of a row that the form can be filled in with. Where values are picked out, they are all that there is:
    the object has their length."""
    yield "strlen(to_json(address)::VARCHAR) = strlen(address) + 2"
    if any(isinstance(piece, AllValues) for piece in form.pieces):
        return
    for text in texts.values():
        yield f"({text} IS NULL OR ({text} >= '\"' AND {text} < '#' AND strlen({text}) <= {form.longest + 2}))"
    lengths = "".join(f" + coalesce(strlen({text}) + {len(field) + 4}, 0)" for field, text in texts.items())
    yield f'strlen("values") = greatest(1{lengths}, 2)'


def _texts(piece: Piece, texts: Mapping[str, str]) -> Iterator[str]:
    """What a piece puts one behind the other, NULL for nothing."""
    match piece:
        case str():
            yield literal(piece)
        case Address():
            yield "to_json(address)::VARCHAR"
        case AllValues(before):
            yield f"""CASE WHEN "values" <> '{{}}' THEN {literal(before)} END"""
            yield """nullif("values", '{}')"""
        case Value(field, before, after):
            yield from _value(texts[field], literal(before), after)
        case ValueList(before, values, after):
            columns = [texts[value.field] for value in values]
            for place, value in enumerate(values):
                is_first = f"coalesce({', '.join(columns[:place])}) IS NULL" if place else "true"
                begin, go_on = literal(before + value.before), literal(f",{value.before}")
                yield from _value(columns[place], f"CASE WHEN {is_first} THEN {begin} ELSE {go_on} END", value.after)
            yield f"CASE WHEN coalesce({', '.join(columns)}) IS NOT NULL THEN {literal(after)} END"


def _value(text: str, before: str, after: str) -> Iterator[str]:
    yield f"CASE WHEN {text} IS NOT NULL THEN {before} END"
    yield text
    if after:
        yield f"CASE WHEN {text} IS NOT NULL THEN {literal(after)} END"
