"""One engine with its storage and simulator, whose workers can be interrupted, and the host that starts them again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from azure.storage.blob import ContainerClient
from azure.storage.queue import QueueMessage

from dev.faults.interruptions import Calls
from dev.faults.passing import HOUR, pass_time
from dev.faults.seam import Around, WatchedCloud
from dev.simulators.common.simulator import Simulator
from dev.simulators.iterable import Iterable
from shared.catalog.targets import TargetStore, target_key
from shared.cloud.cloud import Cloud
from shared.cloud.queue import Queue
from shared.cloud.settings import StorageAddress
from shared.control.service import Service as LiveService
from shared.delivery import inbox
from shared.delivery.state.records import Delivery, Run, now
from shared.delivery.state.runs import Runs, Versioned
from tests.integration.delivery import engine as engines
from tests.integration.delivery.engine import Engine
from tests.integration.faults.accounts import Accounts, LedgerRow, ledger_rows
from tests.integration.faults.segments import Segment

BATCH_ROWS = 5


class Undelayed(Queue):
    """Messages are visible at once, since no test waits; `asked` gets them with the delays they should have."""

    def __init__(self, address: StorageAddress, name: str, asked: list[tuple[dict[str, Any], float]]) -> None:
        super().__init__(address, name)
        self.asked = asked

    def send(self, message: Mapping[str, Any], *, delay: float = 0.0) -> None:
        self.asked.append((dict(message), delay))
        super().send(message)


@dataclass
class World:
    """`accounts` holds every slice to what may be sent twice. An export and its list share their name.

    `asked` are the messages that were sent, with the delays that they should have had.
    """

    engine: Engine
    asked: list[tuple[dict[str, Any], float]] = field(default_factory=list)
    unfinished: QueueMessage | None = None
    """The message of the last slice that did not end; hidden."""

    @cached_property
    def accounts(self) -> Accounts:
        return Accounts(self.engine)

    @property
    def cloud(self) -> Cloud:
        """A healthy one."""
        return self.engine.cloud

    @property
    def runs(self) -> Runs:
        return Runs(self.cloud.runs)

    def watched(self, around: Around) -> Cloud:
        return WatchedCloud(self.cloud, around)

    # What people do

    def prepare(self) -> None:
        """The connection; and the container, so that time can pass before the first run."""
        self.engine.at = datetime.now(UTC) - timedelta(days=1)
        self.engine.connect(settings={"subscribe_rate": 1000, "batch_rows": BATCH_ROWS})
        assert not list(self.cloud.blobs.names(""))

    def define(self, name: str, **changes: Any) -> None:
        self.engine.define(name, **{"targets": [{"segments": ["Loyal"], "list_name": name}]} | changes)

    def land(self, segment: Segment) -> None:
        self.engine.at -= timedelta(seconds=59)  # else many landings lead into the future
        self.engine.land(segment.rows)

    def start(self, name: str, cloud: Cloud | None = None) -> Run:
        """Ask for a run; where one is active, it is that one."""
        return LiveService(cloud or self.cloud).start(name).run

    # What the host does

    def receive(self) -> QueueMessage | None:
        return self.engine.queue.receive_message(visibility_timeout=600)

    def step(self, cloud: Cloud | None = None) -> bool:
        """Carry out one message; False where there is none."""
        message = self.receive()
        if message is None:
            return False
        with self.accounts.slice(json.loads(message.content)["export"]):
            try:
                inbox.receive(
                    cloud or self.cloud, message.content.encode(), str(message.id), message.dequeue_count or 1
                )
            except BaseException:
                self.unfinished = message
                raise
        self.engine.queue.delete_message(message)
        return True

    def work(self, cloud: Cloud | None = None, most: int = 200) -> int:
        """Carry out messages until there is none; how many."""
        for count in range(most):
            if not self.step(cloud):
                return count
        raise AssertionError("the queue never becomes empty")

    def give_back(self) -> None:
        """Make the message of the slice that did not end visible again, as the queue does by itself."""
        if self.unfinished is not None:
            message = self.unfinished
            self.engine.queue.update_message(message.id, message.pop_receipt, visibility_timeout=0)
            self.unfinished = None

    def work_as_host(self, cloud: Cloud, most: int = 200) -> int:
        """Carry out messages, again after an error, and give up after the fifth; how many errors there were.

        Whatever asks for a delay gets an hour.
        """
        failures = 0
        for _ in range(most):
            asked = len(self.asked)
            try:
                if not self.step(cloud):
                    return failures
            except Exception:  # noqa: BLE001 - whatever the function raises
                failures += 1
                self._after_failure(cloud)
            if any(delay for _, delay in self.asked[asked:]):
                self.pass_time()
        raise AssertionError("the queue never becomes empty")

    def _after_failure(self, cloud: Cloud) -> None:
        message = self.unfinished
        assert message is not None
        if (message.dequeue_count or 0) < inbox.MOST_ATTEMPTS:
            self.give_back()
            return
        inbox.give_up(cloud, message.content.encode(), str(message.id))
        self.engine.queue.delete_message(message)

    # What time does

    def pass_time(self, seconds: float = HOUR) -> None:
        """An hour (or so) goes by: leases that nobody renews end, rate windows are empty."""
        pass_time(self.container, seconds)

    def wake(self, cloud: Cloud | None = None) -> int:
        """The timer, an hour later."""
        later = now() + timedelta(seconds=HOUR)
        return inbox.wake(cloud or self.cloud, clock=lambda: later)

    @cached_property
    def container(self) -> ContainerClient:
        blobs = self.cloud.blobs
        return blobs.service.get_container_client(blobs.container)

    # What is there afterwards

    def run(self, name: str) -> Run | None:
        """The export's newest run."""
        return self.accounts.run(name)

    def delivery(self, run: Run, index: int = 0) -> Versioned[Delivery]:
        found = self.runs.delivery(run.export, run.run, index)
        assert found is not None
        return found

    def memory(self, name: str) -> Mapping[str, Any]:
        """What is remembered of the export's target."""
        export = self.engine.catalog.export(name).item
        claim = TargetStore(self.cloud.targets).owner(export.account, target_key(export.targets[0]))
        assert claim is not None
        return claim.memory

    def ledger(self, name: str) -> dict[str, LedgerRow]:
        return ledger_rows(self.cloud, self.memory(name)["ledger"])


@contextmanager
def world(storage: StorageAddress, unique: str, **settings: Any) -> Iterator[World]:
    """A world with a checked connection, batches of five, and a simulator without rates that keeps request bodies."""
    with engines.engine(storage, unique, **settings) as engine:
        keep_quiet(engine.simulator)
        made = World(engine)
        engine.cloud.slices = Undelayed(storage, f"{unique}-slices", made.asked)
        made.prepare()
        yield made


def keep_quiet(simulator: Simulator[Iterable]) -> None:
    """No rates, and a journal with the bodies of all requests."""
    simulator.change_settings({"journal": "bodies", "rates": dict.fromkeys(simulator.vendor.settings.rates)})


@contextmanager
def at_point(words: str, calls: Calls) -> Iterator[None]:
    """Have a failure say at which call the worker was interrupted."""
    try:
        yield
    except Exception as error:
        error.add_note(f"{words} call {calls.at}: {calls.struck}")
        raise


def count_calls(world: World, act: Callable[[Cloud], object]) -> list[str]:
    """The calls that undisturbed work makes."""
    calls = Calls()
    act(world.watched(calls))
    return calls.names
