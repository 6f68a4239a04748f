"""What a repair asks of each vendor, beside what sending everyone again does: requests, counted at the simulators."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from shared.cloud.settings import StorageAddress
from shared.delivery.state.records import Run, State
from shared.delivery.state.runs import Runs
from shared.delivery.state.transitions import RunKind
from shared.delivery.verify import values
from shared.vendors import registry
from tests.contract.hurry import hurry
from tests.contract.prompt import Prompt
from tests.integration.delivery.engine import Engine, Person, engine, people
from tests.kits import FRESH, KITS, Kit

GOOD = (State.SUCCEEDED, State.WARNINGS)
MENDED = 100
"""People: one half missing, the other with other values; all of them missing where values are looked up one by one."""
FIXED = 8
"""Requests that the account, its fields, the list, who unsubscribed from it and two jobs take. Dotdigital takes people
by ten thousand, so that a hundredth of its resync of a million would be fewer."""
FEWER, MORE, MILLION = 1_000, 3_000, 1_000_000


@pytest.fixture(params=KITS.values(), ids=lambda kit: kit.name)
def world(
    request: pytest.FixtureRequest, storage: StorageAddress, unique: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Engine]:
    kit: Kit = request.param
    hurry(monkeypatch)
    monkeypatch.setattr(values, "MOST_LOOKED_AT", 0)  # what a check asks is not what is counted
    for name, seconds in kit.waits.items():
        monkeypatch.setattr(name, seconds)
    with engine(storage, unique, kit, verify_seconds=0.0) as made:
        made.cloud.slices = Prompt(storage, f"{unique}-slices")
        made.tell("settings", FRESH.get(kit.name, {}))
        made.connect()
        made.define(guards={"max_deviation_share": None})
        yield made


def carried_out(world: Engine, kind: RunKind) -> Run:
    run = world.service.begin("newsletter", kind).run
    world.pump()
    ended = world.current(run)
    assert ended.state in GOOD, ended.message
    world.settled()
    return ended


def asked(world: Engine, kind: RunKind) -> int:
    """Requests of a run. Whoever waits for one of the vendor's jobs looks at it as often as time makes it: one look."""
    before = len(world.calls())
    carried_out(world, kind)
    made = world.calls()[before:]
    looks = [(entry.path, entry.query) for entry in made if entry.method == "GET"]
    return len(made) - len(looks) + len(set(looks))


def latest(world: Engine) -> Run:
    return next(Runs(world.cloud.runs).history("newsletter"))


def disturb(world: Engine, everyone: list[Person]) -> None:
    lists_values, name = registry.definition(world.kit.name).lists_values, world.kit.list_name("Loyal")
    half = MENDED // 2 if lists_values else 0
    for each in everyone[: MENDED - half]:
        world.kit.lose(world, each.email)
    spoiled = [
        {"email": each.email, "lists": [name], "dataFields": world.kit.spoiled}
        for each in everyone[len(everyone) - half :]
    ]
    world.tell("people", {"people": spoiled})


def measured(world: Engine, count: int) -> tuple[int, int]:
    """Requests of a repair, and of a full resync, of a list of so many people."""
    everyone = people(count)
    world.land(everyone)
    carried_out(world, RunKind.DELIVERY)
    disturb(world, everyone)
    world.service.start_check_up("newsletter", 0, full=True, by="ann")
    world.pump()
    mending = asked(world, RunKind.REPAIR)
    assert world.delivery(latest(world)).counts["add"] + world.delivery(latest(world)).counts["change"] == MENDED
    return mending, asked(world, RunKind.FULL_RESYNC)


@pytest.mark.in_turn("world", 2)
def test_a_hundred_of_a_million_are_mended_with_a_hundredth_of_a_resync(world: Engine) -> None:
    mending, resyncing = measured(world, FEWER)
    more_mending, more_resyncing = measured(world, MORE)
    of_a_million = resyncing + (more_resyncing - resyncing) * (MILLION - FEWER) // (MORE - FEWER)
    assert more_mending <= mending, "it does not grow with the list"
    assert mending <= max(of_a_million // 100, FIXED), (mending, of_a_million)
