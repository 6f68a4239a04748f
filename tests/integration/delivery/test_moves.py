"""Moves beside what else there is: dry runs, explain, guards, old ledgers, several parts, decisions, forgetting."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from shared.catalog.issues import Invalid
from shared.cloud.cloud import Cloud
from shared.cloud.settings import StorageAddress
from shared.delivery.erase import forgetting
from shared.delivery.erase.kept import kept
from shared.delivery.plan import guards
from shared.delivery.plan.persons import SECOND_ADDRESS
from shared.delivery.send.opted_out_before import HELD
from shared.delivery.state import layout, ledger, scratch
from shared.delivery.state import plan as plans
from shared.delivery.state.files import Files, keep
from shared.delivery.state.records import WELL, Run, State
from shared.delivery.state.transitions import RunKind
from tests.integration.delivery import engine as engines
from tests.integration.delivery.engine import HEADER, HEADER_WITH_ID, Engine, Person, as_csv

ANN, NEW, WORK = "ann@example.com", "new@example.com", "work@example.com"
BY_ID = {"id_column": "CustomerId"}


def customers(count: int, start: int = 0, *, moved: int = 0, shift: int = 0) -> list[Person]:
    """So many people, of whom the first have another address now, and all of them the id of somebody further on."""
    return [
        Person(
            f"{'moved' if number < start + moved else 'person'}{number}@example.com", "A", "Rome", f"c{number + shift}"
        )
        for number in range(start, start + count)
    ]


def ann(address: str = ANN) -> Person:
    return Person(address, "Ann", "Rome", "ann")


def counts(engine: Engine, run: Run) -> Mapping[str, int]:
    found: Mapping[str, int] = engine.delivery(run).counts
    return found


def addresses(people: Sequence[Person]) -> set[str]:
    return {each.email for each in people}


def explained(engine: Engine, address: str) -> Mapping[str, Any]:
    [target] = engine.service.explain("newsletter", address)["targets"]
    found: Mapping[str, Any] = target
    return found


def planned(engine: Engine, run: Run) -> set[tuple[str, str, str]]:
    """Operation, address and reason of everybody."""
    found = engine.cloud.blobs.read(layout.planned(layout.delivery_folder(run.export, run.run, 0)))
    assert found is not None
    rows = csv.DictReader(io.StringIO(found[0].decode("utf-8-sig")))
    return {(row["operation"], row["address"], row["reason"]) for row in rows}


@pytest.fixture
def ran(engine: Engine) -> Run:
    """Forty people and Ann are on the list."""
    engine.land([*customers(40), ann()])
    engine.define(**BY_ID, guards={"max_removed_share": 0.2, "max_removed_times": None})
    run = engine.run()
    assert run.state in WELL, run.message
    return run


def test_a_dry_run_shows_who_moves(engine: Engine, ran: Run) -> None:
    engine.land([*customers(40), ann(NEW), ann(WORK)])
    run = engine.service.begin("newsletter", RunKind.DRY_RUN).run
    engine.pump()
    everybody = {
        ("add", NEW, "The person's address now; they are on the list under another one, which leaves."),
        ("remove", ANN, "The person has another address now, which is in the segment."),
        ("kept back", WORK, "The person is delivered at another address."),
    }
    assert planned(engine, run) == everybody
    sample = engine.service.runs.sample(run.export, run.run) or ()
    assert {(each["operation"], each["address"], each["reason"]) for each in sample} == everybody
    assert (counts(engine, run)["moved"], counts(engine, run)["kept_back"]) == (1, 1)
    assert ANN in engine.members()


def test_explain_tells_of_the_other_address(engine: Engine, ran: Run) -> None:
    engine.land([*customers(40), ann(NEW), ann(WORK)])
    before = explained(engine, ANN)
    assert before["verdict"] == "On the list, but the person has another address now: the next run takes this one off."
    assert before["other_address"]
    run = engine.run()
    assert explained(engine, ANN)["verdict"] == (
        "Not on the list: the person has another address now, and this one was taken off."
    )
    second = explained(engine, WORK)
    reason = "The person is delivered at another address."
    assert second["kept_back"] == [{"rule": SECOND_ADDRESS, "reason": reason, "run": run.run}]
    assert explained(engine, NEW)["verdict"] == "On the list, and in the segment."
    assert not explained(engine, NEW)["other_address"]
    engine.land(customers(40))
    assert "the next run takes the person off" in explained(engine, NEW)["verdict"]


def test_explain_tells_why_a_new_address_is_held(engine: Engine, ran: Run) -> None:
    engine.tell("people", engine.kit.unsubscribed(ANN, "Loyal"))
    engine.land([*customers(40), ann(NEW)])
    engine.run()
    [receipt] = explained(engine, NEW)["receipts"]
    assert (receipt["outcome"], receipt["code"], receipt["reason"]) == ("skipped", HELD.code, HELD.reason)


def test_who_says_yes_again_joins_under_the_new_address(engine: Engine, ran: Run) -> None:
    engine.tell("people", engine.kit.unsubscribed(ANN, "Loyal"))
    engine.land([*customers(40), ann(NEW)])
    engine.run()
    assert NEW not in engine.members()
    engine.tell("people", engine.kit.resubscribed(ANN, "Loyal"))
    engine.run()
    assert NEW in engine.members()


def test_who_said_no_left_and_comes_back_with_another_address_is_held(engine: Engine, ran: Run) -> None:
    engine.tell("people", engine.kit.unsubscribed(ANN, "Loyal"))
    engine.land(customers(40))
    engine.run()
    engine.land([*customers(40), ann(NEW)])
    run = engine.run()
    assert NEW not in engine.members()
    assert engine.report(run)["outcomes"] == {"add skipped": 1}


def test_whoever_the_vendor_forgot_is_held_without_asking(engine: Engine, ran: Run) -> None:
    engine.tell("people", {"forgotten": [ANN]})
    engine.land([*customers(40), Person(ANN, "Changed", "Rome", "ann")])
    engine.run()
    engine.service.begin("newsletter", RunKind.FULL_RESYNC)
    engine.pump()
    assert explained(engine, ANN)["ledger"]["status"] == "refused"
    before = len(engine.calls("getByEmail"))
    engine.land([*customers(40), ann(NEW)])
    run = engine.run()
    assert NEW not in engine.members()
    assert engine.report(run)["outcomes"] == {"add skipped": 1}
    assert len(engine.calls("getByEmail")) == before


def test_nobody_is_asked_about_but_who_was_known_before(engine: Engine, ran: Run) -> None:
    engine.land([*customers(40), ann(), *customers(5, 100)])
    engine.run()
    assert not engine.calls("getByEmail")


def test_many_moves_are_no_removals(engine: Engine, ran: Run) -> None:
    engine.land([*customers(40, moved=12), ann()])  # 29 %
    run = engine.run()
    assert run.state in WELL, run.message
    assert (counts(engine, run)["moved"], counts(engine, run)["remove"]) == (12, 12)
    assert engine.members().keys() == addresses([*customers(40, moved=12), ann()])


def test_leavers_are_removals_beside_moves(engine: Engine, ran: Run) -> None:
    engine.land(customers(30, moved=12))
    run = engine.run()
    assert run.state is State.BLOCKED
    assert "would remove 11 of 41 (27%), limit 20%" in run.message


def test_most_of_a_list_does_not_move_without_a_question(engine: Engine, ran: Run) -> None:
    engine.land([*customers(40, moved=25), ann()])
    run = engine.run()
    assert (run.state, engine.delivery(run).code) == (State.BLOCKED, guards.MOVES)
    assert "25 of 41 people (61%) would move to another address, limit 50%" in run.message
    engine.service.decide(run.export, run.run, plan=engine.delivery(run).plan, decision="deliver", by="admin")
    engine.pump()
    assert engine.members().keys() == addresses([*customers(40, moved=25), ann()])


def test_a_column_that_is_shifted_moves_nobody(engine: Engine, ran: Run) -> None:
    """Half of the leavers' ids are at joiners now, so they look like people who move; nobody stays with their id."""
    joiners = [Person(f"joiner{number}@example.com", "J", "Rome", f"c{number}") for number in range(10)]
    engine.land([*customers(30, 10, shift=1), *joiners, ann()])
    before = len(engine.calls("subscribe"))
    run = engine.run()
    assert (run.state, engine.delivery(run).code) == (State.BLOCKED, guards.MOVES)
    assert "29 of 31 people who keep their address have the id of somebody else now" in run.message
    assert "others would move to another address (10)" in run.message
    assert len(engine.calls("subscribe")) == before


def test_nothing_is_learned_of_what_was_discarded(engine: Engine, ran: Run) -> None:
    engine.land(customers(30, shift=1000))
    run = engine.run()
    assert (run.state, engine.delivery(run).code) == (State.BLOCKED, "removals")
    engine.service.decide(run.export, run.run, plan=engine.delivery(run).plan, decision="discard", by="admin")
    engine.pump()
    engine.land([*customers(40, moved=3), ann()])
    assert counts(engine, engine.run())["moved"] == 3


def test_a_column_that_does_not_tell_people_apart_is_asked_about(engine: Engine) -> None:
    engine.land(
        [Person(each.email, "A", "Rome", f"household {number % 20}") for number, each in enumerate(customers(60))]
    )
    engine.define(**BY_ID)
    run = engine.run()
    assert (run.state, engine.delivery(run).code) == (State.BLOCKED, guards.MOVES)
    assert "40 of 60 addresses in the segment are second ones of people with the same id" in run.message
    assert not engine.calls("subscribe")


def test_ids_that_are_all_new_stop_nobody(engine: Engine, ran: Run) -> None:
    engine.land([*customers(40, shift=1000), ann()])
    assert engine.run().state is State.NOTHING
    engine.land([*customers(40, moved=2, shift=1000), ann()])
    run = engine.run()
    assert (run.state in WELL, counts(engine, run)["moved"]) == (True, 2), (
        "they were learned by a run that sent nothing"
    )


def test_an_id_column_that_is_empty_all_of_a_sudden_stops_the_run(engine: Engine, ran: Run) -> None:
    engine.land([*(Person(each.email, each.first, each.city, "") for each in customers(40)), ann(NEW)])
    run = engine.run()
    assert (run.state, engine.delivery(run).code) == (State.BLOCKED, "emptied")
    assert "CustomerId is empty in 98% of the rows of Loyal" in run.message


def test_without_the_id_column_a_run_fails_before_its_first_write(engine: Engine, ran: Run) -> None:
    before = len(engine.calls("subscribe"))
    engine.land([Person(each.email, each.first, each.city) for each in customers(40)])
    run = engine.run()
    assert run.state is State.FAILED
    assert "CustomerId" in run.message
    assert len(engine.calls("subscribe")) == before
    assert ANN in engine.members()


def as_before_ids(engine: Engine) -> None:
    """Write the ledger as a version of the service from before ids did."""
    blobs = engine.cloud.blobs
    [name] = [each for each in blobs.names("ledgers/") if each.endswith("manifest.json")]
    place = name.removesuffix("manifest.json")
    found = ledger.read(blobs, place)
    [part] = found.files
    with scratch.folder() as where, scratch.database(engine.cloud.settings, where) as database:
        path = where / "ledger.parquet"
        assert blobs.download(part.file.stored, path)
        query = f"SELECT * EXCLUDE (person) FROM read_parquet('{path}')"
        file = keep(Files(blobs), database, query, part.file.name, where / "before.parquet")
    assert file is not None
    ledger.save(blobs, place, replace(found, files=(replace(part, file=file),)), etag=found.etag)


def test_ids_are_learned_of_a_ledger_that_has_none(engine: Engine) -> None:
    engine.land([*customers(5), ann()])
    engine.define()
    engine.run()
    as_before_ids(engine)
    engine.define(**BY_ID)
    before = len(engine.calls("subscribe"))
    run = engine.run()
    assert (run.state, counts(engine, run)["unchanged"]) == (State.NOTHING, 6)
    assert len(engine.calls("subscribe")) == before
    engine.land([*customers(5), ann(NEW)])
    assert counts(engine, engine.run())["moved"] == 1
    engine.define()  # ids stay known while no column is named
    engine.land([*customers(5, moved=1), ann(NEW)])
    assert counts(engine, engine.run())["moved"] == 0
    engine.define(**BY_ID)
    engine.land([*customers(5, moved=2), ann(WORK)])
    assert counts(engine, engine.run())["moved"] == 2
    assert engine.members().keys() == addresses([*customers(5, moved=2), ann(WORK)])


def test_additions_only_leaves_both_addresses_until_the_next_run(engine: Engine, ran: Run) -> None:
    engine.land([*customers(25), ann(NEW)])
    run = engine.run()
    assert run.state is State.BLOCKED
    engine.service.decide(run.export, run.run, plan=engine.delivery(run).plan, decision="additions_only", by="admin")
    engine.pump()
    assert {ANN, NEW} <= engine.members().keys()
    engine.land([*customers(40), ann(NEW)])
    run = engine.run()
    assert (counts(engine, run)["moved"], counts(engine, run)["add"], counts(engine, run)["remove"]) == (1, 0, 1)
    assert engine.members().keys() == addresses([*customers(40), ann(NEW)])


def test_a_segment_of_several_parts_moves_people_between_them(storage: StorageAddress, unique: str) -> None:
    with engines.engine(storage, unique, rows_per_file=7) as made:
        made.connect()
        made.land(customers(40))
        made.define(**BY_ID, rules={"limit": {"first": 39, "by": "City", "read_as": "text"}})
        made.run()
        made.tell("people", made.kit.unsubscribed("person1@example.com", "Loyal"))
        made.land([*customers(40, moved=8), Person(WORK, "W", "Rome", "c20")])
        run = made.run()
        found = plans.read(made.cloud.blobs, layout.delivery_folder(run.export, run.run, 0))
        assert found is not None
        assert found[0].parts > 1
        assert len(found[0].known_before) > 1
        left = addresses(customers(40, moved=8)) - {"moved1@example.com"}
        assert len(left - made.members().keys()) == 1, "somebody is beyond the limit"
        assert made.members().keys() < left
        assert found[0].balance.kept_back == {SECOND_ADDRESS: 1, "limit": 1}


def test_forgetting_an_address_erases_the_persons_others(engine: Engine, ran: Run) -> None:
    engine.land([*customers(40), ann(NEW), ann(WORK)])
    run = engine.run()
    folder = layout.delivery_folder(run.export, run.run, 0)
    assert [name for name in engine.cloud.blobs.names(folder) if name.endswith("known-before.parquet")]
    engine.forget(NEW)
    assert WORK in {row["address"] for row in engine.rejected(run)}, "it was never sent, so nobody knows whose it is"
    for place in ("runs/", "ledgers/"):
        for name in engine.cloud.blobs.names(place):
            content = engine.cloud.blobs.read(name)
            assert content is not None
            assert not any(address.encode() in content[0] for address in (ANN, NEW))
    for address in (ANN, NEW):
        assert (kept(engine.cloud, address).ledgers, kept(engine.cloud, address).runs) == (0, 0)


def test_whoever_dies_before_all_addresses_of_a_person_are_asked_for_leaves_none_when_one_is_asked_for_again(
    engine: Engine, ran: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.land([*customers(40), ann(NEW)])
    engine.run()
    begin, begun = forgetting.KIND.begin, list[str]()

    def dying(cloud: Cloud, course: forgetting.Forgetting) -> None:
        begun.append(course.request)
        if len(begun) == 2:
            raise ConnectionError
        begin(cloud, course)

    monkeypatch.setattr(forgetting.KIND, "begin", dying)
    with pytest.raises(ConnectionError):
        engine.service.forget(NEW, "admin")
    monkeypatch.undo()
    engine.pump()
    engine.forget(NEW)
    assert [kept(engine.cloud, address).ledgers for address in (ANN, NEW)] == [0, 0]


def test_saving_refuses_what_cannot_work(engine: Engine) -> None:
    engine.land([ann()])
    with pytest.raises(Invalid, match="In this mode nobody is taken off"):
        engine.define(**BY_ID, mode="add")
    with pytest.raises(Invalid, match="cannot be the id"):
        engine.define(id_column="EMail")
    with pytest.raises(Invalid, match='Loyal" has no column "Id"'):
        engine.define(id_column="Id")
    place = f"Loyal/{engine.at:%Y%m%dT%H%M%SZ}/part-0.csv"
    assert engine.landing.download_blob(place).readall() == as_csv(
        [["ann@example.com", "Ann", "Rome", "ann"]], HEADER_WITH_ID
    )
    assert HEADER_WITH_ID[:3] == HEADER


def test_withdrawing_takes_everybody_off_and_knows_them_still(engine: Engine, ran: Run) -> None:
    engine.tell("people", engine.kit.unsubscribed(ANN, "Loyal"))
    engine.define(**BY_ID, paused=True)
    engine.service.begin("newsletter", RunKind.WITHDRAW)
    engine.pump()
    assert engine.members() == {}
    engine.land([*customers(40), ann(NEW)])
    engine.run()
    assert engine.members().keys() == addresses(customers(40))
