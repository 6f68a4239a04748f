"""Every change of state that people wait for is told: in the log once, to the webhook at least once, about ids only."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

import pytest

from shared.cloud import events
from shared.cloud.under_way import UnderWay
from shared.delivery import inbox
from shared.delivery.start import starting
from shared.delivery.state.records import State
from shared.delivery.state.run_notices import TROUBLE
from shared.delivery.state.transitions import RunKind
from shared.errors import RetryAfter, UserMustAct
from shared.notify import telling
from shared.notify.outbox import Outbox, PendingNotice
from tests.integration.delivery.engine import Engine, people
from tests.integration.notify.conftest import SECRET
from tests.integration.notify.receiver import Receiver

HOUR = timedelta(hours=1)


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> Iterator[list[dict[str, Any]]]:
    """What the log's events say, as it comes."""
    found: list[dict[str, Any]] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.append(json.loads(record.getMessage()))
            assert record.__dict__["event"] == found[-1]["event"]

    listener = Listener()
    events.log.addHandler(listener)
    with caplog.at_level(logging.INFO, events.log.name):
        yield found
    events.log.removeHandler(listener)


def names(told: list[dict[str, Any]]) -> list[str]:
    return [each["event"] for each in told]


def tell(engine: Engine, *, later: timedelta = timedelta(0), times: int = 1) -> None:
    for _ in range(times):
        telling.tell(engine.cloud, clock=lambda: datetime.now(UTC) + later)


def fail(engine: Engine) -> None:
    """A run that fails, since its segment is not there."""
    engine.define(targets=[{"segments": ["Nobody"], "list_name": "Loyal"}], matching=[])
    assert engine.run().state is State.FAILED


def succeed(engine: Engine) -> None:
    engine.land(people(3))
    engine.define()
    assert engine.run().state in (State.SUCCEEDED, State.WARNINGS, State.NOTHING)


def pending(engine: Engine) -> list[PendingNotice]:
    return Outbox(engine.cloud.runs).pending(UnderWay(engine.cloud.underway).exports())


# One bad thing of the timer's work


@pytest.mark.parametrize("folder", ["probes/", "verifying/", "doctor/"])
@pytest.mark.parametrize("content", [b"not JSON", b"{}", b"[1]", b""])
def test_a_control_blob_that_cannot_be_read_silences_nothing(
    engine: Engine, receiver: Receiver, told: list[dict[str, Any]], folder: str, content: bytes
) -> None:
    engine.cloud.blobs.write(f"{folder}broken.json", content)
    fail(engine)
    engine.tick()
    assert "run_failed" in receiver.events()
    [trouble] = [each for each in told if each["event"] == "timer_trouble"]
    assert (trouble["stage"], trouble["item"]) == ("wake", f"{folder}broken.json")


STAGES = {
    "start": "shared.delivery.start.starting.tick",
    "wake": "shared.delivery.inbox.wake",
    "expire": "shared.delivery.upkeep.look_daily",
    "tell": "shared.notify.telling.tell",
    "tidy": "shared.delivery.upkeep.tidy",
}


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_of_a_tick_that_fails_is_told_and_the_others_go_on(
    engine: Engine, told: list[dict[str, Any]], stage: str
) -> None:
    with ExitStack() as stack:
        parts = {each: stack.enter_context(mock.patch(place, return_value=[])) for each, place in STAGES.items()}
        parts[stage].side_effect = OSError
        engine.tick()
        assert all(part.called for part in parts.values())
    [trouble] = told
    assert (trouble["event"], trouble["stage"], trouble["what"]) == ("timer_trouble", stage, "OSError")


def test_what_is_not_known_of_a_target_is_told_and_stops_no_notice(
    engine: Engine, receiver: Receiver, told: list[dict[str, Any]]
) -> None:
    fail(engine)
    [target] = engine.cloud.targets.scan("RowKey ne ''", {})
    engine.cloud.targets.replace({**target.entity, "memory": "not JSON"}, target.etag)
    engine.tick()
    assert "run_failed" in receiver.events()
    assert [each["stage"] for each in told if each["event"] == "timer_trouble"] == ["expire"]


# What is told


def test_a_run_that_goes_well_is_told_to_the_log_only(
    engine: Engine, receiver: Receiver, told: list[dict[str, Any]]
) -> None:
    succeed(engine)
    tell(engine, times=3)
    assert names(told) == ["run_started", "run_finished"]
    assert told[1]["add_accepted"] == 3
    assert receiver.received == []
    assert pending(engine) == []


def test_a_failure_is_told_to_both_and_the_first_good_end_after_it(
    engine: Engine, receiver: Receiver, told: list[dict[str, Any]]
) -> None:
    fail(engine)
    fail(engine)
    succeed(engine)
    succeed(engine)
    tell(engine)
    assert receiver.events() == ["run_failed", "run_failed", "run_recovered"]
    assert names(told).count("run_recovered") == 1


def test_a_dry_run_says_nothing_of_recovery(engine: Engine, receiver: Receiver) -> None:
    fail(engine)
    engine.land(people(3))
    export = engine.define()
    starting.start_run(engine.cloud, export, "on demand", kind=RunKind.DRY_RUN)
    engine.pump()
    tell(engine)
    assert receiver.events() == ["run_failed"]


def test_a_blocked_run_is_told_with_its_numbers(engine: Engine, receiver: Receiver) -> None:
    engine.land(people(200))
    engine.define()
    engine.run()
    engine.land(people(3))
    run = engine.run()
    assert run.state is State.BLOCKED
    tell(engine)
    [sent] = [each.json for each in receiver.received]
    assert (sent["event"], sent["state"], sent["export"], sent["run"]) == (
        "run_blocked",
        "blocked",
        "newsletter",
        run.run,
    )
    assert sent["counts"]["remove"] == 197
    assert "197" in sent["message"]
    assert sent["link"] == f"https://exports.example/exports/newsletter/runs/{run.run}"


def test_too_many_refused_people_are_told(engine: Engine, receiver: Receiver, told: list[dict[str, Any]]) -> None:
    crowd = people(30)
    for person in crowd[:12]:
        person.email = "nobody at all"
    engine.land(crowd)
    engine.define()
    engine.run()
    tell(engine, times=2)
    assert receiver.events() == ["rejected_share"]
    assert receiver.received[0].json["rejected_share"] == 0.4
    assert "rejected_share" in names(told)


def test_a_poison_message_is_told_once_however_often_it_is_given_up(engine: Engine, receiver: Receiver) -> None:
    for _ in range(2):
        inbox.give_up(engine.cloud, b"not a message", "message-1")
    tell(engine)
    assert receiver.events() == ["poison_message"]


# Due times


DISABLED = UserMustAct("off", "The connection is disabled.")
HOURLY: dict[str, Any] = {"schedule": {"kind": "cron", "expression": "0 * * * *", "time_zone": "UTC"}}


def tick(engine: Engine, at: datetime) -> int:
    return len(starting.tick(engine.cloud, clock=lambda: at, newest=lambda reference: None))


def next_hour() -> datetime:
    return datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + HOUR


def test_a_run_in_time_is_not_missed_and_a_late_one_is(engine: Engine, told: list[dict[str, Any]]) -> None:
    engine.land(people(3))
    engine.define(**HOURLY)
    assert tick(engine, next_hour() + timedelta(minutes=2)) == 1
    engine.pump()
    assert tick(engine, next_hour() + timedelta(hours=1, minutes=40)) == 1
    tell(engine)
    [missed] = [each for each in told if each["event"] == "schedule_missed"]
    assert missed["due_at"] == (next_hour() + HOUR).isoformat()


def test_a_due_time_that_a_run_under_way_swallows_is_missed(engine: Engine, receiver: Receiver) -> None:
    engine.land(people(3))
    engine.define(**HOURLY)
    engine.start()
    assert tick(engine, next_hour() + timedelta(minutes=1)) == 0
    assert tick(engine, next_hour() + timedelta(minutes=2)) == 0
    tell(engine, later=2 * HOUR)
    assert receiver.events() == ["schedule_missed"]
    assert "under way" in receiver.received[0].json["message"]


def test_a_due_time_of_an_export_that_cannot_run_is_missed(engine: Engine, receiver: Receiver) -> None:
    engine.land(people(3))
    engine.define(**HOURLY)
    with mock.patch(
        "shared.delivery.start.starting.usable",
        side_effect=UserMustAct("off", "The connection is disabled."),
    ):
        assert tick(engine, next_hour()) == 0
    tell(engine, later=2 * HOUR)
    assert receiver.received[0].json["message"] == "The connection is disabled."


def test_a_timer_that_dies_after_starting_a_run_starts_no_other_and_misses_nothing(
    engine: Engine, receiver: Receiver
) -> None:
    engine.land(people(3))
    engine.define(**HOURLY)
    with (
        mock.patch("shared.delivery.start.due_times.Firing.keep", side_effect=KeyboardInterrupt),
        pytest.raises(KeyboardInterrupt),
    ):
        tick(engine, next_hour())
    assert tick(engine, next_hour() + timedelta(minutes=1)) == 0
    tell(engine, later=2 * HOUR)
    assert receiver.events() == []


# How it is told


def test_a_receiver_can_check_who_sent_it_and_when(engine: Engine, receiver: Receiver) -> None:
    fail(engine)
    tell(engine)
    [sent] = receiver.received
    assert sent.is_signed_with(SECRET)
    assert not sent.is_signed_with("whsec_c29tZXRoaW5nIGVsc2U=")
    assert abs(int(sent.headers["webhook-timestamp"]) - datetime.now(UTC).timestamp()) < 60
    assert sent.headers["webhook-id"] == sent.json["id"]
    sent.body = sent.body.replace(b"newsletter", b"newslettez")
    assert not sent.is_signed_with(SECRET)


@pytest.mark.parametrize("answer", [500, 503, 404, 302])
def test_what_is_not_taken_is_sent_again_later_with_the_same_id(
    engine: Engine, receiver: Receiver, answer: int
) -> None:
    receiver.answers = [answer, answer]
    fail(engine)
    tell(engine, times=2)
    assert len(receiver.received) == 1
    tell(engine, later=timedelta(minutes=2), times=2)
    assert len(receiver.received) == 2
    tell(engine, later=HOUR, times=2)
    assert len(receiver.received) == 3
    assert len({each.headers["webhook-id"] for each in receiver.received}) == 1
    assert len({each.headers["webhook-timestamp"] for each in receiver.received}) == 3
    assert {each.path for each in receiver.received} == {"/hook?token=of-the-receiver"}
    assert pending(engine) == []


def test_a_receiver_that_never_answers_costs_one_short_request_a_tick(
    engine: Engine, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling, "REQUEST_SECONDS", 0.4)
    receiver.answers = [0]
    fail(engine)
    fail(engine)
    tell(engine)
    assert len(receiver.received) == 1
    succeed(engine)
    tell(engine, later=timedelta(minutes=2), times=2)
    assert sorted(receiver.events()[1:]) == ["run_failed", "run_failed", "run_recovered"]


def test_a_dead_receiver_is_given_up_after_a_day_with_an_event(
    engine: Engine, receiver: Receiver, told: list[dict[str, Any]]
) -> None:
    receiver.answers = [500] * 10
    fail(engine)
    tell(engine)
    tell(engine, later=timedelta(hours=23))
    assert "notification_failed" not in names(told)
    tell(engine, later=timedelta(hours=25))
    assert told[-1] | {"event": "notification_failed", "about": "run_failed"} == told[-1]
    assert pending(engine) == []


def test_a_crash_between_sending_and_remembering_sends_again_and_loses_nothing(
    engine: Engine, receiver: Receiver
) -> None:
    fail(engine)
    with mock.patch.object(Outbox, "done", side_effect=KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
        tell(engine, times=2)
    tell(engine, times=2)
    assert receiver.events().count("run_failed") == len(receiver.received) >= 1
    assert len({each.json["id"] for each in receiver.received}) == 1
    assert pending(engine) == []


def test_a_crash_between_logging_and_remembering_logs_again_with_the_same_id(
    engine: Engine, told: list[dict[str, Any]]
) -> None:
    fail(engine)
    with mock.patch.object(Outbox, "done", side_effect=KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
        tell(engine)
    tell(engine, times=2)
    started = [each["id"] for each in told if each["event"] == "run_started"]
    assert len(started) == 2
    assert len(set(started)) == 1


def test_without_its_signing_secret_nothing_is_sent_and_nothing_is_lost(engine: Engine, receiver: Receiver) -> None:
    fail(engine)
    with mock.patch.object(engine.cloud.secrets, "get", side_effect=RetryAfter(30, "Key Vault is away.")):
        tell(engine)
    assert receiver.received == []
    tell(engine, later=timedelta(minutes=2))
    assert receiver.events() == ["run_failed"]


def test_a_notice_holds_nothing_of_people(engine: Engine, receiver: Receiver, told: list[dict[str, Any]]) -> None:
    crowd = people(30)
    for person in crowd[:12]:
        person.email = f"{person.first}@broken"
    engine.land(crowd)
    engine.define()
    engine.run()
    tell(engine, times=2)
    everything = json.dumps(told) + "".join(each.body.decode() for each in receiver.received)
    assert "First" not in everything
    assert "@" not in everything


@pytest.mark.parametrize(("began", "overdue"), [(-10, True), (10, False), (None, False)])
def test_an_export_without_a_good_end_for_a_whole_period_is_overdue(
    engine: Engine, told: list[dict[str, Any]], began: int | None, overdue: bool
) -> None:
    """`began`: minutes from its last due time until its trouble began. What began after that has had no chance yet."""
    engine.land(people(3))
    engine.define(**HOURLY)
    with mock.patch(
        "shared.delivery.start.starting.usable",
        side_effect=UserMustAct("off", "The connection is disabled."),
    ):
        tick(engine, next_hour())
        if began is not None:
            at = next_hour() + timedelta(minutes=began)
            engine.cloud.runs.insert({"PartitionKey": "newsletter", "RowKey": TROUBLE, "run": "1", "at": at})
        tick(engine, next_hour() + HOUR)
        tell(engine)
    found = [each for each in told if each["event"] == "export_overdue"]
    assert [each["export"] for each in found] == ["newsletter"] * overdue
    assert [each["due_at"] for each in found] == [(next_hour() + HOUR).isoformat()] * overdue


# A test by a person


def test_a_test_notification_arrives_signed_at_once_and_is_logged(
    engine: Engine, receiver: Receiver, told: list[dict[str, Any]]
) -> None:
    assert engine.service.test_notification() == ""
    [received] = receiver.received
    assert received.is_signed_with(SECRET)
    assert received.json["event"] == "notification_test"
    assert names(told) == ["notification_test"]
    assert pending(engine) == []


@pytest.mark.parametrize(("status", "words"), [(500, "status 500"), (302, "status 302")])
def test_a_test_notification_that_is_not_taken_says_why(
    engine: Engine, receiver: Receiver, status: int, words: str
) -> None:
    receiver.answers = [status]
    assert words in engine.service.test_notification()
    assert len(receiver.received) == 1


def test_a_test_notification_that_cannot_be_signed_says_why(engine: Engine, receiver: Receiver) -> None:
    engine.cloud.secrets.values["signing"] = "whsec_no base64"  # type: ignore[attr-defined]  # the tests' fixed secrets
    assert "is not base64" in engine.service.test_notification()
    assert receiver.received == []


def test_of_the_receivers_address_only_its_host_is_shown(engine: Engine, receiver: Receiver) -> None:
    shown = engine.service.notifications()
    assert shown.receiver == receiver.url.partition("/hook")[0]
    assert "token" not in shown.model_dump_json()


def test_notifications_that_the_receiver_does_not_take_are_counted(engine: Engine, receiver: Receiver) -> None:
    fail(engine)
    assert engine.service.notifications().waiting == 0
    receiver.answers = [500]
    tell(engine)
    assert engine.service.notifications().waiting == 1
    tell(engine, later=HOUR)
    assert engine.service.notifications().waiting == 0
