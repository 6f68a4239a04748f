"""What a person reads afterwards: `report.json` with everything counted, `rejected.csv` with every person and reason,
`left-out.csv` with every value that did not arrive as the source has it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.delivery import addresses
from shared.delivery.commit.new_ledger import Outcomes, Why
from shared.delivery.plan import cell_values
from shared.delivery.sql import harmless, literal
from shared.delivery.state import layout
from shared.delivery.state.files import DataFile
from shared.delivery.state.lookup import rows
from shared.delivery.state.plan import ORDER, Plan
from shared.delivery.state.records import State
from shared.delivery.state.rejected_rows import HEADER
from shared.delivery.state.transitions import RunKind
from shared.delivery.work import Work
from shared.wording import kept

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_HEADER = ("\ufeff" + ",".join(HEADER) + "\n").encode()
_LEFT_OUT_HEADER = "\ufeffsegment,file,row,field,code,reason\n".encode()
SAMPLE = 10
"""Rows of each kind of operation that a dry run shows."""


def write(work: Work, plan: Plan | None, outcomes: Outcomes, state: State) -> None:
    """Write the files of a delivery. Writing them again gives the same."""
    _write_rejected(work, plan, outcomes)
    if plan is not None:
        _write_left_out(work, plan, outcomes)
    if plan is not None and work.run.kind is RunKind.DRY_RUN:
        work.cloud.blobs.write(layout.sample(work.folder), json.dumps(_sample(work, plan)).encode())
    body = json.dumps(describe(work, plan, outcomes, state), indent=2, ensure_ascii=False)
    work.cloud.blobs.write(layout.report(work.folder), body.encode())


def _write_left_out(work: Work, plan: Plan, outcomes: Outcomes) -> None:
    query = _left_out_query(plan)
    lines = [(file, query) for file in (*plan.values_left_out, *outcomes.values_left_out)]
    if lines:
        work.cloud.blobs.compose(layout.left_out(work.folder), _blocks(work, _LEFT_OUT_HEADER, lines))
    for file in outcomes.values_left_out:
        work.cloud.blobs.delete(file.name)


def values_left_out(plan: Plan | None, outcomes: Outcomes) -> dict[str, int]:
    """Values that did not arrive as the source has them, by field: left out here, or not taken by the vendor."""
    return dict(Counter(plan.balance.left_out if plan else {}) + Counter(outcomes.left_out))


def describe(work: Work, plan: Plan | None, outcomes: Outcomes, state: State) -> dict[str, Any]:
    """The report of one delivery. It holds no address."""
    delivery, counters = work.delivery, work.opened.link.counters
    return {
        "export": work.export.name,
        "run": work.run.run,
        "state": str(state),
        "message": delivery.message,
        "target": {"key": delivery.target_key, **delivery.target},
        "snapshots": _snapshots(plan),
        "rows": _rows(plan),
        "outcomes": outcomes.counts,
        "evidence_of_receipts": outcomes.evidence,
        "members": sum(file.members for file in outcomes.files) if outcomes.files else None,
        "reasons": _reasons(plan, outcomes),
        "values_left_out": values_left_out(plan, outcomes),
        "guards": plan.findings if plan else [],
        "decision": delivery.decision or None,
        "warnings": delivery.warnings,
        "requests": work.requests_before + counters.requests,
        "retries": work.retries_before + counters.retries,
        "throttled_seconds": round(work.throttled_before + counters.throttled_seconds, 1),
        "seconds": round((work.clock() - (delivery.started_at or work.clock())).total_seconds(), 1),
    }


def _reasons(plan: Plan | None, outcomes: Outcomes) -> list[dict[str, Any]]:
    """People by reason, the most frequent first."""
    refused = plan.balance.refused if plan else {}
    found = [(Why("refused here", code, addresses.REASONS[code], "when changed"), n) for code, n in refused.items()]
    found += outcomes.reasons.items()
    return [
        {**asdict(why), "message": kept(why.reason), "people": people}
        for why, people in sorted(found, key=lambda each: -each[1])
    ]


def _rows(plan: Plan | None) -> dict[str, int]:
    if plan is None:
        return {}
    balance = plan.balance
    names = ("rows_read", "duplicates", "unchanged", "held", "left", "outside", "add", "change", "remove")
    return {name: getattr(balance, name) for name in names} | {"refused_here": sum(balance.refused.values())}


def _snapshots(plan: Plan | None) -> list[dict[str, Any]]:
    if plan is None:
        return []
    return [
        {
            "segment": pinned["name"],
            "snapshot": pinned["key"],
            "taken_at": pinned["taken_at"],
            "files": len(pinned["files"]),
            "rows": rows,
        }
        for pinned, rows in zip(plan.snapshots, plan.snapshot_rows, strict=True)
    ]


def _write_rejected(work: Work, plan: Plan | None, outcomes: Outcomes) -> None:
    """One block for each part, so that neither memory nor disk holds more than one."""
    queries = [(file, _refused_query(plan)) for file in plan.refused] if plan else []
    queries += [(file, REJECTED) for file in outcomes.rejected]
    name = layout.rejected(work.folder)
    if queries:
        work.cloud.blobs.compose(name, _blocks(work, _HEADER, queries))
    else:
        work.cloud.blobs.write(name, _HEADER)
    for file in outcomes.rejected:
        work.cloud.blobs.delete(file.name)


def _blocks(work: Work, header: bytes, queries: Sequence[tuple[DataFile, str]]) -> Iterator[Path]:
    first = work.where / "header.csv"
    first.write_bytes(header)
    yield first
    with work.scratch.database() as connection:
        for number, (file, query) in enumerate(queries):
            yield _csv(work, connection, file, query, number)


def _csv(work: Work, connection: DuckDBPyConnection, file: DataFile, query: str, number: int) -> Path:
    source, result = work.where / f"rows-{number}.parquet", work.where / "rows.csv"
    if not work.files.download(file.stored, source):
        raise RuntimeError("a file of this run's own rejected rows is missing")
    connection.execute(f"CREATE OR REPLACE TEMP VIEW rows AS FROM read_parquet({literal(str(source))})")
    connection.execute(f"COPY ({query}) TO {literal(str(result))} (FORMAT csv, HEADER false)")
    source.unlink()
    return result


def _sample(work: Work, plan: Plan) -> list[dict[str, Any]]:
    """A few operations of each kind, as the vendor would get them. It holds addresses."""
    found: list[dict[str, Any]] = []
    for kind in ORDER:
        files = [file for file in plan.files if file.kind is kind][:1]
        for row in (row for file in files for row in rows(work.cloud, file.file, f"file_row_number < {SAMPLE}")):
            values = json.loads(row["values"])
            found.append({"operation": str(kind), "address": row["address"], "values": values})
    return found


def _refused_query(plan: Plan) -> str:
    """Rows that were refused here."""
    reason = _in_words("problem", addresses.REASONS)
    return f"""
        SELECT {harmless("rows.address")}, {_PLACE}, '', 'refused', problem, {reason}, 'when changed'
        FROM rows {_places(plan)} ORDER BY rows.n
    """


def _left_out_query(plan: Plan) -> str:
    """Values that did not arrive as the source has them."""
    return f"""
        SELECT {_PLACE}, {harmless("rows.field")}, why, {_in_words("why", cell_values.REASONS)}
        FROM rows {_places(plan)} ORDER BY rows.n
    """


def _in_words(column: str, reasons: Mapping[Any, str]) -> str:
    """The reason that a code stands for."""
    cases = " ".join(f"WHEN '{code}' THEN {literal(reason)}" for code, reason in reasons.items())
    return f"CASE {column} {cases} END"


_PLACE = f"{harmless('names.segment')}, {harmless('names.file')}, rows.n - starts.start + 1"


def _places(plan: Plan) -> str:
    """Joins to `rows` where they stand in the snapshot, counted from 1 below the header."""
    starts = ", ".join(f"({segment}, {file}, {start})" for segment, file, start in plan.file_starts)
    names = ", ".join(
        f"({number}, {file}, {literal(snapshot['name'])}, {literal(name)})"
        for number, snapshot in enumerate(plan.snapshots)
        for file, name in enumerate(each["name"] for each in snapshot["files"])
    )
    return f"""
        JOIN (VALUES {starts}) AS starts(segment, file, start)
             ON starts.segment = rows.segment AND starts.file = rows.file_index
        JOIN (VALUES {names}) AS names(number, file_index, segment, file)
             ON names.number = rows.segment AND names.file_index = rows.file_index
    """


_TOLD = ", ".join(harmless(column) for column in ("kind", "outcome", "code", "reason", "retry"))
REJECTED = f"SELECT {harmless('address')}, '', '', NULL, {_TOLD} FROM rows"
"""Rows that the vendor did not take."""
