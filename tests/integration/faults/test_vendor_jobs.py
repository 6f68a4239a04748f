"""Jobs that a vendor goes on with after its answer: lost, endless, asked after twice. Promises 1 and 2."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from dev.faults.interruptions import Died, Life, When
from dev.faults.seam import WatchedCloud
from shared.cloud.settings import StorageAddress
from shared.control.service import Service as LiveService
from shared.delivery import slices
from shared.delivery.send import unfinished_jobs
from shared.delivery.start import starting
from shared.delivery.state.records import Run, State
from tests.contract.outcomes import accounted, writes
from tests.integration.faults.any_vendor import VendorWorld, define, first, second, unpaced, until, vendor_world
from tests.kits import KITS, Kit
from tests.memory import in_memory

NAME = "news"
SUBMITS = {
    "dotdigital": r"vendor\.PUT \S*/contacts/v3/import",
    "omnisend": r"vendor\.POST \S*/api/batches",
    "klaviyo": r"vendor\.POST \S*/api/profile-bulk-import-jobs",
    "mailchimp": r"vendor\.POST \S*/batches",
}
ASKS = {
    "dotdigital": r"vendor\.GET \S*/contacts/v3/import/\S+",
    "omnisend": r"vendor\.GET \S*/api/batches\S*",
    "klaviyo": r"vendor\.GET \S*/api/profile-bulk-import-jobs\S*",
    "mailchimp": r"vendor\.GET \S*/batches\S*",
}
"""Vendor -> the watched calls that submit a job, and that ask how it is."""
FIRST_ASKED = {"klaviyo": 2}
"""Which of these calls asks after a job of ours, where it is not the first: Klaviyo is asked beforehand what it has."""
LATE: Mapping[str, Mapping[str, Any]] = {
    "omnisend": {"batch_seconds": 3},
    "klaviyo": {"job_seconds": 3},
    "mailchimp": {"batch_seconds": 6},
}
PROMPT: Mapping[str, Mapping[str, Any]] = {
    "omnisend": {"batch_seconds": 0},
    "klaviyo": {"job_seconds": 0},
    "mailchimp": {"batch_seconds": 0},
}
ENDLESS = {**LATE, "dotdigital": {"import_status": "NotFinished"}}
"""A run's patience is over long before; the jobs of the others end later, when nobody asks after them any more."""
NEVER = {**ENDLESS, "omnisend": {"batch_seconds": 36_000}, "klaviyo": {"job_seconds": 36_000}}
"""However busy the machine is, these do not end while a test lasts. Mailchimp's are waited for by a run that is
cancelled."""
ENDING = {**PROMPT, "dotdigital": {"import_status": "Finished"}}
PATIENCE = timedelta(seconds=0.3)


@pytest.fixture
def storage() -> Iterator[StorageAddress]:
    """What fails here is the vendor, and never storage."""
    with in_memory() as address:
        yield address


@pytest.fixture(params=SUBMITS)
def kit(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Kit:
    """Vendors that have jobs. Mailchimp has them for values of people whom it knows, so there everybody is known."""
    found = KITS[request.param]
    unpaced(found, monkeypatch)
    monkeypatch.setattr("shared.vendors.mailchimp.updating.MOST_DIRECT", 0)
    return replace(found, furnish=known(found)) if found.name == "mailchimp" else found


def known(kit: Kit) -> Callable[[Any], None]:
    """Puts what the vendor needs in place, and everybody of both segments."""

    def furnish(engine: Any) -> None:
        kit.furnish(engine)
        everybody = {each.email for each in (*first(NAME), *second(NAME))}
        engine.tell("people", {"people": [{"email": each} for each in sorted(everybody)]})

    return furnish


def calls(pattern: str, at: int) -> Life:
    """A worker that dies after its `at`-th call of this kind."""
    return Life(at, When.AFTER, lambda name: re.fullmatch(pattern, name) is not None)


def submitted(world: VendorWorld) -> int:
    """Jobs that the vendor took on."""
    calls = (f"vendor.{each.method} {each.path}" for each in writes(world.engine) if each.worked)
    return len([name for name in calls if re.fullmatch(SUBMITS[world.engine.kit.name], name)])


@pytest.mark.sampled(2)
@pytest.mark.parametrize("at", [1, 3])
def test_a_job_whose_id_was_lost_is_submitted_again_and_both_end(
    kit: Kit, storage: StorageAddress, unique: str, at: int
) -> None:
    with vendor_world(kit, storage, unique) as world:
        define(world.engine, NAME)
        for wanted in (first(NAME), second(NAME)):
            life = calls(SUBMITS[kit.name], at if wanted[0].first != "Changed" else 1)
            world.deliver(NAME, wanted, life)
            assert life.dead
        assert world.again > 0, "nobody was in a job of which nobody knew"


@pytest.mark.in_turn("kit", 2)
def test_a_job_that_ended_unheard_is_asked_after_again_and_not_submitted_again(
    kit: Kit, storage: StorageAddress, unique: str
) -> None:
    with vendor_world(kit, storage, unique) as world:
        define(world.engine, NAME)
        life = calls(ASKS[kit.name], FIRST_ASKED.get(kit.name, 1))
        world.deliver(NAME, first(NAME), life)
        assert life.dead
        assert submitted(world) == 3, "a job was submitted again"


@pytest.mark.in_turn("kit", 2)
def test_a_job_that_never_ends_is_given_up_and_the_next_run_resolves_it(
    kit: Kit, storage: StorageAddress, unique: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with vendor_world(kit, storage, unique) as world:
        engine = world.engine
        define(engine, NAME)
        engine.tell("settings", ENDLESS[kit.name])
        with monkeypatch.context() as patch:
            patch.setattr(slices, "PATIENCE", PATIENCE)
            engine.land(first(NAME))
            engine.start(NAME)
            world.go_on()
        run = _latest(world)
        assert (run.state, engine.delivery(run).code) == (State.FAILED, "no_progress"), run.message
        assert accounted(engine, run) == {"add unknown": 12}
        world.ledger_is(NAME, "maybe", first(NAME))
        assert engine.delivery(run).verification == {}, "there is nothing to verify"
        engine.tell("settings", ENDING[kit.name])
        world.deliver(NAME, first(NAME)[4:], Life())
        world.ledger_is(NAME, "maybe", [])


def test_a_job_that_dotdigital_never_ends_is_given_up_on_its_own(
    storage: StorageAddress, unique: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a day is its limit, before the engine's own."""
    kit = KITS["dotdigital"]
    unpaced(kit, monkeypatch)
    with vendor_world(kit, storage, unique) as world:
        engine = world.engine
        define(engine, NAME)
        engine.tell("settings", ENDLESS["dotdigital"])
        with monkeypatch.context() as patch:
            patch.setattr("shared.vendors.dotdigital.vendor.JOB_SECONDS", PATIENCE.total_seconds())
            engine.land(first(NAME))
            engine.start(NAME)
            world.go_on()
        run = _latest(world)
        assert run.state is State.WARNINGS, run.message
        assert accounted(engine, run) == {"add unknown": 12}
        engine.tell("settings", ENDING["dotdigital"])
        world.deliver(NAME, first(NAME), Life())


NEW_ONES_END = {**PROMPT, "dotdigital": {"next_import_statuses": ["Finished"] * 4}}
"""Jobs from now on end at once; those that are under way go on as they were."""


def left_behind(world: VendorWorld, jobs: Mapping[str, Mapping[str, Any]] = ENDLESS) -> None:
    """A run was cancelled while the vendor worked on its jobs; those of later runs are quicker."""
    engine = world.engine
    define(engine, NAME)
    engine.tell("settings", jobs[engine.kit.name])
    engine.land(first(NAME))
    engine.start(NAME)
    turns(world, 2)
    starting.cancel(engine.cloud, NAME, _latest(world).run)
    world.go_on()
    assert _latest(world).state is State.CANCELLED
    assert accounted(engine, _latest(world)) == {"add unknown": 12}
    engine.tell("settings", NEW_ONES_END[engine.kit.name])


def turns(world: VendorWorld, most: int) -> None:
    with suppress(AssertionError):
        world.work(world.engine.cloud, most)


@pytest.mark.in_turn("kit", 2)
def test_nothing_is_written_while_a_job_that_was_left_behind_may_write_older_values(
    kit: Kit, storage: StorageAddress, unique: str
) -> None:
    with vendor_world(kit, storage, unique) as world:
        left_behind(world)
        engine = world.engine
        engine.land(second(NAME))
        engine.start(NAME)
        turns(world, 2)
        engine.tell("settings", ENDING[kit.name])
        world.go_on()
        until(lambda: not engine.inspect("state").json().get("pending"))
        world.kept(_latest(world), second(NAME))
        assert engine.delivery(_latest(world)).warnings == []


@pytest.mark.in_turn("kit", 2)
def test_a_job_that_was_left_behind_and_does_not_end_is_not_waited_for_for_ever(
    kit: Kit, storage: StorageAddress, unique: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with vendor_world(kit, storage, unique) as world:
        left_behind(world, NEVER)
        monkeypatch.setattr(unfinished_jobs, "PATIENCE", timedelta(0))
        world.engine.land(first(NAME))
        world.engine.start(NAME)
        world.go_on()
        assert accounted(world.engine, _latest(world)) == {"add accepted": 12}
        warning, *_ = world.engine.delivery(_latest(world)).warnings
        assert "an earlier run sent it" in warning


@pytest.mark.in_turn("kit", 2)
def test_a_job_that_is_asked_after_by_two_workers_counts_once(kit: Kit, storage: StorageAddress, unique: str) -> None:
    """The first dies with the answer; its receipts, written late, say the same as the second one's."""
    with vendor_world(kit, storage, unique) as world:
        define(world.engine, NAME)
        engine = world.engine
        engine.land(first(NAME))
        beforehand = _asks(world) + FIRST_ASKED.get(kit.name, 1)
        life = Life(1, When.AFTER, lambda name: name.startswith("blobs.append") and _asks(world) >= beforehand)
        cloud = WatchedCloud(engine.cloud, life)
        LiveService(cloud).start(NAME)
        with pytest.raises(Died):
            world.work(cloud)
        world.pass_time()
        before = submitted(world)
        world.go_on()
        assert submitted(world) == before
        world.kept(_latest(world), first(NAME))


def _asks(world: VendorWorld) -> int:
    """How often the vendor was asked how a job is."""
    calls = (f"vendor.{entry.method} {entry.path}" for entry in world.engine.calls())
    return len([name for name in calls if re.fullmatch(ASKS[world.engine.kit.name], name)])


def _latest(world: VendorWorld) -> Run:
    run = world.latest(NAME)
    assert run is not None
    return run
