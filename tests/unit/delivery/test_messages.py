"""Queue messages hold ids and a turn, and nothing else gets in."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from shared.delivery.inbox import MOST_ATTEMPTS
from shared.delivery.messages import (
    BadMessage,
    CountMessage,
    DoctorMessage,
    Message,
    ProbeMessage,
    SliceMessage,
    VerifyMessage,
    parse,
)

SLICE = SliceMessage("newsletter", "20261122-144501-123-9f3a", 0, 3)


@pytest.mark.parametrize("message", [SLICE, CountMessage("segments/ci:Loyal"), ProbeMessage("iterable", "0a1b2c", 4)])
def test_a_message_survives_the_queue(message: Message) -> None:
    assert parse(json.dumps(message.body())) == message


def test_a_message_tells_how_often_its_work_failed_where_it_did() -> None:
    plain = {"version": 1, "kind": "slice", "export": SLICE.export, "run": SLICE.run, "delivery": 0, "turn": 3}
    assert SLICE.body() == plain
    assert replace(SLICE, failed=2).body() == plain | {"failed": 2}
    read = [parse(json.dumps(plain | more)) for more in ({}, {"failed": 2})]
    assert [message.failed for message in read] == [0, 2]


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"version": None},
        {"kind": "delete"},
        {"kind": ["slice"]},
        {"turn": "3"},
        {"turn": True},
        {"delivery": 1.0},
        {"run": None},
    ],
)
def test_anything_else_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(BadMessage):
        parse(json.dumps(SLICE.body() | change))


def test_what_only_a_later_version_says_is_passed_over() -> None:
    assert parse(json.dumps(SLICE.body() | {"address": "someone"})) == SLICE


@pytest.mark.parametrize("text", [b"", b"\xff\xfe", b"[]", b"null", b"not json", b'{"version":1}'])
def test_what_is_no_message_is_refused_without_being_quoted(text: bytes) -> None:
    with pytest.raises(BadMessage) as refused:
        parse(text)
    assert "not json" not in str(refused.value).lower().replace("is not json", "")


def test_a_missing_part_is_refused() -> None:
    body = SLICE.body()
    del body["turn"]
    with pytest.raises(BadMessage, match="turn"):
        parse(json.dumps(body))


KINDS = {
    "slice": SLICE,
    "count": CountMessage("segments/ci:Loyal"),
    "probe": ProbeMessage("iterable", "0a1b2c", 4),
    "verify": VerifyMessage("newsletter", "20261122-144501-123-9f3a", 0, 1),
    "doctor": DoctorMessage("newsletter", 0, "0a1b2c"),
}


@pytest.mark.parametrize(("kind", "message"), KINDS.items())
def test_each_kind_says_its_version_and_kind(kind: str, message: Message) -> None:
    body = message.body()
    assert (body["version"], body["kind"]) == (1, kind)
    assert parse(json.dumps(body)) == message


def test_why_a_message_is_refused_is_said_in_words_and_names_only_its_own_fields() -> None:
    cases = {
        "no json": "The message is not JSON.",
        json.dumps(SLICE.body() | {"version": 2}): "The message is not of version 1.",
        json.dumps(SLICE.body() | {"kind": "x"}): "The message is of an unknown kind, or wrong in: its fields.",
        json.dumps(
            SLICE.body() | {"turn": "1", "run": 7}
        ): "The message is of an unknown kind, or wrong in: run, turn.",
    }
    for text, words in cases.items():
        with pytest.raises(BadMessage) as refused:
            parse(text)
        assert str(refused.value) == words


def test_work_is_given_up_after_as_many_attempts_as_the_host_gives_one_message() -> None:
    host = json.loads((Path(__file__).parents[3] / "host.json").read_text())
    assert host["extensions"]["queues"]["maxDequeueCount"] == MOST_ATTEMPTS
