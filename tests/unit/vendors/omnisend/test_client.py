"""How batches stand: lists first, and as few requests as it takes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from shared.errors import RetryAfter
from shared.vendors.http import Client
from shared.vendors.omnisend.client import FRESH_SECONDS, Board
from shared.vendors.omnisend.definition import DEFINITION, HOST
from tests.unit.vendors.loopback import Clock, Reply
from tests.unit.vendors.omnisend.brand import KEY, Brand, World, world


def brand_with(count: int, status: str = "pending", **changes: object) -> Brand:
    brand = Brand(**changes)  # type: ignore[arg-type]  # as each test says
    for number in range(count):
        brand.batches[f"b{number:04}"] = {
            "status": status,
            "totalCount": 100,
            "finishedCount": 0,
            "errorsCount": 0,
            "items": [],
        }
    return brand


@contextlib.contextmanager
def board_of(brand: Brand) -> Iterator[tuple[Board, World, Clock]]:
    clock = Clock()
    with world(brand) as here:
        headers = {"Authorization": f"Omnisend-API-Key {KEY}", "Omnisend-Version": "2026-03-15"}
        client = Client(DEFINITION, HOST, here.link, lambda fresh: headers)
        yield Board(client, clock), here, clock


def status(board: Board, batch: str) -> str | None:
    state = board.state(batch)
    return None if state is None else state.status


def test_one_list_tells_of_many_batches() -> None:
    with board_of(brand_with(200)) as (board, here, _):
        assert {status(board, f"b{number:04}") for number in range(200)} == {"pending"}
        assert len(here.server.seen) == 1


def test_a_list_that_is_too_old_is_read_again() -> None:
    brand = brand_with(2)
    with board_of(brand) as (board, here, clock):
        assert status(board, "b0000") == "pending"
        brand.batches["b0000"]["status"] = "finished"
        assert status(board, "b0000") == "pending"
        clock.wait(FRESH_SECONDS + 0.1)
        assert status(board, "b0000") == "finished"
        assert len(here.server.seen) == 2


def test_what_is_over_stays_over_without_another_request() -> None:
    with board_of(brand_with(1, "finished")) as (board, here, clock):
        assert status(board, "b0000") == "finished"
        clock.wait(3600)
        assert status(board, "b0000") == "finished"
        assert len(here.server.seen) == 1


def test_pages_are_read_only_as_far_as_it_takes() -> None:
    with board_of(brand_with(600)) as (board, here, _):
        assert status(board, "b0599") == "pending"
        assert len(here.server.seen) == 1
        assert status(board, "b0001") == "pending"
        assert len(here.server.seen) == 3


def test_with_the_oldest_first_open_batches_are_found_by_their_status() -> None:
    brand = brand_with(1_500, "finished", newest_first=False)
    brand.batches |= {"b9998": brand.batches["b0000"] | {"status": "inProgress"}, "b9999": brand.batches["b0000"]}
    with board_of(brand) as (board, here, _):
        assert status(board, "b9998") == "inProgress"
        assert len(here.asked("GET", "batches")) == 6
        assert status(board, "b9999") == "finished"
        assert len(here.asked("GET", "batches/b9999")) == 1


def test_a_batch_that_omnisend_does_not_know() -> None:
    with board_of(brand_with(1)) as (board, _, _):
        assert status(board, "b7777") is None


def test_a_list_that_makes_no_sense_is_asked_for_later() -> None:
    brand = brand_with(1, instead=lambda seen: Reply(200, b'{"batches":[{"status":"finished"}],"paging":{}}'))
    with board_of(brand) as (board, _, _), pytest.raises(RetryAfter):
        board.state("b0000")
