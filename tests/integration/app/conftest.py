"""The real app in a process of its own: Microsoft's worker library, Azurite, Key Vault stand-in, simulator."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from azure.storage.blob import BlobServiceClient, ContainerClient

from dev.host.host_process import HostProcess
from dev.host.services import LocalServices
from dev.simulators.common.serving import serve
from dev.simulators.common.simulator import Simulator
from dev.simulators.iterable import PROJECT, STANDARD_KEY, Iterable, Settings

REPOSITORY = Path(__file__).parents[3]
NEVER = "0 0 0 1 1 *"
PROBLEM = "application/problem+json"

CONNECTION: dict[str, Any] = {
    "display_name": "Iterable",
    "vendor": "iterable",
    "settings": {"subscribe_rate": 1000},
    "secrets": {"api_key": "iterable-api-key"},
    "consent": {"agreed_by": "Ada", "text": "Profiles may go to Iterable."},
}

EXPORT: dict[str, Any] = {
    "display_name": "Newsletter",
    "connection": "iterable",
    "targets": [{"segments": ["Loyal"]}],
    "address_column": "EMail",
    "matching": [{"field": "firstName", "column": "FirstName"}],
}


@dataclass
class App:
    """The running app and everything around it."""

    host: HostProcess
    services: LocalServices
    simulator: Simulator[Iterable]
    segments: ContainerClient

    def call(self, method: str, path: str, body: Any = None, **options: Any) -> requests.Response:
        return self.host.request(method, path, json=body, timeout=120, **options)

    def land(
        self, people: dict[str, str], segment: str = "Loyal", *, minutes_ago: int = 5, last_name: str | None = None
    ) -> None:
        """Put a snapshot into storage: address -> first name; a last name is everybody's, and a column more."""
        at = datetime.now(UTC) - timedelta(minutes=minutes_ago)
        column, value = ("", "") if last_name is None else (",LastName", f",{last_name}")
        rows = (f"{address},{name}{value}\n" for address, name in people.items())
        text = f"EMail,FirstName{column}\n" + "".join(rows)
        folder = f"{segment}/{at:%Y%m%dT%H%M%SZ}"
        self.segments.upload_blob(f"{folder}/part-0.csv", text.encode(), overwrite=True)
        self.segments.upload_blob(f"{folder}/_SUCCESS", b"", overwrite=True)

    def define(self, name: str, **changes: Any) -> Any:
        """A connection (checked) and an export on it."""
        assert self.call("PUT", "/api/v1/connections/iterable", CONNECTION).ok
        checked = self.call("POST", "/api/v1/connections/iterable/check").json()
        assert checked["ok"], checked
        saved = self.call("PUT", f"/api/v1/exports/{name}", EXPORT | changes)
        assert saved.ok, saved.text
        return saved.json()

    def run(self, name: str) -> Any:
        """Run an export and wait for its end; the last view."""
        started = self.call("POST", f"/api/v1/exports/{name}/run")
        assert started.status_code == 202, started.text
        self.host.wait_idle()
        return self.call("GET", started.headers["Location"]).json()

    def members(self, name: str) -> set[str]:
        lists = self.simulator.vendor.project(PROJECT).lists.values()
        return {str(person.email) for each in lists if each.name == name for person in each.members}


@contextmanager
def running() -> Iterator[App]:
    """The app with one container for segments, and a simulator of Iterable."""
    simulator = Simulator(Iterable(Settings()))
    with serve(simulator), LocalServices() as services:
        services.key_vault.set_secret("iterable-api-key", STANDARD_KEY)
        settings = {"EXPORT_SCHEDULE": NEVER, "VERIFY_SECONDS": "0"}
        settings["VENDOR_HOSTS"] = f"api.iterable.com={simulator.url}"
        with (
            HostProcess(REPOSITORY, settings=settings, services=services, polling=0.25) as host,
            BlobServiceClient.from_connection_string(services.connection_string) as storage,
        ):
            yield App(host, services, simulator, storage.create_container("segments"))


@pytest.fixture(scope="module")
def app() -> Iterator[App]:
    with running() as made:
        yield made
