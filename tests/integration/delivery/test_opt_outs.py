"""Reading opt-outs as a job: deaths between any two writes, what is due, what saving refuses, forgetting."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pytest

from shared.catalog.issues import Invalid
from shared.catalog.opt_outs import OptOutsWanted
from shared.cloud.settings import StorageAddress
from shared.delivery import inbox
from shared.delivery.erase import forgetting
from shared.delivery.jobs import BlobKind
from shared.delivery.opt_outs import collecting, erasing, record
from shared.delivery.opt_outs.landing import Landing
from shared.delivery.opt_outs.record import OptOutRecord, ReadingState
from shared.delivery.state import layout
from shared.errors import Unprocessable
from shared.vendors.contract import CheckResult
from shared.vendors.opt_outs import OptOut, OptOutKind, OptOutPage, OptOutRoll
from tests.contract.hurry import hurry
from tests.contract.prompt import Prompt
from tests.contract.test_opt_outs import collect, landed, opt_out, wanted
from tests.integration.delivery import engine as engines
from tests.integration.delivery.engine import Engine, people
from tests.kits import KITS
from tests.memory import in_memory

FIRST, SECOND = "person1@example.com", "person2@example.com"
HOLDS = f"address = '{FIRST}'"
KIT = KITS["omnisend"]


class Killed(BaseException):
    """The worker is gone."""


@pytest.fixture
def storage() -> Iterator[StorageAddress]:
    with in_memory() as address:
        yield address


@pytest.fixture
def engine(storage: StorageAddress, unique: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """Six people were sent, of whom one opted out."""
    hurry(monkeypatch)
    with engines.engine(storage, unique, KIT) as made:
        made.cloud.slices = Prompt(storage, f"{unique}-slices")
        made.land(people(6))
        made.connect(opt_outs=wanted(made))
        made.define()
        made.run()
        made.settled()
        opt_out(made, FIRST)
        yield made


def kept(engine: Engine) -> OptOutRecord:
    found = record.read(engine.cloud, KIT.name)
    assert found is not None
    return found


def in_parquet(engine: Engine) -> list[str]:
    """Addresses in all Parquet files of the folder, as a lake reads it that knows no model.json."""
    found, where = list[str](), Path(tempfile.mkdtemp())
    for name in engine.landing.list_blob_names(name_starts_with="back/shop/parquet/"):
        path = where / "part.parquet"
        path.write_bytes(engine.landing.download_blob(name).readall())
        found += [str(row[0]) for row in duckdb.read_parquet(str(path)).project("address").fetchall()]
    return sorted(found)


# Deaths

WRITES: dict[str, tuple[Any, str]] = {
    "the Parquet file": (Landing, "upload"),
    "the CSV file": (Landing, "upload"),
    "the model.json": (Landing, "publish"),
    "the record": (record, "write"),
    "the job's end": (collecting, "_finish"),
}


def dying(monkeypatch: pytest.MonkeyPatch, place: Any, name: str, call: int) -> Callable[[], None]:
    """Kill the worker before this call; the function brings its next one to life."""
    real, calls = getattr(place, name), list[int]()

    def killed(*arguments: Any, **named: Any) -> Any:
        calls.append(1)
        if len(calls) == call:
            raise Killed
        return real(*arguments, **named)

    monkeypatch.setattr(place, name, killed)
    return lambda: monkeypatch.setattr(place, name, real)


@pytest.mark.parametrize("what", WRITES)
def test_whoever_dies_before_any_write_loses_and_doubles_nobody(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    place, name = WRITES[what]
    collecting.start(engine.cloud, KIT.name, "Ada")
    revive = dying(monkeypatch, place, name, 2 if what == "the CSV file" else 1)
    message = engine.queue.receive_message(visibility_timeout=0)
    assert message is not None
    with pytest.raises(Killed):
        inbox.receive(engine.cloud, message.content.encode())
    revive()
    opt_out(engine, SECOND)  # somebody more opts out before the next worker
    engine.pump()
    rows = landed(engine)
    assert sorted(row["address"] for row in rows) == in_parquet(engine)
    collect(engine)
    assert sorted(row["address"] for row in landed(engine)) == in_parquet(engine) == [FIRST, SECOND]
    assert not engine.cloud.blobs.exists(layout.collecting(KIT.name))


@pytest.mark.parametrize("what", [*WRITES, "the old files"])
def test_whoever_dies_while_it_is_read_afresh_loses_and_doubles_nobody(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    opt_out(engine, SECOND)
    collect(engine)
    engine.tell("people", KIT.resubscribed(FIRST, KIT.list_name("Loyal")))
    place, name = {**WRITES, "the old files": (Landing, "drop")}[what]
    collecting.start(engine.cloud, KIT.name, "Ada", afresh=True)
    revive = dying(monkeypatch, place, name, 2 if what == "the CSV file" else 1)
    message = engine.queue.receive_message(visibility_timeout=0)
    assert message is not None
    with pytest.raises(Killed):
        inbox.receive(engine.cloud, message.content.encode())
    assert {SECOND} <= {row["address"] for row in landed(engine)}
    revive()
    engine.pump()
    assert [row["address"] for row in landed(engine)] == in_parquet(engine) == [SECOND]
    assert kept(engine).gone == ()
    collect(engine)
    assert [row["address"] for row in landed(engine)] == in_parquet(engine) == [SECOND]


@pytest.mark.parametrize("account", ["", "the one before"])
def test_what_was_read_afresh_counts_at_its_end_and_a_half_read_one_is_cleared_away(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, account: str
) -> None:
    everybody = [each.email for each in people(6)]
    opt_out(engine, *everybody)
    collect(engine)
    monkeypatch.setattr("shared.vendors.omnisend.requests.PAGE", 2)
    engine.cloud.settings = replace(engine.cloud.settings, slice_seconds=0.0)
    collecting.start(engine.cloud, KIT.name, "Ada", afresh=True)
    message = engine.queue.receive_message(visibility_timeout=600)
    assert message is not None
    inbox.receive(engine.cloud, message.content.encode())
    assert sorted(row["address"] for row in landed(engine)) == everybody
    assert len(in_parquet(engine)) == 8, "two of them lie there a second time, and count for nobody"
    engine.cloud.blobs.delete(layout.collecting(KIT.name))  # nobody goes on with it
    half_read = kept(engine)
    record.write(engine.cloud, KIT.name, replace(half_read, account=account or half_read.account))
    collecting.start(engine.cloud, KIT.name, "Ada")
    engine.queue.delete_message(message)
    engine.pump()
    assert sorted(row["address"] for row in landed(engine)) == in_parquet(engine) == everybody


def test_reading_afresh_mends_what_somebody_took_away(engine: Engine) -> None:
    collect(engine)
    engine.landing.delete_blob("back/shop/parquet/part-000001.parquet")
    collecting.start(engine.cloud, KIT.name, "Ada", afresh=True)
    engine.pump()
    assert [row["address"] for row in landed(engine)] == in_parquet(engine) == [FIRST]


def test_a_slice_ends_between_two_rolls_however_short_they_are(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = list[str]()

    def page(name: str, since: str, place: str) -> OptOutPage:
        asked.append(name)
        return OptOutPage([OptOut(FIRST, OptOutKind.UNSUBSCRIBED)])

    rolls = [OptOutRoll(name, partial(page, name)) for name in ("one", "two", "three")]
    monkeypatch.setattr("shared.vendors.omnisend.vendor.Omnisend.opt_outs", lambda self, lists: rolls)
    engine.cloud.settings = replace(engine.cloud.settings, slice_seconds=0.0)
    collecting.start(engine.cloud, KIT.name, "Ada")
    message = engine.queue.receive_message(visibility_timeout=600)
    assert message is not None
    inbox.receive(engine.cloud, message.content.encode())
    assert asked == ["one"]
    engine.queue.delete_message(message)
    engine.pump()
    assert asked == ["one", "two", "three"]
    assert [row["address"] for row in landed(engine)] == [FIRST]


# What is due


def test_a_connection_is_read_once_a_day(engine: Engine) -> None:
    at = [datetime.now(UTC)]
    clock = lambda: at[0]  # noqa: E731  # moves on
    assert collecting.start_due(engine.cloud, clock=clock) == 1
    engine.pump()
    assert kept(engine).reading.started_by == ""  # type: ignore[union-attr]  # was read
    assert [row["address"] for row in landed(engine)] == [FIRST]
    assert collecting.start_due(engine.cloud, clock=clock) == 0
    at[0] += timedelta(days=1)
    assert collecting.start_due(engine.cloud, clock=clock) == 1


def test_the_timers_daily_look_starts_it(engine: Engine) -> None:
    engine.tick()
    assert [row["address"] for row in landed(engine)] == [FIRST]


@pytest.mark.parametrize("changes", [{"opt_outs": None}, {"disabled": True}])
def test_nothing_is_due_without_a_wish_or_on_a_disabled_connection(engine: Engine, changes: dict[str, Any]) -> None:
    engine.connect(**{"opt_outs": wanted(engine), **changes})
    assert collecting.start_due(engine.cloud) == 0


def test_nothing_is_due_where_it_is_read_on_demand_only(engine: Engine) -> None:
    engine.connect(opt_outs=wanted(engine, daily=False))
    assert collecting.start_due(engine.cloud) == 0
    assert collect(engine).people == 1


def test_who_died_before_the_job_was_there_is_followed_the_same_day(engine: Engine) -> None:
    collecting.start_due(engine.cloud)
    engine.cloud.blobs.delete(layout.collecting(KIT.name))
    assert collecting.start_due(engine.cloud) == 1


def test_a_reading_under_way_is_told_instead_of_starting_another(engine: Engine) -> None:
    first = collecting.start(engine.cloud, KIT.name, "Ada")
    assert collecting.start(engine.cloud, KIT.name, "Ben").mark == first.mark


def test_everybody_is_read_again_after_a_week(engine: Engine) -> None:
    assert collect(engine).reading.whole  # type: ignore[union-attr]  # was read
    assert not collect(engine).reading.whole  # type: ignore[union-attr]  # was read
    before = kept(engine)
    record.write(engine.cloud, KIT.name, replace(before, whole_at=before.whole_at - 8 * 86_400))
    assert collect(engine).reading.whole  # type: ignore[union-attr]  # was read


# Trouble


def test_a_vendor_that_is_down_is_asked_again_later(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.vendors.http.TROUBLE_SECONDS", 0.1)
    monkeypatch.setattr("shared.vendors.http.backoff", lambda disposition, attempt: 0.01)
    engine.tell("faults", {"faults": [{"endpoint": "GET /api/contacts", "kind": "error", "status": 503, "times": 8}]})
    collecting.start(engine.cloud, KIT.name, "Ada")
    engine.pump()
    assert [row["address"] for row in landed(engine)] == [FIRST]


def test_an_account_in_trouble_keeps_no_other_waiting(engine: Engine) -> None:
    engine.cloud.secrets.values["wrong"] = "nonsense"  # type: ignore[attr-defined]  # the secrets of tests
    place = OptOutsWanted(location=f"{engine.container}/back/broken")
    item = engine.catalog.connection(KIT.name).item
    sent = item.model_copy(update={"secrets": {"api_key": "wrong"}, "opt_outs": place})
    held = engine.catalog.save_connection("broken", sent, engines.ADMINISTRATOR, None)
    engine.catalog.record_check(held, CheckResult(True, "", account="another"))
    assert collecting.start_due(engine.cloud) == 2
    engine.pump()
    broken = record.read(engine.cloud, "broken")
    assert broken is not None and broken.reading is not None
    assert (broken.reading.state, bool(broken.reading.message)) == (ReadingState.FAILED, True)
    assert [row["address"] for row in landed(engine)] == [FIRST]


def test_nobodys_address_is_logged(engine: Engine, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("DEBUG"):
        collect(engine)
        collecting.start(engine.cloud, KIT.name, "Ada")
        engine.landing.delete_blob("back/shop/parquet/part-000001.parquet")
        engine.pump()
    assert FIRST not in caplog.text


def test_a_reading_whose_connection_loses_its_wish_ends_with_words(engine: Engine) -> None:
    collecting.start(engine.cloud, KIT.name, "Ada")
    engine.connect(opt_outs=None)
    engine.pump()
    reading = kept(engine).reading
    assert reading is not None
    assert (reading.state, "changed meanwhile" in str(reading.message)) == (ReadingState.FAILED, True)


def test_a_landed_file_that_is_gone_is_said_and_nothing_is_landed_twice(engine: Engine) -> None:
    collect(engine)
    engine.landing.delete_blob("back/shop/parquet/part-000001.parquet")
    collecting.start(engine.cloud, KIT.name, "Ada")
    engine.pump()
    reading = kept(engine).reading
    assert reading is not None
    assert (reading.state, "is gone" in str(reading.message)) == (ReadingState.FAILED, True)


def test_without_a_location_nothing_is_started(engine: Engine) -> None:
    engine.connect(opt_outs=None)
    with pytest.raises(Unprocessable) as raised:
        collecting.start(engine.cloud, KIT.name, "Ada")
    assert raised.value.code == "opt_outs_nowhere"


# Saving


def refused(engine: Engine, name: str = KIT.name, **changes: Any) -> list[str]:
    connection = engine.catalog.connection(KIT.name)
    sent = connection.item.model_copy(update={"opt_outs": OptOutsWanted(**changes)})
    held = connection if name == KIT.name else None
    with pytest.raises(Invalid) as raised:
        engine.catalog.save_connection(name, sent, engines.ADMINISTRATOR, held)
    return [each.pointer for each in raised.value.issues]


def test_a_place_in_a_segments_folder_is_refused(engine: Engine) -> None:
    for folder in ("Loyal", "Loyal/opt-outs"):
        assert refused(engine, location=f"{engine.container}/{folder}") == ["/opt_outs/location"]


def test_a_container_that_is_not_there_is_refused(engine: Engine) -> None:
    assert refused(engine, location="nowhere/opt-outs") == ["/opt_outs/location"]


def test_another_connections_folder_is_refused(engine: Engine) -> None:
    for folder in ("back/shop", "back", "back/shop/deeper"):
        assert refused(engine, "other", location=f"{engine.container}/{folder}") == ["/opt_outs/location"]


def test_a_folder_with_a_model_of_somebody_else_is_refused(engine: Engine) -> None:
    engine.upload("theirs/model.json", json.dumps({"entities": []}).encode())
    assert refused(engine, location=f"{engine.container}/theirs") == ["/opt_outs/location"]


@pytest.mark.parametrize("container", ["", "azure-webjobs-hosts"])
def test_the_services_own_containers_are_refused(engine: Engine, container: str) -> None:
    own = container or engine.cloud.blobs.container
    engine.cloud.blobs.write("runs/x", b"")
    assert refused(engine, location=f"{own}/runs") == ["/opt_outs/location"]


def test_excluding_needs_a_place_where_segments_are_looked_for(engine: Engine) -> None:
    engine.cloud.segments.get_container_client("elsewhere").create_container()
    assert refused(engine, location="elsewhere/back", exclude=True) == ["/opt_outs/exclude"]


def test_finding_out_leaves_nothing_behind(engine: Engine) -> None:
    assert list(engine.landing.list_blob_names(name_starts_with="back/")) == []


# Forgetting


def test_forgetting_erases_what_was_landed_also_in_a_former_folder(engine: Engine) -> None:
    collect(engine)
    opt_out(engine, SECOND)
    engine.connect(opt_outs=OptOutsWanted(location=f"{engine.container}/back/new"))
    collect(engine)
    assert [look() for look in erasing.holders(engine.cloud, HOLDS)] == [True]
    assert engine.forget(FIRST.upper()).erased["opt_outs"] == 1
    assert [look() for look in erasing.holders(engine.cloud, HOLDS)] == [False]
    assert [row["address"] for row in landed(engine)] == [SECOND]
    texts = [
        engine.landing.download_blob(name).readall()
        for name in engine.landing.list_blob_names(name_starts_with="back/")
        if name.endswith((".csv", ".json"))
    ]
    assert all(FIRST.encode() not in text for text in texts)
    assert in_parquet(engine) == []
    collect(engine)
    assert [row["address"] for row in landed(engine)] == [SECOND]


@pytest.mark.parametrize("what", ["the CSV file", "the model.json", "the record"])
def test_forgetting_erases_what_was_left_by_a_worker_that_died_before_the_record(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    place, name = WRITES[what]
    collecting.start(engine.cloud, KIT.name, "Ada")
    revive = dying(monkeypatch, place, name, 2 if what == "the CSV file" else 1)
    with pytest.raises(Killed):
        carry_on(engine, collecting.KIND, layout.collecting(KIT.name))
    revive()
    assert in_parquet(engine) == [FIRST]
    assert engine.forget(FIRST).erased["opt_outs"] == 1
    names = engine.landing.list_blob_names(name_starts_with="back/")
    assert in_parquet(engine) == []
    assert all(FIRST.encode() not in engine.landing.download_blob(each).readall() for each in names)


def carry_on(engine: Engine, kind: BlobKind[Any, Any], blob: str) -> None:
    """Carry out the next slice of a job, and of no other."""
    body = kind.message(kind.read(engine.cloud, blob)).body()
    engine.queue.clear_messages()
    inbox.receive(engine.cloud, json.dumps(body).encode())


def test_whoever_is_landed_between_two_slices_of_being_forgotten_is_forgotten_there_too(engine: Engine) -> None:
    engine.define("quiet", targets=[{"segments": ["Loyal"], "list_name": "Quiet"}])
    engine.run("quiet")
    asked = engine.service.forget(FIRST, "admin")
    engine.cloud.settings = replace(engine.cloud.settings, slice_seconds=0.0)
    for _ in ("its beginning", "the first of two ledgers"):
        carry_on(engine, forgetting.KIND, layout.forgetting(asked.id))
    collecting.start(engine.cloud, KIT.name, "Ada")
    carry_on(engine, collecting.KIND, layout.collecting(KIT.name))
    assert in_parquet(engine) == [FIRST]
    while engine.cloud.blobs.exists(layout.forgetting(asked.id)):
        carry_on(engine, forgetting.KIND, layout.forgetting(asked.id))
    assert [row["address"] for row in landed(engine)] == in_parquet(engine) == []
    told = engine.service.forgetting(asked.id)
    assert told is not None and told.erased["opt_outs"] == 1


def test_what_is_remembered_of_a_reading_holds_no_address(engine: Engine) -> None:
    collect(engine)
    stored = engine.cloud.blobs.read(layout.opt_outs(KIT.name))
    assert stored is not None
    assert b"@" not in stored[0]
