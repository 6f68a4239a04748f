"""The view `became`: every operation of a part with its receipt, and what the ledger makes of it.

It reads the plan's files anew for whoever looks at it, so that no table of a million people is held in memory while
their ledger is written. Receipts are few, one for all of a batch who have none of their own: to join them again costs
little. Their texts are enumerations, which DuckDB writes into a column without looking at each row's text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from shared.delivery.sql import enumeration, literal
from shared.delivery.state import ledger as ledgers
from shared.delivery.state import vendor_ids
from shared.delivery.state.files import Files
from shared.delivery.state.journal import Folded
from shared.delivery.state.plan import Plan, PlanFile
from shared.delivery.state.transitions import AFTER, AFTER_CODE
from shared.vendors.contract import BatchResult, Kind, Outcome, Receipt
from shared.wording import kept, say

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

UNANSWERED = Receipt(
    Outcome.UNKNOWN, "no_answer", say("The request was sent; whether it was carried out is not known.")
)
NOT_SENT = Receipt(Outcome.SKIPPED, "not_sent", say("The run ended before this was sent."))

_RECEIPT = {
    "batch": "BIGINT",
    "index": "BIGINT",
    "kind": "VARCHAR",
    "outcome": "VARCHAR",
    "code": "VARCHAR",
    "reason": "VARCHAR",
    "message": "VARCHAR",
    "retry": "VARCHAR",
    "vendor_id": "VARCHAR",
    "evidence": "VARCHAR",
    "left_out": "VARCHAR[]",
    "status": "VARCHAR",
    "held": "VARCHAR",
    "refused": "BOOLEAN",
}
"""`index` is the person's in the batch, DEFAULT for all who have no receipt of their own. `status` is NULL where the
ledger's row stays as it was; `held` and `refused` are those of transitions.Becomes."""
_FEW_TEXTS = ("kind", "outcome", "code", "retry", "status", "held")
DEFAULT = -1

_NO_OPERATIONS = (
    "SELECT NULL::VARCHAR AS address, NULL::UTINYINT AS bucket, NULL::UBIGINT AS hash, NULL::VARCHAR AS vendor_id, "
    "NULL::BIGINT AS batch, NULL::BIGINT AS index, NULL::BIGINT AS n, "
    "NULL::INTEGER AS segment, NULL::INTEGER AS file_index, NULL::UBIGINT AS person, "
    "NULL::BOOLEAN AS moved, NULL::VARCHAR AS rule, NULL::UBIGINT AS row WHERE false"
)


def load(database: DuckDBPyConnection, files: Files, plan: Plan, part: int, folded: Folded, where: Path) -> list[Path]:
    """Make `became`, and the table `vendor_ids` of the ids that its vendor gave; the local files that it reads.

    Raises Blocked `ledger_damaged` where a file of the plan is missing.
    """
    planned = list(plan.of_part(part))
    kinds = {batch: file.kind for file in planned for batch in plan.batches(file)}
    kept_ids = {batch: file for batch, file in folded.ids.items() if batch in kinds}
    vendor_ids.load(files, database, kept_ids, where)
    _load_receipts(database, folded, kinds, where / "receipts.json")
    paths = []
    for number, file in enumerate(planned):
        paths.append(where / f"operations-{number}.parquet")
        if not files.download(file.file.stored, paths[-1]):
            raise ledgers.damaged()
    # By name, since plans of earlier versions do not say where a row stands, and removals stand nowhere.
    selects = [_operations(plan, file, path) for file, path in zip(planned, paths, strict=True)]
    operations = " UNION ALL BY NAME ".join([_NO_OPERATIONS, *selects])
    database.execute(f"""
        CREATE OR REPLACE TEMP VIEW became AS
        SELECT o.address, o.bucket, o.hash, o.n, o.segment, o.file_index, o.person, o.moved, o.rule, o.row, o.batch,
               o.index, coalesce(own.vendor_id, o.vendor_id) AS vendor_id, r.* EXCLUDE (batch, index, vendor_id)
        FROM ({operations}) AS o
        LEFT JOIN (FROM receipts WHERE index <> {DEFAULT}) AS own ON own.batch = o.batch AND own.index = o.index
        JOIN receipts AS r ON r.batch = o.batch AND r.index = coalesce(own.index, {DEFAULT})
    """)
    return paths


def unload(database: DuckDBPyConnection, paths: Iterable[Path]) -> None:
    """Take away what `load` made."""
    database.execute("DROP VIEW became; DROP TABLE receipts; DROP TABLE vendor_ids")
    for path in paths:
        path.unlink()


def _operations(plan: Plan, file: PlanFile, path: Path) -> str:
    return (
        f'SELECT * EXCLUDE ("values"), ({file.first} + file_row_number) // {plan.batch_rows} AS batch, '
        f"({file.first} + file_row_number) % {plan.batch_rows} AS index "
        f"FROM read_parquet({literal(str(path))}, file_row_number=true)"
    )


def _load_receipts(database: DuckDBPyConnection, folded: Folded, kinds: Mapping[int, Kind], path: Path) -> None:
    texts = {name: {""} for name in _FEW_TEXTS}
    with path.open("wb") as stream:
        for batch, kind in kinds.items():
            for line in _lines(batch, kind, _result(folded, batch)):
                for name, found in texts.items():
                    found.add(line[name] or "")
                stream.write(orjson.dumps(line) + b"\n")
    shape = ", ".join(f"{name}: '{kind}'" for name, kind in _RECEIPT.items())
    few = ", ".join(f"{name}::{enumeration(found)} AS {name}" for name, found in texts.items())
    database.execute(f"""
        CREATE OR REPLACE TEMP TABLE receipts AS
        SELECT * REPLACE ({few})
        FROM read_json({literal(str(path))}, format='newline_delimited', columns={{{shape}}})
    """)
    path.unlink()


def _result(folded: Folded, batch: int) -> BatchResult:
    if batch in folded.results:
        return folded.results[batch]
    return BatchResult(UNANSWERED if batch in folded.sent else NOT_SENT)


def _lines(batch: int, kind: Kind, result: BatchResult) -> Iterator[dict[str, Any]]:
    """The batch's default, then the rows that differ."""
    for index, receipt in [(DEFAULT, result.default), *result.others.items()]:
        becomes = AFTER_CODE.get(receipt.code, AFTER[kind, receipt.outcome])
        yield {
            "batch": batch,
            "index": index,
            "kind": kind,
            "outcome": receipt.outcome,
            "code": receipt.code,
            "reason": str(receipt.reason),
            "message": kept(receipt.reason),
            "retry": receipt.retry,
            "vendor_id": receipt.vendor_id,
            "evidence": receipt.evidence,
            "left_out": receipt.left_out,
            "status": becomes.status,
            "held": becomes.values,
            "refused": becomes.refused,
        }
