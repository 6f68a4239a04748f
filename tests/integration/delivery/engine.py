"""The engine on storage and against a vendor's simulator, without the Functions host in between."""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any
from urllib.parse import quote

import requests
from azure.storage.blob import ContainerClient
from azure.storage.queue import QueueClient

from dev.simulators.common.serving import serve
from dev.simulators.common.simulator import Simulator
from dev.simulators.iterable import Iterable
from shared.access.person import LOCAL
from shared.catalog.catalog import Catalog
from shared.catalog.models import Connection, ConnectionInput, Consent, Export, ExportInput, SettingDecision
from shared.cloud.blobs import Blobs
from shared.cloud.cloud import Cloud
from shared.cloud.queue import Queue
from shared.cloud.settings import Location, Settings, StorageAddress
from shared.cloud.tables import Table
from shared.control.forgetting import ForgettingView
from shared.control.service import Service as LiveService
from shared.delivery import inbox
from shared.delivery.state import layout
from shared.delivery.state.records import Delivery, Run
from shared.delivery.state.runs import Runs
from shared.delivery.state.transitions import RunKind
from shared.vendors.registry import definition
from tests.judged import judged
from tests.kits import ITERABLE, Kit
from tests.memory import receiving

ADMINISTRATOR = LOCAL


class FixedSecrets:
    """Key Vault's place in engine tests; the real client is tested on its own and in the demo."""

    def __init__(self, values: dict[str, str]) -> None:
        self.values = values
        self.rotated: dict[str, str] = {}
        """What a fresh look finds; until then the cache has the old value."""

    def get(self, name: str, *, fresh: bool = False) -> str:
        if fresh:
            self.values |= self.rotated
        return self.values[name]


class TestCloud(Cloud):
    """Everything of its own for one test: container, tables, queue."""

    __test__ = False

    def __init__(self, settings: Settings, unique: str) -> None:
        super().__init__(settings)
        address = settings.state_storage
        self.blobs = Blobs(address, f"{unique}-state")
        self.slices = Queue(address, f"{unique}-slices")
        names = ("connections", "exports", "targets", "runs", "snapshots", "forgotten", "waiting", "underway")
        for name in names:
            setattr(self, name, Table(address, f"{unique}{name}"))


@dataclass(slots=True)
class Person:
    """A row of the segment."""

    email: str
    first: str = ""
    city: str = ""
    id: str | None = None
    """In a column of its own, where anybody in the segment has one."""

    @property
    def cells(self) -> list[str]:
        return [self.email, self.first, self.city]


@dataclass
class Engine:
    """One export from a segment of made-up people to one list of the simulator.

    Tests that look into the simulator's own objects are Iterable's; `kit` says what any vendor needs.
    """

    cloud: Cloud
    simulator: Simulator[Iterable]
    unique: str
    kit: Kit = ITERABLE
    at: datetime = field(default_factory=lambda: datetime.now(UTC) - timedelta(hours=1))

    @cached_property
    def service(self) -> LiveService:
        return LiveService(self.cloud)

    @property
    def catalog(self) -> Catalog:
        return self.service.catalog

    @property
    def container(self) -> str:
        return f"{self.unique}-segments"

    # The segment

    def land(self, people: Sequence[Person], segment: str = "Loyal", *, files: int = 2) -> None:
        """Put a newer snapshot of a segment into storage."""
        self.at += timedelta(minutes=1)
        ids = any(person.id is not None for person in people)
        rows = [[*person.cells, *([person.id or ""] if ids else [])] for person in people]
        size = max(1, -(-len(rows) // files))
        for number in range(files):
            part = rows[number * size : (number + 1) * size]
            self.upload(
                f"{segment}/{self.at:%Y%m%dT%H%M%SZ}/part-{number}.csv", as_csv(part, HEADER_WITH_ID if ids else HEADER)
            )
        self.upload(f"{segment}/{self.at:%Y%m%dT%H%M%SZ}/_SUCCESS", b"")

    def upload(self, name: str, content: bytes) -> None:
        self.landing.upload_blob(name, content, overwrite=True)

    @cached_property
    def landing(self) -> ContainerClient:
        """The container that segments land in, made for the first of them."""
        client = self.cloud.segments.get_container_client(self.container)
        if not client.exists():
            client.create_container()
        return client

    # The definitions

    def connect(self, **changes: Any) -> Connection:
        """A connection that was checked, with consent."""
        kit, name = self.kit, self.kit.name
        sent = ConnectionInput(
            display_name=name,
            vendor=name,
            settings=dict(kit.settings),
            secrets={credential: secret_name(credential) for credential in kit.secrets},
            consent=Consent(agreed_by="admin", text="Profiles may go to the vendor."),
            decisions={setting: SettingDecision.model_validate(each) for setting, each in kit.decisions.items()},
        ).model_copy(update=changes)
        held = self.catalog.save_connection(name, sent, ADMINISTRATOR, self.catalog.connections.get(name))
        checked = self.service.check_connection(name)
        return self.catalog.record_check(held, checked).item

    def define(self, name: str = "newsletter", **changes: Any) -> Export:
        clears = definition(self.kit.name).clears(self.kit.city)
        body: dict[str, Any] = {
            "display_name": "Newsletter",
            "connection": self.kit.name,
            "targets": [{"segments": ["Loyal"]}],
            "address_column": "EMail",
            "matching": [
                {"field": self.kit.first, "column": "FirstName"},
                {"field": self.kit.city, "column": "City", "when_empty": "clear" if clears else "keep"},
            ],
            "guards": {"max_removed_people": 100, "max_removed_times": None},  # people come and go in tests
            **self.kit.export,
        }
        sent = ExportInput.model_validate(body | changes)
        saved, _ = self.catalog.save_export(name, sent, ADMINISTRATOR, self.catalog.exports.get(name))
        return saved.item

    # Running

    def start(self, export: str = "newsletter") -> Run:
        return self.service.start(export).run

    def run(self, export: str = "newsletter", kind: RunKind = RunKind.DELIVERY) -> Run:
        """Start a run and carry out its messages until none is left."""
        run = self.service.begin(export, kind).run
        self.pump()
        return self.current(run)

    def pump(self, most: int = 2000) -> int:
        """Deliver messages as the host would, without its delays; how many."""
        for count in range(most):
            message = self.queue.receive_message(visibility_timeout=600)
            if message is None:
                if not self._delayed():
                    return count
                continue
            inbox.receive(self.cloud, message.content.encode())
            self.queue.delete_message(message)
        raise AssertionError("the queue never becomes empty")

    def _delayed(self) -> bool:
        """Wait a moment where messages are to become visible later; False where there are none."""
        if not self.queue.get_queue_properties().approximate_message_count:
            return False
        time.sleep(0.1)
        return True

    @cached_property
    def queue(self) -> QueueClient:
        self.cloud.slices.prepare()
        return receiving(self.cloud.settings.state_storage, f"{self.unique}-slices")

    def forget(self, address: str) -> ForgettingView:
        """Forget somebody; the certificate."""
        asked = self.service.forget(address, "admin")
        self.pump()
        found = self.service.forgetting(asked.id)
        assert found is not None
        return found

    def current(self, run: Run) -> Run:
        held = Runs(self.cloud.runs).run(run.export, run.run)
        assert held is not None
        return held.value

    def delivery(self, run: Run, index: int = 0) -> Delivery:
        held = Runs(self.cloud.runs).delivery(run.export, run.run, index)
        assert held is not None
        return held.value

    def report(self, run: Run, index: int = 0) -> dict[str, Any]:
        found = self.cloud.blobs.read(layout.report(layout.delivery_folder(run.export, run.run, index)))
        assert found is not None
        report: dict[str, Any] = json.loads(found[0])
        return report

    def rejected(self, run: Run, index: int = 0) -> list[dict[str, str]]:
        found = self.cloud.blobs.read(layout.rejected(layout.delivery_folder(run.export, run.run, index)))
        assert found is not None
        return list(csv.DictReader(io.StringIO(found[0].decode("utf-8-sig"))))

    def tick(self) -> list[Run]:
        started = self.service.tick()
        self.pump()
        return started

    # The vendor's side

    def inspect(self, path: str) -> requests.Response:
        """What the simulator tells of itself."""
        return requests.get(f"{self.simulator.url}/_simulator/{path}", timeout=30)

    def tell(self, path: str, body: Any) -> None:
        """Change the simulator: people, settings, faults."""
        answer = requests.post(f"{self.simulator.url}/_simulator/{path}", json=body, timeout=30)
        assert answer.ok, answer.text

    def settled(self) -> dict[str, Any]:
        """The vendor's state once it has done all that it accepted, also for a worker that died before it knew."""
        for _ in range(6000):
            state: dict[str, Any] = self.inspect("state").json()
            if not any(state.get(name) for name in ("pending", "open_imports", "open_removals")):
                return state
            time.sleep(0.05)
        raise AssertionError("the vendor did not finish what it accepted")

    def members(self, name: str = "Loyal") -> dict[str, Mapping[str, Any]]:
        """Address -> fields of everyone on the list with this name."""
        state = self.settled()
        lists = [each["id"] for each in state["lists"] if each["name"] == self.kit.list_name(name)]
        lines = [line for each in lists for line in self.inspect(f"lists/{quote(str(each))}/members").iter_lines()]
        rows = [json.loads(line) for line in lines]
        return {row["address"]: self.kit.values(row) for row in rows}

    def calls(self, endpoint: str = "") -> list[Any]:
        return [entry for entry in self.simulator.journal.entries if endpoint in entry.endpoint]


HEADER = ("EMail", "FirstName", "City")
HEADER_WITH_ID = (*HEADER, "CustomerId")


def as_csv(rows: Sequence[Sequence[str]], header: Sequence[str] = HEADER) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode()


@contextmanager
def engine(storage: StorageAddress, unique: str, kit: Kit = ITERABLE, **changes: Any) -> Iterator[Engine]:
    """An engine of its own, with its simulator."""
    with serve(kit.simulator()) as simulator, judged(kit.name, simulator.url) as url:
        settings = Settings(
            state_storage=storage,
            segment_storage=storage,
            segment_locations=(Location(f"{unique}-segments"),),
            vendor_hosts=kit.hosts(url),
            job_seconds=0.05,
        )
        cloud = TestCloud(replace(settings, **changes), unique)
        secrets = {secret_name(credential): value for credential, value in kit.secrets.items()}
        cloud.secrets = FixedSecrets(secrets)  # type: ignore[assignment]  # only `get` is used
        made = Engine(cloud, simulator, unique, kit=kit)
        kit.furnish(made)
        yield made


def secret_name(credential: str) -> str:
    return credential.replace("_", "-")


def people(count: int, start: int = 0) -> list[Person]:
    return [
        Person(f"person{number}@example.com", f"First{number}", f"City {number % 7}")
        for number in range(start, start + count)
    ]
