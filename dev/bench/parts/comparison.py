"""What it costs to say who is on one connection of an export and not on another: time, memory, requests to storage.

Ledgers and the other connection's last run are written as commits leave them, without a run, so that nothing else is
measured.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from dev.bench import asked, stage
from dev.bench.options import Measured, Options
from dev.bench.processes import DiskWatch, cpu_seconds, forget_peak, peak_mb
from shared.catalog.models import Export
from shared.catalog.targets import target_key
from shared.cloud.cloud import Cloud
from shared.cloud.settings import Settings, StorageAddress
from shared.delivery.lookups import compared
from shared.delivery.plan.division import parts_for
from shared.delivery.state import layout, ledger
from shared.delivery.state.files import BUCKET, DataFile, buckets
from shared.delivery.state.records import Delivery, Run, State, Step
from shared.delivery.state.rejected_rows import HEADER
from shared.delivery.state.runs import Runs
from shared.delivery.state.scratch import PARQUET
from shared.delivery.state.transitions import RunKind

AT = datetime(2026, 11, 30, 6, 0, tzinfo=UTC)
RUN = "20261130-060000-000-beef"
REASON = "City is none of: Exampleville, Testhausen, São Exemplo."


@dataclass(frozen=True, slots=True)
class Case:
    """Two ledgers of `rows` people, of whom one in `one_in` is kept off the second by a rule."""

    name: str
    rows: int
    one_in: int


def measure(options: Options) -> Measured:
    cases = (
        Case("a hundredth kept back", options.rows, 100),
        Case("everybody kept back", options.rows, 1),
    )
    measured = [_measured(case) for case in cases]
    return Measured(
        {name: figure for each in measured for name, figure in each.metrics.items()},
        {name: words for each in measured for name, words in each.details.items()},
    )


def _measured(case: Case) -> Measured:
    with stage.storage() as storage:
        address = StorageAddress(connection_string=storage.services.connection_string)
        cloud = Cloud(Settings(address, address))
        here, there = _export("here"), _export("there")
        _ledger(cloud, here, case, "true")
        _ledger(cloud, there, case, f"i % {case.one_in} <> 0")
        _last_run(cloud, there, case)
        found, counting = _taken(lambda: compared.compare(cloud, here, there))
        expected = (case.rows, -(-case.rows // case.one_in))
        if (found.people, found.missing.total()) != expected:
            raise SystemExit(f"{case.name}: {found.people} people and {found.missing.total()} missing, not {expected}")
        lines, naming = _taken(lambda: _lines(cloud, here, there))
        if lines != 1 + min(expected[1], compared.MOST_ROWS):
            raise SystemExit(f"{case.name}: the file has {lines} lines")
    place = case.name.replace(" ", "_")
    return Measured(
        {f"comparison.{place}_s": counting.seconds, f"comparison.{place}_peak_mb": counting.peak_mb},
        {f"{case.rows:,}, {case.name}": counting.in_words, f"… a file of them ({case.name})": naming.in_words},
    )


@dataclass(frozen=True, slots=True)
class Taken:
    """What work took in this process."""

    seconds: float
    cpu: float
    peak_mb: float
    disk_mb: float
    requests: int

    @property
    def in_words(self) -> str:
        return (
            f"{self.seconds:.1f} s, processor {self.cpu:.1f} s, peak {self.peak_mb:.0f} MB, "
            f"disk {self.disk_mb:.0f} MB, {self.requests} requests to storage"
        )


def _taken(work: Callable[[], Any]) -> tuple[Any, Taken]:
    me = os.getpid()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, DiskWatch(Path(folder)) as disk:
        before, tempfile.tempdir = tempfile.tempdir, folder
        forget_peak(me)
        began, worked = time.monotonic(), cpu_seconds(me)
        try:
            with asked.counted() as counts:
                result = work()
        finally:
            tempfile.tempdir = before
        seconds, worked = time.monotonic() - began, cpu_seconds(me) - worked
    return result, Taken(seconds, worked, peak_mb(me), disk.peak_mb, counts.total())


def _lines(cloud: Cloud, here: Export, there: Export) -> int:
    with compared.people(cloud, here, there) as path, path.open("rb") as lines:
        return sum(1 for _ in lines)


def _export(name: str) -> Export:
    stamps = {"created_at": AT, "created_by": "Ada", "updated_at": AT, "updated_by": "Ada"}
    return Export.model_validate(
        {
            "name": name,
            "display_name": name,
            "connection": name,
            "account": name,
            "targets": [{"segments": ["LoyalCustomers"]}],
            "address_column": "EMail",
            **stamps,
        }
    )


def _people(rows: int) -> str:
    address = "'person.' || lpad(i::VARCHAR, 9, '0') || '@example.com'"
    return f"SELECT i, {address} AS address FROM range({rows}) r(i)"  # noqa: S608 - numbers only


def _ledger(cloud: Cloud, export: Export, case: Case, on_list: str) -> None:
    """Of those who are on the list, in parts as a commit writes them."""
    folder = layout.ledger_folder(export.account, target_key(export.targets[0]))
    parts = parts_for(case.rows, cloud.settings.rows_per_file)
    files = []
    filled = {
        "address": "address",
        "bucket": BUCKET,
        "status": "'member'",
        "hash": "hash(i)",
        "vendor_id": "md5(i::VARCHAR)",
        "changed_at": f"TIMESTAMP '{AT:%Y-%m-%d %H:%M:%S}'",
        "run": f"'{RUN}'",
    }
    columns = ", ".join(f"{filled.get(name, 'NULL')}::{kind} AS {name}" for name, kind in ledger.COLUMNS.items())
    with tempfile.TemporaryDirectory(prefix="bench-") as name, duckdb.connect(config={"threads": 2}) as database:
        for part in range(parts):
            first, last = buckets(part, parts)
            path = Path(name) / "part.parquet"
            wanted = f"{on_list} AND {BUCKET} BETWEEN {first} AND {last}"
            rows = f"SELECT {columns} FROM ({_people(case.rows)}) WHERE {wanted}"  # noqa: S608 - ours
            made = database.execute(f"COPY ({rows}) TO '{path}' {PARQUET}").fetchone()
            stored = cloud.blobs.upload(f"{folder}{part}.parquet", path)
            count = made[0] if made else 0
            file = DataFile(stored.name, stored.md5, stored.size, count)
            files.append(ledger.LedgerFile(first, last, count, file, 0))
    ledger.save(cloud.blobs, folder, ledger.Ledger(RUN, tuple(files), generation=1), etag=None)


def _last_run(cloud: Cloud, export: Export, case: Case) -> None:
    """A run that kept the others back, with the file of them and its report."""
    key = target_key(export.targets[0])
    run = Run(
        export=export.name,
        run=RUN,
        state=State.SUCCEEDED,
        trigger="person",
        definition=export.model_dump_json(),
        deliveries=1,
        kind=RunKind.DELIVERY,
        created_at=AT,
        finished_at=AT,
        members=case.rows,
    )
    delivery = Delivery(export.name, RUN, 0, key, export.account, State.SUCCEEDED, Step.DONE, heartbeat=AT, due_at=AT)
    Runs(cloud.runs).start(run, [delivery])
    folder = layout.delivery_folder(export.name, RUN, 0)
    reason = {"outcome": "kept back", "code": "require/0", "reason": REASON, "people": case.rows}
    cloud.blobs.create(layout.report(folder), json.dumps({"reasons": [reason]}).encode())
    cells = {
        "address": "address",
        "segment": "'LoyalCustomers'",
        "file": "'part-000.csv'",
        "row": "i",
        "outcome": "'kept back'",
        "code": "'require/0'",
        "reason": f"'{REASON}'",
    }
    columns = ", ".join(f"{cells.get(name, 'NULL')} AS {name}" for name in HEADER)
    with tempfile.TemporaryDirectory(prefix="bench-") as name, duckdb.connect() as database:
        path = Path(name) / "rejected.csv"
        rows = f"SELECT {columns} FROM ({_people(case.rows)}) WHERE i % {case.one_in} = 0"  # noqa: S608 - numbers only
        database.execute(f"COPY ({rows}) TO '{path}' (FORMAT csv, HEADER true)")
        cloud.blobs.upload(layout.rejected(folder), path)
