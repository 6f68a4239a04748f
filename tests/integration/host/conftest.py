"""One sample app, run by one host in a process of its own, for all tests of this folder.

It ends with the folder, and looks at its queues ten times a second: fifty times would take a fifth of a core.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from azure.storage.queue import QueueClient, TextBase64EncodePolicy

from dev.host import HostProcess, LocalServices

SAMPLE_APP = Path(__file__).with_name("sample_app")

# Strict about warnings, and about everything that was left open.
STRICT = {"PYTHONWARNINGS": "error", "PYTHONDEVMODE": "1"}


class SampleHost(HostProcess):
    """A host of the sample app with a queue of its own."""

    def __init__(self, services: LocalServices, app: Path = SAMPLE_APP, **options: Any) -> None:
        self.queue_name = f"work-{uuid4().hex}"
        settings = {
            "WORK_QUEUE": self.queue_name,
            "TICK_SCHEDULE": "0 0 0 1 1 *",
            **STRICT,
            **options.pop("settings", {}),
        }
        super().__init__(app, services=services, settings=settings, **{"polling": 0.1, **options})

    def queue(self, suffix: str = "") -> QueueClient:
        """A client of the queue that the app works off."""
        return QueueClient.from_connection_string(
            self.services.connection_string,
            self.queue_name + suffix,
            message_encode_policy=TextBase64EncodePolicy(),
        )

    def order(self, **order: Any) -> str:
        """Send a message to the app's queue; returns the order's id."""
        order = {"id": uuid4().hex, **order}
        with self.queue() as queue:
            queue.send_message(json.dumps(order), time_to_live=-1)
        return str(order["id"])

    def seen(self, order: str) -> list[dict[str, Any]]:
        """What the app noted about an order, in order."""
        return [note for note in self.request("GET", "/seen").json() if note.get("id") == order]

    def open_gate(self, order: str) -> None:
        """Let an order that waits go on."""
        self.request("POST", f"/gates/{order}").raise_for_status()


@pytest.fixture(scope="package")
def services() -> Iterator[LocalServices]:
    with LocalServices() as started:
        yield started


@pytest.fixture(scope="package")
def new_host(services: LocalServices) -> Callable[..., SampleHost]:
    """Makes a host of the sample app; its queue exists before it starts."""

    def make(**options: Any) -> SampleHost:
        host = SampleHost(services, **options)
        with host.queue() as queue:
            queue.create_queue()
        return host

    return make


@pytest.fixture(scope="package")
def host(new_host: Callable[..., SampleHost]) -> Iterator[SampleHost]:
    with new_host() as started:
        yield started
    assert "Warning" not in started.log()
