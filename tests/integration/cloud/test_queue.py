"""The queue does what slices rely on; and receiving, which is the host's part, does what tests rely on."""

from __future__ import annotations

import json
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.storage.queue import QueueClient

from shared.cloud.queue import Queue
from shared.cloud.settings import StorageAddress
from tests.integration.cloud.conftest import Clock
from tests.memory import receiving

FOR_LONG = 600


@pytest.fixture
def queue(account: StorageAddress, unique: str) -> Queue:
    return Queue(account, unique)


@pytest.fixture
def host(account: StorageAddress, unique: str, queue: Queue) -> QueueClient:
    queue.prepare()
    return receiving(account, unique)


def received(host: QueueClient) -> list[Any]:
    found = []
    while message := host.receive_message(visibility_timeout=FOR_LONG):
        found.append(json.loads(message.content))
    return found


def waiting(host: QueueClient) -> int:
    return host.get_queue_properties().approximate_message_count or 0


def test_messages_come_in_order_and_as_they_were_sent(queue: Queue, host: QueueClient) -> None:
    sent = [{"export": "späť", "turn": turn, "list": [1, "<&>"]} for turn in range(3)]
    for message in sent:
        queue.send(message)
    assert received(host) == sent


def test_a_queue_is_made_once_by_whoever_is_first(account: StorageAddress, unique: str, host: QueueClient) -> None:
    Queue(account, unique).send({"turn": 1})
    Queue(account, unique).prepare()
    assert waiting(host) == 1


def test_who_receives_hides_a_message_until_it_is_deleted(queue: Queue, host: QueueClient) -> None:
    queue.send({"turn": 1})
    message = host.receive_message(visibility_timeout=FOR_LONG)
    assert message is not None and message.dequeue_count == 1
    assert host.receive_message() is None
    assert host.peek_messages() == []
    assert waiting(host) == 1
    host.delete_message(message)
    assert waiting(host) == 0
    with pytest.raises(HttpResponseError):
        host.delete_message(message)


def test_a_message_that_is_given_back_is_there_again_and_counts_how_often(queue: Queue, host: QueueClient) -> None:
    queue.send({"turn": 1})
    first = host.receive_message(visibility_timeout=FOR_LONG)
    assert first is not None
    host.update_message(first.id, first.pop_receipt, visibility_timeout=0)
    assert [json.loads(message.content) for message in host.peek_messages()] == [{"turn": 1}]
    second = host.receive_message(visibility_timeout=FOR_LONG)
    assert second is not None
    assert (second.id, second.dequeue_count, second.content) == (first.id, 2, first.content)
    with pytest.raises(HttpResponseError):
        host.delete_message(first)
    host.delete_message(second)
    assert waiting(host) == 0


def test_a_message_with_a_delay_is_there_and_is_seen_later(queue: Queue, host: QueueClient, clock: Clock) -> None:
    begun = clock()
    queue.send({"turn": 1}, delay=2.9)
    queue.send({"turn": 2})
    assert waiting(host) == 2
    assert received(host) == [{"turn": 2}]
    while not (later := received(host)):
        clock.wait(0.05)
    assert later == [{"turn": 1}]
    assert clock() - begun > 1.0, "whole seconds, rounded down; and Azurite's moments are whole seconds"


@pytest.mark.parametrize("delay", [-1.0, 0.0, 0.9])
def test_a_delay_of_less_than_a_second_is_none(queue: Queue, host: QueueClient, delay: float) -> None:
    queue.send({"turn": 1}, delay=delay)
    assert received(host) == [{"turn": 1}]


def test_a_delay_is_at_most_a_week(queue: Queue, host: QueueClient) -> None:
    queue.send({"turn": 1}, delay=1e9)
    assert (received(host), waiting(host)) == ([], 1)
