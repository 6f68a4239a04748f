"""A worker dies at any point of a rehearsal; others go on, it foresees the same, and nothing was written."""

from __future__ import annotations

from typing import Any

import pytest

from dev.faults.interruptions import Life, When
from shared.cloud.cloud import Cloud
from shared.cloud.settings import StorageAddress
from shared.control.service import Service as LiveService
from shared.delivery.state import layout
from shared.delivery.state.records import ENDED, Run
from shared.delivery.state.transitions import RunKind
from tests.integration.faults import promises, segments
from tests.integration.faults.dying import at_each_point, outlived
from tests.integration.faults.points import CHUNKS, SIDES, Tally
from tests.integration.faults.segments import FEW
from tests.integration.faults.world import World, world

ONE_IN = 29
SMALL = {"rows_per_file": 40, "slice_seconds": 0.001, "verify_seconds": 0.0}


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("when", SIDES)
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_a_worker_may_die_at_any_point_of_a_rehearsal(
    storage: StorageAddress, unique: str, tally: Tally, chunk: int, when: When
) -> None:
    tally.kind = f"rehearsal: dies {when} a call"
    with world(storage, unique, **SMALL) as made:
        at_each_point(made, tally, when, (chunk, ONE_IN), _one_export)


def _one_export(made: World, name: str, life: Life) -> None:
    made.define(name)
    made.land(segments.first(name, FEW))
    made.start(name)
    made.work()
    segment = segments.second(name, FEW)
    made.land(segment)
    ledger, asked = made.ledger(name), len(made.engine.calls())
    outlived(made, life, lambda cloud: _rehearse(cloud, name), lambda: bool(_rehearsals(made, name)))
    [rehearsed] = _rehearsals(made, name)
    assert rehearsed.state in ENDED
    assert {entry.endpoint.partition(" ")[0] for entry in made.engine.calls()[asked:]} <= {"GET"}
    assert made.ledger(name) == ledger
    folder = layout.delivery_folder(name, rehearsed.run, 0)
    assert not list(made.cloud.blobs.names(layout.rehearsal(folder)))
    foreseen: dict[str, Any] = made.delivery(rehearsed).value.foreseen
    made.start(name)
    made.work()
    run = made.run(name)
    assert run is not None
    report = promises.counts_add_up(made, run)
    done = {kind: report["rows"][kind] for kind in ("add", "change", "remove")}
    words = {"add": "joins", "change": "updated", "remove": "leaves"}
    assert foreseen["outcomes"] == {words[kind]: people for kind, people in done.items() if people}
    promises.list_is_the_segment(made, name, segment)


def _rehearse(cloud: Cloud, name: str) -> None:
    LiveService(cloud).begin(name, RunKind.REHEARSAL)


def _rehearsals(made: World, name: str) -> list[Run]:
    return [run for run in made.runs.history(name) if run.kind is RunKind.REHEARSAL]
