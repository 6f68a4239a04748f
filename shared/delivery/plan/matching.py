"""Data matching as SQL: the cells of a snapshot row -> the JSON object of values that the vendor gets. Pure.

All cells are text. A cell that is empty after trimming leaves its field out (`keep`) or clears it (`clear`). A cell
that cannot be turned into its field's type is left out too, and counted; it never keeps a person off the list.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from shared.delivery.sql import literal, trimmed
from shared.vendors.contract import FieldType

_JSON: dict[FieldType, str] = {
    FieldType.STRING: "to_json({cell})",
    FieldType.INTEGER: "CASE WHEN regexp_full_match({cell}, '[+-]?[0-9]{{1,18}}') THEN {cell}::BIGINT::VARCHAR END",
    FieldType.NUMBER: (
        r"CASE WHEN regexp_full_match({cell}, '[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{{1,2}})?') "
        "AND isfinite(TRY_CAST({cell} AS DOUBLE)) THEN to_json({cell}::DOUBLE)::VARCHAR END"
    ),
    FieldType.BOOLEAN: (
        "CASE WHEN lower({cell}) IN ('true', '1', 'yes') THEN 'true' "
        "WHEN lower({cell}) IN ('false', '0', 'no') THEN 'false' END"
    ),
    FieldType.DATE: (
        r"CASE WHEN regexp_full_match({cell}, '[0-9]{{4}}[-/][0-9]{{1,2}}[-/][0-9]{{1,2}}([ T].*)?') "
        "AND TRY_CAST({cell} AS TIMESTAMPTZ) BETWEEN TIMESTAMPTZ '0001-01-01 00:00:00+00' "
        "AND TIMESTAMPTZ '9999-12-31 23:59:59.999999+00' THEN "
        "CASE WHEN length({cell}) = 10 THEN to_json(strftime(TRY_CAST({cell} AS DATE), '%Y-%m-%d')) "
        "ELSE to_json(strftime(TRY_CAST({cell} AS TIMESTAMPTZ), '%Y-%m-%d %H:%M:%S')) END END"
    ),
}


@dataclass(frozen=True, slots=True)
class Matched:
    """One vendor field filled from one column."""

    field: str
    column: str
    type: FieldType = FieldType.STRING
    clear: bool = False


def values(matches: Sequence[Matched]) -> str:
    """A JSON object as text, fields in the order of the data matching."""
    if not matches:
        return "'{}'"
    pieces = ", ".join(_piece(match) for match in matches)
    return f"'{{' || concat_ws(',', {pieces}) || '}}'"


def left_out(match: Matched) -> str:
    """True for a row whose cell is not empty and not of its field's type."""
    if match.type is FieldType.STRING:
        return "false"
    cell = trimmed(match.column)
    return f"({cell} IS NOT NULL AND {_json(match)} IS NULL)"


def _json(match: Matched) -> str:
    return f"({_JSON[match.type].format(cell=trimmed(match.column))})"


def _piece(match: Matched) -> str:
    name = literal(_json_name(match.field) + ":")
    filled = f"{name} || {_json(match)}"
    if not match.clear:
        return filled
    return f"CASE WHEN {trimmed(match.column)} IS NULL THEN {name} || 'null' ELSE {filled} END"


def _json_name(field: str) -> str:
    return json.dumps(field, ensure_ascii=False)
