"""Storage twice: Azurite's, and the one in memory that other suites use in its place. Both keep the same promises."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from shared.cloud.settings import StorageAddress
from tests.memory import Account, in_memory


@dataclass
class Clock:
    """Tells seconds; those of the storage in memory pass without waiting."""

    real: bool
    passed: float = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.passed

    def wait(self, seconds: float) -> None:
        if self.real:
            time.sleep(seconds)
        else:
            self.passed += seconds


@pytest.fixture(params=["azurite", "memory"])
def clock(request: pytest.FixtureRequest) -> Clock:
    return Clock(real=request.param == "azurite")


@pytest.fixture
def account(clock: Clock, request: pytest.FixtureRequest) -> Iterator[StorageAddress]:
    if clock.real:
        yield request.getfixturevalue("storage")
    else:
        with in_memory(Account(clock)) as address:
            yield address
