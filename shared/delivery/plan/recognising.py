"""Whom a run recognises by their rows in the segment, see `recognised`: the people of the ledger, and the seed that
their rows' hashes begin with."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import orjson
from duckdb import DuckDBPyConnection

from shared.delivery.plan import attempt as attempts
from shared.delivery.plan import recognised
from shared.delivery.plan.operations import Source, Wish, staging_query
from shared.delivery.state import ledger
from shared.delivery.state.files import Files, buckets
from shared.delivery.state.ledger import Ledger


@dataclass(frozen=True, slots=True)
class Recognising:
    """`people` is the ledger, an empty one where nobody is to be recognised."""

    seed: int
    files: Files
    people: Ledger
    where: Path

    def load(self, connection: DuckDBPyConnection, part: int, parts: int) -> Sequence[Path]:
        """Make what staging a part needs; the files that it reads, which planning the part reads too."""
        # Else DuckDB may take the segment for the smaller side of the join, and hold all of it in memory.
        connection.execute("SET disabled_optimizers = 'join_order,build_side_probe_side'")
        return ledger.load(self.files, connection, self.people, *buckets(part, parts), self.where)


def recognising(files: Files, wish: Wish, before: Ledger, where: Path) -> Recognising:
    """Whom a run with this wish recognises; a run that sends unchanged people too recognises nobody."""
    people = before if wish.kind in recognised.KINDS else Ledger()
    return Recognising(seed(wish), files, people, where)


def seed(wish: Wish) -> int:
    """A number made of all that decides what becomes of a row: the data matching with what each field takes, the rules,
    the code, and the DuckDB that runs. After any change nobody is recognised by a hash from before it."""
    told = [attempts.code(), duckdb.__version__, staging_query(wish, [Source("rows")], 1)]
    return int.from_bytes(hashlib.sha256(orjson.dumps(told)).digest()[:8], "big")
