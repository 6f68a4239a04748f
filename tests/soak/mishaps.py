"""What may go wrong, drawn from a seed: at the vendor, in storage, and with the worker of a message."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from typing import Any

from dev.faults.interruptions import Calls, Life, Trouble, When, any_call
from dev.simulators.common.faults import Fault
from shared.errors import RetryAfter
from tests.integration.faults import failures

MOST_CALLS = 40
"""Among so many calls of a slice lies the one that is struck; a slice with fewer goes unharmed."""

VENDOR_FAULTS: dict[str, dict[str, Any]] = {
    "429": {"kind": "rate_limited", "retry_after": 1},
    "5xx": {"kind": "error", "status": 503},
    "5xx, done": {"kind": "error", "status": 500, "work": True},
    "timeout": {"kind": "hang"},
    "dropped": {"kind": "drop"},
    "dropped, done": {"kind": "drop", "work": True},
    "cut off": {"kind": "truncate"},
    "unknown answer": {"kind": "unknown_json"},
    "web page": {"kind": "html", "status": 200},
}
STORAGE_TROUBLES: dict[str, Callable[[], Exception]] = {
    "storage busy": failures.busy,
    "storage timed out": failures.timed_out,
}


VAULT_AWAY = "key vault away"
OUTAGE = "vendor dead"


class NoVault:
    """Stands for Key Vault while it is out of reach."""

    def get(self, name: str, *, fresh: bool = False) -> str:
        raise RetryAfter(1, "Key Vault does not answer.")


def outage(chance: random.Random) -> dict[str, Fault]:
    """The next calls of a vendor fail, one after the other."""
    return {OUTAGE: Fault(every=1, times=chance.randint(3, 8), kind="error", status=503)}


def vendor_faults(chance: random.Random, weather: float) -> dict[str, Fault]:
    """Faults that strike some calls of a vendor from now on, by name; `weather` is the share of calls for each."""
    names = chance.sample(sorted(VENDOR_FAULTS), 3)
    return {name: Fault(chance=weather, seed=chance.randrange(2**31), times=3, **VENDOR_FAULTS[name]) for name in names}


def calls(chance: random.Random, weather: float) -> tuple[str, Calls]:
    """The fate of a worker with its next message, and its name."""
    at, when = chance.randint(1, MOST_CALLS), chance.choice(list(When))
    drawn = chance.random()
    if drawn < weather:
        return "worker died", Life(at, when)
    if drawn < 2 * weather:
        name = chance.choice(sorted(STORAGE_TROUBLES))
        return name, Trouble(STORAGE_TROUBLES[name], at, when, _storage)
    if drawn < 2.5 * weather:
        return VAULT_AWAY, Calls(0, any_call)
    return "", Calls(0, any_call)


def _storage(name: str) -> bool:
    return not name.startswith("vendor.")


def struck(tally: Counter[str], name: str, fate: Calls) -> None:
    """Count what really happened."""
    if name and (fate.was_struck() or name == VAULT_AWAY):
        tally[name] += 1
