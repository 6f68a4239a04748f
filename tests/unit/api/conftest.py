"""An app over a service with one connection that was checked."""

from __future__ import annotations

import pytest

from shared.app import create_app
from tests.unit.api.asgi import Client
from tests.unit.api.callers import KnownCallers
from tests.unit.api.service import FakeService


@pytest.fixture
def service() -> FakeService:
    made = FakeService()
    made.world.connect()
    return made


@pytest.fixture
def client(service: FakeService) -> Client:
    return Client(create_app(service, KnownCallers()))


@pytest.fixture
def contributor(service: FakeService) -> Client:
    return Client(create_app(service, KnownCallers()), {"x-test-caller": "carl"})
