"""The engine, once for each vendor."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from shared.cloud.settings import StorageAddress
from tests.integration.delivery import engine as engines
from tests.integration.delivery.engine import Engine
from tests.kits import KITS, Kit


@pytest.fixture(params=list(KITS.values()), ids=list(KITS))
def kit(request: pytest.FixtureRequest) -> Kit:
    """Every vendor that there is."""
    found: Kit = request.param
    return found


@pytest.fixture
def engine(kit: Kit, storage: StorageAddress, unique: str) -> Iterator[Engine]:
    """An engine with a connection to the vendor that was checked."""
    with engines.engine(storage, unique, kit) as made:
        made.connect()
        yield made
