"""One person: protected, explained, forgotten; and what expires."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import requests

from shared.cloud.cloud import Cloud
from shared.control.forgetting import ForgettingView
from shared.delivery.erase import deliveries, expiry
from shared.delivery.erase.deliveries import Rewritten
from shared.delivery.erase.kept import Kept, kept
from shared.delivery.lookups import explain
from shared.delivery.send import isolating
from shared.delivery.state import layout, lookup, rejected_rows
from shared.delivery.state.files import DataFile
from shared.delivery.state.records import State, now
from shared.delivery.state.scratch import Scratch
from shared.errors import Unprocessable
from shared.vendors.contract import Kind, Row
from shared.vendors.iterable import requests as iterable
from tests.integration.delivery.engine import Engine, Person, people
from tests.integration.delivery.holding import holding


def preload(engine: Engine, *addresses: str) -> str:
    """A list that has members before us; its id."""
    body = {"lists": [{"id": 77, "name": "Old list"}], "people": [{"email": each, "lists": [77]} for each in addresses]}
    answer = requests.post(f"{engine.simulator.url}/_simulator/people", json=body, timeout=10)
    assert answer.ok, answer.text
    return "77"


def on_list(engine: Engine) -> set[str]:
    return set(engine.members("Old list"))


@pytest.mark.parametrize(("existing", "left"), [("adopt", set()), ("protect", {"person1@example.com"})])
def test_members_from_before_us_are_adopted_or_protected(engine: Engine, existing: str, left: set[str]) -> None:
    list_id = preload(engine, "person1@example.com", "stranger@example.com")
    engine.land(people(3))
    engine.define(targets=[{"segments": ["Loyal"], "list_id": list_id, "existing": existing}])
    engine.run()
    assert on_list(engine) == {"stranger@example.com", *(person.email for person in people(3))}
    engine.land([Person("new@example.com")])
    engine.run()
    assert on_list(engine) == {"stranger@example.com", "new@example.com"} | left


def test_a_person_is_explained_from_snapshot_to_receipt(engine: Engine) -> None:
    engine.land([*people(5), Person("Odd@Example.com")])
    engine.define()
    engine.run()
    engine.land(people(4))
    explained = engine.service.explain("newsletter", " ODD@example.com ")
    assert explained["address"] == "valid"
    [target] = explained["targets"]
    assert target["segments"][0]["rows"] == 0
    assert target["ledger"]["status"] == "member"
    assert [(each["operation"], each["outcome"]) for each in target["receipts"]] == [("add", "accepted")]
    assert target["verdict"].startswith("On the list, but not in the segment")
    assert "odd@" not in json.dumps(explained).lower()
    engine.run()
    [target] = engine.service.explain("newsletter", "odd@example.com")["targets"]
    assert target["verdict"].startswith("Not on the list: the person left the segment")
    assert [each["operation"] for each in target["receipts"]] == ["remove", "add"]
    assert [each["text"] for each in target["story"]] == [
        "Not in the newest snapshot of Loyal.",
        "Taken off the list.",
        "Added to the list.",
    ]


def test_where_nobody_is_taken_off_the_verdict_says_so(engine: Engine) -> None:
    engine.land(people(3))
    engine.define(mode="add")
    engine.run()
    engine.land(people(1))
    [target] = engine.service.explain("newsletter", "person2@example.com")["targets"]
    assert target["verdict"] == "On the list, though not in the segment: this export takes nobody off."


def test_what_became_of_a_person_in_another_account_is_not_told(engine: Engine) -> None:
    engine.land(people(1))
    engine.define()
    engine.run()
    export = engine.catalog.export("newsletter").item
    for account, receipts in [(export.account, 1), ("iterable-other", 0)]:
        seen = export.model_copy(update={"account": account})
        [target] = explain.explain(engine.cloud, seen, "person0@example.com")["targets"]
        assert len(target["receipts"]) == receipts


def test_no_table_is_asked_for_a_page_that_no_run_can_begin(engine: Engine) -> None:
    with pytest.raises(Unprocessable, match="This page does not exist"):
        engine.service.runs.page("newsletter", top=5, continuation="a/b")


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("person1@example.com", "Not on the list yet: in the segment"),
        ("nobody@example.com", "Not on the list through this export"),
        ("no address", "This is not a valid e-mail address"),
        ("", "The row has no e-mail address"),
    ],
)
def test_verdicts_before_the_first_run(engine: Engine, address: str, words: str) -> None:
    engine.land(people(3))
    engine.define()
    [target] = engine.service.explain("newsletter", address)["targets"]
    assert words in target["verdict"]


def counts(certificate: ForgettingView) -> dict[str, int]:
    """How many ledgers and runs held the person; all of it was looked through."""
    assert certificate.state == "done", certificate
    return {place: certificate.erased.get(place, 0) for place in ("ledgers", "runs")}


def test_a_forgotten_person_is_nowhere_and_the_rest_goes_on(engine: Engine) -> None:
    engine.land([*people(20), Person("forget.me@example.com"), Person("forget.me@broken")])
    engine.define()
    engine.run()
    engine.land([*people(20), Person("forget.me@example.com", "Changed"), Person("forget.me@broken")])
    last = engine.run()
    assert holding(engine, "forget.me@example.com") and holding(engine, "forget.me@broken")
    assert counts(engine.forget("Forget.Me@example.com")) == {"ledgers": 1, "runs": 2}
    engine.forget("forget.me@broken")
    assert holding(engine, "forget.me") == []
    assert counts(engine.forget("forget.me@example.com")) == {"ledgers": 0, "runs": 0}
    assert len(engine.rejected(last)) == 0
    engine.land(people(19))
    assert engine.report(engine.run())["outcomes"] == {"remove accepted": 1}
    records = [stored.entity for stored in engine.cloud.forgotten.query("requests")]
    assert len(records) == 3 and "forget" not in json.dumps(records, default=str)


def test_what_is_kept_of_a_person_is_counted_as_forgetting_counts_it_and_nothing_is_changed(engine: Engine) -> None:
    engine.land([*people(5), Person(FORGOTTEN), Person("refused.one@broken")])
    engine.define()
    engine.run()
    engine.land([*people(5), Person(FORGOTTEN, "Changed"), Person("refused.one@broken")])
    engine.run()
    before = {name: engine.cloud.blobs.read(name) for name in engine.cloud.blobs.names("")}
    for address, expected in {
        "Forget.Me@Example.com ": Kept(1, 2, complete=True, events=2),
        "refused.one@broken": Kept(0, 2, complete=True),
        "person1@example.com": Kept(1, 1, complete=True, events=1),
        "nobody@example.com": Kept(0, 0, complete=True),
    }.items():
        assert engine.service.kept(address) == expected
    assert {name: engine.cloud.blobs.read(name) for name in engine.cloud.blobs.names("")} == before
    assert counts(engine.forget(FORGOTTEN)) == {"ledgers": 1, "runs": 2}
    assert engine.service.kept(FORGOTTEN) == Kept(0, 0, complete=True)


def test_a_person_is_found_in_files_for_people_also_without_the_plan(engine: Engine) -> None:
    where = delivered(engine)
    engine.cloud.blobs.delete(layout.plan_manifest(where))
    assert engine.service.kept("forget.me@broken") == Kept(0, 1, complete=True)
    assert engine.service.kept("nobody@broken") == Kept(0, 0, complete=True)


def test_a_look_for_a_person_ends_in_time_and_says_that_it_did_not_see_all(engine: Engine) -> None:
    delivered(engine)
    ticks = iter([0.0, 1.0, 61.0])
    assert kept(engine.cloud, FORGOTTEN, seconds=60, clock=lambda: next(ticks)) == Kept(1, 0, complete=False)


def test_somebody_who_was_on_the_list_before_us_is_kept_too(engine: Engine) -> None:
    list_id = preload(engine, "stranger@example.com")
    engine.land(people(2))
    engine.define(targets=[{"segments": ["Loyal"], "list_id": list_id, "existing": "protect"}])
    engine.run()
    assert engine.service.kept("stranger@example.com") == Kept(1, 0, complete=True)
    engine.forget("stranger@example.com")
    assert engine.service.kept("stranger@example.com") == Kept(0, 0, complete=True)


FORGOTTEN = "forget.me@example.com"


def delivered(engine: Engine, *odd: Person) -> str:
    """A run that added somebody to be forgotten; its delivery's folder."""
    engine.land([*people(5), Person(FORGOTTEN), Person("forget.me@broken"), *odd])
    engine.define()
    run = engine.run()
    return layout.delivery_folder(run.export, run.run, 0)


def test_a_refused_row_of_any_length_stands_in_nobodys_way(engine: Engine) -> None:
    delivered(engine, Person("x" * 1_000_000))
    [run] = engine.service.runs.page("newsletter", top=1, continuation=None).runs
    assert {row.address for row in engine.service.runs.rejected_rows("newsletter", run.run)} > {"forget.me@broken"}
    assert counts(engine.forget("forget.me@broken")) == {"ledgers": 0, "runs": 1}
    assert holding(engine, "forget.me@broken") == []


@pytest.mark.parametrize("written", [" Forget.Me@BROKEN ", "	forget.me@broken", "=forget.me@broken"])
def test_a_refused_address_is_erased_however_it_was_written(engine: Engine, written: str) -> None:
    engine.land([*people(2), Person(written)])
    engine.define()
    engine.run()
    assert holding(engine, "orget.")
    engine.forget(written)
    assert holding(engine, "orget.") == []


def test_what_dead_workers_left_is_erased_too(engine: Engine) -> None:
    where = delivered(engine)
    ledger = next(iter(lookup.targets(engine.cloud, engine.catalog.export("newsletter").item))).ledger
    leftovers = [
        f"{layout.plan_folder(where, '000001-dead')}000-add.parquet",
        f"{layout.rejected_files(where)}000-rejected.parquet",
        f"{ledger}an-attempt/000.parquet",
    ]
    for name in leftovers:
        engine.cloud.blobs.write(name, FORGOTTEN.encode())
    engine.forget(FORGOTTEN)
    assert holding(engine, FORGOTTEN) == []
    assert not any(engine.cloud.blobs.exists(name) for name in leftovers)
    engine.land(people(5))
    assert engine.run().state is State.NOTHING


def test_a_run_that_expires_meanwhile_is_no_failure(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    delivered(engine)
    later = now() + timedelta(days=31)
    rewritten = deliveries.rewritten

    def expired(cloud: Cloud, room: Scratch, file: DataFile, row: str, query: str, name: str) -> Rewritten:
        if "/plan/" in name:
            expiry.expire(cloud, clock=lambda: later)
        return rewritten(cloud, room, file, row, query, name)

    monkeypatch.setattr(deliveries, "rewritten", expired)
    assert counts(engine.forget(FORGOTTEN)) == {"ledgers": 1, "runs": 0}
    assert list(engine.cloud.blobs.names("runs/")) == []


def test_a_rejected_csv_that_goes_meanwhile_is_not_made_again(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    delivered(engine)
    later = now() + timedelta(days=31)
    without = rejected_rows.without

    def expired(is_it: Callable[[str], bool], before: Path, after: Path) -> bool:
        expiry.expire(engine.cloud, clock=lambda: later)
        return without(is_it, before, after)

    monkeypatch.setattr(rejected_rows, "without", expired)
    engine.forget("forget.me@broken")
    assert list(engine.cloud.blobs.names("runs/")) == []


def test_a_plan_that_cannot_be_read_is_named(engine: Engine) -> None:
    where = delivered(engine)
    engine.cloud.blobs.write(layout.plan_manifest(where), b'{"batch_rows": 1}')
    certificate = engine.forget(FORGOTTEN)
    assert certificate.state == "incomplete"
    [left] = certificate.remains
    assert (left.place, left.until is not None, "cannot be read" in left.why) == ("runs", True, True)
    assert certificate.erased == {"ledgers": 1, "events": 1}


def test_run_artefacts_expire_and_ledgers_do_not(engine: Engine) -> None:
    engine.land(people(5))
    engine.define()
    run = engine.run()
    assert expiry.expire(engine.cloud) == 0
    later = now() + timedelta(days=31)
    assert expiry.expire(engine.cloud, clock=lambda: later) == 1
    assert list(engine.cloud.blobs.names("runs/")) == []
    assert engine.service.runs.view(run.export, run.run) is None
    engine.land(people(6))
    assert engine.report(engine.run())["outcomes"] == {"add accepted": 1}


def test_open_and_blocked_runs_never_expire(engine: Engine) -> None:
    engine.land(people(200))
    engine.define()
    engine.run()
    engine.land([])
    blocked = engine.run()
    later = now() + timedelta(days=400)
    assert expiry.expire(engine.cloud, clock=lambda: later) == 1
    assert engine.current(blocked).state is State.BLOCKED


LOST = [("odd sign", "person{n}@exam\u0001ple.com"), ("empty", ""), ("a name alone", "Person {n}"), ("two", "a@@b{n}")]


@pytest.mark.parametrize("form", [form for _, form in LOST], ids=[name for name, _ in LOST])
def test_people_whose_address_cannot_be_read_any_more_are_not_leavers_without_a_word(engine: Engine, form: str) -> None:
    everyone = people(90)
    engine.land(everyone)
    engine.define()
    engine.run()
    lost = [Person(form.format(n=number), each.first) for number, each in enumerate(everyone[:40])]
    engine.land([*lost, *everyone[40:]])
    run = engine.run()
    assert run.state is State.BLOCKED
    assert "40 of 90 people would leave because their address cannot be read" in engine.delivery(run).message
    assert len(engine.members()) == 90
    engine.land(everyone[40:])
    assert engine.run().state in (State.SUCCEEDED, State.WARNINGS)
    assert len(engine.members()) == 50


def test_rows_that_never_had_an_address_stop_nothing(engine: Engine) -> None:
    broken = [Person(f"no address {number}") for number in range(10)]
    engine.land([*people(30), *broken])
    engine.define()
    engine.run()
    engine.land([*people(20), *broken])
    assert engine.run().state in (State.SUCCEEDED, State.WARNINGS)
    assert len(engine.members()) == 20


def test_whom_no_request_can_be_built_for_is_refused_alone_and_the_preview_says_so(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = iterable.person

    def broken(kind: Kind, row: Row) -> bytes:
        if "Broken" in row.values:
            raise OverflowError("no such number")
        return build(kind, row)

    monkeypatch.setattr(iterable, "person", broken)
    monkeypatch.setattr(iterable, "FORMS", dict.fromkeys(Kind))  # so that it is Python that writes people
    engine.land([*people(3), Person("odd@example.com", "Broken"), *people(3, 3)])
    export = engine.define()
    shown = engine.service.preview(
        engine.catalog.connection(export.connection).item, ["Loyal"], export.address_column, export.matching, ""
    )
    assert [row["address"] for row in shown if row["problem"]] == ["odd@example.com"]
    run = engine.run()
    assert engine.report(run)["outcomes"] == {"add accepted": 6, "add rejected": 1}
    [refused] = engine.rejected(run)
    assert (refused["address"], refused["reason"]) == ("odd@example.com", isolating.REASON)
    assert [row["problem"] for row in shown if row["problem"]] == [isolating.REASON]
    engine.land([*people(2), Person("odd@example.com", "Broken")])
    assert engine.report(engine.run())["outcomes"] == {"remove accepted": 4, "add rejected": 1}
    assert engine.members().keys() == {each.email for each in people(2)}
