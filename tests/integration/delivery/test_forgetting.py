"""Forgetting somebody while everything goes on: what it waits for, what waits for it, and what a death costs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from shared.cloud.blobs import Blobs
from shared.cloud.queue import Queue
from shared.cloud.tables import Table
from shared.delivery import inbox
from shared.delivery.erase import certificates, forgetting
from shared.delivery.erase.forgetting import Stage
from shared.delivery.plan import giving_way
from shared.delivery.state import forgetting_marks, layout, ledger, lookup
from shared.delivery.state import plan as plans
from shared.delivery.state.files import DataFile
from shared.delivery.state.plan import FORGOTTEN
from shared.delivery.state.records import Run, State, now
from shared.delivery.state.runs import Runs
from shared.delivery.verify import doctor
from tests.integration.delivery.engine import Engine, Person, engine, people
from tests.integration.delivery.holding import holding
from tests.memory import Account, in_memory
from tests.sampling import EVERY

ADA = "ada.to.forget@example.com"
WRITES = ((Blobs, "write"), (Blobs, "upload"), (Blobs, "delete"), (Blobs, "compose"), (Blobs, "create"))
ROWS = ((Table, "put"), (Table, "replace"), (Table, "insert"), (Table, "delete"), (Table, "transaction"))
READS = ((Blobs, "read"), (Blobs, "fetch"), (Blobs, "download"), (Blobs, "names"), (Blobs, "sizes"))
ROWS_READ = ((Table, "get"), (Table, "query"), (Table, "scan"))


@pytest.fixture
def made(unique: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    monkeypatch.setattr(forgetting, "FIRST_WAIT", 0.0)
    monkeypatch.setattr(giving_way, "SECONDS", 0.0)
    with in_memory() as address, engine(address, unique) as one:
        one.connect()
        one.land([*people(4), Person(ADA)])
        yield one


def step(made: Engine) -> None:
    """Carry out one message."""
    message = made.queue.receive_message(visibility_timeout=600)
    assert message is not None
    inbox.receive(made.cloud, message.content.encode())
    made.queue.delete_message(message)


def state_of(made: Engine, request: str) -> str:
    found = made.service.forgetting(request)
    assert found is not None
    return found.state


@contextmanager
def slices_of(made: Engine, seconds: float) -> Iterator[None]:
    """Slices of runs end that early."""
    before = made.cloud.settings
    made.cloud.settings = replace(before, slice_seconds=seconds)
    try:
        yield
    finally:
        made.cloud.settings = before


def half_done(made: Engine, export: str = "newsletter") -> Run:
    """A run of which a batch of several was sent."""
    with slices_of(made, 0.0):
        run = made.start(export)
        step(made)
    assert made.delivery(run).turn == 2
    return run


def one_by_one(made: Engine, name: str = "newsletter", **changes: Any) -> None:
    """An export that sends one person with a request, and several in a window."""
    made.connect(settings={**made.kit.settings, "batch_rows": 1})
    made.define(name, **changes)


def ledger_holds(made: Engine, export: str, address: str = ADA) -> bool:
    target = next(iter(lookup.targets(made.cloud, made.catalog.export(export).item)))
    return lookup.ledger_row(made.cloud, target.ledger, address) is not None


def marks(made: Engine) -> list[str]:
    rows = made.cloud.targets.scan("RowKey ne ''", {})
    return [mark for each in rows for mark in forgetting_marks.requests(json.loads(each.entity["memory"]))]


def carry_on(made: Engine, request: str) -> None:
    """Carry out the next slice of a request, and nothing else."""
    course = forgetting.read(made.cloud, request)
    assert course is not None
    inbox.receive(made.cloud, json.dumps(forgetting.KIND.message(course).body()).encode())


def until(made: Engine, request: str, stage: Stage) -> None:
    """Carry a request on, and nothing else, until it has this to do."""
    course = forgetting.read(made.cloud, request)
    while course and course.stage is not stage:
        inbox.receive(made.cloud, json.dumps(forgetting.KIND.message(course).body()).encode())
        course = forgetting.read(made.cloud, request)
    made.queue.clear_messages()


def test_a_list_that_a_run_writes_to_is_waited_for_and_the_others_are_not(made: Engine) -> None:
    made.define("quiet", targets=[{"segments": ["Loyal"], "list_name": "Quiet"}])
    made.run("quiet")
    made.land([*people(40), Person(ADA)])
    one_by_one(made)
    run = half_done(made)
    asked = made.service.forget(ADA, "admin")
    until(made, asked.id, Stage.WAIT)
    assert not ledger_holds(made, "quiet")
    shown = made.service.forgetting(asked.id)
    assert shown is not None and shown.message == "Waits for the end of a run of 'newsletter'."
    assert marks(made) == [asked.id]
    assert inbox.wake(made.cloud, clock=lambda: now() + timedelta(hours=1)) == 2
    made.pump()
    assert made.current(run).state is State.SUCCEEDED
    assert state_of(made, asked.id) == "done"
    assert not ledger_holds(made, "newsletter") and holding(made, ADA) == []
    assert marks(made) == []


def test_who_is_found_by_a_check_up_between_two_ledgers_is_dropped_before_a_repair_brings_them_back(
    made: Engine,
) -> None:
    exports = ("newsletter", "quiet")
    for name in exports:
        made.define(name, targets=[{"segments": ["Loyal"], "list_name": name}])
        made.run(name)
    asked = made.service.forget(ADA, "admin")
    with slices_of(made, 0.0):
        while all(ledger_holds(made, name) for name in exports):
            carry_on(made, asked.id)
    [left] = [name for name in exports if ledger_holds(made, name)]
    made.tell("people", {"erased": [ADA]})
    check = doctor.start(made.cloud, made.catalog.export(left).item, 0, full=True, by="admin")
    inbox.receive(made.cloud, json.dumps(doctor.KIND.message(check).body()).encode())
    assert any(layout.FOUND in name for name in holding(made, ADA))
    while ledger_holds(made, left):
        carry_on(made, asked.id)
    assert list(made.cloud.blobs.names(layout.FOUND)) == []
    assert not made.cloud.blobs.exists(layout.differences(left, 0))


def test_a_run_that_begins_meanwhile_gives_way_and_does_not_bring_the_person_back(made: Engine) -> None:
    made.land([*people(40), Person(ADA)])
    one_by_one(made)
    first = half_done(made)
    asked = made.service.forget(ADA, "admin")
    until(made, asked.id, Stage.WAIT)
    inbox.receive(made.cloud, json.dumps(slice_of(made, first)).encode())
    assert made.current(first).state is State.SUCCEEDED
    made.land(people(39))
    waiting = made.start()
    inbox.receive(made.cloud, json.dumps(slice_of(made, waiting)).encode())
    made.queue.clear_messages()
    assert made.delivery(waiting).message == "Waiting: A person is being forgotten first."
    assert list(made.cloud.blobs.names(layout.delivery_folder(waiting.export, waiting.run, 0))) == []
    inbox.wake(made.cloud, clock=lambda: now() + timedelta(hours=1))
    made.pump()
    assert state_of(made, asked.id) == "done"
    assert made.current(waiting).state is State.SUCCEEDED
    assert made.report(waiting)["outcomes"] == {"remove accepted": 1}
    assert holding(made, ADA) == []


def slice_of(made: Engine, run: Run) -> dict[str, Any]:
    from shared.delivery.slices import message_of

    return message_of(made.delivery(run)).body()


def test_a_mark_of_a_request_that_is_gone_keeps_no_run_waiting(made: Engine) -> None:
    made.define()
    made.run()
    [row] = made.cloud.targets.scan("RowKey ne ''", {})
    memory = json.loads(row.entity["memory"]) | {"forgetting": ["20261122-144501-123-9f3a"]}
    made.cloud.targets.replace({**row.entity, "memory": json.dumps(memory)}, row.etag)
    made.land(people(4))
    assert made.run().state is State.SUCCEEDED


def blocked(made: Engine) -> Run:
    """A run that a guard stopped, of which ADA is to be added, and most others are to leave."""
    made.land(people(200))
    made.define()
    made.run()
    made.land([*people(20), Person(ADA)])
    run = made.run()
    assert run.state is State.BLOCKED
    return run


def test_a_run_that_waits_for_a_decision_goes_on_without_whom_was_forgotten(made: Engine) -> None:
    run = blocked(made)
    assert made.forget(ADA).erased == {"runs": 1, "plans": 1, "planned": 1, "samples": 1}
    made.service.decide(run.export, run.run, plan=made.delivery(run).plan, decision="deliver", by="ada")
    made.pump()
    assert made.report(run)["outcomes"] == {"remove accepted": 180, "add skipped": 1}
    assert made.members().keys() == {each.email for each in people(20)}
    assert not ledger_holds(made, "newsletter") and not ledger_holds(made, "newsletter", "forgotten")
    assert holding(made, ADA) == []


def test_a_delivery_that_ended_before_its_commit_does_not_bring_the_person_back(
    made: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    from shared.delivery.commit import step as commits

    made.define()

    def die(work: Any) -> None:
        raise RuntimeError("it dies before its commit")

    with monkeypatch.context() as broken:
        broken.setattr(commits, "commit", die)
        run = made.start()
        with pytest.raises(RuntimeError):
            step(made)
        for _ in range(2):
            inbox.give_up(made.cloud, json.dumps(slice_of(made, run)).encode(), "poison")
    made.queue.clear_messages()
    assert made.current(run).state is State.FAILED
    asked = made.service.forget(ADA, "admin")
    until(made, asked.id, Stage.SEARCH)
    made.land(people(4))
    made.run()
    inbox.wake(made.cloud, clock=lambda: now() + timedelta(hours=1))
    made.pump()
    assert state_of(made, asked.id) == "done"
    assert not ledger_holds(made, "newsletter") and holding(made, ADA) == []
    assert ledger_holds(made, "newsletter", "person1@example.com")
    assert [name for name in holding(made, FORGOTTEN) if name.startswith("ledgers/")] == []


@contextmanager
def counted(*parts: tuple[type, str], before: Callable[[int], None] = lambda number: None) -> Iterator[Counter[str]]:
    """Count calls; `before` hears of each with its number, from 1."""
    found = Counter[str]()

    def counting(owner: type, name: str) -> Any:
        real: Callable[..., Any] = getattr(owner, name)

        def call(self: Any, *given: Any, **named: Any) -> Any:
            if not str(given[:1]).startswith("('leases/"):
                found[name] += 1
                before(found.total())
            return real(self, *given, **named)

        return mock.patch.object(owner, name, call)

    patches = [counting(owner, name) for owner, name in parts]
    for patch in patches:
        patch.start()
    try:
        yield found
    finally:
        for patch in patches:
            patch.stop()


class Died(Exception):
    """What stands for a worker that is gone."""


def everything_of(made: Engine) -> None:
    """A person in each place that there is."""
    made.tell("people", {"lists": [{"id": 77, "name": "Old"}], "people": [{"email": ADA, "lists": [77]}]})
    made.land([*people(4), Person(ADA), Person("ada.to.forget@broken")])
    made.define(targets=[{"segments": ["Loyal"], "list_id": "77", "existing": "protect"}])
    made.run()
    made.land([*people(5), Person(ADA, "Changed")])
    made.run()


def put_back(account: Account, before: Account) -> None:
    """Have the account as it was."""
    for now_there, then in ((account.containers, before.containers), (account.tables, before.tables)):
        for name, inside in now_there.items():
            inside.clear()
            inside.update(deepcopy(then.get(name, {})))  # type: ignore[arg-type]


@pytest.mark.timeout(600)
def test_a_death_before_any_write_is_made_good_by_whoever_goes_on(
    unique: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(forgetting, "FIRST_WAIT", 0.0)
    account = Account()
    with in_memory(account) as address, engine(address, unique) as made:
        made.connect()
        everything_of(made)
        asked = made.service.forget(ADA, "admin")
        [message] = made.queue.peek_messages()
        made.queue.clear_messages()
        before = Account(containers=deepcopy(account.containers), tables=deepcopy(account.tables))
        for at in count(1, 1 if EVERY else 7):
            put_back(account, before)
            if not dies(made, message.content, at):
                break
            made.queue.clear_messages()
            for hours in (1, 2):
                inbox.wake(made.cloud, clock=lambda hours=hours: now() + timedelta(hours=hours))  # type: ignore[misc]
                made.pump()
            certificate = made.service.forgetting(asked.id)
            assert certificate is not None and certificate.state == "done", (at, certificate)
            assert holding(made, "ada.to.forget@example.com") == [], at
            assert certificate.looked == {"ledgers": 1, "events": 3, "runs": 2}, at
            assert all(made.cloud.blobs.download(file.stored, tmp_path / "file") for file in named(made)), at
        made.land([*people(3), Person("ada.to.forget@broken")])
        assert made.run().state is State.WARNINGS
    assert at > 15


def named(made: Engine) -> Iterator[DataFile]:
    """Every file that a plan, a ledger or a target's memory names."""
    names = list(made.cloud.blobs.names(""))
    for name in names:
        if name.endswith("/plan/manifest.json"):
            found = plans.read(made.cloud.blobs, name.removesuffix("plan/manifest.json"))
            assert found is not None
            yield from found[0].holding_addresses
        elif name.startswith("ledgers/") and name.endswith("/manifest.json"):
            yield from (each.file for each in ledger.read(made.cloud.blobs, name.removesuffix("manifest.json")).files)
    for row in made.cloud.targets.scan("RowKey ne ''", {}):
        if protected := json.loads(row.entity["memory"]).get("protected"):
            yield DataFile.of(protected)


def dies(made: Engine, message: str, at: int) -> bool:
    """Forget somebody with workers of whom one dies before the write of this number; whether there was one."""

    def die(number: int) -> None:
        if number == at:
            raise Died

    made.cloud.slices.send(json.loads(message))
    try:
        with counted(*WRITES, *ROWS, (Queue, "send"), before=die):
            made.pump()
    except Died:
        return True
    return False


def test_the_address_is_kept_nowhere_while_it_is_being_forgotten(made: Engine) -> None:
    asked = made.service.forget(f" {ADA.upper()} ", "admin")
    tables = (made.cloud.forgotten, made.cloud.runs, made.cloud.waiting, made.cloud.underway)
    rows = [each.entity for table in tables for each in table.scan("RowKey ne ''", {})]
    messages = [each.content for each in made.queue.peek_messages()]
    assert holding(made, "ada.to.forget") == [] and "ada" not in json.dumps([rows, messages], default=str).lower()
    assert holding(made, asked.hash) == [layout.forgetting(asked.id)]
    made.pump()
    assert list(made.cloud.blobs.names(layout.FORGETTING)) == []


def test_whoever_is_being_forgotten_is_not_forgotten_twice(made: Engine) -> None:
    first = made.service.forget(ADA, "admin")
    assert made.service.forget(ADA.upper(), "another").id == first.id
    other = made.service.forget("somebody.else@example.com", "admin")
    assert {each.id for each in made.service.forgettings()} == {first.id, other.id}
    made.pump()
    assert [each.state for each in made.service.forgettings()] == ["done", "done"]
    again = made.forget(ADA)
    assert again.id not in (first.id, other.id)
    assert made.service.forgettings()[0].id == again.id


def test_a_ledger_that_is_damaged_is_named_and_the_others_are_erased(made: Engine) -> None:
    for name in ("a", "b", "c"):
        made.define(name, targets=[{"segments": ["Loyal"], "list_name": name}])
        made.run(name)
    spoiled = next(iter(lookup.targets(made.cloud, made.catalog.export("b").item))).ledger
    made.cloud.blobs.write(layout.ledger_manifest(spoiled), b"{}")
    certificate = made.forget(ADA)
    assert certificate.state == "incomplete"
    assert [(each.place, each.what) for each in certificate.remains] == [("ledgers", spoiled)]
    assert "damaged" in certificate.remains[0].why
    assert (certificate.erased["ledgers"], certificate.erased["runs"]) == (2, 3)
    assert not ledger_holds(made, "a") and not ledger_holds(made, "c")


def test_a_request_that_fails_again_and_again_ends_and_says_so(made: Engine) -> None:
    asked = made.service.forget(ADA, "admin")
    [message] = made.queue.peek_messages()
    for _ in range(2):
        inbox.give_up(made.cloud, message.content.encode(), "poison")
    certificate = made.service.forgetting(asked.id)
    assert certificate is not None and certificate.state == "incomplete"
    assert certificate.remains[0].why.startswith("Forgetting failed several times")


def test_a_run_that_never_ends_is_waited_for_for_a_week(made: Engine) -> None:
    made.land([*people(40), Person(ADA)])
    one_by_one(made)
    half_done(made)
    asked = made.service.forget(ADA, "admin")
    made.queue.clear_messages()
    later = now() + timedelta(days=8)
    for _ in range(6):
        if (course := forgetting.read(made.cloud, asked.id)) is None:
            break
        message = forgetting.KIND.message(course)
        from shared.delivery import jobs

        jobs.carry_out(forgetting.KIND, made.cloud, message, clock=lambda: later)
    certificate = made.service.forgetting(asked.id)
    assert certificate is not None and certificate.state == "incomplete"
    [left] = certificate.remains
    assert (left.place, left.why) == ("ledgers", "Waits for the end of a run of 'newsletter'.")


def test_those_who_were_forgotten_by_an_earlier_version_are_shown(made: Engine) -> None:
    at = now()
    for salt, state in (("aa", "done"), ("bb", "started")):
        row = {"PartitionKey": "people", "RowKey": salt, "hash": "h", "by": "Ada", "at": at, "state": state}
        made.cloud.forgotten.insert(row | ({"ledgers": 1, "runs": 2} if state == "done" else {}))
    found = {each.id: each for each in made.service.forgettings()}
    assert (found["aa"].state, found["aa"].erased) == ("done", {"ledgers": 1, "runs": 2})
    assert (found["bb"].state, found["bb"].remains[0].why) == (
        "incomplete",
        "It did not come to its end: ask for it again.",
    )
    assert made.service.forgetting("aa") == found["aa"]
    assert certificates.read(made.cloud, "cc") is None


def more_deliveries(made: Engine, run: Run, numbers: range) -> None:
    """As many ended deliveries as this one, each with the same files of its own."""
    container = made.cloud.blobs._client._service.containers[made.cloud.blobs.container]  # type: ignore[attr-defined]
    folder = layout.delivery_folder(run.export, run.run, 0)
    names = [name for name in container if name.startswith(folder)]
    held = Runs(made.cloud.runs).delivery(run.export, run.run, 0)
    assert held is not None
    for each in numbers:
        other = f"{run.run}-{each:04x}"
        copy = layout.delivery_folder(run.export, other, 0)
        for name in names:
            container[name.replace(folder, copy)] = container[name]
        made.cloud.runs.put(replace(held.value, run=other).entity())


def test_what_it_asks_of_storage_grows_by_a_file_of_a_plan_with_each_delivery(made: Engine) -> None:
    made.define()
    run = made.run()
    asked = dict[int, int]()
    for number, before in ((20, 1), (500, 20)):
        more_deliveries(made, run, range(before, number))
        with counted(*READS, *ROWS_READ, *WRITES, *ROWS, (Blobs, "acquire")) as requests:
            certificate = made.forget("nobody.at.all@example.com")
        assert certificate.looked["runs"] == number
        asked[number] = requests.total()
    assert asked[20] <= 66, "two of them list opt-outs, nine are for events of one commit, whatever the deliveries"
    assert asked[500] - asked[20] <= 1.01 * (500 - 20)
