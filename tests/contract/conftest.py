"""The engine, once for each vendor."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from shared.cloud.settings import StorageAddress
from tests.contract.hurry import hurry
from tests.contract.outcomes import GOOD
from tests.contract.prompt import Prompt
from tests.integration.delivery import engine as engines
from tests.integration.delivery.engine import Engine, people
from tests.kits import KITS, Kit
from tests.memory import azurite_or_memory


@pytest.fixture(params=KITS.values(), ids=lambda kit: kit.name)
def kit(request: pytest.FixtureRequest) -> Kit:
    """Every vendor that there is; `test_adding_a_vendor` has one more."""
    found: Kit = request.param
    return found


@pytest.fixture
def storage(request: pytest.FixtureRequest) -> Iterator[StorageAddress]:
    """In memory; Azurite's for tests that ask for it, as one does which goes from one end to the other."""
    with azurite_or_memory(request, azurite=getattr(request, "param", "memory") == "azurite") as address:
        yield address


@pytest.fixture
def engine(kit: Kit, storage: StorageAddress, unique: str) -> Iterator[Engine]:
    """An engine with a connection to the vendor that was checked."""
    with connected(kit, storage, unique) as made:
        yield made


@contextmanager
def connected(kit: Kit, storage: StorageAddress, unique: str) -> Iterator[Engine]:
    """The same for a vendor that a test names."""
    with engines.engine(storage, unique, kit) as made:
        made.cloud.slices = Prompt(storage, f"{unique}-slices")
        made.connect()
        yield made


@pytest.fixture
def delivered(engine: Engine) -> Engine:
    """The same, after it delivered twelve people who are on their list."""
    engine.land(people(12))
    engine.define()
    assert engine.run().state in GOOD
    engine.settled()
    return engine


WAITS = {
    "shared.vendors.http.TROUBLE_SECONDS": 1.0,
    "shared.vendors.answers.UNREADABLE_SECONDS": 1.0,
}


@pytest.fixture(autouse=True)
def impatient(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits of a minute and more become a second: what is tested is what comes after them, not their length."""
    kit: Kit | None = request.getfixturevalue("kit") if "kit" in request.fixturenames else None
    for name, seconds in {**WAITS, **(kit.waits if kit else {})}.items():
        monkeypatch.setattr(name, seconds)
    hurry(monkeypatch)
    monkeypatch.setattr("shared.vendors.http.backoff", lambda disposition, attempt: 0.05)
