"""Commit a delivery: fold what its journal proves into new ledger files, and count every operation's end.

A batch without a receipt that was announced as sent is `unknown`; one that was not sent is `skipped`. So the
outcomes of every plan add up, however the delivery ended.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from shared.delivery.commit.happened import EventLog
from shared.delivery.plan.cell_values import LeftOut
from shared.delivery.sql import literal
from shared.delivery.state import layout, vendor_ids
from shared.delivery.state import ledger as ledgers
from shared.delivery.state.files import DataFile, Files, buckets, keep, store, write
from shared.delivery.state.job_times import TookTime
from shared.delivery.state.journal import Folded
from shared.delivery.state.ledger import COLUMNS, Ledger, LedgerFile
from shared.delivery.state.plan import FORGOTTEN, Plan
from shared.delivery.state.transitions import AFTER, AFTER_CODE, Becomes
from shared.vendors.contract import BatchResult, Outcome, Receipt
from shared.wording import kept, read, say

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

UNANSWERED = Receipt(
    Outcome.UNKNOWN, "no_answer", say("The request was sent; whether it was carried out is not known.")
)
NOT_SENT = Receipt(Outcome.SKIPPED, "not_sent", say("The run ended before this was sent."))


@dataclass(frozen=True, slots=True)
class Why:
    """A reason for an outcome other than accepted."""

    outcome: str
    code: str
    reason: str
    retry: str | None


@dataclass(slots=True)
class Outcomes:
    """What became of the operations: counts by kind and outcome (`add accepted`), people by reason, new files,
    and accepted ones by evidence. `left_out` counts, by field, values that the vendor did not take. `left_jobs`: the
    vendor may still work on some of it. `jobs`: how long its largest ones took. `generation` of the new one.
    """

    counts: dict[str, int] = field(default_factory=dict)
    reasons: dict[Why, int] = field(default_factory=dict)
    files: list[LedgerFile] = field(default_factory=list)
    rejected: list[DataFile] = field(default_factory=list)
    left_out: dict[str, int] = field(default_factory=dict)
    values_left_out: list[DataFile] = field(default_factory=list)
    evidence: dict[str, int] = field(default_factory=dict)
    left_jobs: bool = False
    jobs: list[TookTime] = field(default_factory=list)
    generation: int = 0


@dataclass(frozen=True, slots=True)
class LedgerPlace:
    """Where a commit works: the ledger's folder, the delivery's folder, this commit's name, a local folder.

    `attempt` names this try at the commit: a late worker never writes over files that a manifest names.
    """

    ledger: str
    delivery: str
    commit: str
    attempt: str
    where: Path
    knows: bool = False
    """People whom the plan came to know are written down, too."""


def commit_part(
    database: DuckDBPyConnection,
    files: Files,
    outcomes: Outcomes,
    *,
    plan: Plan,
    part: int,
    folded: Folded,
    before: Ledger | None,
    place: LedgerPlace,
    log: EventLog | None = None,
) -> None:
    """Count how one part's operations ended, keep what was refused, and write its new ledger file, and to `log` what
    happened to whom.

    `before` None: the ledger is swapped already, only count.
    """
    load_outcomes(database, files, plan, part, folded, place.where)
    _count(database, outcomes)
    folder = f"{layout.rejected_files(place.delivery)}{place.attempt}/"
    refused = f"{part:03d}-rejected.parquet"
    if file := keep(files, database, _REJECTED, folder + refused, place.where / refused):
        outcomes.rejected.append(file)
    kept = f"{part:03d}-left-out.parquet"
    if file := keep(files, database, _LEFT_OUT, folder + kept, place.where / kept):
        outcomes.values_left_out.append(file)
    if before is not None:
        _load_transitions(database)
        database.execute(f"CREATE OR REPLACE TEMP VIEW became AS {_became()}")
        if log is not None:
            _log(database, files, log, plan=plan, part=part, before=before, where=place.where)
        people = plan.newly_known.get(part) if place.knows else None
        _write_ledger(database, files, outcomes, plan=plan, part=part, before=before, place=place, people=people)
    for path in (*place.where.glob("operations-*.parquet"), place.where / "receipts.json"):
        path.unlink()


def _log(
    database: DuckDBPyConnection,
    files: Files,
    log: EventLog,
    *,
    plan: Plan,
    part: int,
    before: Ledger,
    where: Path,
) -> None:
    first, last = buckets(part, plan.parts)
    if log.lists:
        paths = ledgers.load(files, database, before, first, last, where)
        log.write_list(database, first, last, where)
        for path in paths:
            path.unlink()
    if any(plan.of_part(part)):
        log.write_outcomes(database, first, last, where)


def _write_ledger(
    database: DuckDBPyConnection,
    files: Files,
    outcomes: Outcomes,
    *,
    plan: Plan,
    part: int,
    before: Ledger,
    place: LedgerPlace,
    people: DataFile | None,
) -> None:
    first, last = buckets(part, plan.parts)
    if not (any(plan.of_part(part)) or people) and (
        same := [each for each in before.files if (each.first, each.last) == (first, last)]
    ):
        outcomes.files += same
        return
    paths = [*ledgers.load(files, database, before, first, last, place.where)]
    database.execute(f"CREATE OR REPLACE TEMP VIEW moved AS {_MOVED}")
    after = _after(place.commit)
    if people:
        paths.append(_fetched(files, people, place.where / "newly-known.parquet"))
        after = _with_people(after, paths[-1])
    # Written in one go: a table of it first would cost a third more.
    name = f"{part:03d}.parquet"
    query, path = f"SELECT {', '.join(COLUMNS)} FROM ({after}) ORDER BY bucket", place.where / name
    if rows := write(database, query, path):
        members, maybe = _counted(database, path)
        file = store(files, f"{place.ledger}{place.attempt}/{name}", path, rows)
        outcomes.files.append(LedgerFile(first, last, members + maybe, file, maybe))
    path.unlink()
    for path in paths:
        path.unlink()


def _fetched(files: Files, people: DataFile, path: Path) -> Path:
    if not files.download(people.stored, path):
        raise ledgers.damaged()
    return path


def _with_people(after: str, named: Path) -> str:
    """The same, with whose addresses these are."""
    return f"""
        SELECT after.* REPLACE (CASE WHEN named.address IS NULL THEN after.person ELSE named.person END AS person)
        FROM ({after}) AS after LEFT JOIN read_parquet({literal(str(named))}) AS named ON after.address = named.address
    """


def _counted(database: DuckDBPyConnection, path: Path) -> tuple[int, int]:
    """Members of a ledger's file, and people of whom nobody knows whether they are."""
    counts = ", ".join(f"count(*) FILTER (status = '{status}')" for status in ("member", "maybe"))
    [(members, maybe)] = database.execute(f"SELECT {counts} FROM read_parquet({literal(str(path))})").fetchall()
    return int(members), int(maybe)


def load_outcomes(
    database: DuckDBPyConnection, files: Files, plan: Plan, part: int, folded: Folded, where: Path
) -> None:
    """Make `outcomes`: every operation of one part with its receipt."""
    plan_files = list(plan.of_part(part))
    batches = {batch for file in plan_files for batch in plan.batches(file)}
    kept_ids = {batch: file for batch, file in folded.ids.items() if batch in batches}
    vendor_ids.load(files, database, kept_ids, where)
    lines = where / "receipts.json"
    with lines.open("wb") as stream:
        for file in plan_files:
            for batch in plan.batches(file):
                for line in _receipt_lines(batch, _result(folded, batch)):
                    stream.write(orjson.dumps(line) + b"\n")
    shape = (
        "batch: 'BIGINT', index: 'BIGINT', outcome: 'VARCHAR', code: 'VARCHAR', reason: 'VARCHAR', message: 'VARCHAR', "
    )
    shape += "retry: 'VARCHAR', vendor_id: 'VARCHAR', evidence: 'VARCHAR', left_out: 'VARCHAR[]'"
    database.execute(f"""
        CREATE OR REPLACE TEMP TABLE receipts AS
        SELECT * FROM read_json({literal(str(lines))}, format='newline_delimited', columns={{{shape}}})
    """)
    selects = []
    for number, file in enumerate(plan_files):
        path = where / f"operations-{number}.parquet"
        if not files.download(file.file.stored, path):
            raise ledgers.damaged()
        selects.append(
            f"SELECT * EXCLUDE (\"values\"), '{file.kind}' AS kind, "
            f"({file.first} + file_row_number) // {plan.batch_rows} AS batch, "
            f"({file.first} + file_row_number) % {plan.batch_rows} AS index "
            f"FROM read_parquet({literal(str(path))}, file_row_number=true)"
        )
    # By name, since plans of earlier versions do not say where a row stands, and removals stand nowhere.
    operations = " UNION ALL BY NAME ".join([_NO_OPERATIONS, *selects])
    database.execute(f"""
        CREATE OR REPLACE TEMP TABLE answered AS
        SELECT o.address, o.bucket, o.hash, o.kind, o.n, o.segment, o.file_index, o.person, o.moved, o.rule,
               o.batch, coalesce(own.index, -1) AS receipt,
               coalesce(ids.vendor_id, own.vendor_id, o.vendor_id) AS vendor_id
        FROM ({operations}) AS o
        LEFT JOIN receipts AS own ON own.batch = o.batch AND own.index = o.index
        LEFT JOIN vendor_ids AS ids ON ids.batch = o.batch AND ids.index = o.index;
        DROP TABLE vendor_ids;
        CREATE OR REPLACE TEMP VIEW outcomes AS
        SELECT o.address, o.bucket, o.hash, o.kind, o.n, o.segment, o.file_index, o.person, o.moved, o.rule,
               o.vendor_id, r.outcome, r.code, r.reason, r.message, r.retry, r.evidence, r.left_out
        FROM answered AS o JOIN receipts AS r ON r.batch = o.batch AND r.index = o.receipt
    """)


_NO_OPERATIONS = (
    "SELECT NULL::VARCHAR AS address, NULL::UTINYINT AS bucket, NULL::UBIGINT AS hash, NULL::VARCHAR AS vendor_id, "
    "NULL::VARCHAR AS kind, NULL::BIGINT AS batch, NULL::BIGINT AS index, NULL::BIGINT AS n, "
    "NULL::INTEGER AS segment, NULL::INTEGER AS file_index, NULL::UBIGINT AS person, "
    "NULL::BOOLEAN AS moved, NULL::VARCHAR AS rule WHERE false"
)


def _result(folded: Folded, batch: int) -> BatchResult:
    if batch in folded.results:
        return folded.results[batch]
    return BatchResult(UNANSWERED if batch in folded.sent else NOT_SENT)


def _receipt_lines(batch: int, result: BatchResult) -> Iterator[dict[str, object]]:
    """The batch's default as index -1, then the rows that differ."""
    for index, receipt in [(-1, result.default), *result.others.items()]:
        yield {
            "batch": batch,
            "index": index,
            "outcome": receipt.outcome,
            "code": receipt.code,
            "reason": str(receipt.reason),
            "message": kept(receipt.reason),
            "retry": receipt.retry,
            "vendor_id": receipt.vendor_id,
            "evidence": receipt.evidence,
            "left_out": receipt.left_out,
        }


def _load_transitions(database: DuckDBPyConnection) -> None:
    """The table AFTER, as a table: `code` is '' for the entries that hold for any code."""
    rows = [
        (str(kind), str(outcome), code, *_row(AFTER_CODE.get(code, becomes)))
        for (kind, outcome), becomes in AFTER.items()
        for code in ("", *AFTER_CODE)
    ]
    places = ", ".join(["(?, ?, ?, ?, ?, ?)"] * len(rows))
    database.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE transitions AS
        FROM (VALUES {places}) AS t(kind, outcome, code, status, held, refused)
        """,
        [value for row in rows for value in row],
    )


def _row(becomes: Becomes) -> tuple[str | None, str, bool]:
    return (str(becomes.status) if becomes.status else None, becomes.values, becomes.refused)


def _became() -> str:
    """Operations with what becomes of the ledger's row; `status` is NULL where it stays as it was."""
    codes = ", ".join(literal(code) for code in AFTER_CODE)
    return f"""
        SELECT outcomes.*, t.status, t.held, t.refused FROM outcomes
        JOIN transitions AS t ON t.kind = outcomes.kind AND t.outcome = outcomes.outcome
             AND t.code = CASE WHEN outcomes.code IN ({codes}) THEN outcomes.code ELSE '' END
    """


def _after(commit: str) -> str:
    """The part's ledger after the delivery."""
    return f"""
        SELECT ledger.* FROM ledger ANTI JOIN moved ON ledger.address = moved.address
        UNION ALL BY NAME
        SELECT moved.address, moved.bucket, moved.status,
               CASE held WHEN 'new' THEN moved.hash WHEN 'old' THEN ledger.hash END AS hash,
               coalesce(moved.vendor_id, ledger.vendor_id) AS vendor_id,
               CASE WHEN refused THEN moved.code END AS code,
               CASE WHEN refused THEN moved.retry END AS retry,
               CASE WHEN refused THEN moved.hash END AS refused_hash,
               now()::TIMESTAMP AS changed_at,
               CASE WHEN moved.kind = 'remove' THEN now()::TIMESTAMP
                    WHEN moved.status = 'member' THEN NULL ELSE ledger.removed_at END AS removed_at,
               {literal(commit)} AS run, coalesce(moved.person, ledger.person) AS person
        FROM moved LEFT JOIN ledger ON ledger.address = moved.address
    """


_IS_FORGOTTEN = f"address = {literal(FORGOTTEN)}"
"""Whoever was forgotten since the plan was made comes back into nothing."""

_MOVED = f"FROM became WHERE status IS NOT NULL AND NOT {_IS_FORGOTTEN}"
"""Operations that change a ledger row, with what it becomes."""

_REJECTED = f"""
    SELECT address, kind, outcome, code, reason, retry FROM outcomes
    WHERE outcome <> '{Outcome.ACCEPTED}' AND NOT {_IS_FORGOTTEN}
"""

_LEFT_OUT = f"""
    SELECT n, segment, file_index, unnest(left_out) AS field, '{LeftOut.VENDOR}' AS why
    FROM outcomes WHERE outcome = '{Outcome.ACCEPTED}' AND len(left_out) > 0 AND n IS NOT NULL
"""


def _count(database: DuckDBPyConnection, outcomes: Outcomes) -> None:
    for kind, outcome, count in database.execute(
        "SELECT kind, outcome, count(*) FROM outcomes GROUP BY 1, 2"
    ).fetchall():
        name = f"{kind} {outcome}"
        outcomes.counts[name] = outcomes.counts.get(name, 0) + int(count)
    accepted = f"outcome = '{Outcome.ACCEPTED}' AND evidence IS NOT NULL"
    evident = f"SELECT evidence, count(*) FROM outcomes WHERE {accepted} GROUP BY 1"
    for evidence, count in database.execute(evident).fetchall():
        outcomes.evidence[evidence] = outcomes.evidence.get(evidence, 0) + int(count)
    fields = f"SELECT unnest(left_out), count(*) FROM outcomes WHERE outcome = '{Outcome.ACCEPTED}' GROUP BY 1"
    for name, count in database.execute(fields).fetchall():
        outcomes.left_out[name] = outcomes.left_out.get(name, 0) + int(count)
    coded = f"""
        SELECT outcome, code, any_value(message), any_value(retry), count(*)
        FROM outcomes WHERE outcome <> '{Outcome.ACCEPTED}' GROUP BY 1, 2
    """
    for outcome, code, message, retry, count in database.execute(coded).fetchall():
        key = Why(outcome, code, read(message), retry)
        outcomes.reasons[key] = outcomes.reasons.get(key, 0) + int(count)
