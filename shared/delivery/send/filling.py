"""A vendor's form of an entry as SQL, which DuckDB fills in with the rows of a plan. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from shared.delivery.sql import literal
from shared.vendors.forms import Address, AllValues, Form, Piece, Value, ValueList


def filled(form: Form, rows: str) -> str:
    """SQL: `rows`, which has `address` and `values`, with the column `entry`: the form filled in with a row, NULL where
    Python has to write it."""
    picked = form.picked
    found = f'json_extract("values", [{", ".join(literal(f"/{each}") for each in picked)}])' if picked else "NULL"
    texts = {field: f"found[{place}]::VARCHAR" for place, field in enumerate(picked, 1)}
    written = ", ".join(_piece(piece, texts) for piece in form.pieces)
    return f"""
        SELECT * EXCLUDE (found), CASE WHEN {" AND ".join(_usual(form, texts))} THEN concat({written}) END AS entry
        FROM (SELECT *, {found} AS found FROM {rows})
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


def _piece(piece: Piece, texts: Mapping[str, str]) -> str:
    match piece:
        case Address():
            return "to_json(address)::VARCHAR"
        case AllValues(before):
            return f"""CASE WHEN "values" <> '{{}}' THEN {literal(before)} || "values" END"""
        case Value(field, before, after):
            return f"{literal(before)} || {texts[field]} || {literal(after)}"
        case ValueList(before, values, after):
            each = f"concat_ws(',', {', '.join(_piece(value, texts) for value in values)})"
            some = " OR ".join(f"{texts[value.field]} IS NOT NULL" for value in values)
            return f"CASE WHEN {some} THEN {literal(before)} || {each} || {literal(after)} END"
    return literal(piece)
