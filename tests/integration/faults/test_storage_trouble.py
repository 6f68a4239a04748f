"""Storage fails at any call, with or without having done the work; the host tries again and nothing is lost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from azure.core.exceptions import HttpResponseError, ServiceResponseError

from dev.faults.interruptions import Trouble, When
from dev.faults.seam import VENDOR
from shared.cloud.settings import StorageAddress
from shared.delivery.state.records import Run
from tests.integration.faults import promises, segments
from tests.integration.faults.failures import busy, conflict_with_oneself, timed_out
from tests.integration.faults.points import CHUNKS, Tally, points
from tests.integration.faults.segments import FEW
from tests.integration.faults.world import World, at_point, world

ONE_IN = 92
SMALL = {"rows_per_file": 40, "slice_seconds": 0.001}


def storage_call(name: str) -> bool:
    return not name.startswith(VENDOR)


def conditional_write(name: str) -> bool:
    """What the client library repeats after a failure, and then finds itself to have been first."""
    row = name.startswith(("runs.replace", "runs.insert", "runs.transaction", "targets.replace", "targets.insert"))
    return row or name.startswith("blobs.create") or (name.startswith("blobs.write") and "manifest" in name)


@dataclass(frozen=True, slots=True)
class Failing:
    """A way of failing, and the calls that can fail in this way."""

    name: str
    error: Callable[[], Exception]
    when: When
    counted: Callable[[str], bool] = storage_call


WAYS = (
    Failing("busy", busy, When.BEFORE),
    Failing("timeout after the work", timed_out, When.AFTER),
    Failing("conflict with oneself", conflict_with_oneself, When.AFTER, conditional_write),
)


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name.replace(" ", "-"))
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_any_call_of_storage_may_fail(
    storage: StorageAddress, unique: str, tally: Tally, chunk: int, way: Failing
) -> None:
    tally.kind = f"storage: {way.name}"
    share = ONE_IN if way.counted is storage_call else ONE_IN // 4
    with world(storage, unique, **SMALL) as made:
        for at in points(chunk, share):
            if not _one_export(made, f"export{at}", at, way, tally):
                break
        tally.sent_again = made.accounts.again


def _one_export(made: World, name: str, at: int, way: Failing, tally: Tally) -> int:
    """Both deliveries of an export of its own, each with a failure; how many failed."""
    made.define(name)
    failed = 0
    for segment in (segments.first(name, FEW), segments.second(name, FEW)):
        made.land(segment)
        trouble = Trouble(way.error, at, way.when, way.counted)
        with tally.point(reached=trouble.was_struck), at_point(way.name, trouble):
            run = _survive(made, name, trouble)
            promises.kept(made, run, segment)
        failed += trouble.was_struck()
    return failed


def _survive(made: World, name: str, trouble: Trouble) -> Run:
    before, cloud = made.run(name), made.watched(trouble)
    try:
        made.start(name, cloud)
    except (HttpResponseError, ServiceResponseError):
        made.start(name)  # whoever asked asks again
    made.work_as_host(cloud)
    made.pass_time()
    made.wake()
    made.work()
    run = made.run(name)
    assert run is not None
    assert before is None or run.run != before.run
    return run
