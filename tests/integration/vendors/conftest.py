"""The engine with a vendor's simulator, in small batches and short slices, so that things happen between them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from shared.cloud.settings import StorageAddress
from tests.contract.hurry import hurry
from tests.contract.prompt import Prompt
from tests.integration.delivery import engine as engines
from tests.integration.delivery.engine import Engine
from tests.kits import KITS
from tests.memory import in_memory

Opened = Callable[[str], AbstractContextManager[Engine]]


@pytest.fixture
def storage() -> Iterator[StorageAddress]:
    """Nothing here is about storage."""
    with in_memory() as address:
        yield address


@pytest.fixture
def opened(storage: StorageAddress, unique: str, monkeypatch: pytest.MonkeyPatch) -> Opened:
    """Opens an engine for the vendor of that name, with a connection that was checked."""

    @contextmanager
    def open_engine(vendor: str) -> Iterator[Engine]:
        kit = KITS[vendor]
        hurry(monkeypatch, batch_rows=4, concurrency=1)
        for name, seconds in kit.waits.items():
            monkeypatch.setattr(name, seconds)
        with engines.engine(storage, unique, kit, slice_seconds=0.001) as made:
            made.cloud.slices = Prompt(storage, f"{unique}-slices")
            made.connect()
            yield made

    return open_engine
