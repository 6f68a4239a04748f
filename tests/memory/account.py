"""One account, and how the service's own code comes to use it."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest import mock
from urllib.parse import unquote, urlsplit

import pytest
import requests
from azure.storage.queue import QueueClient, TextBase64DecodePolicy

from shared.cloud import storage
from shared.cloud.settings import StorageAddress
from tests.memory.blobs import Containers, MemoryBlobService
from tests.memory.queues import MemoryQueueClient, Messages
from tests.memory.tables import MemoryTableService, Rows

_ACCOUNTS: dict[str, Account] = {}


@dataclass(eq=False)
class Account:
    """What is stored. `clock` tells seconds, which leases and hidden messages end by."""

    clock: Callable[[], float] = time.monotonic
    lock: threading.RLock = field(default_factory=threading.RLock)
    containers: Containers = field(default_factory=dict)
    tables: dict[str, Rows] = field(default_factory=dict)
    queues: dict[str, Messages] = field(default_factory=dict)

    def blob_service(self) -> MemoryBlobService:
        return MemoryBlobService(self.containers, self.lock, self.clock)

    def table_service(self) -> MemoryTableService:
        return MemoryTableService(self.tables, self.lock)

    def queue(self, name: str) -> MemoryQueueClient:
        return MemoryQueueClient(name, self.queues, self.lock, self.clock)


@contextmanager
def azurite_or_memory(request: pytest.FixtureRequest, *, azurite: bool) -> Iterator[StorageAddress]:
    """The address of Azurite's account, which is only started where it is asked for, or of one in memory."""
    if azurite:
        yield StorageAddress(connection_string=request.getfixturevalue("azurite").connection_string)
    else:
        with in_memory() as address:
            yield address


@contextmanager
def in_memory(account: Account | None = None) -> Iterator[StorageAddress]:
    """The address of an account of its own. Whatever `shared.cloud` opens at it, while this holds, is in memory."""
    address = StorageAddress(connection_string=f"memory={secrets.token_hex(6)}")
    _ACCOUNTS[str(address.connection_string)] = account or Account()
    try:
        with mock.patch.multiple(
            storage,
            blob_client=_or(storage.blob_client, lambda found: found.blob_service()),
            table_client=_or(storage.table_client, lambda found: found.table_service()),
            queue_client=_or(storage.queue_client, lambda found, queue: found.queue(queue)),
        ):
            yield address
    finally:
        del _ACCOUNTS[str(address.connection_string)]


def receiving(address: StorageAddress, queue: str) -> QueueClient:
    """A client that receives what the service sent, as the host does."""
    text = str(address.connection_string)
    if text in _ACCOUNTS:
        return storage.queue_client(address, queue)
    return QueueClient.from_connection_string(text, queue, message_decode_policy=TextBase64DecodePolicy())


def follow(address: StorageAddress, link: str) -> bytes:
    """What is behind a link to a blob. What a link allows is only tested with the real ones."""
    account = _ACCOUNTS.get(str(address.connection_string))
    if account is None:
        answer = requests.get(link, timeout=30)
        answer.raise_for_status()
        return answer.content
    container, _, name = unquote(urlsplit(link).path).lstrip("/").partition("/")
    return account.blob_service().get_blob_client(container, name).download_blob().readall()


def _or(real: Callable[..., Any], in_memory: Callable[..., Any]) -> Callable[..., Any]:
    def opened(address: StorageAddress, *rest: Any) -> Any:
        account = _ACCOUNTS.get(str(address.connection_string))
        return in_memory(account, *rest) if account else real(address, *rest)

    return opened
