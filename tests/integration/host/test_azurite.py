"""Azurite: it starts on free ports, keeps what it should, and never outlives whoever started it."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from azure.data.tables import TableServiceClient
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient

from dev.host import Azurite, AzuriteError, LocalServices

STARTS_AND_WAITS = """
import sys
from dev.host import Azurite
with Azurite() as azurite:
    print(azurite.blob_url, flush=True)
    sys.stdin.read()
"""


def connect(url: str) -> socket.socket:
    """A connection that nothing is sent on: its end is the end of the server."""
    address = urlsplit(url)
    connection = socket.create_connection((address.hostname, address.port or 80))
    connection.settimeout(30)
    return connection


def wait_for_end(connection: socket.socket) -> None:
    """Return when the server of a connection has ended."""
    with suppress(ConnectionResetError):
        assert connection.recv(1) == b""


def test_blobs_queues_and_tables_answer_the_real_clients(services: LocalServices) -> None:
    connection = services.connection_string
    with BlobServiceClient.from_connection_string(connection) as blobs:
        container = blobs.create_container("real-clients")
        container.upload_blob("a", b"1")
        assert container.download_blob("a").readall() == b"1"
    with QueueServiceClient.from_connection_string(connection) as queues:
        queue = queues.create_queue("real-clients")
        queue.send_message("hello")
        assert [message.content for message in queue.receive_messages()] == ["hello"]
    with TableServiceClient.from_connection_string(connection) as tables:
        table = tables.create_table("RealClients")
        table.create_entity({"PartitionKey": "p", "RowKey": "r", "n": 1})
        assert table.get_entity("p", "r")["n"] == 1


def test_the_three_services_have_addresses_of_their_own(services: LocalServices) -> None:
    storage = services.storage
    assert len({storage.blob_url, storage.queue_url, storage.table_url}) == 3


def test_a_location_keeps_what_was_stored(tmp_path: Path) -> None:
    for content in ("first", "second"):
        with (
            Azurite(tmp_path / "storage") as azurite,
            BlobServiceClient.from_connection_string(azurite.connection_string) as blobs,
        ):
            container = blobs.get_container_client("kept")
            if not container.exists():
                container.create_container()
            container.upload_blob(content, content)
            names = [blob.name for blob in container.list_blobs()]
    assert names == ["first", "second"]


def test_it_ends_with_its_block() -> None:
    with Azurite() as azurite:
        connection = connect(azurite.queue_url)
    with connection:
        wait_for_end(connection)


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_it_ends_when_its_parent_is_killed(end: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", STARTS_AND_WAITS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        with connect(parent.stdout.readline().strip()) as connection:
            parent.send_signal(end)
            wait_for_end(connection)


def test_an_azurite_that_is_not_installed_is_reported(tmp_path: Path) -> None:
    with pytest.raises(AzuriteError, match="run `make setup` first"), Azurite(program=tmp_path / "azurite.js"):
        pass


def test_an_azurite_that_cannot_start_is_reported_in_its_own_words(tmp_path: Path) -> None:
    program = tmp_path / "a" / "b" / "c" / "azurite.js"
    program.parent.mkdir(parents=True)
    program.write_text("console.log('no disk'); process.exit(7)")
    with pytest.raises(AzuriteError, match=r"ended with 7:\nno disk"), Azurite(program=program):
        pass
