"""A rehearsal foresees, person by person, what the run that follows then does, and writes nothing."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from shared.catalog.targets import target_key
from shared.delivery import inbox
from shared.delivery.commit import became
from shared.delivery.send.batches import Sender
from shared.delivery.slices import message_of
from shared.delivery.state import job_times, journal, layout
from shared.delivery.state import plan as plans
from shared.delivery.state.files import Files
from shared.delivery.state.records import Run
from shared.delivery.state.scratch import scratch
from shared.delivery.state.transitions import RunKind
from shared.vendors.registry import definition
from tests.contract.outcomes import GOOD, clean
from tests.integration.delivery.engine import Engine, Person, people


def memory_of(engine: Engine) -> Mapping[str, Any]:
    """What is remembered of the export's list."""
    export = engine.catalog.export("newsletter").item
    claim = engine.catalog.targets.owner(export.account, target_key(export.targets[0]))
    assert claim is not None
    return claim.memory


class Ended(NamedTuple):
    """How it ended for one person."""

    operation: str
    outcome: str
    code: str


def rehearse(engine: Engine) -> Run:
    return engine.run(kind=RunKind.REHEARSAL)


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
            paths = became.load(database, Files(engine.cloud.blobs), plan, part, folded, Path(room.where))
            rows = database.execute("SELECT address, kind, outcome, coalesce(code, '') FROM became").fetchall()
            became.unload(database, paths)
            told |= {address: Ended(*rest) for address, *rest in rows}
    return told


LOST, OPPOSED, ERASED, UNSUBSCRIBED, LEAVER, GONE, DELETED = (
    f"person{number}@example.com" for number in (1, 2, 3, 4, 6, 7, 8)
)
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
    engine.kit.lose(engine, GONE)
    engine.tell("people", engine.kit.oppose(OPPOSED, name))
    erase(engine, ERASED)
    erase(engine, DELETED)
    engine.tell("people", engine.kit.unsubscribed(UNSUBSCRIBED, name))
    engine.tell("people", {"people": [{"email": STRANGER, "lists": [name]}]})
    engine.tell("people", engine.kit.oppose("no@example.com", name))


def changed() -> list[Person]:
    """Leavers (6 to 8), changes (0 to 5), newcomers, a stranger who is on the list, and one who said no."""
    kept = [Person(each.email, f"New {each.first}", each.city) for each in people(6)]
    return [*kept, *people(3, 9), *people(4, 20), Person(STRANGER, "Ann"), Person("no@example.com", "Bo")]


INSTANT: Mapping[str, Mapping[str, Any]] = {
    "dotdigital": {"import_seconds": 0, "removal_seconds": 0},
    "klaviyo": {"queued_seconds": 0, "job_seconds": 0},
    "mailchimp": {"batch_pending_seconds": 0, "batch_seconds": 0},
    "omnisend": {"batch_pending_seconds": 0, "batch_seconds": 0},
}
"""Settings of the simulators without which jobs are asked about more than once."""


def only_asked(engine: Engine, first: int) -> None:
    """Since a call of this number the vendor was asked, and nothing else."""
    assert {entry.endpoint.partition(" ")[0] for entry in engine.calls()[first:]} == {"GET"}


@pytest.mark.in_turn("kit", 3)
def test_each_person_ends_as_foreseen(delivered: Engine) -> None:
    engine = delivered
    engine.tell("settings", INSTANT.get(engine.kit.name, {}))
    disturb(engine)
    engine.land(changed())
    before, members = len(engine.calls()), engine.members()
    rehearsed = rehearse(engine)
    assert rehearsed.state in GOOD, rehearsed.message
    only_asked(engine, before)
    assert engine.members() == members
    run = engine.run()
    assert ends_foreseen(engine, rehearsed) == ends(engine, run)
    assert engine.delivery(rehearsed).foreseen["requests"] == engine.delivery(run).requests
    clean(engine)


@pytest.mark.in_turn("kit", 2)
def test_it_says_how_people_stand_now(delivered: Engine) -> None:
    engine = delivered
    disturb(engine)
    engine.land(changed())
    told = words(engine, rehearse(engine))
    assert {told[each.email] for each in people(4, 20)} == {"joins"}
    assert told[STRANGER] == "there already"
    assert told[LEAVER] == "leaves"
    assert told[GONE] == "gone already"


@pytest.mark.in_turn("kit", 2)
@pytest.mark.parametrize("kept", [70, 35])
def test_of_many_people_the_vendor_is_asked_page_by_page(engine: Engine, kept: int) -> None:
    engine.tell("settings", {**engine.kit.unlimited, **INSTANT.get(engine.kit.name, {})})
    engine.land(people(80))
    engine.define()
    assert engine.run().state in GOOD
    engine.settled()
    disturb(engine)
    engine.land([*(Person(each.email, "New", each.city) for each in people(kept)), *people(50, 200), Person(STRANGER)])
    rehearsed = rehearse(engine)
    run = engine.run()
    assert ends_foreseen(engine, rehearsed) == ends(engine, run)
    assert engine.delivery(rehearsed).foreseen["requests"] == engine.delivery(run).requests
    clean(engine)


@pytest.mark.in_turn("kit", 2)
def test_a_list_that_is_not_there_yet_is_not_made(engine: Engine) -> None:
    engine.tell("settings", INSTANT.get(engine.kit.name, {}))
    engine.land(people(30))
    engine.define()
    before = len(engine.calls())
    rehearsed = rehearse(engine)
    only_asked(engine, before)
    assert engine.delivery(rehearsed).foreseen["outcomes"] == {"joins": 30}
    run = engine.run()
    assert ends_foreseen(engine, rehearsed) == ends(engine, run)
    assert engine.delivery(rehearsed).foreseen["requests"] == engine.delivery(run).requests


@pytest.mark.in_turn("kit", 2)
def test_over_slices_it_foresees_the_same(delivered: Engine) -> None:
    engine = delivered
    disturb(engine)
    engine.land(changed())
    whole = ends_foreseen(engine, rehearse(engine))
    engine.cloud.settings = replace(engine.cloud.settings, slice_seconds=0.0)
    rehearsed = rehearse(engine)
    assert engine.delivery(rehearsed).turn > 1
    assert ends_foreseen(engine, rehearsed) == whole
    assert not [name for name in engine.cloud.blobs.names("runs/") if "/rehearsal/" in name]


@pytest.mark.in_turn("kit", 2)
def test_jobs_that_a_dead_worker_pretended_to_begin_are_begun_again(
    delivered: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = delivered
    if not definition(engine.kit.name).most_jobs:
        pytest.skip("this vendor answers at once")
    engine.land([*(Person(each.email, f"New {each.first}", each.city) for each in people(12)), *people(4, 20)])
    whole = ends_foreseen(engine, rehearse(engine))

    def die(sender: Sender) -> bool:
        raise ZeroDivisionError

    run = engine.service.begin("newsletter", RunKind.REHEARSAL).run
    with monkeypatch.context() as patched, pytest.raises(ZeroDivisionError):
        patched.setattr(Sender, "_settled", die)
        message = engine.queue.receive_message(visibility_timeout=600)
        assert message is not None
        engine.queue.delete_message(message)
        inbox.receive(engine.cloud, message.content.encode())
    engine.cloud.slices.send(message_of(engine.delivery(run)).body())
    engine.pump()
    assert ends_foreseen(engine, engine.current(run)) == whole


@pytest.mark.in_turn("kit", 2)
def test_whoever_comes_back_is_foreseen_too(delivered: Engine) -> None:
    """They were taken off by us; one of them said no meanwhile."""
    engine, name = delivered, delivered.kit.list_name("Loyal")
    engine.tell("settings", INSTANT.get(engine.kit.name, {}))
    engine.land(people(6))
    assert engine.run().state in GOOD
    engine.settled()
    engine.tell("people", engine.kit.unsubscribed("person7@example.com", name))
    engine.land(people(12))
    rehearsed = rehearse(engine)
    run = engine.run()
    assert ends_foreseen(engine, rehearsed) == ends(engine, run)
    assert engine.delivery(rehearsed).foreseen["requests"] == engine.delivery(run).requests
    clean(engine)


@pytest.mark.in_turn("kit", 2)
def test_people_who_move_are_foreseen_too(engine: Engine) -> None:
    """One of them said no under the old address, so the new one is not added."""
    engine.tell("settings", INSTANT.get(engine.kit.name, {}))

    def known(addresses: list[str]) -> list[Person]:
        return [Person(each, "Ann", "City 1", id=f"c{number}") for number, each in enumerate(addresses)]

    before = [f"person{number}@example.com" for number in range(8)]
    engine.land(known(before))
    engine.define(id_column="CustomerId")
    assert engine.run().state in GOOD
    engine.settled()
    engine.tell("people", engine.kit.oppose(before[0], engine.kit.list_name("Loyal")))
    engine.land(known(["moved0@example.com", "moved1@example.com", *before[2:]]))
    rehearsed = rehearse(engine)
    run = engine.run()
    assert len(ends(engine, run)) == 4
    assert ends_foreseen(engine, rehearsed) == ends(engine, run)
    assert engine.delivery(rehearsed).foreseen["requests"] == engine.delivery(run).requests


def test_how_long_jobs_take_is_known_once_a_run_had_some(delivered: Engine) -> None:
    """By how many people they had."""
    engine = delivered
    if not definition(engine.kit.name).most_jobs:
        pytest.skip("this vendor answers at once")
    before = job_times.remembered(memory_of(engine))
    engine.land([Person(each.email, f"New {each.first}", each.city) for each in people(12)])
    first = engine.delivery(rehearse(engine)).foreseen
    if not first["staged"]:
        pytest.skip("this vendor is sent few people one by one")
    assert first["staged"] == {"send": [1, 12]}
    assert first["jobs_known"] is bool(before)
    engine.run()
    assert job_times.remembered(memory_of(engine))[0][:2] == ("send", 12)
    engine.settled()
    engine.land([Person(each.email, f"Newer {each.first}", each.city) for each in people(12)])
    assert engine.delivery(rehearse(engine)).foreseen["jobs_known"]


@pytest.mark.in_turn("kit", 2)
def test_what_no_vendor_tells_beforehand_is_said(delivered: Engine) -> None:
    """The vendor refuses somebody for a reason of its own: told of one by one where it shows that, else as unknown."""
    engine, odd = delivered, delivered.kit.refused
    engine.kit.refuse(engine, odd)
    engine.land([*people(12), Person(odd, "Odd"), Person("even@example.com")])
    rehearsed = rehearse(engine)
    run = engine.run()
    told, ended = ends_foreseen(engine, rehearsed), ends(engine, run)
    differs = {address for address in ended if told[address] != ended[address]}
    assert differs <= {odd}
    assert definition(engine.kit.name).unforeseen or not differs


@pytest.mark.in_turn("kit", 2)
def test_what_is_foreseen_changes_nothing_that_is_known(delivered: Engine) -> None:
    engine = delivered
    engine.land(changed())
    rehearse(engine)
    run = engine.run()
    assert run.state in GOOD
    assert engine.report(run)["rows"]["add"] == 6
    assert not [name for name in engine.cloud.blobs.names("runs/") if "/rehearsal/" in name]
