"""What tests of pages share."""

from __future__ import annotations

import pytest

from tests.unit.api.service import FakeService
from tests.unit.catalog.samples import World


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def service() -> FakeService:
    """A connection that was checked and is shared with contributors, and an export on it."""
    made = FakeService()
    made.world.connect(shared_with="administrators and contributors")
    made.world.save()
    return made
