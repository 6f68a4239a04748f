"""The vendors' minutes go by faster, and so do the waits between attempts and the longest time of a request."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from shared.transport import Wire
from shared.vendors import http, retrying
from tests.contract.hurry import hurry
from tests.kits import KITS

SHORTEST = 3.0
"""Seconds that a request may always take, so that a busy machine is no fault of the vendor's."""


@contextmanager
def quick(pace: float, **changes: Any) -> Iterator[None]:
    """Everything that waits for a vendor takes a `pace`-th; `changes` are those of every vendor's definition."""
    backoff, send = retrying.backoff, Wire.__call__

    def sooner(disposition: Any, attempt: int) -> float:
        return backoff(disposition, attempt) / pace

    def impatient(wire: Wire, method: str, url: str, headers: Any, body: Any, seconds: float) -> Any:
        return send(wire, method, url, headers, body, max(seconds / pace, SHORTEST))

    trouble = http.TROUBLE_SECONDS / pace
    with pytest.MonkeyPatch.context() as patch:
        for kit in KITS.values():
            for name, value in kit.waits.items():
                patch.setattr(name, value)
        patch.setattr(http, "TROUBLE_SECONDS", trouble)
        patch.setattr(http, "backoff", sooner)
        patch.setattr(Wire, "__call__", impatient)
        hurry(patch, **changes)
        yield
