"""What a delivery costs, in counts that do not depend on the machine: requests, bytes read, passes over the data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import pytest
from azure.core.pipeline.transport import RequestsTransport

from dev.bench.people import Day
from dev.costs.counting import VENDOR, counted
from dev.costs.measuring import ports
from dev.host.azurite import Azurite
from shared.cloud.settings import StorageAddress
from shared.delivery.account import lease
from tests.integration.bench.days import define, land_day
from tests.integration.delivery import engine as engines
from tests.integration.delivery.engine import Engine, people
from tests.kits import ITERABLE

ROWS = 4000
FIRST, SECOND = Day(ROWS), Day(ROWS, second=True)
BATCH_ROWS = 100
HEAD_BYTES = 4 * (64 << 10)
"""The beginning of a file is looked at a few times before it is read."""
OTHER_CALLS = 6
"""To find the list and its fields: as many for a million people as for one."""
STORAGE_REQUESTS = 53
"""Of a run of ten joiners and ten leavers, from its start to its end: what a small export costs."""
SUBSCRIBE = "POST /api/lists/subscribe"
UPDATE = "POST /api/users/bulkUpdate"
UNSUBSCRIBE = "POST /api/lists/unsubscribe"


@pytest.fixture(params=[10 * ROWS, ROWS // 4], ids=["one part", "several parts"])
def engine(storage: StorageAddress, unique: str, request: pytest.FixtureRequest) -> Iterator[Engine]:
    """The engine with the benchmark's data matching; into how many parts a segment is divided costs no request."""
    with engines.engine(storage, unique, rows_per_file=request.param) as made:
        made.connect(settings={**ITERABLE.settings, "batch_rows": BATCH_ROWS})
        define(made)
        yield made


@contextmanager
def storage_requests(container: str) -> Iterator[Counter[str]]:
    """While the block runs: bytes read of a container's CSV files as `read`, blocks appended anywhere as `appended`."""
    counts: Counter[str] = Counter()
    send = RequestsTransport.send

    def counted(transport: Any, request: Any, **options: Any) -> Any:
        answer = send(transport, request, **options)
        path, _, query = request.url.partition("?")
        if request.method == "GET" and f"/{container}/" in path and path.endswith(".csv"):
            counts["read"] += int(answer.headers["Content-Length"])
        counts["appended"] += "comp=appendblock" in query
        return answer

    with mock.patch.object(RequestsTransport, "send", counted):
        yield counts


def bulk_calls(engine: Engine, since: int = 0) -> Counter[str]:
    """Requests that carried people, by endpoint."""
    return Counter(entry.endpoint for entry in engine.simulator.journal.entries[since:] if entry.rows)


def batches(people: int) -> int:
    return -(-people // BATCH_ROWS)


def test_a_full_run_sends_full_batches_and_reads_the_segment_once(engine: Engine) -> None:
    size, before = land_day(engine, FIRST), len(engine.simulator.journal.entries)
    with storage_requests(engine.container) as counts:
        run = engine.run()
    assert engine.delivery(run).counts["add accepted"] == ROWS
    # A new field whose values could be taken for dates gets its type from a request of its own.
    assert bulk_calls(engine) == {SUBSCRIBE: batches(ROWS), UPDATE: 1}
    assert len(engine.simulator.journal.entries) - before <= batches(ROWS) + OTHER_CALLS
    assert size <= counts["read"] <= size + HEAD_BYTES
    assert counts["appended"] <= batches(ROWS)  # the journal's lines of several batches share a block


def test_day_two_sends_the_differences_alone_and_reads_the_segment_once(engine: Engine) -> None:
    land_day(engine, FIRST)
    engine.run()
    size, before = land_day(engine, SECOND), len(engine.simulator.journal.entries)
    with storage_requests(engine.container) as counts:
        engine.run()
    differences = {SUBSCRIBE: SECOND.new, UPDATE: SECOND.changed, UNSUBSCRIBE: SECOND.gone}
    assert bulk_calls(engine, before) == {name: batches(people) for name, people in differences.items()}
    assert len(engine.simulator.journal.entries) - before <= sum(map(batches, differences.values())) + OTHER_CALLS
    assert size <= counts["read"] <= size + HEAD_BYTES


def test_a_small_second_run_takes_few_storage_requests(
    azurite: Azurite, storage: StorageAddress, unique: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "LOOK_SECONDS", 600.0)  # looks for a cancellation take one request in two seconds
    with engines.engine(storage, unique) as engine:
        engine.connect()
        engine.define()
        engine.land(people(20))
        engine.run()
        engine.land(people(20, start=10))
        with counted(ports(azurite.connection_string)) as operations:
            run = engine.start()
            engine.pump()
    counts = engine.delivery(run).counts
    assert (counts["add accepted"], counts["remove accepted"]) == (10, 10)
    asked = {name: number for name, number in operations.items() if name != VENDOR}
    assert sum(asked.values()) <= STORAGE_REQUESTS, asked


def test_an_unchanged_segment_takes_no_request_of_the_vendor_s_lists(engine: Engine) -> None:
    land_day(engine, FIRST)
    engine.run()
    before = len(engine.simulator.journal.entries)
    land_day(engine, FIRST)
    engine.run()
    assert not bulk_calls(engine, before)
