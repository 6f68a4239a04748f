"""Ids that a vendor gave to people, in a column file for each batch, so that no slice holds an object for each person.

The file is there before the journal's line that names it. Where it is lost, its people go on without an id: vendors
look people up by address then.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from shared.delivery.sql import literal
from shared.delivery.state.files import DataFile, Files
from shared.delivery.state.scratch import PARQUET
from shared.vendors.contract import BatchResult

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

log = logging.getLogger(__name__)


def apart(result: BatchResult) -> tuple[BatchResult, dict[int, str]]:
    """A batch's result without ids, and the ids by the person's index in the batch."""
    ids = {index: receipt.vendor_id for index, receipt in result.others.items() if receipt.vendor_id}
    without = ((index, replace(receipt, vendor_id=None)) for index, receipt in result.others.items())
    return replace(result, others={index: each for index, each in without if each != result.default}), ids


def store(files: Files, database: DuckDBPyConnection, ids: Mapping[int, str], name: str, path: Path) -> DataFile:
    """Keep the ids of one batch in a blob, by way of `path`, which is gone afterwards."""
    query = f"COPY (SELECT unnest($index) AS index, unnest($id) AS vendor_id) TO {literal(str(path))} {PARQUET}"
    database.execute(query, {"index": list(ids), "id": list(ids.values())})
    try:
        stored = files.upload(name, path)
        return DataFile(stored.name, stored.md5, stored.size, len(ids))
    finally:
        path.unlink(missing_ok=True)


def load(files: Files, database: DuckDBPyConnection, kept: Mapping[int, DataFile], where: Path) -> None:
    """Make the table `vendor_ids` (batch, index, vendor_id) of the files of these batches."""
    database.execute("CREATE OR REPLACE TEMP TABLE vendor_ids (batch BIGINT, index BIGINT, vendor_id VARCHAR)")
    for batch, file in kept.items():
        path = where / f"ids-{batch}.parquet"
        try:
            if not files.download(file.stored, path):
                log.warning("The ids of %d people are lost; who needs one is looked up by address.", file.rows)
                continue
            database.execute(
                f"INSERT INTO vendor_ids SELECT {batch}, index, vendor_id FROM read_parquet({literal(str(path))})"
            )
        finally:
            path.unlink(missing_ok=True)
