"""One engine for all cases of a process, and a watch over everything that is asked of storage."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from azure.core.pipeline.transport import RequestsTransport

from dev.host.azurite import Azurite
from shared.cloud.settings import StorageAddress
from tests.integration.delivery.engine import Engine, engine

NEIGHBOURS = {
    "neighbours/model.json": b"no JSON",
    "neighbour/2026-01-01/part-0.csv.gz": b"\x1f\x8bno gzip",
    "neighbour/2026-01-01/_SUCCESS": b"",
}
"""Segments that nobody can read; they must not keep others from being found."""


@pytest.fixture(scope="module")
def laboratory(azurite: Azurite) -> Iterator[Engine]:
    """Little memory and disk: what does not fit fails."""
    storage = StorageAddress(connection_string=azurite.connection_string)
    with engine(storage, "t" + secrets.token_hex(6), memory_mb=150, temporary_mb=50) as made:
        made.connect()
        for name, content in NEIGHBOURS.items():
            made.upload(name, content)
        yield made


@pytest.fixture
def lab(laboratory: Engine) -> Iterator[Engine]:
    """Its segments are gone after the test: each run looks at all that there are."""
    yield laboratory
    for name in laboratory.landing.list_blob_names():
        if name not in NEIGHBOURS:
            laboratory.landing.delete_blob(name)


@pytest.fixture
def reached(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Hosts and containers (or tables, or queues) that were asked for."""
    seen: set[str] = set()
    send = RequestsTransport.send

    def watched(self: RequestsTransport, request: Any, **options: Any) -> Any:
        url = urlsplit(request.url)
        _, _, place = url.path.lstrip("/").partition("/")
        seen.add(f"{url.hostname} {place.partition('/')[0].partition('(')[0]}")
        return send(self, request, **options)

    monkeypatch.setattr(RequestsTransport, "send", watched)
    return seen
