"""What changed in a segment since the last run, besides its people: columns, their types, how full they are. Pure.

A run remembers what it saw of each segment with the target that it delivered to; the next one compares.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self

from shared.wording import Message, kept, read, say, some

EMPTIED = "emptied"
"""Name of the guard."""

FULL, BARE = 0.9, 0.1
"""A column that was filled in so many of the rows, and is now in so few, was not emptied by anybody's wish."""
FEWEST_ROWS = 20
"""Of fewer rows a share says nothing."""
TEXT_FOR_NOTHING = ("NULL", "null", "None", "NaN", "nan")
"""What writers put for no value at all. Null is a surname too, so such a cell is only counted."""
NOTICED = 0.01

_MOST_REMEMBERED = 16_000
"""Characters, of the 32,768 that a property of a table's row may have."""
_SHOWN = 5
_WHOLE = say("a whole number")
_FLOATING = say("a floating-point number")
_KINDS = {
    **dict.fromkeys(("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"), _WHOLE),
    **dict.fromkeys(("UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT"), _WHOLE),
    **dict.fromkeys(("FLOAT", "DOUBLE"), _FLOATING),
    **dict.fromkeys(("VARCHAR", "ENUM", "UUID"), say("text")),
    **dict.fromkeys(("TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS"), say("a date with a time")),
    "TIMESTAMP WITH TIME ZONE": say("a date with a time and a zone"),
    "BOOLEAN": say("yes or no"),
    "DATE": say("a date"),
    "TIME": say("a time of day"),
    "DECIMAL": say("a decimal number"),
}


@dataclass(frozen=True, slots=True)
class Look:
    """What a run saw of a segment. Shares and types are of matched columns; types are known of Parquet only."""

    segment: str
    name: str
    rows: int
    dialect: Message
    filled: Mapping[str, float] = field(default_factory=dict)
    types: Mapping[str, str] = field(default_factory=dict)
    columns: Sequence[str] = ()
    texts: Mapping[str, float] = field(default_factory=dict)
    """Share of the cells that are `NULL` or the like, of columns that have any."""
    bars: bool = False
    """It is an excluded segment."""

    def remembered(self, *, columns: bool) -> dict[str, Any]:
        """What the next run needs: of all the columns only a sum of each name, as there may be hundreds."""
        known = {
            "rows": self.rows,
            "dialect": kept(self.dialect),
            "filled": dict(self.filled),
            "types": dict(self.types),
        }
        return known | ({"columns": "".join(map(_sum, self.columns))} if columns else {})

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> Self:
        """What `asdict` gave."""
        return cls(**{each.name: plain[each.name] for each in fields(cls) if each.name in plain})


@dataclass(frozen=True, slots=True)
class Drift:
    """What differs, in sentences: what stops the run, what it is warned of, what is mentioned once."""

    stops: Sequence[str] = ()
    warnings: Sequence[str] = ()
    mentions: Sequence[str] = ()


def to_remember(looks: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """By segment, what the next run is to compare with; less where a row of a table would not hold it."""
    seen = [Look.of(each) for each in looks]
    for columns in (True, False):
        remembered = {look.segment: look.remembered(columns=columns) for look in seen}
        if len(json.dumps(remembered)) <= _MOST_REMEMBERED:
            return remembered
    return {}


def plain(looks: Sequence[Look]) -> list[dict[str, Any]]:
    """For a plan, which is JSON."""
    return [asdict(each) for each in looks]


def drift(looks: Sequence[Look], before: Mapping[str, Mapping[str, Any]]) -> Drift:
    """Compare with what the last run remembered, by segment. Where it remembered nothing, nothing differs."""
    known = [(look, before[look.segment]) for look in looks if look.segment in before]
    return Drift(
        stops=[text for look, was in known for text in (*_emptied(look, was), *_names_nobody(look, was))],
        warnings=[
            *(text for look, was in known for text in (*_other_dialect(look, was), *_other_types(look, was))),
            *(text for look in looks for text in _texts(look)),
        ],
        mentions=[text for look, was in known for text in _new_columns(look, was)],
    )


def _emptied(look: Look, was: Mapping[str, Any]) -> Iterator[str]:
    if min(look.rows, was["rows"]) < FEWEST_ROWS:
        return
    for column, share in look.filled.items():
        before = was["filled"].get(column, 0.0)
        if before >= FULL and share <= BARE:
            yield say(
                "%(column)s is empty in %(share)s%% of the rows of %(segment)s, %(before)s%% before",
                column=column,
                share=round(100 * (1 - share)),
                segment=look.name,
                before=round(100 * (1 - before)),
            )


def _names_nobody(look: Look, was: Mapping[str, Any]) -> Iterator[str]:
    if look.bars and not look.rows and was["rows"] >= FEWEST_ROWS:
        yield say(
            "the excluded segment %(segment)s is empty, and had %(rows)s rows before",
            segment=look.name,
            rows=was["rows"],
        )


def _other_dialect(look: Look, was: Mapping[str, Any]) -> Iterator[str]:
    before = read(was["dialect"])
    if look.dialect != before:
        yield say(
            "The files of %(segment)s are written in another way: %(now)s; before: %(before)s.",
            segment=look.name,
            now=look.dialect,
            before=before,
        )


def _other_types(look: Look, was: Mapping[str, Any]) -> Iterator[str]:
    for column, kind in look.types.items():
        now, before = _kind(kind), _kind(was["types"].get(column, kind))
        if now != before:
            yield say(
                "The column %(column)s of %(segment)s is %(now)s now, and was %(before)s before.",
                column=column,
                segment=look.name,
                now=Message(now),
                before=Message(before),
            )


def _texts(look: Look) -> Iterator[str]:
    for column, share in look.texts.items():
        if share > NOTICED:
            yield (
                say(
                    "%(share)s%% of the cells of %(column)s in %(segment)s are the text NULL, None or NaN, and "
                    "are delivered as that: let the writer leave them empty.",
                    share=round(100 * share),
                    column=column,
                    segment=look.name,
                )
            )


def _new_columns(look: Look, was: Mapping[str, Any]) -> Iterator[str]:
    if "columns" not in was:
        return
    sums = was["columns"]
    known = {sums[start : start + 8] for start in range(0, len(sums), 8)}
    new = [column for column in look.columns if _sum(column) not in known]
    if new:
        yield say("New in %(segment)s: %(columns)s.", segment=look.name, columns=some(new, _SHOWN))


def _kind(duckdb: str) -> str:
    """What people call a type of DuckDB's."""
    return _KINDS.get(duckdb.partition("(")[0], duckdb)


def _sum(name: str) -> str:
    return f"{zlib.crc32(name.encode()):08x}"
