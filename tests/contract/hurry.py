"""Vendors' minutes become seconds, in what the engine knows of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from shared.delivery.account import connecting
from shared.vendors.contract import Definition
from shared.vendors.registry import definition

WINDOW = 1.0
"""Seconds that every longer rate window is shortened to, with as many calls in it."""


def hurry(monkeypatch: pytest.MonkeyPatch, **changes: Any) -> None:
    """Deliveries go by short windows, and by other `changes` of the definition (sizes of batches)."""

    def hurried(name: str) -> Definition:
        found = definition(name)
        rates = tuple(replace(rate, seconds=min(rate.seconds, WINDOW)) for rate in found.rates)
        return replace(found, rates=rates, **changes)

    monkeypatch.setattr(connecting, "definition", hurried)
