"""Queue functions: delivery at least once, retries, poison, concurrency."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from itertools import accumulate

from azure.storage.queue import QueueClient

from tests.integration.host.conftest import SampleHost


def attempts(host: SampleHost, order: str) -> list[int]:
    return [note["attempt"] for note in host.seen(order) if note["function"] == "work"]


def test_a_message_is_worked_off_once_and_deleted(host: SampleHost) -> None:
    order = host.order()
    status = host.wait_idle()
    assert [note["function"] for note in host.seen(order)] == ["work", "work ended"]
    assert status.queues[host.queue_name] == 0


def test_a_function_sees_what_the_queue_knows_of_its_message(host: SampleHost) -> None:
    order = host.order()
    host.wait_idle()
    note = host.seen(order)[0]
    assert note["attempt"] == 1
    assert note["message"]
    assert datetime.fromisoformat(note["inserted"]).utcoffset() is not None


def test_an_output_binding_sends_one_message_per_item(host: SampleHost) -> None:
    assert host.request("POST", "/work", json=[{"id": "first"}, {"id": "second"}]).status_code == 202
    host.wait_idle()
    assert attempts(host, "first") == attempts(host, "second") == [1]


def test_a_message_that_fails_is_tried_five_times_and_then_poison(host: SampleHost) -> None:
    before = host.status()
    order = host.order(do="fail")
    after = host.wait_idle()
    assert attempts(host, order) == [1, 2, 3, 4, 5]
    assert host.seen(order)[-1] == {"function": "poison", "id": order, "attempt": 1}
    assert after.failed["work"] - before.failed.get("work", 0) == 5
    assert after.succeeded["work_poison"] - before.succeeded.get("work_poison", 0) == 1


def test_a_message_that_is_not_base64_goes_to_the_poison_queue_unread(host: SampleHost) -> None:
    before = host.status()
    name = host.queue_name
    with QueueClient.from_connection_string(host.services.connection_string, name) as raw:
        raw.send_message("{not base64}")
    host.wait_until(lambda status: status.queues[f"{name}-poison"] == 1 and status.queues[name] == 0, poll=0.1)
    after = host.status()
    assert (after.succeeded.get("work"), after.failed.get("work")) == (
        before.succeeded.get("work"),
        before.failed.get("work"),
    )
    with host.queue("-poison") as poison:
        poison.clear_messages()


def test_a_queue_runs_a_batch_and_fetches_the_next_one_at_its_threshold(
    new_host: Callable[..., SampleHost],
) -> None:
    new = new_host()
    orders = [new.order(do="wait") for _ in range(6)]
    # host.json: batchSize 2, newBatchThreshold 1, so two begin, and two more when only one of them is left
    with new as host:
        host.wait_until(lambda status: status.running.get("work") == 2)
        host.open_gate(next(order for order in orders if host.seen(order)))
        host.wait_until(lambda status: status.running.get("work") == 3)
        for order in orders:
            host.open_gate(order)
        host.wait_idle()
        notes = [note["function"] for note in host.request("GET", "/seen").json()]
    running = list(accumulate(1 if note == "work" else -1 for note in notes))
    assert (max(running), running[-1]) == (3, 0)


def test_a_message_that_was_sent_twice_runs_twice(host: SampleHost) -> None:
    order = host.order()
    host.order(id=order)
    host.wait_idle()
    assert attempts(host, order) == [1, 1]


def test_a_message_that_comes_back_while_it_is_worked_on_runs_again_beside_it(host: SampleHost) -> None:
    order = host.order(do="wait")
    host.wait_until(lambda status: status.running.get("work") == 1)
    first = host.seen(order)[0]
    with host.queue() as queue:
        queue.update_message(first["message"], first["receipt"], visibility_timeout=0)
    host.wait_until(lambda status: status.running.get("work") == 2)
    host.open_gate(order)
    status = host.wait_idle()
    assert attempts(host, order) == [1, 2]
    assert status.queues[host.queue_name] == 0
