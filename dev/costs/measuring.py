"""Runs of the test kit's engine on Azurite and a simulator without limits: first everyone, then one in a hundred."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from dev.costs.counting import VENDOR, counted
from dev.host.azurite import Azurite
from shared.cloud.settings import StorageAddress
from shared.delivery import inbox
from shared.delivery.state.records import State
from tests.integration.delivery import engine as engines
from tests.integration.delivery.engine import Engine, Person, people
from tests.kits import KITS

CHANGED = 100
"""On the second day every so many have another city, and the first of them have left."""
GOOD = (State.SUCCEEDED, State.WARNINGS)


@dataclass(frozen=True, slots=True)
class Figures:
    """One run: `operations` by kind, `slices` carried out, `seconds` on the clock, `cpu` seconds of this process."""

    vendor: str
    rows: int
    sent: int
    slices: int
    seconds: float
    cpu: float
    operations: Mapping[str, int]

    @property
    def requests(self) -> int:
        return self.operations.get(VENDOR, 0)


def measure(vendor: str, rows: int) -> list[Figures]:
    """A first run of so many rows, one in which one in a hundred changed, and one in which nothing did."""
    with Azurite() as azurite, _engine(vendor, azurite) as engine:
        services = ports(azurite.connection_string)
        engine.connect(settings=dict(engine.kit.settings))
        engine.define(first_run="deliver")
        everyone = people(rows)
        days = [everyone, _day_two(everyone), _day_two(everyone)]
        return [_run(engine, day, services) for day in days]


def idle_tick(exports: int) -> Mapping[str, int]:
    """Operations of one tick of the timer with so many exports on a cron schedule, none of them due."""
    schedule = {"kind": "cron", "expression": "0 6 * * *", "time_zone": "UTC"}
    with Azurite() as azurite, _engine("iterable", azurite) as engine:
        engine.connect(settings=dict(engine.kit.settings))
        engine.land(people(10))
        for number in range(exports):
            engine.define(
                f"export-{number}", targets=[{"segments": ["Loyal"], "list_name": f"L{number}"}], schedule=schedule
            )
        engine.service.tick()
        with counted(ports(azurite.connection_string)) as operations:
            engine.service.tick()
        return dict(operations)


@contextmanager
def _engine(vendor: str, azurite: Azurite) -> Iterator[Engine]:
    storage = StorageAddress(connection_string=azurite.connection_string)
    with engines.engine(storage, "m" + secrets.token_hex(6), KITS[vendor]) as engine:
        yield engine


def _day_two(crowd: list[Person]) -> list[Person]:
    changed = [replace(person, city="Elsewhere") for person in crowd[::CHANGED]]
    others = [person for number, person in enumerate(crowd) if number % CHANGED]
    return others + changed[len(changed) // 10 :]


def _run(engine: Engine, crowd: list[Person], services: Mapping[int, str]) -> Figures:
    engine.land(crowd)
    started, used = time.perf_counter(), time.process_time()
    with counted(services) as operations:
        run = engine.start()
        slices = _pump(engine)
    delivery = engine.delivery(run)
    if delivery.state not in (*GOOD, State.NOTHING):
        raise RuntimeError(f"the run ended as {delivery.state}: {delivery.message}")
    seconds, cpu = time.perf_counter() - started, time.process_time() - used
    return Figures(engine.kit.name, len(crowd), delivery.total, slices, seconds, cpu, dict(operations))


def _pump(engine: Engine) -> int:
    """Deliver messages until there is none, also none to come; how many."""
    slices = 0
    while engine.queue.get_queue_properties().approximate_message_count:
        message = engine.queue.receive_message(visibility_timeout=600)
        if message is None:
            time.sleep(0.05)
            continue
        inbox.receive(engine.cloud, message.content.encode())
        engine.queue.delete_message(message)
        slices += 1
    return slices


def ports(connection_string: str) -> dict[int, str]:
    parts = dict(part.split("=", 1) for part in connection_string.split(";") if part)
    return {urlsplit(parts[f"{name}Endpoint"]).port or 0: name.lower() for name in ("Blob", "Queue", "Table")}
