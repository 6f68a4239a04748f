"""A worker dies at the n-th request of a delivery's batches, before the vendor has it or before the answer is here."""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock
from urllib.parse import urlsplit

import pytest
from azure.storage.queue import QueueMessage

from dev.faults.interruptions import Died, Life, When
from dev.faults.passing import pass_time
from dev.faults.seam import VENDOR, Around, WatchedCloud
from shared.delivery import inbox
from shared.delivery.state import journal, layout
from shared.delivery.state.records import Run
from shared.transport import Wire
from tests.contract.hurry import hurry
from tests.contract.outcomes import GOOD, accounted, clean, writes
from tests.integration.delivery.engine import Engine, Person, people
from tests.integration.faults.accounts import planned

Sent = Counter[tuple[str, str]]
"""(endpoint, address) -> how often the vendor was asked for it and did it."""


@pytest.fixture(autouse=True)
def small_batches(impatient: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches of four, two at once; a worker that dies is quiet about it."""
    hook = threading.excepthook

    def quiet(arguments: Any) -> None:
        if not issubclass(arguments.exc_type, Died):
            hook(arguments)

    hurry(monkeypatch, batch_rows=4, concurrency=2)
    monkeypatch.setattr(threading, "excepthook", quiet)


@contextmanager
def requests_through(around: Around) -> Iterator[None]:
    """Whatever is sent to the vendor goes through this function."""
    send = Wire.__call__

    def watched(wire: Wire, method: str, url: str, *rest: Any) -> Any:
        return around(f"{VENDOR}.{method} {urlsplit(url).path}", lambda: send(wire, method, url, *rest))

    with mock.patch.object(Wire, "__call__", watched):
        yield


def carries_operations(engine: Engine) -> re.Pattern[str]:
    """The watched names of the calls that carry operations."""
    kit = engine.kit
    endpoints = [each.partition(" ") for each in {*kit.adds, *kit.changes, *kit.removes}]
    paths = [rf"{method} \S*{re.sub(r'{[^}]+}', '[^/]+', path)}" for method, _, path in endpoints]
    return re.compile(rf"vendor\.({'|'.join(paths)})")


def receive(engine: Engine) -> QueueMessage:
    while (message := engine.queue.receive_message(visibility_timeout=600)) is None:
        assert engine.queue.get_queue_properties().approximate_message_count, "the run ended before the worker died"
        time.sleep(0.05)
    return message


def die(engine: Engine, life: Life) -> tuple[Run, set[str]]:
    """Start a run and carry it out until the worker dies: the run, and whoever was in flight then."""
    run = engine.start()
    cloud = WatchedCloud(engine.cloud, life)
    with requests_through(life):
        while not life.dead:
            message = receive(engine)
            try:
                inbox.receive(cloud, message.content.encode())
            except Died:
                engine.queue.update_message(message.id, message.pop_receipt, visibility_timeout=0)
            else:
                assert not life.dead, "the worker died and went on"
                engine.queue.delete_message(message)
    blobs = engine.cloud.blobs
    pass_time(blobs.service.get_container_client(blobs.container))
    folded = journal.fold(blobs, layout.delivery_folder(run.export, run.run, 0))
    # What a staged batch still lacks is done by whoever asks after it.
    batches, open_ones = planned(engine.cloud, run), folded.in_flight() | folded.staged.keys()
    return run, {each.address for number in open_ones for each in batches[number]}


def done(engine: Engine, first: int) -> Sent:
    return Counter(
        (entry.endpoint, address) for entry in writes(engine)[first:] if entry.worked for address in entry.touched
    )


def survive(engine: Engine, at: int, when: When, expected: list[Person]) -> Run:
    """Die, go on as another worker; nobody was sent twice but who was in flight."""
    before = len(writes(engine))
    pattern = carries_operations(engine)
    life = Life(at, when, lambda name: pattern.fullmatch(name) is not None)
    run, in_flight = die(engine, life)
    assert in_flight, "it died when everything was done"
    engine.pump()
    run = engine.current(run)
    assert run.state in GOOD, run.message
    again = {address for (_, address), times in done(engine, before).items() if times > 1}
    assert again <= in_flight
    assert engine.members().keys() == {each.email for each in expected}
    return run


@pytest.mark.sampled(2)
@pytest.mark.parametrize(("at", "when"), [(1, When.BEFORE), (3, When.AFTER)])
def test_killed_at_any_batch_it_goes_on_and_repeats_only_what_was_in_flight(
    engine: Engine, at: int, when: When
) -> None:
    engine.land(people(24))
    engine.define()
    run = survive(engine, at, when, people(24))
    assert accounted(engine, run) == {"add accepted": 24}
    engine.land(people(8))
    run = survive(engine, at, when, people(8))
    assert accounted(engine, run) == {"remove accepted": 16}
    clean(engine)
