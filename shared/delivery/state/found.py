"""What a check-up found of a target: people who are not there as its record says. They lie in files, for a repair.

The files are written first and the manifest after them; it names the commit of the ledger that the vendor was compared
with, so whatever changes the ledger makes the findings worthless.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.cloud.blobs import Blobs
from shared.delivery.sql import literal
from shared.delivery.state import layout
from shared.delivery.state.files import DataFile, Files
from shared.delivery.state.ledger import Commit, Ledger
from shared.errors import UserMustAct
from shared.wording import say

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

log = logging.getLogger(__name__)

KEPT = timedelta(days=1)
"""For so long findings are kept and can be mended: they hold addresses, and the vendor's list goes on changing."""
CHECK_FIRST = say(
    "A repair mends what a full check of the list found. There is none that is newer than "
    "the last delivery and less than a day old: check the list first."
)
_COLUMNS = {"address": "VARCHAR", "bucket": "UTINYINT", "what": "VARCHAR", "at": "DOUBLE"}


class What(StrEnum):
    """What is wrong with one person on one target."""

    MISSING = "missing"
    """A member by the record, and not there."""
    LOST = "lost"
    """There, and no member by the record, although we added them once."""
    DIFFERS = "differs"
    """There, with other values than were delivered."""


@dataclass(frozen=True, slots=True)
class FoundFile:
    """People of the buckets first..last."""

    first: int
    last: int
    file: DataFile


@dataclass(frozen=True, slots=True)
class Findings:
    """What was found of the ledger that `commit` wrote; `at` in seconds since 1970, `people` by what is wrong."""

    commit: Commit
    at: float
    people: Mapping[str, int] = field(default_factory=dict)
    files: Sequence[FoundFile] = ()

    @property
    def total(self) -> int:
        return sum(self.people.values())

    def fits(self, ledger: Ledger, at: float) -> bool:
        """Whether nothing changed the ledger since, and they are of the last day."""
        return self.commit == Commit(ledger.commit, ledger.generation) and at - self.at <= KEPT.total_seconds()


def write(blobs: Blobs, export: str, target: int, findings: Findings) -> None:
    """Make these the findings of a target."""
    blobs.write(layout.found_manifest(export, target), json.dumps(asdict(findings)).encode())


def read(blobs: Blobs, export: str, target: int) -> Findings | None:
    """The findings of a target's latest check-up in full; None where there are none, or none that can be read."""
    stored = blobs.read(layout.found_manifest(export, target))
    if stored is None:
        return None
    try:
        return _parse(json.loads(stored[0]))
    except (ValueError, KeyError, TypeError):
        log.error("What a check-up of the export %s found cannot be read: check again.", export)
        return None


def _parse(plain: dict[str, Any]) -> Findings:
    files = tuple(FoundFile(each["first"], each["last"], DataFile.of(each["file"])) for each in plain["files"])
    return Findings(Commit(*plain["commit"]), float(plain["at"]), dict(plain["people"]), files)


def drop(blobs: Blobs, export: str, target: int) -> None:
    """Delete a target's findings, the manifest first."""
    blobs.delete(layout.found_manifest(export, target))
    for name in list(blobs.names(layout.found_folder(export, target))):
        blobs.delete(name)


def drop_all(blobs: Blobs) -> None:
    """Delete all findings, manifests first; for who is to be forgotten."""
    for name in sorted(blobs.names(layout.FOUND), key=lambda each: not each.endswith(".json")):
        blobs.delete(name)


def load(
    files: Files, database: DuckDBPyConnection, findings: Findings | None, first: int, last: int, where: Path
) -> Sequence[Path]:
    """Make the view `found` of whom was found in buckets first..last, and say which local files it reads.

    Raises UserMustAct `check_first` where a file is gone.
    """
    paths = []
    for number, each in enumerate(findings.files if findings else ()):
        if each.last < first or each.first > last:
            continue
        path = where / f"found-{number}.parquet"
        if not files.download(each.file.stored, path):
            raise UserMustAct("check_first", CHECK_FIRST)
        paths.append(path)
    if paths:
        listed = ", ".join(literal(str(path)) for path in paths)
        at = findings.at if findings else 0.0
        source = f"SELECT *, {at}::DOUBLE AS at FROM read_parquet([{listed}]) WHERE bucket BETWEEN {first} AND {last}"
    else:
        source = "SELECT " + ", ".join(f"NULL::{kind} AS {name}" for name, kind in _COLUMNS.items()) + " WHERE false"
    database.execute(f"CREATE OR REPLACE TEMP VIEW found AS {source}")
    return paths
