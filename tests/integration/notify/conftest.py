"""An engine whose notifications go to a receiver on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from shared.cloud.settings import StorageAddress
from tests.integration.delivery import engine as engines
from tests.integration.delivery.engine import Engine
from tests.integration.notify.receiver import Receiver, serving
from tests.memory import in_memory

SECRET = "whsec_c2lnbmluZy1rZXktb2YtdGhlLXRlc3Rz"


@pytest.fixture
def storage() -> Iterator[StorageAddress]:
    """Nothing here is about storage."""
    with in_memory() as address:
        yield address


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with serving() as made:
        yield made


@pytest.fixture
def engine(storage: StorageAddress, unique: str, receiver: Receiver) -> Iterator[Engine]:
    options: dict[str, Any] = {
        "notify_url": receiver.url,
        "notify_secret": "signing",
        "public_url": "https://exports.example",
    }
    with engines.engine(storage, unique, **options) as made:
        made.cloud.secrets.values["signing"] = SECRET  # type: ignore[attr-defined]  # the tests' fixed secrets
        made.connect()
        yield made
