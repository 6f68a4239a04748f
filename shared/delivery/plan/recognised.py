"""Rows that are as they were when their people were last delivered: recognised before anything in them is judged.

The ledger keeps a hash of the row that a person's accepted values were made of. Where the row of an address has that
hash again, its values have the hash that the ledger has, so that its cells need not be looked at. What a row says of
somebody besides values is told all the same: whether each cell is filled, whose row it is, whether a rule keeps them
back. So only plain rows have a hash, of which nothing is to be counted or told: no value was left out or cut, no cell
is a text for nothing or blank, the address is good, and spelled as in the ledger but for capital letters.

The hash begins with a seed, which is made of all that turns cells into values (`recognising.seed`). DuckDB's hash is
quick and not made to withstand anybody, so it counts for the address of the row alone: who finds another row with the
same hash only keeps a change of their own from being delivered. Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from shared.delivery.sql import literal
from shared.delivery.state.transitions import PlanStep, RunKind, Status

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

KINDS = frozenset({RunKind.DELIVERY, RunKind.DRY_RUN, RunKind.REHEARSAL})
"""Kinds of runs for which a member with the values that were accepted is no operation."""
LEARNING = frozenset({RunKind.DELIVERY})
"""Those of them that note down whom the next run is to recognise."""

FEWEST = 0.01
"""Share of a part's people: for fewer no ledger is written, and they are judged again."""

_PEOPLE = f"SELECT address, bucket, row FROM ledger WHERE status = '{Status.MEMBER}' AND hash IS NOT NULL"


def beside(rows: str, cells: Sequence[str], address: str, judged: Collection[str], seed: int, width: int) -> str:
    """The rows of a query, whose cells become NULL where somebody is recognised, but for those that are `judged` all
    the same; other rows have their cells, and no address. `width` is how many buckets a part has.

    Needs the view `ledger`, and a DuckDB that makes its table of the right side: the segment has no place in memory.
    """
    looks = ", ".join(f"({each} IS NOT NULL)::UTINYINT AS look_{number}" for number, each in enumerate(cells))
    own = ", ".join(
        each if each in judged else f"CASE WHEN people.address IS NULL THEN {each} END AS {each}" for each in cells
    )
    return f"""
        SELECT n, segment, file_index, {own}, {looks}, people.address AS address, people.bucket AS bucket,
               (people.bucket // {width})::SMALLINT AS part, people.address IS NOT NULL AS recognised
        FROM (SELECT *, lower({address}) AS written, {_hash(cells, seed)} AS row FROM ({rows})) AS rows
        LEFT JOIN ({_PEOPLE}) AS people ON rows.written = people.address AND rows.row = people.row
    """


def others(file: Path, cells: Sequence[str]) -> str:
    """The rows of such a file by which nobody is recognised."""
    names = ", ".join(("n", "segment", "file_index", *cells))
    return f"SELECT {names} FROM read_parquet({literal(str(file))}) WHERE NOT recognised"


def hashed(cells: Sequence[str], seed: int | None) -> str:
    """Columns of what is needed later of cells as they are read: a hash, and how many are filled."""
    if seed is None:
        return "NULL::UBIGINT AS row, 0 AS filled"
    filled = " + ".join(f"({each} IS NOT NULL)::INTEGER" for each in cells)
    return f"{_hash(cells, seed)} AS row, {filled} AS filled"


def _hash(cells: Sequence[str], seed: int) -> str:
    return f"hash({seed}::UBIGINT, {', '.join(cells)})"


def of_plain(fields: int, cells: int, seed: int | None) -> str:
    """SQL of the hash of a row that was judged, NULL where anything in it is to be counted or told."""
    if seed is None:
        return "NULL::UBIGINT"
    looks = [f"look_{number}" for number in range(cells)]
    no_texts = f"({' | '.join(looks)}) < 2"
    no_blanks = f"{' + '.join(f'{look}::INTEGER' for look in looks)} = filled"
    arrives = (f"left_out_{number} IS NULL" for number in range(fields))
    plain = " AND ".join(("problem IS NULL", "address = lower(raw)", no_texts, no_blanks, *arrives))
    return f"CASE WHEN {plain} THEN row END"


RECOGNISABLE = f"""
    SELECT staged.address, staged.row FROM staged JOIN firsts ON staged.n = firsts.n
    ANTI JOIN (FROM steps WHERE step <> '{PlanStep.UNCHANGED}') AS steps ON steps.n = staged.n
    WHERE NOT staged.recognised AND staged.row IS NOT NULL AND firsts.rule IS NULL
"""
"""Who is unchanged, and was not recognised as that. Needs the part's `steps`."""


def are_many(database: DuckDBPyConnection) -> bool:
    """Whether so many of a part's people are unchanged and were not recognised that a ledger is worth it."""
    found = database.execute(f"""
        SELECT (SELECT count(*) FROM staged WHERE NOT recognised AND row IS NOT NULL)
               - (SELECT count(*) FROM steps WHERE step IN ('{PlanStep.ADD}', '{PlanStep.CHANGE}')),
               (SELECT count(*) FROM firsts)
    """).fetchone()
    assert found is not None
    not_recognised, people = found
    return bool(not_recognised >= max(1, FEWEST * people))
