"""Random faults, changing segments and people at work on all vendors: in the end every list is its segment.

`make soak` goes on for five minutes (`SECONDS=`) from a new seed or a given one (`SEED=`), on Azurite and with two
exports of each vendor, or of those in `VENDORS=`; without it, there are a few rounds from a fixed seed, in memory and
with one of each. Threads take messages in an order of their own, so a seed gives the same segments, kinds of runs,
faults and deaths, but not always the same meeting of them.
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Iterator

import pytest

from shared.cloud.settings import StorageAddress
from shared.delivery.state.transitions import RunKind
from tests.load.accounts import VENDORS
from tests.load.saying import say, table
from tests.memory import azurite_or_memory
from tests.soak.mishaps import OUTAGE, STORAGE_TROUBLES, VAULT_AWAY, VENDOR_FAULTS
from tests.soak.soak import Soak, soak

SECONDS = float(os.environ.get("SOAK", "0"))
SEED = int(os.environ.get("SEED") or (secrets.randbelow(1_000_000) if SECONDS else 20))
SHORT_ROUNDS, CALM_ROUNDS = 3, 3
EXPORTS = 2 if SECONDS else 1
CHOSEN = tuple(os.environ.get("VENDORS", "").split()) or VENDORS
WEATHER = 0.12
"""Share of calls that a fault strikes, and of messages whose worker dies or meets trouble in storage."""


def rounds() -> Iterator[int]:
    """Numbers of the rounds with faults."""
    end, number = time.monotonic() + SECONDS, 0
    while number < SHORT_ROUNDS or time.monotonic() < end:
        yield number
        number += 1


@pytest.fixture
def storage(request: pytest.FixtureRequest) -> Iterator[StorageAddress]:
    with azurite_or_memory(request, azurite=bool(SECONDS)) as address:
        yield address


@pytest.mark.slow
@pytest.mark.timeout(900 + 3 * SECONDS)
def test_whatever_happens_every_list_is_its_segment(
    storage: StorageAddress, unique: str, pytestconfig: pytest.Config
) -> None:
    say(pytestconfig, [f"seed {SEED}"])
    with soak(storage, unique, SEED, exports=EXPORTS, vendors=CHOSEN) as world:
        for number in rounds():
            world.round(number, WEATHER)
            assert not world.wrong, f"seed {SEED}, round {number}: {world.wrong}"
        for number in range(CALM_ROUNDS):  # a repair mends what was spoiled, and the next run what stayed unknown
            world.round(-1 - number, 0.0)
        world.replay()
        found = world.differences()
        say(pytestconfig, _table(world, len(found)))
        assert not world.wrong, f"seed {SEED}: {world.wrong}"
        assert world.tally["kept back by rules"] and world.tally["taken off by rules"]
        assert world.tally["moved to another address"] and world.tally["second addresses"]
        assert world.tally[f"kind: {RunKind.REPAIR}"] and world.tally["runs beside another"]
        assert world.tally["opted out"] and not world.unread(), f"seed {SEED}: not read: {world.unread()}"
        assert not found, f"seed {SEED}: {found[:20]}"
        assert not world.spoiled, f"seed {SEED}: not mended: {world.spoiled}"
        assert not world.leases.together, f"seed {SEED}: two slices at once on {world.leases.together}"
        assert not world.harm(), f"seed {SEED}: {world.harm()}"


def _table(world: Soak, differences: int) -> list[str]:
    tally = world.tally
    faults = [*VENDOR_FAULTS, OUTAGE, *STORAGE_TROUBLES, VAULT_AWAY, "worker died"]
    rows: list[tuple[str, int]] = [("runs", tally["runs"])]
    rows += [
        (f"  {name}", count) for name, count in sorted(tally.items()) if name.startswith(("kind", "ended", "decided: "))
    ]
    rows += [("faults", sum(tally[name] for name in faults))]
    rows += [(f"  {name}", tally[name]) for name in faults]
    rows += [(name, tally[name]) for name in ("cancelled by a person", "decided by a person", "woken by the timer")]
    rows += [(name, tally[name]) for name in ("ledgers put back", "older ledgers noticed")]
    rows += [(name, tally[name]) for name in ("kept back by rules", "taken off by rules")]
    rows += [(name, tally[name]) for name in ("moved to another address", "second addresses")]
    rows += [(name, tally[name]) for name in ("opted out", "opt-outs read", "runs beside another")]
    rows += [("lists replayed from events", tally["lists replayed from events"])]
    rows += [(name, tally[name]) for name in ("given up", "rows sent", "sent again")]
    return table([*rows, ("differences", differences)])
