"""A container of its own for each test, in real storage."""

from __future__ import annotations

import pytest

from shared.cloud.settings import StorageAddress
from shared.cloud.storage import blob_client
from tests.integration.snapshots.landing import Landing


@pytest.fixture
def landing(storage: StorageAddress, unique: str) -> Landing:
    client = blob_client(storage)
    return Landing(client, client.create_container(unique))
