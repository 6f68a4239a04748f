"""A world of any vendor's: an engine whose workers die, and what must hold of each of its runs afterwards."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from dev.faults.interruptions import Calls, Died
from dev.faults.passing import HOUR, pass_time
from dev.faults.seam import WatchedCloud
from shared.cloud.settings import StorageAddress
from shared.control.service import Service as LiveService
from shared.delivery import inbox
from shared.delivery.account import connecting
from shared.delivery.state import journal, layout, lookup
from shared.delivery.state.records import ACTIVE, Run, State, Step, now
from shared.delivery.state.runs import Runs
from shared.vendors.contract import Definition
from tests.contract.outcomes import accounted, clean, writes
from tests.integration.delivery import engine as engines
from tests.integration.delivery.engine import Engine, Person
from tests.integration.faults.accounts import ledger_rows, planned
from tests.integration.faults.world import BATCH_ROWS, Undelayed
from tests.kits import Kit

PROMPT: Mapping[str, Mapping[str, Any]] = {
    "dotdigital": {"import_seconds": 0, "removal_seconds": 0, "list_count_lag": 0},
    "campaign-monitor": {"stats_age": 0},
    "omnisend": {"batch_pending_seconds": 0, "batch_seconds": 0, "tag_seconds": 0},
    "klaviyo": {"queued_seconds": 0, "job_seconds": 0},
    "mailchimp": {"batch_pending_seconds": 0, "batch_seconds": 0},
}
"""Vendor -> settings of its simulator with which nothing takes time."""
BATCHED = ("iterable", "dotdigital", "campaign-monitor")
"""Vendors whose connections say how many people a request has."""
GOOD = (State.SUCCEEDED, State.WARNINGS)

Done = Counter[tuple[str, str]]
"""(endpoint, address) -> how often the vendor was asked for it and did it."""


def first(name: str) -> list[Person]:
    """Three batches."""
    return [person(name, number) for number in range(12)]


def second(name: str) -> list[Person]:
    """Four left, three joined, two changed."""
    changed = [person(name, number, "Changed") for number in (4, 5)]
    return [*changed, *(person(name, number) for number in (*range(6, 12), *range(100, 103)))]


def person(name: str, number: int, first_name: str = "") -> Person:
    return Person(f"{name}.person{number}@example.com", first_name or f"First{number}", f"City {number % 7}")


@dataclass
class VendorWorld:
    """An export and its list share their name. `again` counts rows that were sent a second time."""

    engine: Engine
    again: int = 0
    asked: list[tuple[dict[str, Any], float]] = field(default_factory=list)

    def deliver(self, name: str, wanted: Sequence[Person], calls: Calls) -> Run:
        """One run, whose worker may die of `calls`; another one goes on. Then everything that is promised holds."""
        engine, before, already = self.engine, self.latest(name), self.done()
        engine.at -= timedelta(seconds=59)  # else many landings lead into the future
        engine.land([*wanted, Person("bad@@example")])
        cloud, in_flight = WatchedCloud(engine.cloud, calls), set[str]()
        try:
            LiveService(cloud).start(name)
            self.work(cloud)
        except Died:
            self.pass_time()
            in_flight = self.in_flight(name)
        if self.latest(name) == before:  # it died before there was a run: whoever asked asks again
            engine.start(name)
        self.go_on()
        run = self.latest(name)
        assert run is not None and run != before
        twice = {address for (_, address), times in (self.done() - already).items() if times > 1}
        assert twice <= in_flight, f"{len(twice - in_flight)} people were sent again who were not in flight"
        self.again += len(twice)
        self.kept(run, wanted)
        return run

    def go_on(self) -> None:
        """What is left in the queue, and what the timer finds an hour later."""
        later = timedelta(seconds=HOUR)
        for _ in range(2):
            self.work(self.engine.cloud)
            inbox.wake(self.engine.cloud, clock=lambda: now() + later)
        self.work(self.engine.cloud)

    def work(self, cloud: Any, most: int = 2000) -> None:
        """Carry out messages until there is none; one whose worker dies stays in the queue."""
        queue = self.engine.queue
        for _ in range(most):
            message = queue.receive_message(visibility_timeout=600)
            if message is None:
                return
            try:
                inbox.receive(cloud, message.content.encode())
            except BaseException:
                queue.update_message(message.id, message.pop_receipt, visibility_timeout=0)
                raise
            queue.delete_message(message)
        raise AssertionError("the queue never becomes empty")

    def pass_time(self) -> None:
        blobs = self.engine.cloud.blobs
        pass_time(blobs.service.get_container_client(blobs.container))

    def latest(self, name: str) -> Run | None:
        return next(Runs(self.engine.cloud.runs).history(name), None)

    def done(self) -> Done:
        return Counter(
            (entry.endpoint, address) for entry in writes(self.engine) if entry.worked for address in entry.touched
        )

    def in_flight(self, name: str) -> set[str]:
        """Whose batch was sent and has no receipt; also one that is staged, of which the next steps may repeat."""
        run = self.latest(name)
        if run is None:
            return set()
        folded = journal.fold(self.engine.cloud.blobs, layout.delivery_folder(name, run.run, 0))
        batches = planned(self.engine.cloud, run)
        return {each.address for number in folded.in_flight() | folded.staged.keys() for each in batches[number]}

    # What must hold

    def kept(self, run: Run, wanted: Sequence[Person]) -> None:
        engine = self.engine
        delivery = engine.delivery(run)
        assert run.state in GOOD, (run.state, run.message)
        assert (delivery.step, delivery.state) == (Step.DONE, run.state)
        assert engine.cloud.runs.get(run.export, ACTIVE) is None
        outcomes = accounted(engine, run)
        assert all(each.endswith(" accepted") for each in outcomes), outcomes
        self.list_is(run.export, wanted)
        self.ledger_is(run.export, "member", wanted)
        self.verified(run)
        clean(engine)

    def verified(self, run: Run) -> None:
        assert list(self.engine.cloud.blobs.names(layout.VERIFYING)) == []
        verification = self.engine.delivery(run).verification
        assert verification["verdict"] == "agrees", verification

    def list_is(self, name: str, wanted: Sequence[Person]) -> None:
        members = self.engine.members(name)
        assert members == {each.email: {"first": each.first, "city": each.city} for each in wanted}

    def ledger_is(self, name: str, status: str, wanted: Sequence[Person]) -> None:
        """These people, and no others, have this status."""
        export = self.engine.catalog.export(name).item
        [ledger] = {known.ledger for known in _targets(self.engine, export)}
        rows = ledger_rows(self.engine.cloud, ledger)
        assert {address for address, row in rows.items() if row.status == status} == {each.email for each in wanted}


def _targets(engine: Engine, export: Any) -> Iterator[Any]:
    return lookup.targets(engine.cloud, export)


def define(engine: Engine, name: str) -> None:
    engine.define(name, targets=[{"segments": ["Loyal"], "list_name": name}])


@contextmanager
def vendor_world(kit: Kit, storage: StorageAddress, unique: str, **settings: Any) -> Iterator[VendorWorld]:
    """A world with a checked connection, batches of five, a simulator in which nothing takes time, and the container,
    so that time can pass before the first run."""
    with engines.engine(storage, unique, kit, **{"verify_seconds": 0.01, "job_seconds": 0.001} | settings) as engine:
        made = VendorWorld(engine)
        engine.cloud.slices = Undelayed(storage, f"{unique}-slices", made.asked)
        engine.at = now() - timedelta(days=1)
        calm(engine)
        connect(engine)
        assert not list(engine.cloud.blobs.names(""))
        yield made


def calm(engine: Engine) -> None:
    rates = dict.fromkeys(engine.simulator.vendor.settings.rates)
    engine.tell("settings", {"rates": rates, **PROMPT.get(engine.kit.name, {})})


def connect(engine: Engine) -> None:
    batches = {"batch_rows": BATCH_ROWS} if engine.kit.name in BATCHED else {}
    engine.connect(settings={**engine.kit.settings, **batches})


def unpaced(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    """No rates, and no pauses that are waited out."""
    paced: Callable[[str], Definition] = vars(connecting)["definition"]
    monkeypatch.setattr(connecting, "definition", lambda name: replace(paced(name), rates=()))
    for name, seconds in kit.waits.items():
        monkeypatch.setattr(name, seconds)


def until(holds: Callable[[], bool], seconds: float = 300.0) -> None:
    """Wait for it. Raises AssertionError where it takes longer than any machine should."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.01)
