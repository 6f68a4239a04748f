"""Look into ledgers and plans for one address, or for how many people there are."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.catalog.models import Export
from shared.catalog.targets import TargetStore, target_key
from shared.cloud.cloud import Cloud
from shared.delivery.sql import literal
from shared.delivery.state import layout, ledger
from shared.delivery.state.files import DataFile
from shared.delivery.state.scratch import database, folder

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True, slots=True)
class KnownTarget:
    """A target of an export, and what deliveries remember of it."""

    key: str
    memory: Mapping[str, Any]
    ledger: str


def targets(cloud: Cloud, export: Export) -> Iterator[KnownTarget]:
    return (target(cloud, export, number) for number in range(len(export.targets)))


def target(cloud: Cloud, export: Export, number: int) -> KnownTarget:
    key = target_key(export.targets[number])
    claim = TargetStore(cloud.targets).owner(export.account, key)
    memory = claim.memory if claim else {}
    return KnownTarget(key, memory, str(memory.get("ledger") or layout.ledger_folder(export.account, key)))


def members(cloud: Cloud, export: Export) -> dict[str, int]:
    """People whom the export added and who are, or may be, on its targets. Raises Blocked for a damaged ledger."""
    known = targets(cloud, export)
    return {each.key: ledger.read(cloud.blobs, each.ledger).members for each in known}


def bucket(address: str) -> int:
    """The bucket of an address, as `files.BUCKET` computes it."""
    return hashlib.md5(address.encode(), usedforsecurity=False).digest()[0]


def ledger_row(cloud: Cloud, where: str, address: str) -> dict[str, Any] | None:
    """What a ledger knows of an address. Raises Blocked where it is damaged."""
    found = ledger.read(cloud.blobs, where)
    for part in found.files:
        if part.first <= bucket(address) <= part.last:
            return next(rows(cloud, part.file, f"address = {literal(address)}"), None)
    return None


def rows(cloud: Cloud, file: DataFile, condition: str) -> Iterator[dict[str, Any]]:
    """Rows of a Parquet file of ours that meet a condition, each with its place in the file as `place`."""
    with folder() as where, database(cloud.settings, where) as connection:
        path = where / "file.parquet"
        if not cloud.blobs.download(file.stored, path):
            raise ledger.damaged()
        yield from _select(connection, path, condition)


def _select(connection: DuckDBPyConnection, path: Path, condition: str) -> Iterator[dict[str, Any]]:
    source = f"read_parquet({literal(str(path))}, file_row_number=true)"
    found = connection.execute(f"SELECT *, file_row_number AS place FROM {source} WHERE {condition}")
    names = [column[0] for column in found.description or ()]
    for row in found.fetchall():
        yield dict(zip(names, row, strict=True))
