"""Rehearsals: over slices, beside what waits, cancelled, forgotten from; and what they leave."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest

from shared.delivery import inbox
from shared.delivery.rehearse import listed
from shared.delivery.state import layout
from shared.delivery.state.lookup import targets
from shared.delivery.state.records import Run, State
from shared.delivery.state.transitions import RunKind
from shared.wording import said
from tests.integration.delivery.engine import Engine, Person, people

STRANGER = "stranger@example.com"


def rehearse(engine: Engine) -> Run:
    return engine.run(kind=RunKind.REHEARSAL)


def file_of(engine: Engine, run: Run) -> list[dict[str, str]]:
    found = engine.cloud.blobs.read(layout.rehearsed(layout.delivery_folder(run.export, run.run, 0)))
    assert found is not None
    return list(csv.DictReader(io.StringIO(found[0].decode("utf-8-sig"))))


def outcomes(engine: Engine, run: Run) -> dict[str, int]:
    found: dict[str, int] = engine.delivery(run).foreseen["outcomes"]
    return found


def left(engine: Engine, run: Run) -> list[str]:
    """Blobs that only a rehearsal under way has."""
    return list(engine.cloud.blobs.names(layout.rehearsal(layout.delivery_folder(run.export, run.run, 0))))


@pytest.fixture
def delivered(engine: Engine) -> Engine:
    engine.land(people(30))
    engine.define()
    engine.run()
    return engine


def disturbed(engine: Engine) -> None:
    engine.tell("people", {"people": [{"email": STRANGER, "lists": ["Loyal"]}]})
    engine.land([*people(20), Person(STRANGER), *people(5, 100)])


FORESEEN = {"joins": 5, "there already": 1, "leaves": 10}


def test_it_counts_and_lists_what_a_run_would_do(delivered: Engine) -> None:
    disturbed(delivered)
    run = rehearse(delivered)
    assert (run.state, outcomes(delivered, run)) == (State.SUCCEEDED, FORESEEN)
    lines = file_of(delivered, run)
    assert len(lines) == sum(FORESEEN.values())
    assert lines[-1].keys() == {"address", "operation", "foreseen", "outcome", "code", "reason"}
    assert said(run.message) == "Rehearsal: nothing was sent."
    assert not left(delivered, run)


def test_it_goes_on_over_slices(delivered: Engine) -> None:
    delivered.connect(settings={"subscribe_rate": 1000, "batch_rows": 2})
    delivered.cloud.settings = replace(delivered.cloud.settings, slice_seconds=0.0)
    disturbed(delivered)
    run = rehearse(delivered)
    assert delivered.delivery(run).turn > 1
    assert outcomes(delivered, run) == FORESEEN
    assert not left(delivered, run)


def test_the_view_has_what_was_foreseen(delivered: Engine) -> None:
    disturbed(delivered)
    run = rehearse(delivered)
    view = delivered.service.runs.view(run.export, run.run)
    assert view is not None
    found = view.targets[0].rehearsal
    assert found is not None
    assert (found.outcomes, found.listed) == (FORESEEN, 31)
    assert found.requests > 3
    assert found.unknown
    assert STRANGER not in view.model_dump_json()


def test_it_says_which_guard_would_stop_the_run_and_goes_on(engine: Engine) -> None:
    engine.land(people(30))
    engine.define(guards={"max_removed_people": 0})
    engine.run()
    engine.land(people(3))
    waiting = engine.run()
    run = rehearse(engine)
    assert run.state is State.WARNINGS
    assert "would be blocked before its first write" in said(run.message)
    assert outcomes(engine, run) == {"leaves": 27}
    assert engine.current(waiting).state is State.BLOCKED
    assert engine.service.runs.latest()["newsletter"].run == waiting.run, "lists still show what waits"


def test_where_nothing_would_be_sent_the_vendor_is_not_asked_about_people(delivered: Engine) -> None:
    run = rehearse(delivered)
    assert run.state is State.SUCCEEDED
    assert not delivered.delivery(run).foreseen
    view = delivered.service.runs.view(run.export, run.run)
    assert view is not None and view.targets[0].rehearsal is None


def test_neither_the_record_nor_what_is_remembered_of_the_list_changes(delivered: Engine) -> None:
    [before] = targets(delivered.cloud, delivered.catalog.export("newsletter").item)
    manifest = delivered.cloud.blobs.read(layout.ledger_manifest(before.ledger))
    disturbed(delivered)
    rehearse(delivered)
    [after] = targets(delivered.cloud, delivered.catalog.export("newsletter").item)
    assert after == before
    assert delivered.cloud.blobs.read(layout.ledger_manifest(after.ledger)) == manifest


def test_a_cancelled_one_leaves_nothing(delivered: Engine) -> None:
    delivered.connect(settings={"subscribe_rate": 1000, "batch_rows": 2})
    delivered.cloud.settings = replace(delivered.cloud.settings, slice_seconds=0.0)
    disturbed(delivered)
    run = delivered.service.begin("newsletter", RunKind.REHEARSAL).run
    message = delivered.queue.receive_message(visibility_timeout=600)
    assert message is not None
    inbox.receive(delivered.cloud, message.content.encode())
    delivered.queue.delete_message(message)
    delivered.service.cancel(run.export, run.run)
    delivered.pump()
    assert delivered.current(run).state is State.CANCELLED
    assert not left(delivered, run)
    assert delivered.cloud.blobs.read(layout.rehearsed(layout.delivery_folder(run.export, run.run, 0))) is None


def test_a_list_that_is_gone_fails_it_with_the_words_of_a_run(delivered: Engine) -> None:
    disturbed(delivered)
    delivered.simulator.vendor.project().lists.clear()
    run = rehearse(delivered)
    assert run.state is State.FAILED
    assert delivered.delivery(run).code == "target_vanished"
    assert not left(delivered, run)


def test_forgetting_erases_from_its_file(delivered: Engine) -> None:
    disturbed(delivered)
    run = rehearse(delivered)
    certificate = delivered.forget(STRANGER)
    assert certificate.erased["rehearsals"] == 1
    assert STRANGER not in {line["address"] for line in file_of(delivered, run)}
    assert len(file_of(delivered, run)) == sum(FORESEEN.values()) - 1


def test_of_a_list_too_long_to_be_read_it_says_so(delivered: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listed, "most", lambda work: 10)
    disturbed(delivered)
    run = rehearse(delivered)
    assert outcomes(delivered, run) == {"joins": 6, "leaves": 10}
    view = delivered.service.runs.view(run.export, run.run)
    assert view is not None and view.targets[0].rehearsal is not None
    assert view.targets[0].rehearsal.listed is None
