"""Who was sent what, by the simulator's own journal, slice by slice; and what may be sent a second time."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import PurePosixPath
from typing import Any, NamedTuple

import duckdb
import orjson

from dev.simulators.common.journal import Entry
from shared.cloud.cloud import Cloud
from shared.delivery.sql import literal
from shared.delivery.state import journal, layout, ledger
from shared.delivery.state import plan as plans
from shared.delivery.state.files import Files
from shared.delivery.state.journal import Folded
from shared.delivery.state.records import Run
from shared.delivery.state.runs import Runs
from shared.delivery.state.scratch import folder
from shared.vendors.contract import Kind
from tests.integration.delivery.engine import Engine

KINDS = {"subscribe": Kind.ADD, "bulkUpdate": Kind.CHANGE, "unsubscribe": Kind.REMOVE}


class Operation(NamedTuple):
    """What was done to whom."""

    kind: Kind
    address: str


def operations(entry: Entry) -> list[Operation]:
    """What a request asked for; nothing where it was no bulk request, or only began to arrive."""
    kind = KINDS.get(PurePosixPath(entry.path).name)
    if kind is None or entry.body is None:
        return []
    try:
        body: dict[str, Any] = orjson.loads(entry.body)
    except orjson.JSONDecodeError:
        assert not entry.worked
        return []
    rows = body["users"] if kind is Kind.CHANGE else body["subscribers"]
    return [Operation(kind, row["email"]) for row in rows]


def done(entry: Entry) -> set[Operation]:
    """What the simulator really did of it."""
    touched = set(entry.touched) if entry.worked else set()
    return {each for each in operations(entry) if each.address in touched}


@cache
def _instance() -> duckdb.DuckDBPyConnection:
    """To start a database costs more than all that is read with it here."""
    return duckdb.connect(config={"enable_external_file_cache": False})


def _reader() -> duckdb.DuckDBPyConnection:
    """A connection of its own, as good as new."""
    return _instance().cursor()


def planned(cloud: Cloud, run: Run, index: int = 0) -> dict[int, list[Operation]]:
    """The plan's operations by batch; nothing where there is no plan yet."""
    found = plans.read(cloud.blobs, layout.delivery_folder(run.export, run.run, index))
    batches: dict[int, list[Operation]] = {}
    with folder() as where, _reader() as connection:
        for file in found[0].files if found else ():
            path = where / "plan.parquet"
            assert cloud.blobs.download(file.file.stored, path)
            cursor = connection.execute(f"SELECT address FROM read_parquet({literal(str(path))})")
            assert found
            for batch, rows in found[0].batches(file).items():
                more = [Operation(file.kind, row[0]) for row in cursor.fetchmany(rows)]
                batches[batch] = [*batches.get(batch, ()), *more]
    return batches


class LedgerRow(NamedTuple):
    status: str
    known: bool
    """The values at the vendor are known."""
    run: str


def ledger_rows(cloud: Cloud, folder_name: str) -> dict[str, LedgerRow]:
    found = ledger.read(cloud.blobs, folder_name)
    with folder() as where, _reader() as connection:
        ledger.load(Files(cloud.blobs), connection, found, 0, 255, where)
        rows = connection.execute("SELECT address, status, hash IS NOT NULL, run FROM ledger").fetchall()
    assert len(rows) == len({row[0] for row in rows}), "an address is in the ledger twice"
    return {address: LedgerRow(*rest) for address, *rest in rows}


@dataclass
class Accounts:
    """Watches slices one after the other.

    A row that is sent again must have been in flight when its slice began, or its last request must have been struck
    by a fault of the vendor's. `again` counts such rows.
    """

    engine: Engine
    again: int = 0
    _requests: defaultdict[str, list[Entry]] = field(default_factory=lambda: defaultdict(list))
    _sent: Counter[tuple[str, Operation]] = field(default_factory=Counter)
    _struck: set[tuple[str, Operation]] = field(default_factory=set)
    _plans: dict[str, dict[int, list[Operation]]] = field(default_factory=dict)

    @contextmanager
    def slice(self, export: str) -> Iterator[None]:
        """Hold the rule for whatever the block sends for an export."""
        run = self.run(export)
        announced, in_flight = self._announced(run)
        before = len(self.engine.simulator.journal.entries)
        try:
            yield
        finally:
            run = run or self.run(export)
            entries = self.engine.simulator.journal.entries[before:]
            self._book(run.run if run else "", entries, in_flight)
            if run:
                now_announced, _ = self._announced(run)
                unannounced = self._operations(entries) - announced - now_announced
                assert not unannounced, f"{len(unannounced)} rows were sent without being announced"

    def run(self, export: str) -> Run | None:
        """The export's newest run."""
        return next(Runs(self.engine.cloud.runs).history(export), None)

    def requests(self, run: Run) -> list[Entry]:
        """The simulator's journal of a run."""
        return self._requests[run.run]

    def sent(self, run: Run) -> Counter[Operation]:
        """How often each operation of a run was sent."""
        return Counter({each: times for (name, each), times in self._sent.items() if name == run.run})

    def _book(self, run: str, entries: Sequence[Entry], in_flight: set[Operation]) -> None:
        self._requests[run] += entries
        for entry in entries:
            for each in operations(entry):
                if self._sent[run, each]:
                    self.again += 1
                    allowed = each in in_flight or (run, each) in self._struck
                    assert allowed, f"{each.kind} was sent again and was not in flight: request {entry.number}"
                self._sent[run, each] += 1
                if entry.fault or entry.status != 200:
                    self._struck.add((run, each))
                else:
                    self._struck.discard((run, each))

    @staticmethod
    def _operations(entries: Sequence[Entry]) -> set[Operation]:
        return {each for entry in entries for each in operations(entry)}

    def _announced(self, run: Run | None) -> tuple[set[Operation], set[Operation]]:
        """Operations that the journal announced, and those of them that were sent and have no answer."""
        if run is None:
            return set(), set()
        lines = _journal(self.engine.cloud, layout.delivery_folder(run.export, run.run, 0))
        announced = {batch for line in lines if "sent" in line for batch in range(line["sent"][0], line["sent"][1] + 1)}
        if not announced:
            return set(), set()
        if run.run not in self._plans:
            self._plans[run.run] = planned(self.engine.cloud, run)
        folded = Folded()
        for line in lines:
            folded.take(line)
        batches = self._plans[run.run]
        return _all(batches, announced), _all(batches, folded.in_flight())


def _journal(cloud: Cloud, delivery_folder: str) -> list[Mapping[str, Any]]:
    """What all turns of a delivery wrote, also what the journal took back later."""
    blobs = cloud.blobs
    found = [blobs.read(name) for name in sorted(blobs.names(layout.journal_folder(delivery_folder)))]
    return [line for each in found for line in journal.parse(each[0] if each else b"")]


def _all(batches: dict[int, list[Operation]], numbers: set[int]) -> set[Operation]:
    return {each for number in numbers for each in batches[number]}
