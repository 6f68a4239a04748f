"""What looking for segments costs, and reading one of many small files: seconds, and requests to storage."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb

from dev.bench import asked, stage
from dev.bench.options import Measured, Options
from shared.cloud.settings import Location, Settings, StorageAddress
from shared.cloud.storage import blob_client
from shared.snapshots.finding import find_segments, newest_of
from shared.snapshots.reading import reader

SEGMENTS, TOGETHER, PARTS = 1_000, 300, 2_000
_AT_ONCE = 16
_FOLDER = "2026-11-22"


def measure(options: Options) -> Measured:
    with stage.storage() as storage:
        return _measured(storage)


def _measured(storage: stage.Storage) -> Measured:
    address = StorageAddress(connection_string=storage.services.connection_string)
    with blob_client(address) as client:

        def look(name: str, blobs: Mapping[str, bytes], wanted: int) -> tuple[str, float, str]:
            container = client.create_container(name)
            _upload(container, blobs)
            seconds, words, found = _asked(lambda: find_segments(client, [Location(name)], _later()))
            *_, again, _ = _asked(lambda: find_segments(client, [Location(name)], _later()))
            usable = [segment for segment in found if segment.snapshot]
            if len(usable) != wanted:
                raise SystemExit(f"{name}: {len(usable)} of {wanted} segments were found")
            return name, seconds, f"{words}; again {again}"

        looks = [
            look("parquet", _parquet(), SEGMENTS),
            look("csv", _csv(), SEGMENTS),
            look("model", _model(SEGMENTS, "S{0}/part-0.csv"), SEGMENTS),
            look("together", _model(TOGETHER, "S{0}.csv"), TOGETHER),
        ]
        named = {
            f"one named of {name}": _named(client, name, reference)
            for name, reference in (("parquet", "parquet:S7"), ("model", "model/export:S7"))
        }
        parts_seconds, parts = _parts(client)
    return Measured(
        {
            **{f"looking.{name}_s": seconds for name, seconds, _ in looks},
            "looking.parts_s": parts_seconds,
        },
        {**{name: words for name, _, words in looks}, **named, "parts": parts},
    )


def _named(client: Any, container: str, reference: str) -> str:
    return _asked(lambda: newest_of(client, [Location(container)], reference, _later()))[1]


def _parts(client: Any) -> tuple[float, str]:
    """CSV parts whose line ends and order of columns alternate, as in no segment that people would call well."""
    container = client.create_container("parts")
    _upload(container, {f"Loyal/{_FOLDER}/part-{number:04}.csv": _part(number) for number in range(PARTS)})
    seconds, words, rows = _asked(lambda: _rows(client))
    if rows != PARTS:
        raise SystemExit(f"{rows} of {PARTS} rows were read")
    return seconds, f"{PARTS:,} parts in {words}"


def _rows(client: Any) -> int:
    snapshot = newest_of(client, [Location("parts")], "Loyal", _later())
    with reader(client, Settings(StorageAddress(), StorageAddress())) as opened:
        rows = opened.scan(snapshot, ["EMail", "City"]).rows
        return len({address for address, city, _ in opened.connection.execute(rows).fetchall() if city == "B"})


def _part(number: int) -> bytes:
    columns = ("EMail", "City") if number % 2 else ("City", "EMail")
    cells = {"EMail": f"p{number}@example.com", "City": "B"}
    end = "\r\n" if number % 4 < 2 else "\n"
    return "".join(",".join(line) + end for line in (columns, [cells[name] for name in columns])).encode()


def _parquet() -> dict[str, bytes]:
    with TemporaryDirectory(prefix="bench-") as folder, duckdb.connect() as database:
        path = Path(folder) / "part.parquet"
        database.execute(f"COPY (SELECT 'p@example.com' AS EMail, 'B' AS City) TO '{path}' (FORMAT parquet)")
        content = path.read_bytes()
    return {f"S{number}/{_FOLDER}/part-0.parquet": content for number in range(SEGMENTS)}


def _csv() -> dict[str, bytes]:
    return {f"S{number}/{_FOLDER}/part-0.csv": _part(number) for number in range(SEGMENTS)}


def _model(tables: int, location: str) -> dict[str, bytes]:
    entities = [
        {
            "name": f"S{number}",
            "attributes": [{"name": "EMail"}, {"name": "City"}],
            "partitions": [{"location": location.format(number)}],
        }
        for number in range(tables)
    ]
    files = {f"export/{location.format(number)}": b"p@example.com,B\n" for number in range(tables)}
    return {**files, "export/model.json": json.dumps({"entities": entities}).encode()}


def _upload(container: Any, blobs: Mapping[str, bytes]) -> None:
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(lambda item: container.upload_blob(*item), blobs.items()))


def _later() -> datetime:
    """When nothing is being written any more."""
    return datetime.now(UTC) + timedelta(hours=1)


def _asked(work: Callable[[], Any]) -> tuple[float, str, Any]:
    """Seconds, what it took in words, and the result."""
    started, worked = time.monotonic(), time.process_time()
    with asked.counted() as counts:
        result = work()
    seconds, worked = time.monotonic() - started, time.process_time() - worked
    return seconds, f"{seconds:.1f} s, {worked:.1f} s of processor time, {counts.total():,} requests", result
