"""A catalog over tables in memory, empty or with one connection that was checked."""

from __future__ import annotations

import pytest

from tests.unit.catalog.samples import World


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def connected(world: World) -> World:
    world.connect()
    return world
