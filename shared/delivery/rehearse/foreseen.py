"""What a rehearsal comes to: for each person what a run would do, and that counted.

`rehearsal.csv` has a line for each operation of the plan. The row of the delivery keeps the counts.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.delivery.commit import became
from shared.delivery.plan import lines
from shared.delivery.rehearse import listed
from shared.delivery.rehearse import pace as paces
from shared.delivery.sql import harmless, literal
from shared.delivery.state import journal, layout
from shared.delivery.state.plan import FORGOTTEN, Plan
from shared.delivery.work import Work
from shared.vendors.contract import PROFILE_MISSING, Kind, Outcome
from shared.vendors.presence import NOT_FOUND

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

HEADER = lines.header("address", "operation", "foreseen", "outcome", "code", "reason")

JOINS, THERE, UPDATED, LEAVES = "joins", "there already", "updated", "leaves"
GONE, LOST, REFUSED, LEFT_ALONE, UNKNOWN = "gone already", "lost", "refused", "left alone", "unknown"
WORDS = (JOINS, THERE, UPDATED, LEAVES, GONE, LOST, REFUSED, LEFT_ALONE, UNKNOWN)
"""What is foreseen of people, in the order in which it is shown."""

_TAKEN = f"outcome = '{Outcome.ACCEPTED}'"
_FORESEEN = f"""
    CASE WHEN outcome = '{Outcome.UNKNOWN}' THEN '{UNKNOWN}'
         WHEN code = '{PROFILE_MISSING}' THEN '{LOST}'
         WHEN outcome = '{Outcome.REJECTED}' THEN '{REFUSED}'
         WHEN outcome = '{Outcome.SKIPPED}' THEN '{LEFT_ALONE}'
         WHEN kind = '{Kind.CHANGE}' THEN '{UPDATED}'
         WHEN kind = '{Kind.ADD}' THEN CASE WHEN is_listed THEN '{THERE}' ELSE '{JOINS}' END
         WHEN code = '{NOT_FOUND}' OR NOT (is_listed OR {{whole}}) THEN '{GONE}'
         ELSE '{LEAVES}' END
"""
"""Of an operation and its receipt, beside the list as it is; `whole` says that it was not read."""


def write(work: Work, plan: Plan) -> None:
    """Write the file, and note the counts. Writing them again gives the same."""
    counts, reasons, began = Counter[str](), Counter[tuple[str, str, str]](), time.monotonic()
    work.cloud.blobs.compose(layout.rehearsed(work.folder), _pieces(work, plan, counts, reasons))
    noted = work.delivery.foreseen
    pace = paces.of_run(work, noted, time.monotonic() - began)
    facts: dict[str, Any] = {
        "outcomes": {word: counts[word] for word in WORDS if counts[word]},
        "reasons": [[*why, people] for why, people in reasons.most_common()],
        **asdict(pace),
    }
    work.note(foreseen={**noted, **facts})


def _pieces(work: Work, plan: Plan, counts: Counter[str], reasons: Counter[tuple[str, str, str]]) -> Iterator[Path]:
    first, rows = work.where / "header.csv", work.where / "rehearsed.csv"
    first.write_bytes(HEADER)
    yield first
    folded = journal.fold(work.cloud.blobs, layout.rehearsal(work.folder))
    with work.scratch.database() as database:
        listed.view(work, database)
        for part in range(plan.parts):
            paths = became.load(database, work.files, plan, part, folded, work.where)
            _foresee(database, whole=work.delivery.foreseen.get("people") is None)
            _count(database, counts, reasons)
            database.execute(f"COPY ({_LINES}) TO {literal(str(rows))} (FORMAT csv, HEADER false)")
            became.unload(database, paths)
            yield rows


def _foresee(database: DuckDBPyConnection, *, whole: bool) -> None:
    foreseen = _FORESEEN.format(whole=str(whole).lower())
    database.execute(f"""
        CREATE OR REPLACE TEMP TABLE foreseen AS
        SELECT *, {foreseen} AS foreseen FROM (
            SELECT address, kind, outcome, coalesce(code, '') AS code, coalesce(reason, '') AS reason,
                   coalesce(message, '') AS message, address IN (FROM listed) AS is_listed
            FROM became WHERE address <> {literal(FORGOTTEN)}
        )
    """)


def _count(database: DuckDBPyConnection, counts: Counter[str], reasons: Counter[tuple[str, str, str]]) -> None:
    for word, people in database.execute("SELECT foreseen, count(*) FROM foreseen GROUP BY 1").fetchall():
        counts[word] += int(people)
    told = f"""
        SELECT foreseen, code, any_value(message), count(*) FROM foreseen
        WHERE foreseen IN ('{LOST}', '{REFUSED}', '{LEFT_ALONE}', '{UNKNOWN}') GROUP BY 1, 2
    """
    for word, code, message, people in database.execute(told).fetchall():
        reasons[word, code, message] += int(people)


_LINES = f"""
    SELECT {harmless("address")}, kind, foreseen, outcome, {harmless("code")}, {harmless("reason")}
    FROM foreseen ORDER BY address
"""
