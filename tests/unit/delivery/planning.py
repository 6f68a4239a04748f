"""A delivery that is planned: a segment, a ledger and a target in memory, and the work on them."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from shared.catalog.models import Connection, Export, Guards, Match, Target
from shared.catalog.targets import TargetStore
from shared.cloud.cloud import Cloud
from shared.cloud.settings import Settings
from shared.delivery.plan import step
from shared.delivery.state import layout, ledger
from shared.delivery.state.files import Files
from shared.delivery.state.ledger import Ledger
from shared.delivery.state.plan import Plan
from shared.delivery.state.records import Delivery, Run, State
from shared.delivery.state.runs import Runs
from shared.delivery.state.scratch import Scratch, scratch
from shared.delivery.state.transitions import RunKind
from shared.delivery.work import Work
from shared.vendors.contract import FieldType, TargetFound
from shared.vendors.registry import definition
from tests.memory import in_memory
from tests.unit.delivery import parts

AT = datetime(2026, 11, 29, 12, tzinfo=UTC)
NAME, RUN_ID = "newsletter", "20261129-120000-000-aaaa"
STAMPS: dict[str, Any] = {"created_at": AT, "created_by": "p", "updated_at": AT, "updated_by": "p"}
CONNECTION = Connection(name="marketing", display_name="Marketing", vendor="iterable", account="acc", **STAMPS)
EXPORT = Export(
    name=NAME,
    display_name="Newsletter",
    connection="marketing",
    targets=(Target(segments=("People",)),),
    address_column="EMail",
    matching=(Match(field="city", column="City"),),
    account="acc",
    **STAMPS,
)
RUN = Run(NAME, RUN_ID, State.RUNNING, "person", EXPORT.model_dump_json(), 1, RunKind.DELIVERY, AT)
ROW = Delivery(NAME, RUN_ID, 0, "list", "acc", state=State.RUNNING, turn=7, worker="w1", heartbeat=AT, due_at=AT)
ANN, BOB, CYD = (f"{name}@example.com" for name in ("ann", "bob", "cyd"))
PEOPLE = [f"p{number}@example.com" for number in range(130)]


@dataclass
class Vendor:
    """Implements what planning asks of a vendor."""

    types: dict[str, FieldType] = field(default_factory=dict)
    on_the_list: Sequence[str] = ()
    asked: list[str] = field(default_factory=list)

    def field_types(self) -> dict[str, FieldType]:
        self.asked.append("field_types")
        return self.types

    def fits(self, wanted: object, remembered: object, fields: Sequence[str]) -> dict[str, Any]:
        self.asked.append(f"fits {list(fields)}")
        return {}

    def members(self, target: TargetFound) -> Iterator[str]:
        self.asked.append(f"members {target.list_id}")
        yield from self.on_the_list


@dataclass
class World:
    cloud: Cloud
    room: Scratch
    to: Path
    vendor: Vendor = field(default_factory=Vendor)
    definition: Any = field(default_factory=lambda: definition("iterable"))

    # What lies in storage

    def land(self, *rows: Sequence[str], segment: str = "People", at: datetime = AT - timedelta(hours=1)) -> None:
        self.land_files(rows, segment=segment, at=at)

    def land_files(
        self, *files: Sequence[Sequence[str]], segment: str = "People", at: datetime = AT - timedelta(hours=1)
    ) -> None:
        """A snapshot of some files, whose rows are an address and a city."""
        folder = f"{segment}/{at:%Y%m%dT%H%M%SZ}"
        for number, rows in enumerate(files):
            content = "\n".join(["EMail,City", *(",".join(row) for row in rows)]) + "\n"
            self.put(f"{folder}/part-{number}.csv", content.encode())
        self.put(f"{folder}/_SUCCESS", b"")

    def put(self, name: str, content: bytes) -> None:
        container = self.cloud.segments.get_container_client("segments")
        if not container.exists():
            container.create_container()
        container.upload_blob(name, content, overwrite=True)

    def known(self, *people: str, of: int = 1, **about: Any) -> Ledger:
        """Members by the ledger, whose values are other ones than any segment's."""
        return self.known_as(*({"address": each, "status": "member", "hash": 1} for each in people), of=of, **about)

    def known_as(self, *rows: Mapping[str, object], of: int = 1, **about: Any) -> Ledger:
        """Rows of the ledger before."""
        made = replace(parts.ledger(cast("Any", self.cloud.blobs), self.to, *rows, parts=of), **about)
        ledger.save(self.cloud.blobs, self.work().ledger_folder, made, etag=None)
        return ledger.read(self.cloud.blobs, self.work().ledger_folder)

    def remember(self, **facts: Any) -> None:
        store = TargetStore(self.cloud.targets)
        store.claim("acc", "list", NAME, AT)
        store.remember("acc", "list", NAME, facts, AT, still=lambda: None)

    def ran(self, day: int, state: State, counts: Mapping[str, int], **about: Any) -> None:
        """An earlier run, and what its delivery counted."""
        name = f"202610{day:02d}-120000-000-aaaa"
        kind = about.pop("kind", RunKind.DELIVERY)
        row = replace(ROW, run=name, **about)
        self.runs.start(replace(RUN, run=name, kind=kind), [row])
        held = self.runs.delivery(NAME, name, 0)
        assert held
        self.runs.finish(held, state=state, counts=dict(counts))

    # What is done

    @property
    def runs(self) -> Runs:
        return Runs(self.cloud.runs)

    def work(
        self,
        kind: RunKind = RunKind.DELIVERY,
        *,
        first: bool = True,
        guards: Guards | None = None,
        connection: Connection = CONNECTION,
        decision: str = "",
        **changes: Any,
    ) -> Work:
        row = replace(ROW, decision=decision)
        held = self.runs.delivery(NAME, RUN_ID, 0)
        if held is None:
            self.runs.start(replace(RUN, kind=kind), [row])
            held = self.runs.delivery(NAME, RUN_ID, 0)
            assert held
        held = replace(held, value=row)
        counters = SimpleNamespace(requests=0, retries=0, throttled_seconds=0.0)
        opened = SimpleNamespace(
            vendor=self.vendor, definition=self.definition, link=SimpleNamespace(counters=counters), sent=counters
        )
        return Work(
            cloud=self.cloud,
            runs=self.runs,
            targets=TargetStore(self.cloud.targets),
            held=held,
            first=first,
            run=replace(RUN, kind=kind),
            export=EXPORT.model_copy(update={"guards": guards or Guards(), **changes}),
            connection=connection,
            lease=cast("Any", SimpleNamespace(hold=lambda: None, check=lambda: None)),
            opened=cast("Any", opened),
            scratch=self.room,
            files=Files(self.cloud.blobs),
            deadline=math.inf,
            clock=lambda: AT,
        )

    def plan(self, kind: RunKind = RunKind.DELIVERY, **how: Any) -> Work:
        """The work once it is planned. Nothing of it stays on the worker's disk."""
        work = self.work(kind, **how)
        step.plan(work)
        left = {each.name for each in self.room.where.iterdir()}
        assert left <= {"protected.parquet", "respelled.parquet", "spellings.parquet"}
        return work

    def made(self, kind: RunKind = RunKind.DELIVERY, **how: Any) -> Plan:
        planned = self.plan(kind, **how).planned
        assert planned
        return planned[0]

    def stopped(self, **how: Any) -> list[tuple[str, str]]:
        """Guards that stop the plan, with their words."""
        return [(each["guard"], each["message"]) for each in self.made(**how).findings]

    @property
    def sample(self) -> list[str] | None:
        """Who is shown to whoever decides; None where nobody is to be shown."""
        found = self.cloud.blobs.read(layout.sample(self.work().folder))
        return None if found is None else [each["address"] for each in json.loads(found[0])]


@contextmanager
def planning(to: Path, **settings: Any) -> Iterator[World]:
    """A world without a segment, a ledger or a run that ended."""
    with in_memory() as address:
        made = Settings(address, address, **settings)
        with scratch(made) as room:
            world = World(Cloud(made), room, to)
            world.cloud.blobs.create(layout.lease("acc"), b"")  # as before every slice
            yield world


def everyone(*people: str) -> list[tuple[str, str]]:
    """Rows of a segment."""
    return [(each, "Ulm") for each in people]
