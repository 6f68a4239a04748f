"""The model.json of a folder of opt-outs: a table of the Common Data Model, whose partitions are CSV files. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from shared.catalog.opt_outs import table_of

FILE = "model.json"
OWNER = "segment-exports:connection"
"""Name of the annotation that says whose folder it is."""

COLUMNS = ("address", "kind", "opted_out_at", "reason", "list_id", "list_name", "vendor", "connection", "found_at")
"""Of the table, all of them texts; `opted_out_at` is when the vendor says it was, `found_at` when we read it."""

_CSV = {
    "$type": "CsvFormatSettings",
    "columnHeaders": True,
    "delimiter": ",",
    "quoteStyle": "QuoteStyle.Csv",
    "csvStyle": "CsvStyle.QuoteAlways",
    "encoding": "UTF-8",
}


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the table. Both of its files have its name; `landed_at` is ISO 8601."""

    number: int
    rows: int
    landed_at: str

    @property
    def csv(self) -> str:
        return f"csv/{self.name}.csv"

    @property
    def parquet(self) -> str:
        return f"parquet/{self.name}.parquet"

    @property
    def name(self) -> str:
        return f"part-{self.number:06d}"


def document(connection: str, parts: Sequence[Part], url_of: Callable[[str], str], at: str) -> bytes:
    """The model.json with these parts, in their order; `url_of` tells the address of a file in the folder."""
    table = {
        "$type": "LocalEntity",
        "name": table_of(connection),
        "description": "People who opted out at the vendor, among those whom exports sent there.",
        "attributes": [{"name": each, "dataType": "string"} for each in COLUMNS],
        "partitions": [
            {
                "name": each.name,
                "refreshTime": each.landed_at,
                "location": url_of(each.csv),
                "fileFormatSettings": _CSV,
            }
            for each in parts
        ],
    }
    return json.dumps(
        {
            "name": "OptOuts",
            "version": "1.0",
            "culture": "en-US",
            "modifiedTime": at,
            "annotations": [{"name": OWNER, "value": connection}],
            "entities": [table],
        },
        indent=1,
    ).encode()


def owner(data: bytes) -> str | None:
    """The connection whose folder a model.json is of; None where it is not of ours."""
    try:
        found: Any = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return None
    notes = found.get("annotations") if isinstance(found, dict) else None
    named = [each for each in notes if isinstance(each, dict)] if isinstance(notes, list) else []
    return next((str(each.get("value")) for each in named if each.get("name") == OWNER), None)
