"""Runs for other ends than the daily delivery: dry run, retry, full resync, rebuild, withdraw; and cancelling."""

from __future__ import annotations

import csv
import io
import json
import threading
from collections import Counter

import pytest
import requests

from dev.simulators.common.faults import Fault
from dev.simulators.iterable import PROJECT
from shared.catalog.targets import TargetStore
from shared.control.links import RunFile
from shared.delivery import inbox
from shared.delivery.account.lease import AccountLease
from shared.delivery.plan import planned_people
from shared.delivery.slices import message_of
from shared.delivery.state import layout
from shared.delivery.state.lookup import targets
from shared.delivery.state.records import Run, State, now
from shared.delivery.state.transitions import RunKind
from shared.errors import Unprocessable
from shared.wording import said
from tests.integration.delivery.engine import Engine, Person, people


def run(engine: Engine, kind: RunKind) -> Run:
    started = engine.service.start("newsletter", f'{{"kind": "{kind}"}}'.encode()).run
    engine.pump()
    return engine.current(started)


def writes(engine: Engine) -> int:
    return len(engine.calls("POST"))


def ledger_manifest(engine: Engine) -> str:
    [target] = targets(engine.cloud, engine.catalog.export("newsletter").item)
    return layout.ledger_manifest(target.ledger)


def test_a_dry_run_counts_and_shows_a_sample_and_writes_nothing(engine: Engine) -> None:
    engine.land(people(30))
    engine.define()
    ended = run(engine, RunKind.DRY_RUN)
    assert (ended.state, writes(engine)) == (State.SUCCEEDED, 0)
    assert engine.delivery(ended).counts["add"] == 30
    sample = engine.service.runs.sample(ended.export, ended.run)
    assert sample is not None and len(sample) == 10
    assert sample[0]["operation"] == "add" and sample[0]["values"].keys() == {"firstName", "city"}
    assert engine.run().state in (State.SUCCEEDED, State.WARNINGS)
    assert len(engine.members()) == 30


def test_a_dry_run_looks_beside_a_pending_decision_and_leaves_it_alone(engine: Engine) -> None:
    engine.land(people(30))
    engine.define(guards={"max_removed_people": 0})
    engine.run()
    engine.land(people(3))
    waiting = engine.run()
    assert waiting.state is State.BLOCKED
    turn = engine.delivery(waiting).turn
    looked = run(engine, RunKind.DRY_RUN)
    assert (looked.kind, looked.state) == (RunKind.DRY_RUN, State.WARNINGS)
    assert engine.delivery(looked).counts["remove"] == 27
    assert (engine.current(waiting).state, engine.delivery(waiting).turn) == (State.BLOCKED, turn)
    assert engine.service.runs.latest()["newsletter"].run == waiting.run, "lists still show what waits"
    engine.service.decide(waiting.export, waiting.run, plan=engine.delivery(waiting).plan, decision="deliver", by="Ada")
    engine.pump()
    assert len(engine.members()) == 3


def test_a_dry_run_looks_beside_a_delivery_and_takes_none_of_its_turns(engine: Engine) -> None:
    engine.land(people(30))
    engine.define()
    engine.run()
    engine.land(people(40))
    delivery = engine.start()
    account = engine.delivery(delivery).account
    with AccountLease(engine.cloud.blobs, account, quiet_seconds=0, look=lambda: None):  # a worker delivers
        begun = engine.service.begin("newsletter", RunKind.DRY_RUN)
        assert begun.new
        assert not engine.service.begin("newsletter", RunKind.DRY_RUN).new, "one at a time"
        message = message_of(engine.delivery(begun.run)).body()
        inbox.receive(engine.cloud, json.dumps(message).encode())
        looked = engine.current(begun.run)
        assert (looked.state, engine.delivery(looked).counts["add"]) == (State.SUCCEEDED, 10)
        assert engine.current(delivery).state is State.QUEUED
    engine.pump()
    assert engine.current(delivery).state in (State.SUCCEEDED, State.WARNINGS)
    assert len(engine.members()) == 40


def test_a_dry_run_commits_nothing_of_a_delivery_that_is_open(engine: Engine) -> None:
    """The target remembers whose journal is open: it is that of a delivery under way, and not a leftover."""
    engine.land(people(30))
    engine.define()
    delivery = engine.start()
    target = {"export": "newsletter", "run": delivery.run, "index": 0}
    account, key = engine.delivery(delivery).account, engine.delivery(delivery).target_key
    TargetStore(engine.cloud.targets).remember(account, key, "newsletter", {"open": target}, now(), still=lambda: None)
    looked = engine.service.begin("newsletter", RunKind.DRY_RUN).run
    message = message_of(engine.delivery(looked)).body()
    inbox.receive(engine.cloud, json.dumps(message).encode())
    assert engine.current(looked).state is State.SUCCEEDED
    claim = TargetStore(engine.cloud.targets).owner(account, key)
    assert claim is not None and claim.memory["open"] == target


def test_a_dry_run_says_guards_first_and_how_many_would_go(engine: Engine) -> None:
    engine.land(people(200))
    engine.define()
    engine.run()
    engine.land(people(1))
    ended = run(engine, RunKind.DRY_RUN)
    assert (ended.state, engine.delivery(ended).counts["remove"]) == (State.WARNINGS, 199)
    assert "A run would be blocked before its first write: would remove 199 of 200" in said(ended.message)
    assert len(engine.members()) == 200
    assert engine.run().state is State.BLOCKED, "as the dry run said"


def test_a_dry_run_of_rows_without_addresses_is_no_success(engine: Engine) -> None:
    engine.land([Person("a@example.org"), *(Person(f"nobody-{number}") for number in range(42))])
    engine.define()
    ended = run(engine, RunKind.DRY_RUN)
    assert ended.state is State.WARNINGS
    assert "42 of 43 rows (98%) have no valid address" in said(ended.message)


def test_who_decides_sees_who_is_planned_and_why(engine: Engine) -> None:
    engine.land(people(200))
    engine.define()
    engine.run()
    engine.land([*people(20), Person("new@example.org"), *(Person(f"nobody-{number}") for number in range(3))])
    waiting = engine.run()
    assert waiting.state is State.BLOCKED
    sample = engine.service.runs.sample(waiting.export, waiting.run) or []
    seen = Counter((row["operation"], row["reason"]) for row in sample)
    assert seen == {
        ("add", "In the segment, and not on the list."): 1,
        ("remove", "Not in the segment any more."): planned_people.SAMPLE,
        ("refused", "This is not a valid e-mail address."): 3,
    }
    lines = planned_lines(engine, waiting)
    assert Counter(line["operation"] for line in lines) == {"remove": 180, "add": 1, "refused": 3}
    [new] = [line["address"] for line in lines if line["operation"] == "add"]
    assert new == "new@example.org"
    refused = [line for line in lines if line["operation"] == "refused"]
    assert {line["row"] for line in refused} == {"10", "11", "12"}, "of the second of two files"
    assert engine.service.runs.link(RunFile.PLANNED, waiting.export, waiting.run) is not None


def test_a_forgotten_person_is_in_nothing_that_is_shown_of_a_plan(engine: Engine) -> None:
    engine.land(people(200))
    engine.define()
    engine.run()
    engine.land([*people(20), Person("new@example.org")])
    waiting = engine.run()
    engine.forget("New@example.org")
    assert "new@example.org" not in {line["address"] for line in planned_lines(engine, waiting)}
    shown = engine.service.runs.sample(waiting.export, waiting.run) or []
    assert "new@example.org" not in {row["address"] for row in shown} and shown


def planned_lines(engine: Engine, of: Run) -> list[dict[str, str]]:
    stored = engine.cloud.blobs.read(layout.planned(layout.delivery_folder(of.export, of.run, 0)))
    assert stored is not None
    return list(csv.DictReader(io.StringIO(stored[0].decode("utf-8-sig"))))


def test_retry_sends_only_what_was_rejected(engine: Engine) -> None:
    engine.land(people(20))
    engine.define()
    engine.simulator.vendor.settings.known_domains_only = True
    engine.land([*people(20), Person("odd@nowhere.unknownzone", "Odd")])
    first = engine.run()
    assert engine.report(first)["outcomes"]["add rejected"] == 1
    engine.simulator.vendor.settings.known_domains_only = False
    assert engine.run().state is State.NOTHING, "the address did not change, so a delivery leaves it alone"
    again = run(engine, RunKind.RETRY)
    assert engine.report(again)["outcomes"] == {"add accepted": 1}
    assert engine.delivery(again).counts["outside"] == 20
    assert len(engine.members()) == 21


def test_a_full_resync_sends_everyone_again_and_still_removes_leavers(engine: Engine) -> None:
    engine.land(people(30))
    engine.define()
    engine.run()
    engine.land(people(25))
    ended = run(engine, RunKind.FULL_RESYNC)
    assert engine.report(ended)["outcomes"] == {"add accepted": 25, "remove accepted": 5}
    assert len(engine.members()) == 25


def test_a_ledger_from_a_backup_blocks_and_a_full_resync_takes_off_who_left_since(engine: Engine) -> None:
    engine.land(people(20))
    engine.define()
    engine.run()
    blobs, manifest = engine.cloud.blobs, ledger_manifest(engine)
    backup = {name: content(engine, name) for name in blobs.names(manifest.removesuffix("manifest.json"))}
    engine.land(people(25))
    engine.run()
    for name, body in backup.items():
        blobs.write(name, body)
    engine.land(people(3))
    blocked = engine.run()
    assert (blocked.state, engine.delivery(blocked).code) == (State.BLOCKED, "ledger_older")
    assert len(engine.members()) == 25, "nothing is done with a record that is not the newest"
    run(engine, RunKind.FULL_RESYNC)
    assert engine.members().keys() == {each.email for each in people(25)} - {each.email for each in people(20)} | {
        each.email for each in people(3)
    }
    engine.land(people(4))
    assert engine.current(engine.run()).state in (State.SUCCEEDED, State.WARNINGS)


def content(engine: Engine, name: str) -> bytes:
    found = engine.cloud.blobs.read(name)
    assert found is not None
    return found[0]


@pytest.mark.parametrize("damage", ["manifest gone", "manifest damaged", "file damaged", "file gone"])
def test_a_lost_ledger_blocks_and_a_full_resync_rebuilds_it(engine: Engine, damage: str) -> None:
    engine.land(people(30))
    engine.define()
    engine.run()
    manifest = ledger_manifest(engine)
    [data] = [name for name in engine.cloud.blobs.names(manifest.removesuffix("manifest.json")) if "parquet" in name]
    match damage:
        case "manifest gone":
            engine.cloud.blobs.delete(manifest)
        case "manifest damaged":
            engine.cloud.blobs.write(manifest, b'{"version": 1')
        case "file damaged":
            engine.cloud.blobs.write(data, b"PAR1 not really")
        case _:
            engine.cloud.blobs.delete(data)
    engine.land([*people(30), *people(2, 100)])
    before = writes(engine)
    blocked = engine.run()
    assert (blocked.state, writes(engine)) == (State.BLOCKED, before)
    assert "full resync" in blocked.message
    ended = run(engine, RunKind.FULL_RESYNC)
    assert engine.report(ended)["outcomes"] == {"add accepted": 32}
    engine.land([*people(30), *people(3, 100)])
    assert engine.report(engine.run())["outcomes"] == {"add accepted": 1}


def test_a_list_that_somebody_deleted_blocks_and_is_rebuilt_on_request(engine: Engine) -> None:
    engine.land(people(10))
    engine.define()
    engine.run()
    project = engine.simulator.vendor.project(PROJECT)
    project.lists.clear()
    engine.land(people(11))
    blocked = engine.run()
    assert blocked.state is State.BLOCKED
    assert "rebuild" in blocked.message
    assert run(engine, RunKind.REBUILD).state in (State.SUCCEEDED, State.WARNINGS)
    assert len(engine.members()) == 11


def test_a_list_given_by_id_that_is_gone_fails_the_run(engine: Engine) -> None:
    engine.land(people(10))
    engine.define(targets=[{"segments": ["Loyal"], "list_id": "999", "existing": "adopt"}])
    ended = engine.run()
    assert ended.state is State.FAILED
    assert "999" in ended.message


def test_withdrawing_takes_off_everyone_we_added_and_nobody_else(engine: Engine) -> None:
    engine.land(people(10))
    engine.define()
    engine.run()
    stranger = {"email": "stranger@example.com", "lists": ["Loyal"]}
    requests.post(f"{engine.simulator.url}/_simulator/people", json={"people": [stranger]}, timeout=10)
    ended = run(engine, RunKind.WITHDRAW)
    assert ended.state is State.SUCCEEDED
    assert engine.report(ended)["outcomes"] == {"remove accepted": 10}
    assert engine.members().keys() == {"stranger@example.com"}
    assert engine.service.members(engine.catalog.export("newsletter").item) == {"name:Loyal": 0}


def test_withdrawing_needs_a_schedule_at_rest(engine: Engine) -> None:
    engine.land(people(10))
    engine.define(schedule={"kind": "on_refresh"})
    with pytest.raises(Unprocessable, match="Pause"):
        run(engine, RunKind.WITHDRAW)


def test_a_cancelled_run_sends_nothing_more_and_commits_what_was_done(engine: Engine) -> None:
    engine.connect(settings={"subscribe_rate": 1000, "batch_rows": 5})
    engine.land(people(400))
    engine.define()
    engine.simulator.change_settings({"latency_fixed": 0.3})
    run = engine.start()
    worker = threading.Thread(target=engine.pump)
    worker.start()
    while not engine.calls("subscribe"):
        worker.join(0.05)
    engine.service.cancel(run.export, run.run)
    worker.join()
    ended = engine.current(run)
    assert ended.state is State.CANCELLED
    outcomes = engine.report(ended)["outcomes"]
    assert sum(outcomes.values()) == 400
    assert outcomes["add accepted"] == len(engine.members()) < 400
    engine.simulator.change_settings({"latency_fixed": 0})
    engine.land(people(400))
    assert engine.report(engine.run())["outcomes"] == {"add accepted": 400 - outcomes["add accepted"]}


def test_a_disabled_connection_stops_a_delivery_at_its_next_slice(engine: Engine) -> None:
    engine.land(people(10))
    engine.define()
    run = engine.start()
    engine.connect(disabled=True)
    engine.pump()
    ended = engine.current(run)
    assert ended.state is State.FAILED
    assert "disabled" in ended.message
    assert not engine.members()


def test_outcomes_that_stay_unknown_are_maybe_and_resolved_by_the_next_run(engine: Engine) -> None:
    engine.land(people(10))
    engine.define()
    fault = Fault(endpoint="POST /api/lists/subscribe", kind="drop", work=True, every=1)
    engine.simulator.faults.set([fault])
    first = engine.run()
    assert first.state is State.WARNINGS
    assert engine.report(first)["outcomes"] == {"add unknown": 10}
    engine.simulator.faults.set([])
    engine.land(people(9))
    assert engine.report(engine.run())["outcomes"] == {"add accepted": 9, "remove accepted": 1}
    assert len(engine.members()) == 9


def test_the_definition_of_a_run_is_the_one_it_was_started_with(engine: Engine) -> None:
    engine.land(people(10))
    engine.define()
    run = engine.start()
    engine.define(matching=[])
    engine.pump()
    assert engine.current(run).state in (State.SUCCEEDED, State.WARNINGS)
    assert engine.members()["person1@example.com"]["first"] == "First1"


def test_another_account_behind_the_connection_blocks(engine: Engine) -> None:
    engine.land(people(10))
    engine.define()
    engine.run()
    engine.simulator.change_settings({"keys": {"other-key": {"type": "Standard"}}})
    engine.cloud.secrets.values["api-key"] = "other-key"  # type: ignore[attr-defined]
    engine.connect()
    engine.land(people(9))
    blocked = engine.run()
    assert blocked.state is State.BLOCKED
    assert "another account" in blocked.message
