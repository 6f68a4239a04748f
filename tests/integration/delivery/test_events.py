"""What happened to whom is written down by every commit, once, and is gone when it expires or somebody is forgotten."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import replace
from datetime import date, timedelta
from itertools import count
from typing import Any

import pytest

from shared.catalog.issues import NotFound
from shared.cloud.blobs import Blobs
from shared.cloud.queue import Queue
from shared.delivery import inbox, upkeep
from shared.delivery.erase import event_expiry, expiry, forgetting
from shared.delivery.erase.forgetting import Stage
from shared.delivery.erase.kept import Kept
from shared.delivery.lookups import happened
from shared.delivery.state import events, layout, ledger
from shared.delivery.state.events import EventFile
from shared.delivery.state.records import State, now
from shared.errors import Unprocessable
from tests.integration.delivery import happenings
from tests.integration.delivery.engine import Engine, Person, engine, people
from tests.integration.delivery.holding import holding
from tests.integration.delivery.test_forgetting import ROWS, WRITES, Died, carry_on, counted, put_back, until
from tests.memory import Account, in_memory
from tests.sampling import EVERY

ADA = "ada.to.follow@example.com"
WROTE = [(Blobs, "upload_new")]
ONE_IN = 1 if EVERY else 5
"""Writes that a worker dies before."""


@pytest.fixture
def made(unique: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    monkeypatch.setattr(forgetting, "FIRST_WAIT", 0.0)
    with in_memory() as address, engine(address, unique) as one:
        one.connect()
        one.define()
        yield one


def settings(made: Engine, **changes: Any) -> None:
    made.cloud.settings = replace(made.cloud.settings, **changes)


def run(made: Engine, kind: str) -> None:
    made.service.start("newsletter", json.dumps({"kind": kind}).encode())
    made.pump()


def files(made: Engine) -> list[EventFile]:
    return list(events.files(made.cloud.blobs))


def story(made: Engine, address: str = ADA) -> list[tuple[str, str, str]]:
    """Operation, outcome and code."""
    told = happenings.happened_to(made.cloud, address)
    return [(each["operation"], each["outcome"] or "", each["code"] or "") for each in told]


def place(made: Engine) -> str:
    [found] = happenings.ledgers(made.cloud)
    return found


def test_all_that_happens_to_a_person_is_told_in_its_order(made: Engine) -> None:
    made.land([*people(3), Person(ADA)])
    first = made.run()
    made.land([*people(3), Person(ADA, "Changed")])
    made.run()
    made.land(people(3))
    last = made.run()
    assert story(made) == [("add", "accepted", ""), ("change", "accepted", ""), ("remove", "accepted", "")]
    told = happenings.happened_to(made.cloud, f" {ADA.upper()}")
    assert [each["status"] for each in told] == ["member", "member", "removed"]
    assert [each["run"] for each in told][::2] == [first.run, last.run]
    assert {(each["export"], each["target"]) for each in told} == {("newsletter", "name:Loyal")}
    assert all(abs(each["committed_at"] - now().replace(tzinfo=None)) < timedelta(minutes=5) for each in told)


def test_who_is_refused_is_told_with_the_code(made: Engine) -> None:
    made.land([*people(3), Person("refused@example.com")])
    made.tell("people", {"forgotten": ["refused@example.com"]})
    run = made.run()
    [row] = made.rejected(run)
    assert story(made, "refused@example.com") == [("add", row["outcome"], row["code"])]
    assert happenings.told_right(made.cloud) == 3


def test_a_run_that_does_nothing_and_a_dry_run_write_nothing(made: Engine) -> None:
    made.land(people(3))
    run(made, "dry_run")
    assert files(made) == []
    made.run()
    there = files(made)
    assert made.run().state is State.NOTHING
    made.land(people(5))
    run(made, "dry_run")
    assert files(made) == there != []


def test_addresses_are_in_events_only_where_a_setting_says_so(made: Engine) -> None:
    made.land([*people(3), Person(ADA, id="c-1")])
    made.define(id_column="CustomerId")
    made.run()
    assert not [name for name in holding(made, ADA) if name.startswith(layout.EVENTS)]
    assert not [name for name in holding(made, "c-1") if name.startswith(layout.EVENTS)]
    settings(made, event_addresses=True)
    made.land([*people(3), Person(ADA, "Changed", id="c-1")])
    made.run()
    told = [row["address"] for row in happenings.rows(made.cloud) if row["operation"] == "change"]
    assert told == [ADA]
    assert len(story(made)) == 2, "found by the hash before and after"


def test_who_moves_is_followed_from_one_address_to_the_other(made: Engine) -> None:
    made.define(id_column="CustomerId")
    made.land([*people(3), Person(ADA, id="c-1")])
    made.run()
    made.land([*people(3), Person("ada.moved@example.com", id="c-1")])
    made.run()
    moved = [each for each in happenings.rows(made.cloud) if each["generation"] == 2]
    assert {(each["operation"], each["why"]) for each in moved} == {("add", "moved"), ("remove", "moved")}
    assert len({each["person_hash"] for each in moved}) == 1


def test_who_falls_under_a_rule_is_told_with_it(made: Engine) -> None:
    made.land([*people(3), Person(ADA, "Ada", "Rome")])
    made.run()
    made.land([*people(3), Person(ADA, "Ada", "")])
    made.define(rules={"require": [{"column": "City"}]})
    made.run()
    last = happenings.happened_to(made.cloud, ADA)[-1]
    assert (last["operation"], last["why"]) == ("remove", "require/0")


def test_who_was_on_the_list_on_a_day_is_what_its_ledger_had_then(made: Engine) -> None:
    expected = dict[str, set[str]]()
    for day, wanted in enumerate([people(5), [*people(3), Person(ADA)], people(1), people(7, start=2)], 1):
        made.land(wanted)
        assert made.run().state in (State.SUCCEEDED, State.WARNINGS)
        shift(made, day)
        expected[f"2026-01-0{day}"] = happenings.of_the_ledger(made.cloud, place(made))
    told = {day: happenings.replayed(made.cloud, place(made), day) for day in expected}
    assert told == expected
    assert [len(each) for each in told.values()] == [5, 4, 1, 7]
    assert happenings.replayed(made.cloud, place(made), "2025-12-31") == set()


def shift(made: Engine, day: int) -> None:
    """Have the newest events be of a day."""
    newest = max(each.commit for each in files(made))
    for file in [each for each in files(made) if each.commit == newest]:
        rewrite(made, file, f"* REPLACE (TIMESTAMP '2026-01-0{day} 23:59:59' AS committed_at)")


def rewrite(made: Engine, file: EventFile, select: str) -> None:
    from pathlib import Path
    from tempfile import TemporaryDirectory

    import duckdb

    with TemporaryDirectory() as folder, duckdb.connect() as connection:
        before, after = Path(folder) / "before.parquet", Path(folder) / "after.parquet"
        made.cloud.blobs.fetch(file.name, before)
        connection.execute(f"COPY (SELECT {select} FROM '{before}') TO '{after}' (FORMAT parquet)")
        made.cloud.blobs.upload(file.name, after)


def test_a_list_that_had_a_ledger_before_there_were_events_is_known_from_its_next_delivery_on(made: Engine) -> None:
    settings(made, event_days=0)
    made.land([*people(4), Person(ADA)])
    made.run()
    assert files(made) == []
    settings(made, event_days=400)
    made.land([*people(6), Person(ADA)])
    made.run()
    assert happenings.told_right(made.cloud) == 7
    assert story(made) == [("list", "", "")]
    assert sum(row["operation"] == "list" for row in happenings.rows(made.cloud)) == 5 + 1


def test_after_a_time_without_events_the_list_is_written_again(made: Engine) -> None:
    made.land([*people(4), Person(ADA)])
    made.run()
    settings(made, event_days=0)
    made.land(people(5))
    made.run()
    settings(made, event_days=400)
    made.land(people(6))
    made.run()
    assert happenings.told_right(made.cloud) == 6, "whoever left meanwhile is not on the list"


def test_a_list_is_written_again_after_a_month_and_known_without_what_was_before(made: Engine) -> None:
    made.land(people(4))
    made.run()
    made.land(people(5))
    made.run()
    assert len(events.complete_lists(files(made))) == 1
    long_ago = "20260101-000000-000-aaaa-000"
    current = ledger.read(made.cloud.blobs, place(made))
    ledger.save(made.cloud.blobs, place(made), replace(current, listed=long_ago), etag=current.etag)
    before = files(made)
    made.land(people(6, start=1))
    made.run()
    assert len(events.complete_lists(files(made))) == 2
    for file in before:
        made.cloud.blobs.delete(file.name)
    assert happenings.told_right(made.cloud) == 6


def test_a_ledger_that_begins_anew_begins_a_list(made: Engine) -> None:
    made.land([*people(4), Person(ADA)])
    made.run()
    for name in list(made.cloud.blobs.names(layout.LEDGERS)):
        made.cloud.blobs.delete(name)
    made.land(people(4))
    run(made, "full_resync")
    assert happenings.told_right(made.cloud) == 4


def test_events_expire_by_the_time_of_their_run_and_not_a_day_sooner(made: Engine) -> None:
    made.land(people(4))
    made.run()
    [began] = {each.began for each in files(made)}
    there, days = len(files(made)), made.cloud.settings.event_days
    assert event_expiry.expire(made.cloud, clock=lambda: began + timedelta(days=days, seconds=-1)) == 0
    assert event_expiry.expire(made.cloud, clock=lambda: began + timedelta(days=days, seconds=1)) == there
    assert files(made) == []
    assert happenings.ledgers(made.cloud) != []


def test_the_daily_look_lets_events_expire(made: Engine) -> None:
    made.land(people(4))
    made.run()
    later = now() + timedelta(days=made.cloud.settings.event_days + 2)
    upkeep.look_daily(made.cloud, clock=lambda: later)
    assert files(made) == []


# What people are shown


def shown(made: Engine, address: str = ADA) -> Any:
    return made.service.explain("newsletter", address)["targets"][0]


def test_an_explanation_tells_all_that_happened_long_after_the_runs_are_gone(made: Engine) -> None:
    made.land([*people(3), Person(ADA)])
    made.run()
    made.land(people(3))
    made.run()
    assert expiry.expire(made.cloud, clock=lambda: now() + timedelta(days=40)) == 2
    found = shown(made)
    assert [str(each["text"]) for each in found["story"]] == [
        "Not in the newest snapshot of Loyal.",
        "Taken off the list.",
        "Added to the list.",
    ]
    told = [(each["operation"], each["outcome"], each["status"]) for each in found["events"]]
    assert told == [("remove", "accepted", "removed"), ("add", "accepted", "member")]
    assert found["known_since"] == min(each.began for each in files(made)).isoformat() and found["all_events"]
    hashed = made.service.explain("newsletter", ADA)["address_hash"]
    assert {hashed} == happenings.hashes(made.cloud, ADA)
    assert shown(made, "nobody@example.com")["events"] == []


def test_what_a_receipt_tells_is_not_told_twice(made: Engine) -> None:
    made.land([*people(3), Person(ADA)])
    made.run()
    assert [str(each["text"]) for each in shown(made)["story"]][1:] == ["Added to the list."]


def test_a_look_for_events_ends_in_time_and_says_so(made: Engine) -> None:
    made.land([*people(3), Person(ADA)])
    made.run()
    ticks = iter([0.0, 31.0])
    found = happened.of_person(made.cloud, place(made), ADA, clock=lambda: next(ticks))
    assert (found.events, found.complete) == ([], False)


def listed(made: Engine, day: str) -> set[str]:
    with made.service.members_on("newsletter", 0, date.fromisoformat(day)) as path:
        rows = list(csv.DictReader(path.read_text().splitlines()))
    assert {row["address_hash"] for row in rows} == happenings.replayed(made.cloud, place(made), day)
    return {row["address"] for row in rows}


def test_the_file_of_a_day_has_who_was_on_the_list_at_its_end(made: Engine) -> None:
    segments = [people(5), [*people(3), Person(ADA)], people(1), people(7, start=2)]
    for day, wanted in enumerate(segments, 1):
        made.land(wanted)
        made.run()
        shift(made, day)
        rename(made, day)
    for day, wanted in enumerate(segments, 1):
        assert listed(made, f"2026-01-0{day}") == {each.email for each in wanted}
    for today in ("2026-11-30", "9999-12-31"):
        assert listed(made, today) == made.members().keys()
    for unknown in ("2025-12-31", "1999-01-01"):
        with pytest.raises(Unprocessable, match="that day is not known"):
            listed(made, unknown)
    made.forget("person6@example.com")
    assert "person6@example.com" not in listed(made, "2026-01-04")
    with pytest.raises(NotFound):
        made.service.members_on("newsletter", 1, date(2026, 1, 4))


def rename(made: Engine, day: int) -> None:
    """Have the run of the newest events have begun that day."""
    newest = max(each.commit for each in files(made) if not each.commit.startswith("202601"))
    for file in [each for each in files(made) if each.commit == newest]:
        found = made.cloud.blobs.read(file.name)
        assert found is not None
        made.cloud.blobs.write(file.name.replace(newest[:8], f"2026010{day}"), found[0])
        made.cloud.blobs.delete(file.name)


@pytest.mark.parametrize("limit", ["MOST_MEMBERS", "MOST_BYTES"])
def test_a_list_that_is_too_large_for_an_answer_is_refused(
    made: Engine, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    made.land(people(5))
    made.run()
    monkeypatch.setattr(happened, limit, 4)
    with pytest.raises(Unprocessable, match="too large"):
        listed(made, now().date().isoformat())


# Forgetting


def of_everything(made: Engine) -> None:
    """Events of a person: in one of two lists also with the address, and in lists of who is on it."""
    made.land([*people(4), Person(ADA)])
    made.run()
    settings(made, event_addresses=True)
    made.define("other", targets=[{"segments": ["Loyal"], "list_name": "Other"}])
    made.run("other")
    made.land([*people(4), Person(ADA, "Changed")])
    made.run("other")
    [_, other] = sorted(happenings.ledgers(made.cloud), key=lambda each: "Other" in each)
    current = ledger.read(made.cloud.blobs, other)
    ledger.save(made.cloud.blobs, other, replace(current, listed=""), etag=current.etag)
    made.land([*people(5), Person(ADA, "Changed")])
    made.run("other")
    made.run()


def of_events(made: Engine) -> list[str]:
    """Files of events that hold the person, by hash or by address."""
    texts = (ADA, *happenings.hashes(made.cloud, ADA))
    return [name for each in texts for name in holding(made, each) if name.startswith(layout.EVENTS)]


def without(made: Engine) -> bool:
    return not holding(made, ADA) and not of_events(made)


def test_forgetting_erases_every_event_of_the_person_and_no_other(made: Engine) -> None:
    of_everything(made)
    [hashed] = happenings.hashes(made.cloud, ADA)
    held = holding(made, hashed)
    before = [row for row in happenings.rows(made.cloud) if row["address_hash"] != hashed]
    assert len(held) > 3 and all(name.startswith(layout.EVENTS) for name in held)
    assert made.service.kept(ADA).events == len(held)
    certificate = made.forget(ADA.upper())
    assert (certificate.state, certificate.erased["events"]) == ("done", len(held))
    assert certificate.looked["events"] == len(files(made))
    assert without(made)
    assert sorted(map(str, happenings.rows(made.cloud))) == sorted(map(str, before))
    assert happenings.told_right(made.cloud) > 8
    assert made.service.kept(ADA) == Kept(0, 0, complete=True)


@pytest.mark.timeout(600)
def test_a_worker_that_erases_events_may_die_before_any_write(unique: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forgetting, "FIRST_WAIT", 0.0)
    account = Account()
    with in_memory(account) as address, engine(address, unique) as one:
        one.connect()
        one.define()
        of_everything(one)
        asked = one.service.forget(ADA, "admin")
        until(one, asked.id, Stage.EVENTS)
        before = Account(containers=deepcopy(account.containers), tables=deepcopy(account.tables))
        for at in count(1, ONE_IN):
            put_back(account, before)
            if not _dies(at, lambda: carry_on(one, asked.id)):
                break
            one.queue.clear_messages()
            until(one, asked.id, Stage.SEARCH)
            assert of_events(one) == [], at
            assert happenings.told_right(one.cloud) > 8, at
    assert at > 6


def _dies(at: int, work: Callable[[], object]) -> bool:
    """Whether the worker died before the write of this number."""

    def die(number: int) -> None:
        if number == at:
            raise Died

    try:
        with counted(*WRITES, *WROTE, *ROWS, (Queue, "send"), before=die):
            work()
    except Died:
        return True
    return False


def test_a_file_that_cannot_be_read_is_told_of_and_the_others_are_erased(made: Engine) -> None:
    of_everything(made)
    spoiled = files(made)[0].name
    made.cloud.blobs.write(spoiled, b"no parquet")
    certificate = made.forget(ADA)
    assert certificate.state == "incomplete"
    assert [(each.place, each.what in each.why) for each in certificate.remains] == [("events", True)]
    assert without(made)


def test_a_request_of_a_version_without_events_says_that_they_remain(made: Engine) -> None:
    of_everything(made)
    asked = made.service.forget(ADA, "admin")
    course = forgetting.read(made.cloud, asked.id)
    assert course is not None
    forgetting.KIND.write(made.cloud, replace(course, whom=replace(course.whom, event="")))
    made.pump()
    certificate = made.service.forgetting(asked.id)
    assert certificate is not None and certificate.state == "incomplete"
    assert [each.place for each in certificate.remains] == ["events"]


# Deaths of a commit


@pytest.mark.timeout(600)
def test_a_commit_may_die_before_any_write_and_every_event_is_there_once(unique: str) -> None:
    account = Account()
    with in_memory(account) as address, engine(address, unique, rows_per_file=6) as one:
        one.connect()
        one.define()
        one.land([*people(40), Person(ADA)])
        one.run()
        one.land([*people(40, start=4)])
        assert len(files(one)) > 2, "several parts"
        before = Account(containers=deepcopy(account.containers), tables=deepcopy(account.tables))
        for at in count(1, ONE_IN):
            put_back(account, before)
            one.queue.clear_messages()
            one.start()
            if not _dies(at, one.pump):
                break
            one.queue.clear_messages()
            inbox.wake(one.cloud, clock=lambda: now() + timedelta(hours=1))
            one.pump()
            told = [row for row in happenings.rows(one.cloud) if row["generation"] == 2]
            people_told = [(row["operation"], row["address_hash"]) for row in told]
            assert sorted(people_told) == sorted(set(people_told)) and len(told) == 4 + 4 + 1, at
            assert happenings.told_right(one.cloud) == 40, at
    assert at > 12
