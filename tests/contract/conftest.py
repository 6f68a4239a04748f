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


WAITS = {
    "shared.vendors.http.TROUBLE_SECONDS": 1.0,
    "shared.vendors.http.UNREADABLE_SECONDS": 1.0,
    "shared.vendors.dotdigital.vendor._RESEND_SECONDS": 1.0,
    "shared.vendors.dotdigital.troubles.BUSY_SECONDS": 1.0,
    "shared.vendors.dotdigital.troubles.LIMITED_SECONDS": 1.0,
    "shared.vendors.campaign_monitor.api.FAILURE_PAUSES": (0.1, 0.1),
    "shared.vendors.campaign_monitor.api.LATER": 1.0,
    "shared.vendors.campaign_monitor.api.TROUBLE_SECONDS": 1.0,
    "shared.vendors.campaign_monitor.patience.SILENT_SECONDS": (0.5, 1.0),
    "shared.vendors.omnisend.throttling.FIRST_SECONDS": 0.5,
}


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits of a minute and more become a second: what is tested is what comes after them, not their length."""
    for name, seconds in WAITS.items():
        monkeypatch.setattr(name, seconds)
    monkeypatch.setattr("shared.vendors.http.backoff", lambda disposition, attempt: 0.05)
