"""A rehearsal foresees, person by person, what the run that follows then does, and writes nothing."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from shared.delivery.commit.new_ledger import load_outcomes
from shared.delivery.state import journal, layout
from shared.delivery.state import plan as plans
from shared.delivery.state.files import Files
from shared.delivery.state.records import Run, State
from shared.delivery.state.scratch import scratch
from shared.delivery.state.transitions import RunKind
from tests.contract.outcomes import GOOD, clean, writes
from tests.integration.delivery.engine import Engine, Person, people


class Ended(NamedTuple):
    """How it ended for one person."""

    operation: str
    outcome: str
    code: str


def rehearse(engine: Engine) -> Run:
    run = engine.service.begin("newsletter", RunKind.REHEARSAL).run
    engine.pump()
    return engine.current(run)


def foreseen(engine: Engine, run: Run) -> Mapping[str, dict[str, str]]:
    """The lines of the file, by address."""
    found = engine.cloud.blobs.read(layout.rehearsed(layout.delivery_folder(run.export, run.run, 0)))
    assert found is not None
    return {line["address"]: line for line in csv.DictReader(io.StringIO(found[0].decode("utf-8-sig")))}


def words(engine: Engine, run: Run) -> dict[str, str]:
    return {address: line["foreseen"] for address, line in foreseen(engine, run).items()}


def ends_foreseen(engine: Engine, run: Run) -> dict[str, Ended]:
    return {
        address: Ended(line["operation"], line["outcome"], line["code"])
        for address, line in foreseen(engine, run).items()
    }


def ends(engine: Engine, run: Run) -> dict[str, Ended]:
    """How a run ended for each person, by its plan and its journal."""
    folder = layout.delivery_folder(run.export, run.run, 0)
    found = plans.read(engine.cloud.blobs, folder)
    assert found is not None
    plan, told = found[0], dict[str, Ended]()
    with scratch(engine.cloud.settings) as room, room.database() as database:
        folded = journal.fold(engine.cloud.blobs, folder)
        for part in range(plan.parts):
            load_outcomes(database, Files(engine.cloud.blobs), plan, part, folded, Path(room.where))
            rows = database.execute("SELECT address, kind, outcome, coalesce(code, '') FROM outcomes").fetchall()
            told |= {address: Ended(*rest) for address, *rest in rows}
    return told


@pytest.fixture
def delivered(engine: Engine) -> Engine:
    engine.land(people(12))
    engine.define()
    assert engine.run().state in GOOD
    engine.settled()
    return engine


LOST, OPPOSED, ERASED, SPOILED = (f"person{number}@example.com" for number in (1, 2, 3, 4))
STRANGER = "stranger@example.com"


def erase(engine: Engine, address: str) -> None:
    """The vendor deletes somebody, who leaves all lists with that."""
    if engine.kit.name != "dotdigital":
        engine.tell("people", {"erased": [address]})
        return
    account = engine.simulator.vendor.account()  # type: ignore[attr-defined]
    account.delete(account.find("email", address))
    account.counts.contacts_deleted = 0  # it was none of ours


def disturb(engine: Engine) -> None:
    """People come, go and say no at the vendor, behind our back."""
    name = engine.kit.list_name("Loyal")
    engine.kit.lose(engine, LOST)
    engine.tell("people", engine.kit.oppose(OPPOSED, name))
    erase(engine, ERASED)
    engine.tell("people", {"people": [{"email": STRANGER, "lists": [name]}]})
    engine.tell("people", engine.kit.oppose("no@example.com", name))


def changed() -> list[Person]:
    """Leavers (6 to 8), changes (0 to 5), newcomers, a stranger who is on the list, and one who said no."""
    kept = [Person(each.email, f"New {each.first}", each.city) for each in people(6)]
    return [*kept, *people(3, 9), *people(4, 20), Person(STRANGER, "Ann"), Person("no@example.com", "Bo")]


def test_each_person_ends_as_foreseen(delivered: Engine) -> None:
    engine = delivered
    disturb(engine)
    engine.land(changed())
    before = len(writes(engine))
    rehearsed = rehearse(engine)
    assert rehearsed.state in GOOD, rehearsed.message
    assert len(writes(engine)) == before
    told, requests = ends_foreseen(engine, rehearsed), engine.delivery(rehearsed).foreseen["requests"]
    run = engine.run()
    assert told == ends(engine, run)
    print("REQUESTS", engine.kit.name, requests, engine.delivery(run).requests, engine.delivery(rehearsed).foreseen)
    clean(engine)
