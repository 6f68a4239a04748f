"""Rules beside what else there is: dry runs, explain, guards, schedules, several parts, forgetting."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from shared.catalog.issues import Invalid
from shared.cloud.settings import StorageAddress
from shared.delivery import inbox
from shared.delivery.erase.kept import kept
from shared.delivery.plan import excluded
from shared.delivery.plan.guards import FEW
from shared.delivery.state import layout
from shared.delivery.state import plan as plans
from shared.delivery.state.records import WELL, Run, State
from shared.delivery.state.transitions import RunKind
from tests.contract.prompt import Prompt
from tests.integration.delivery import engine as engines
from tests.integration.delivery.engine import Engine, Person, people

NO, AWAY = "no@example.com", "away@example.com"
CONSENT: dict[str, Any] = {"require": [{"column": "City", "one_of": ["Rome"]}]}
EXCLUDE: dict[str, Any] = {"exclude": [{"segment": "Suppressed"}]}


def romans(count: int, start: int = 0) -> list[Person]:
    return [Person(each.email, str(number), "Rome") for number, each in enumerate(people(count, start), start)]


def land(engine: Engine, *more: Person, count: int = 5) -> None:
    engine.land([Person(AWAY)], "Suppressed")
    engine.land([*romans(count), *more])


def explained(engine: Engine, address: str) -> Mapping[str, Any]:
    [target] = engine.service.explain("newsletter", address)["targets"]
    found: Mapping[str, Any] = target
    return found


def dry_run(engine: Engine) -> Run:
    run = engine.service.begin("newsletter", RunKind.DRY_RUN).run
    engine.pump()
    return engine.current(run)


def planned(engine: Engine, run: Run) -> set[tuple[str, str, str]]:
    """Operation, address and reason of everybody."""
    found = engine.cloud.blobs.read(layout.planned(layout.delivery_folder(run.export, run.run, 0)))
    assert found is not None
    rows = csv.DictReader(io.StringIO(found[0].decode("utf-8-sig")))
    return {(row["operation"], row["address"], row["reason"]) for row in rows}


def test_a_dry_run_shows_whom_rules_keep_back_and_take_off(engine: Engine) -> None:
    land(engine)
    engine.define(rules=EXCLUDE | CONSENT)
    engine.run()
    engine.land([*romans(5)[1:], Person("person0@example.com", "0", "Oslo"), Person(AWAY, "9", "Rome")])
    run = dry_run(engine)
    unmet, away = "City is none of: Rome.", "Is in the segment Suppressed, which is excluded."
    everybody = {
        ("remove", "person0@example.com", unmet),
        ("kept back", "person0@example.com", unmet),
        ("kept back", AWAY, away),
    }
    assert planned(engine, run) == everybody
    assert run.state in WELL
    sample = [
        (each["operation"], each["address"], each["reason"])
        for each in engine.service.runs.sample(run.export, run.run) or ()
    ]
    assert set(sample) == everybody
    assert len(engine.members()) == 5, "nothing was sent"
    counts = engine.delivery(run).counts
    assert (counts["kept_back"], counts["removed_by_rules"], counts["remove"]) == (2, 1, 1)


def test_explain_names_the_rule_before_and_after_the_run(engine: Engine) -> None:
    land(engine, Person(NO, "7", "Oslo"), Person(AWAY, "8", "Rome"))
    engine.define(rules=EXCLUDE | CONSENT | {"limit": {"first": 3, "by": "FirstName"}})
    assert explained(engine, NO)["verdict"] == (
        "Not on the list: in the segment, and kept back by a rule. City is none of: Rome."
    )
    found = explained(engine, " AWAY@Example.com")
    assert found["kept_back"] == [{"rule": "exclude/0", "reason": "Is in the segment Suppressed, which is excluded."}]
    assert (found["excluded"][0]["segment"], found["excluded"][0]["rows"]) == ("Suppressed", 1)
    run = engine.run()
    limited = explained(engine, "person0@example.com")
    assert limited["kept_back"] == [
        {"rule": "limit", "reason": "Is not among the first 3 by FirstName.", "run": run.run}
    ]
    assert "kept back by a rule" in limited["verdict"]
    assert explained(engine, "person4@example.com")["kept_back"] == []
    engine.land([*romans(5)[:4], Person("person4@example.com", "4", "Oslo")])
    assert explained(engine, "person4@example.com")["verdict"].startswith(
        "On the list, and kept back by a rule now: City is none of: Rome. The next run takes the person off"
    )
    engine.run()
    assert "kept back by a rule, and taken off" in explained(engine, "person4@example.com")["verdict"]
    assert explained(engine, "stranger@example.com")["kept_back"] == []


def test_a_rule_that_keeps_everybody_off_is_stopped_by_a_guard_that_says_so(engine: Engine) -> None:
    land(engine)
    engine.define(rules=CONSENT)
    engine.run()
    engine.land([Person(each.email, each.first, "Oslo") for each in romans(5)])
    run = engine.run()
    assert run.state is State.BLOCKED
    assert "would remove 5 of 5 (100%), limit 20%; 5 of them are kept back by rules of the export" in run.message
    assert len(engine.members()) == 5


def test_only_the_people_who_are_left_are_counted_by_guards(engine: Engine) -> None:
    land(engine, *(Person(f"away{number}@example.com", "1", "Oslo") for number in range(FEW)))
    engine.define(rules=CONSENT, guards={"max_profiles": 5})
    assert engine.run().state in WELL


def test_an_excluded_segment_that_is_empty_all_of_a_sudden_stops_the_run(engine: Engine) -> None:
    gone = [Person(f"gone{number}@example.com") for number in range(30)]
    engine.land(gone, "Suppressed")
    engine.land(romans(5))
    engine.define(rules=EXCLUDE)
    assert engine.run().state in WELL
    engine.land([], "Suppressed")
    run = engine.run()
    assert run.state is State.BLOCKED
    assert "the excluded segment Suppressed is empty, and had 30 rows before" in run.message
    engine.land([Person("") for _ in gone], "Suppressed")
    run = engine.run()
    assert run.state is State.BLOCKED
    assert "EMail is empty in 100% of the rows of Suppressed, 0% before" in run.message


def test_a_newer_state_of_an_excluded_segment_is_waited_for_and_an_older_one_never_used(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    land(engine)
    engine.define(rules=EXCLUDE)
    late = engine.at + timedelta(minutes=10)
    place = f"Suppressed/{late:%Y%m%dT%H%M%SZ}"
    engine.upload(f"{place}/part-0.csv", engines.as_csv([["person1@example.com", "", ""]]))
    monkeypatch.setattr(excluded, "LOOK_AGAIN_SECONDS", 0.01)
    run = engine.start()
    message = engine.queue.receive_message(visibility_timeout=600)
    assert message is not None
    inbox.receive(engine.cloud, message.content.encode())
    engine.queue.delete_message(message)
    delivery = engine.delivery(run)
    assert (delivery.state, delivery.step) == (State.RUNNING, "plan")
    assert "Waiting: A newer state of the excluded segment Suppressed cannot be used" in delivery.message
    engine.upload(f"{place}/_SUCCESS", b"")
    engine.pump()
    assert engine.current(run).state in WELL
    assert "person1@example.com" not in engine.members()
    assert len(engine.members()) == 4


def test_nobody_waits_for_an_excluded_segment_for_ever(
    engine: Engine, storage: StorageAddress, unique: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.cloud.slices = Prompt(storage, f"{unique}-slices")
    land(engine)
    engine.define(rules=EXCLUDE)
    late = engine.at + timedelta(minutes=10)
    engine.upload(f"Suppressed/{late:%Y%m%dT%H%M%SZ}/part-0.csv", engines.as_csv([["person1@example.com", "", ""]]))
    monkeypatch.setattr(excluded, "PATIENCE", timedelta(0))
    run = engine.run()
    assert (run.state, engine.delivery(run).code) == (State.FAILED, excluded.UNUSABLE)
    assert "Nobody is delivered to without it" in run.message
    assert not engine.calls("subscribe")


@pytest.mark.parametrize("trouble", ["no such column", "unreadable", "its own segment"])
def test_an_excluded_segment_that_cannot_be_used_fails_the_run_before_its_first_write(
    engine: Engine, trouble: str
) -> None:
    land(engine)
    engine.define(rules=EXCLUDE, targets=[{"segments": ["Loyal", "Later"], "list_name": "Loyal"}])
    engine.land([Person("later@example.com", "1", "Rome")], "Later")
    where = f"Suppressed/{engine.at + timedelta(minutes=1):%Y%m%dT%H%M%SZ}"
    content = {"no such column": b"Mail\nx@example.com\n", "unreadable": b'EMail\n"x@example.com\n'}
    if trouble in content:
        engine.upload(f"{where}/part-0.csv", content[trouble])
        engine.upload(f"{where}/_SUCCESS", b"")
    else:
        held = engine.catalog.exports.get("newsletter")
        assert held is not None
        changed = engine.catalog.export("newsletter").item.model_dump()
        changed["targets"][0]["segments"] = ("Loyal", "Suppressed")
        engine.catalog.exports.replace(type(held.item).model_validate(changed), held.etag)
    run = engine.run()
    assert run.state is State.FAILED
    assert not engine.calls("subscribe")
    assert {"no such column": "has no column 'EMail'", "unreadable": "part-0.csv", "its own segment": "its own"}[
        trouble
    ] in run.message


def test_a_segment_of_several_parts_has_one_limit(storage: StorageAddress, unique: str) -> None:
    with engines.engine(storage, unique, rows_per_file=4) as made:
        made.connect()
        made.land([Person(AWAY), Person("person39@example.com")], "Suppressed")
        made.land(romans(40))
        made.define(rules=EXCLUDE | {"limit": {"first": 7, "by": "FirstName"}})
        run = made.run()
        assert run.state in WELL, run.message
        assert made.members().keys() == {f"person{number}@example.com" for number in range(32, 39)}
        assert made.report(run)["rows"]["kept_back"] == 33
        found = plans.read(made.cloud.blobs, layout.delivery_folder(run.export, run.run, 0))
        assert found is not None
        assert found[0].parts > 1


def test_a_schedule_that_follows_snapshots_follows_those_of_excluded_segments(engine: Engine) -> None:
    land(engine)
    engine.define(rules=EXCLUDE, schedule={"kind": "on_refresh", "existing": True})
    assert len(engine.tick()) == 1
    assert engine.tick() == []
    engine.land([Person("person1@example.com")], "Suppressed")
    assert len(engine.tick()) == 1
    assert len(engine.members()) == 4
    assert engine.tick() == []
    engine.land([Person("person2@example.com")], "Suppressed")
    engine.run()
    assert engine.tick() == [], "somebody delivered it already"


def test_whoever_is_kept_back_is_seen_in_the_plan_itself_before_forgetting(engine: Engine) -> None:
    land(engine, Person(NO, "7", "Oslo"), Person(AWAY, "8", "Rome"))
    engine.define(rules=EXCLUDE | CONSENT)
    run = engine.run()
    engine.cloud.blobs.delete(layout.rejected(layout.delivery_folder(run.export, run.run, 0)))
    assert kept(engine.cloud, NO).runs == 1


def test_whoever_is_forgotten_is_in_no_file_of_people_kept_back(engine: Engine) -> None:
    land(engine, Person(NO, "7", "Oslo"), Person(AWAY, "8", "Rome"))
    engine.define(rules=EXCLUDE | CONSENT)
    run = engine.run()
    dry = dry_run(engine)
    assert NO in {address for _, address, _ in planned(engine, dry)}
    assert explained(engine, NO)["kept_back"]
    engine.forget(NO)
    assert [row["address"] for row in engine.rejected(run)] == [AWAY]
    assert NO not in {address for _, address, _ in planned(engine, dry)}
    folder = layout.delivery_folder(run.export, run.run, 0)
    assert [name for name in engine.cloud.blobs.names(folder) if "-kept-back" in name]
    for name in engine.cloud.blobs.names("runs/"):
        content = engine.cloud.blobs.read(name)
        assert content is not None
        assert NO.encode() not in content[0]


def test_withdrawing_takes_everybody_off_whatever_the_rules(engine: Engine) -> None:
    land(engine)
    engine.define(rules=EXCLUDE | CONSENT | {"limit": {"first": 3, "by": "FirstName"}}, paused=True)
    engine.run()
    for name in [each.name for each in engine.landing.list_blobs(name_starts_with="Suppressed/")]:
        engine.landing.delete_blob(name)
    run = engine.service.begin("newsletter", RunKind.WITHDRAW).run
    engine.pump()
    assert engine.current(run).state in WELL
    assert engine.members() == {}


def test_an_excluded_segment_may_call_its_address_column_otherwise(engine: Engine) -> None:
    late = engine.at + timedelta(minutes=1)
    engine.upload(f"Bounced/{late:%Y%m%dT%H%M%SZ}/part-0.csv", b"Mail,Why\nperson1@example.com,hard\n")
    engine.upload(f"Bounced/{late:%Y%m%dT%H%M%SZ}/_SUCCESS", b"")
    engine.land(romans(3))
    engine.define(rules={"exclude": [{"segment": "Bounced", "address_column": "Mail"}]})
    engine.run()
    assert engine.members().keys() == {"person0@example.com", "person2@example.com"}
    with pytest.raises(Invalid, match='Bounced" has no column "EMail"'):
        engine.define(rules={"exclude": [{"segment": "Bounced"}]})


def test_a_segment_cannot_be_excluded_under_another_name_either(engine: Engine) -> None:
    land(engine)
    with pytest.raises(Invalid, match="nobody of it would be left"):
        engine.define(rules={"exclude": [{"segment": f"{engine.container}:Loyal"}]})
    with pytest.raises(Invalid, match="excluded twice"):
        engine.define(rules={"exclude": [{"segment": "Suppressed"}, {"segment": f"{engine.container}:Suppressed"}]})
    with pytest.raises(Invalid, match='There is no segment "Nowhere"'):
        engine.define(rules={"exclude": [{"segment": "Nowhere"}]})
