"""Commit a delivery: fold what its journal proves into new ledger files, and count every operation's end.

A batch without a receipt that was announced as sent is `unknown`; one that was not sent is `skipped`. So the
outcomes of every plan add up, however the delivery ended.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from shared.delivery.commit import became
from shared.delivery.commit.happened import EventLog
from shared.delivery.plan.cell_values import LeftOut
from shared.delivery.sql import literal
from shared.delivery.state import layout
from shared.delivery.state import ledger as ledgers
from shared.delivery.state.files import DataFile, Files, buckets, keep, store, write
from shared.delivery.state.job_times import TookTime
from shared.delivery.state.journal import Folded
from shared.delivery.state.ledger import COLUMNS, Ledger, LedgerFile
from shared.delivery.state.plan import FORGOTTEN, Plan
from shared.vendors.contract import Outcome
from shared.wording import read

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


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
    learns: bool = False
    """What the plan came to know of people is written down, too."""


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
    paths = became.load(database, files, plan, part, folded, place.where)
    _count(database, outcomes)
    folder = f"{layout.rejected_files(place.delivery)}{place.attempt}/"
    refused = f"{part:03d}-rejected.parquet"
    if file := keep(files, database, _REJECTED, folder + refused, place.where / refused):
        outcomes.rejected.append(file)
    kept = f"{part:03d}-left-out.parquet"
    if file := keep(files, database, _LEFT_OUT, folder + kept, place.where / kept):
        outcomes.values_left_out.append(file)
    if before is not None:
        if log is not None:
            _log(database, files, log, plan=plan, part=part, before=before, where=place.where)
        learned = _learned(plan, part) if place.learns else {}
        _write_ledger(database, files, outcomes, plan=plan, part=part, before=before, place=place, learned=learned)
    became.unload(database, paths)


def _learned(plan: Plan, part: int) -> dict[str, DataFile]:
    """Column of the ledger -> a file of people by address, of whom it tells what to write there."""
    found = {"person": plan.newly_known.get(part), "row": plan.recognisable.get(part)}
    return {column: file for column, file in found.items() if file}


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
    learned: Mapping[str, DataFile],
) -> None:
    first, last = buckets(part, plan.parts)
    if not (any(plan.of_part(part)) or learned) and (
        same := [each for each in before.files if (each.first, each.last) == (first, last)]
    ):
        outcomes.files += same
        return
    paths = [*ledgers.load(files, database, before, first, last, place.where)]
    database.execute(f"CREATE OR REPLACE TEMP VIEW moved AS {_MOVED}")
    after = _after(place.commit)
    for column, file in learned.items():
        paths.append(_fetched(files, file, place.where / f"learned-{column}.parquet"))
        after = _with_learned(after, column, paths[-1])
    # Written in one go: a table of it first would cost a third more.
    name = f"{part:03d}.parquet"
    query, path = f"SELECT {', '.join(COLUMNS)} FROM ({after})", place.where / name
    if rows := write(database, query, path):
        members, maybe = _counted(database, path)
        file = store(files, f"{place.ledger}{place.attempt}/{name}", path, rows)
        outcomes.files.append(LedgerFile(first, last, members + maybe, file, maybe))
    path.unlink()
    for path in paths:
        path.unlink()


def _fetched(files: Files, file: DataFile, path: Path) -> Path:
    if not files.download(file.stored, path):
        raise ledgers.damaged()
    return path


def _with_learned(after: str, column: str, told: Path) -> str:
    """The same, with what a file tells of addresses for one column."""
    new = f"CASE WHEN told.address IS NULL THEN after.{column} ELSE told.{column} END"
    return f"""
        SELECT after.* REPLACE ({new} AS {column})
        FROM ({after}) AS after LEFT JOIN read_parquet({literal(str(told))}) AS told ON after.address = told.address
    """


def _counted(database: DuckDBPyConnection, path: Path) -> tuple[int, int]:
    """Members of a ledger's file, and people of whom nobody knows whether they are."""
    counts = ", ".join(f"count(*) FILTER (status = '{status}')" for status in ("member", "maybe"))
    [(members, maybe)] = database.execute(f"SELECT {counts} FROM read_parquet({literal(str(path))})").fetchall()
    return int(members), int(maybe)


def _after(commit: str) -> str:
    """The part's ledger after the delivery."""
    return f"""
        SELECT ledger.* FROM ledger ANTI JOIN moved ON ledger.address = moved.address
        UNION ALL BY NAME
        SELECT moved.address, moved.bucket, moved.status,
               CASE held WHEN 'new' THEN moved.hash WHEN 'old' THEN ledger.hash END AS hash,
               coalesce(ids.vendor_id, moved.vendor_id, ledger.vendor_id) AS vendor_id,
               CASE WHEN refused THEN moved.code END AS code,
               CASE WHEN refused THEN moved.retry END AS retry,
               CASE WHEN refused THEN moved.hash END AS refused_hash,
               now()::TIMESTAMP AS changed_at,
               CASE WHEN moved.kind = 'remove' THEN now()::TIMESTAMP
                    WHEN moved.status = 'member' THEN NULL ELSE ledger.removed_at END AS removed_at,
               {literal(commit)} AS run, coalesce(moved.person, ledger.person) AS person,
               CASE held WHEN 'new' THEN moved.row WHEN 'old' THEN ledger.row END AS row
        FROM moved LEFT JOIN ledger ON ledger.address = moved.address
        LEFT JOIN vendor_ids AS ids ON ids.batch = moved.batch AND ids.index = moved.index
    """


_IS_FORGOTTEN = f"address = {literal(FORGOTTEN)}"
"""Whoever was forgotten since the plan was made comes back into nothing."""

_MOVED = f"FROM became WHERE status IS NOT NULL AND NOT {_IS_FORGOTTEN}"
"""Operations that change a ledger row, with what it becomes."""

_REJECTED = f"""
    SELECT address, kind, outcome, code, reason, retry FROM became
    WHERE outcome <> '{Outcome.ACCEPTED}' AND NOT {_IS_FORGOTTEN}
"""

_LEFT_OUT = f"""
    SELECT n, segment, file_index, unnest(left_out) AS field, '{LeftOut.VENDOR}' AS why
    FROM became WHERE outcome = '{Outcome.ACCEPTED}' AND len(left_out) > 0 AND n IS NOT NULL
"""


def _count(database: DuckDBPyConnection, outcomes: Outcomes) -> None:
    for kind, outcome, count in database.execute("SELECT kind, outcome, count(*) FROM became GROUP BY 1, 2").fetchall():
        name = f"{kind} {outcome}"
        outcomes.counts[name] = outcomes.counts.get(name, 0) + int(count)
    accepted = f"outcome = '{Outcome.ACCEPTED}' AND evidence IS NOT NULL"
    evident = f"SELECT evidence, count(*) FROM became WHERE {accepted} GROUP BY 1"
    for evidence, count in database.execute(evident).fetchall():
        outcomes.evidence[evidence] = outcomes.evidence.get(evidence, 0) + int(count)
    fields = f"SELECT unnest(left_out), count(*) FROM became WHERE outcome = '{Outcome.ACCEPTED}' GROUP BY 1"
    for name, count in database.execute(fields).fetchall():
        outcomes.left_out[name] = outcomes.left_out.get(name, 0) + int(count)
    coded = f"""
        SELECT outcome, code, any_value(message), any_value(retry), count(*)
        FROM became WHERE outcome <> '{Outcome.ACCEPTED}' GROUP BY 1, 2
    """
    for outcome, code, message, retry, count in database.execute(coded).fetchall():
        key = Why(outcome, code, read(message), retry)
        outcomes.reasons[key] = outcomes.reasons.get(key, 0) + int(count)
