"""The engine, one for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from shared.cloud.settings import StorageAddress
from tests.integration.delivery import engine as engines
from tests.integration.delivery.engine import Engine
from tests.memory import in_memory


@pytest.fixture
def storage() -> Iterator[StorageAddress]:
    """Nothing here is about storage."""
    with in_memory() as address:
        yield address


@pytest.fixture
def engine(storage: StorageAddress, unique: str) -> Iterator[Engine]:
    """An engine with a connection that was checked."""
    with engines.engine(storage, unique) as made:
        made.connect()
        yield made
