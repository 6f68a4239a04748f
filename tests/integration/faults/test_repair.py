"""A worker dies at any point of a check-up and of the repair that it asks for; others go on, and the list is mended."""

from __future__ import annotations

import pytest

from dev.faults.interruptions import Life, When
from shared.catalog.store import export_store
from shared.cloud.cloud import Cloud
from shared.cloud.settings import StorageAddress
from shared.delivery.state import layout
from shared.delivery.state.transitions import RunKind
from shared.delivery.verify import doctor
from shared.delivery.verify.doctor import CheckState
from tests.integration.faults import promises, segments
from tests.integration.faults.dying import at_each_point, outlived
from tests.integration.faults.points import CHUNKS, SIDES, Tally
from tests.integration.faults.segments import FEW, Segment
from tests.integration.faults.world import World, world

ONE_IN = 31
SMALL = {"rows_per_file": 40, "slice_seconds": 0.001, "verify_seconds": 0.0}


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("when", SIDES)
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_a_worker_may_die_at_any_point_of_a_repair(
    storage: StorageAddress, unique: str, tally: Tally, chunk: int, when: When
) -> None:
    tally.kind = f"repair: dies {when} a call"
    with world(storage, unique, **SMALL) as made:
        at_each_point(made, tally, when, (chunk, ONE_IN), _one_export)


def _one_export(made: World, name: str, life: Life) -> None:
    made.define(name)
    _deliver(made, name, segments.first(name, FEW))
    segment = segments.second(name, FEW)
    _deliver(made, name, segment)
    _disturb(made, name, segment)
    outlived(made, life, lambda cloud: _check(cloud, name), lambda: doctor.read(made.cloud, name, 0) is not None)
    found = doctor.read(made.cloud, name, 0)
    assert found is not None and found.state is CheckState.ENDED and not found.mends
    assert (found.missing, found.returned, found.differs) == (1, 1, 1)
    promises.list_is_the_segment(made, name, segment)
    repairs = [run for run in made.runs.history(name) if run.kind is RunKind.REPAIR]
    assert len(repairs) == 1, "nobody is mended twice"
    promises.ended_once(made, repairs[0])
    report = promises.counts_add_up(made, repairs[0])
    assert {kind: report["rows"][kind] for kind in ("add", "change", "remove")} == {"add": 1, "change": 1, "remove": 1}
    assert made.receive() is None, "a message is left"
    assert not [blob for blob in made.cloud.blobs.names(layout.found_folder(name, 0)) if "staged" in blob]


def _deliver(made: World, name: str, segment: Segment) -> None:
    made.land(segment)
    made.start(name)
    made.work()


def _check(cloud: Cloud, name: str) -> None:
    held = export_store(cloud.exports).get(name)
    assert held is not None
    doctor.start(cloud, held.item, 0, full=True, by="", mends=True)


def _disturb(made: World, name: str, segment: Segment) -> None:
    """The vendor loses one person, has another value of another one, and has one again who was taken off."""
    gone, spoiled, *_ = sorted(segment.members)
    back = min(segments.first(name, FEW).members.keys() - segment.members.keys())
    people = [
        {"email": spoiled, "dataFields": {"city": "Elsewhere"}, "lists": [name]},
        {"email": back, "lists": [name]},
    ]
    made.engine.tell("people", {"erased": [gone], "people": people})
