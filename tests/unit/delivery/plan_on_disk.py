"""A plan whose files lie on local disk, sent through a vendor's module to somebody who answers in its place."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import orjson

from shared.cloud.blobs import StoredFile
from shared.delivery.send.batches import Send, Sender
from shared.delivery.send.isolating import Isolating
from shared.delivery.send.opted_out_before import OptedOutBefore
from shared.delivery.state.files import DataFile
from shared.delivery.state.journal import Folded
from shared.delivery.state.plan import Balance, Plan, PlanFile
from shared.delivery.state.scratch import PARQUET
from shared.transport import Answer
from shared.vendors.contract import Kind, Row, TargetFound, Vendor
from shared.vendors.http import Link
from shared.vendors.limits import Limiter
from shared.vendors.registry import definition, open_vendor
from tests.unit.vendors.loopback import Clock, Keys

_TABLE = (
    '(address VARCHAR, "values" VARCHAR, vendor_id VARCHAR, came_back BOOLEAN, unsure_since DOUBLE, shown_at DOUBLE)'
)
DATABASE = duckdb.connect(config={"threads": "2"})
"""To start one takes longer than most of these tests."""
Respond = Callable[[str, Any], tuple[int, Any]]
"""(path, body) -> status and body of the vendor's answer."""


@dataclass
class Files:
    """Gives copies of the plan's files."""

    folder: Path

    def download(self, stored: StoredFile, path: Path) -> bool:
        shutil.copy(self.folder / stored.name, path)
        return True


@dataclass
class Lines:
    """A journal in memory."""

    written: list[Mapping[str, Any]] = field(default_factory=list)

    def write(self, lines: Sequence[Mapping[str, Any]]) -> None:
        self.written += lines

    def ids_name(self, batch: int) -> str:
        return f"ids/{batch}"


def write_plan(folder: Path, files: Sequence[Sequence[Row]], batch_rows: int, kind: Kind = Kind.ADD) -> Plan:
    """The plan of these people, who lie in these files."""
    listed: list[PlanFile] = []
    with DATABASE.cursor() as database:
        for number, people in enumerate(files):
            name = f"{number:03}.parquet"
            database.execute(f"CREATE OR REPLACE TEMP TABLE plan {_TABLE}")
            if people:
                database.executemany("INSERT INTO plan VALUES ($1, $2, $3, $4, $5, $6)", [row[:6] for row in people])
            database.execute(f"COPY plan TO '{folder / name}' {PARQUET}")
            first = sum(map(len, files[:number]))
            listed.append(PlanFile(kind, number, DataFile(name, "", 1, len(people)), first))
    return Plan(
        batch_rows=batch_rows,
        parts=1,
        base="",
        fresh=True,
        members_before=0,
        snapshots=[],
        snapshot_rows=[],
        balance=Balance(),
        files=listed,
    )


@dataclass
class Sending:
    """What goes to the vendor, and what the journal says of it."""

    vendor: Vendor
    target: TargetFound
    sent: list[tuple[str, bytes]]
    journal: Lines = field(default_factory=Lines)

    @property
    def written_down(self) -> list[Mapping[str, Any]]:
        """Batches that end at the same time are written down in any order."""
        return sorted(self.journal.written, key=lambda line: (line.get("sent", [-1]), line.get("batch", -1)))

    def run(
        self,
        plan: Plan,
        folder: Path,
        *,
        folded: Folded | None = None,
        fields: Sequence[str] = (),
        through: Callable[[Send], Send] = lambda send: send,
        threads: int = 1,
    ) -> Sender:
        """Send the additions of a plan in `folder`; the local files lie in `folder / "local"`."""
        batches = OptedOutBefore(self.vendor, self.target, Isolating(self.vendor, self.target, beforehand=False))
        (folder / "local").mkdir(exist_ok=True)
        with DATABASE.cursor() as database:
            sender = Sender(
                files=Files(folder),  # type: ignore[arg-type]  # only `download` is used
                database=database,
                journal=self.journal,  # type: ignore[arg-type]  # in memory
                folded=folded or Folded(),
                send=through(batches.deliver),
                settle=batches.settle,
                threads=threads,
                out_of_time=lambda: False,
                progress=lambda rows: None,
                where=folder / "local",
                form=lambda kind: self.vendor.form(self.target, kind, fields),
            )
            sender.run(plan, [Kind.ADD])
        return sender


@contextmanager
def sending(name: str, target: TargetFound, respond: Respond) -> Iterator[Sending]:
    """Through the module of this vendor."""
    sent: list[tuple[str, bytes]] = []

    def wire(method: str, url: str, headers: Mapping[str, str], body: bytes | None, seconds: float) -> Answer:
        sent.append((url, body or b""))
        status, answer = respond(url, orjson.loads(body) if body else None)
        return Answer(status, {"content-type": "application/json"}, orjson.dumps(answer))

    clock = Clock()
    limiter = Limiter(definition(name).rates, clock=clock, wait=clock.wait)
    link = Link(limiter, wait=clock.wait, transport=wire)
    settings = {"client_id": "a" * 32} if name == "campaign-monitor" else {}
    yield Sending(open_vendor(name, settings=settings, credentials=Keys("k" * 32), link=link), target, sent)
