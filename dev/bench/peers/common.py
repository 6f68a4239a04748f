"""What the peers share: how they are asked, reading the segment from Blob Storage, and the rows as Campaign Monitor
wants them. Runs in `.venv-bench`, without anything of the service.

A peer prints `ready` once everything is imported, begins when a line comes in, and prints `done` at the end.
"""

from __future__ import annotations

import base64
import csv
import io
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import requests
from azure.storage.blob import ContainerClient

BATCH_ROWS = 1000
COLUMNS = (
    *("CustomerId", "EMail", "FirstName", "LastName", "City", "PostalCode", "Country", "LoyaltyTier"),
    *("DateOfBirth", "Points", "CustomerSince", "Note"),
)


@dataclass(frozen=True)
class Task:
    """`prefix` is the folder of the snapshot's files; `columns` become custom fields of their own names."""

    storage: str
    container: str
    prefix: str
    vendor: str
    api_key: str
    list_id: str
    columns: Sequence[str]


def main(send: Callable[[Task], None]) -> None:
    task = Task(**json.loads(sys.argv[1]))
    answer, sys.stdout = sys.stdout, sys.stderr  # libraries print what they like
    print("ready", file=answer, flush=True)
    sys.stdin.readline()
    send(task)
    print("done", file=answer, flush=True)


class _Download(io.RawIOBase):
    """A blob as it comes in."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._left = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._left:
            self._left = next(self._chunks, b"")
            if not self._left:
                return 0
        size = min(len(buffer), len(self._left))
        buffer[:size], self._left = self._left[:size], self._left[size:]
        return size


def rows(task: Task) -> Iterator[dict[str, str]]:
    """The segment's rows, streamed."""
    container = ContainerClient.from_connection_string(task.storage, task.container)
    for name in sorted(container.list_blob_names(name_starts_with=task.prefix)):
        if name.endswith(".csv"):
            chunks = container.download_blob(name).chunks()
            stream = io.BufferedReader(_Download(chunks), 1 << 20)
            yield from csv.DictReader(io.TextIOWrapper(stream, encoding="utf-8", newline=""))


def subscriber(row: dict[str, str], columns: Sequence[str]) -> dict[str, Any]:
    """One person of an import."""
    return {
        "EmailAddress": row["EMail"],
        "ConsentToTrack": "Unchanged",
        "CustomFields": [{"Key": name, "Value": row[name]} for name in columns if row.get(name)],
    }


class Importer:
    """Sends imports over one connection that is kept open."""

    def __init__(self, task: Task) -> None:
        self._columns = task.columns
        self._url = f"{task.vendor}/api/v3.3/subscribers/{task.list_id}/import.json"
        self._session = requests.Session()
        self._session.trust_env = False
        key = base64.b64encode(f"{task.api_key}:x".encode()).decode()
        self._session.headers["Authorization"] = f"Basic {key}"

    def send(self, batch: Sequence[dict[str, str]]) -> None:
        body = {
            "Subscribers": [subscriber(row, self._columns) for row in batch],
            "Resubscribe": False,
            "QueueSubscriptionBasedAutoResponders": False,
            "RestartSubscriptionBasedAutoresponders": False,
        }
        self._session.post(self._url, json=body, timeout=120).raise_for_status()
