"""The stage of a benchmark: storage and Key Vault, a vendor, and the app in a process of its own."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from azure.storage.blob import BlobServiceClient, ContainerClient

from dev.bench import people
from dev.bench.people import Day
from dev.bench.processes import REPOSITORY
from dev.demo.api import ENDED, Api
from dev.demo.vendors import DemoVendor
from dev.host.host_process import HostProcess
from dev.host.services import LocalServices

CONTAINER = "segments"
EXPORT = "bench"
LOOK_SECONDS = 2.0
POLLING_SECONDS = 0.2
NEVER = "0 0 0 1 1 *"
_CONSENT = "Made-up profiles go to a simulator."


@dataclass
class Storage:
    """Azurite with its data on disk, a Key Vault stand-in, and the container that segments land in."""

    services: LocalServices
    container: ContainerClient
    at: datetime = field(default_factory=lambda: datetime.now(UTC) - timedelta(hours=2))

    def land(self, day: Day) -> int:
        """A newer snapshot; its size in bytes."""
        self.at += timedelta(minutes=1)
        return people.land(self.container, day, self.at)

    def container_of(self, name: str) -> ContainerClient:
        return BlobServiceClient.from_connection_string(self.services.connection_string).get_container_client(name)


@contextmanager
def storage() -> Iterator[Storage]:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, LocalServices(Path(folder)) as services:
        client = BlobServiceClient.from_connection_string(services.connection_string)
        with client:
            yield Storage(services, client.create_container(CONTAINER))


@dataclass(frozen=True, slots=True)
class App:
    """The running app. `temporary` is the only place where it may put files."""

    host: HostProcess
    temporary: Path

    @property
    def api(self) -> Api:
        return Api(self.host)

    @property
    def process(self) -> int:
        return self.host.process_id

    def define(self, services: LocalServices, vendor: DemoVendor, rate_budget: float, rows: int) -> None:
        """A connection that was checked, and an export of the segment to a list of its name."""
        names = {credential: f"{vendor.name}-{credential}".replace("_", "-") for credential in vendor.secrets}
        for credential, name in names.items():
            services.key_vault.set_secret(name, vendor.secrets[credential])
        connection = {
            "display_name": vendor.label,
            "vendor": vendor.name,
            "settings": dict(vendor.settings),
            "decisions": dict(vendor.decisions),
            "secrets": names,
            "rate_budget": rate_budget,
            "consent": {"agreed_by": "Benchmark", "text": _CONSENT},
        }
        self.api.call("PUT", f"/connections/{vendor.name}", connection)
        self.api.call("POST", f"/connections/{vendor.name}/check")
        export = {
            "display_name": "Benchmark",
            "connection": vendor.name,
            "targets": [{"segments": [people.SEGMENT]}],
            "address_column": "EMail",
            "matching": [{"field": name, "column": column} for name, column in vendor.matching.items()],
            "settings": dict(vendor.export),
            "guards": {"max_profiles": max(rows, 1_000_000) * 2, "max_deviation_share": None},
            "first_run": "deliver",
        }
        self.api.call("PUT", f"/exports/{EXPORT}", export)
        self._wait_for_count()

    def _wait_for_count(self) -> None:
        """Saving an export has its segment's rows counted, which reads all of a CSV file and is no part of a run."""
        while any(segment["rows"] is None for segment in self.api.call("GET", "/segments")):
            time.sleep(POLLING_SECONDS)

    def change(self, **properties: Any) -> None:
        """Save the export with other properties."""
        self.api.call("PUT", f"/exports/{EXPORT}", {**self.api.call("GET", f"/exports/{EXPORT}"), **properties})

    def start(self) -> str:
        return self.api.run(EXPORT)

    def look(self, run: str) -> Any:
        return self.api.call("GET", f"/exports/{EXPORT}/runs/{run}")

    def finish(self, run: str, seconds: float = 3600) -> Any:
        """Wait for a run's end; its last view. Raises RuntimeError where it did not succeed."""
        deadline = time.monotonic() + seconds
        while (view := self.look(run))["state"] not in ENDED:
            if time.monotonic() > deadline:
                raise RuntimeError(f"the run did not end within {seconds:.0f} seconds")
            time.sleep(LOOK_SECONDS)
        if view["state"] not in ("succeeded", "succeeded with warnings"):
            raise RuntimeError(f"the run ended as '{view['state']}': {view['message']}\n{self.host.log()[-3000:]}")
        return view


def seconds(view: Mapping[str, Any]) -> float:
    """From the request for a run to its end, by the app's own clock."""
    started, finished = (datetime.fromisoformat(view[name]) for name in ("started_at", "finished_at"))
    return (finished - started).total_seconds()


@contextmanager
def app(services: LocalServices, hosts: Mapping[str, str], **settings: str) -> Iterator[App]:
    """The app in a process of its own, with these vendor hosts."""
    with ExitStack() as stack:
        temporary = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-app-")))
        everything = {
            "SEGMENT_LOCATIONS": CONTAINER,
            "EXPORT_SCHEDULE": NEVER,
            "VENDOR_HOSTS": ",".join(f"{host}={url}" for host, url in hosts.items()),
            "TMPDIR": str(temporary),
            **settings,
        }
        host = HostProcess(REPOSITORY, settings=everything, services=services, polling=POLLING_SECONDS)
        yield App(stack.enter_context(host), temporary)
