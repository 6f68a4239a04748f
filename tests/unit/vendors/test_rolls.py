"""Lists that change between any two pages: nobody who is on them all the time is missed."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.errors import RetryAfter
from shared.vendors.campaign_monitor.left_alone import Roll
from shared.vendors.campaign_monitor.responses import Page
from shared.vendors.rolls import every

SIZE = 4

Entry = tuple[str, int]
"""Who, and since when."""


class Book:
    """A roll in some order; before each page but the first, one of `changes` is done to it."""

    def __init__(self, people: int, order: str, changes: list[tuple[str, int]]) -> None:
        self.entries: list[Entry] = [(f"p{number}", number) for number in range(people)]
        self.order = order
        self.changes = list(changes)
        self.always = {name for name, _ in self.entries}
        self.asked: list[int] = []
        self.now = people

    def page(self, place: int) -> list[Entry]:
        if self.asked and self.changes:
            self.change(*self.changes.pop(0))
        self.asked.append(place)
        return self.ordered()[place : place + SIZE]

    def ordered(self) -> list[Entry]:
        keys: dict[str, Callable[[Entry], Any]] = {
            "oldest": lambda each: each[1],
            "newest": lambda each: -each[1],
            "name": lambda each: each[0],
        }
        return sorted(self.entries, key=keys[self.order])

    def change(self, what: str, place: int) -> None:
        """Somebody leaves, comes back at once (and is the newest now), or comes; "swap" is a leaver and a newcomer."""
        self.now += 1
        if what in ("leave", "swap", "return") and self.entries:
            name, _ = self.entries.pop(place % len(self.entries))
            if what == "return":
                self.entries.append((name, self.now))
            else:
                self.always.discard(name)
        if what in ("come", "swap"):
            self.entries.append((f"new{self.now}", self.now))

    def numbered(self, number: int) -> Page:
        """As Campaign Monitor is asked."""
        people = [(name, f"{day:09}") for name, day in self.page((number - 1) * SIZE)]
        return Page(people, len(self.entries), -(-len(self.entries) // SIZE), newest_first=self.order == "newest")


CHANGES = st.lists(st.tuples(st.sampled_from(["leave", "come", "swap", "return"]), st.integers(0, 40)), max_size=12)
ORDERS = ["oldest", "newest", "name"]


MOVED_WHILE_THE_FRONT_IS_READ = [
    *[("return", 20), ("return", 38), ("leave", 31), ("come", 24)],
    *[("come", 37), ("return", 33), ("return", 17), ("come", 11)],
]
GONE_BACK_AT_THE_FRONT = [
    *[("return", 24), ("return", 5), ("swap", 38), ("return", 4), ("come", 36), ("return", 20)],
    *[("come", 37), ("return", 18), ("swap", 39), ("come", 4), ("leave", 24), ("come", 2)],
]


@pytest.mark.parametrize("order", ORDERS)
@given(people=st.integers(0, 30), changes=CHANGES)
@example(people=10, changes=MOVED_WHILE_THE_FRONT_IS_READ)
@example(people=23, changes=GONE_BACK_AT_THE_FRONT)
def test_nobody_is_missed_whatever_changes_between_two_pages(
    order: str, people: int, changes: list[tuple[str, int]]
) -> None:
    book = Book(people, order, changes)
    try:
        found = list(every("Acme", book.page, SIZE))
    except RetryAfter:
        return  # the roll is read by the next run
    assert {name for name, _ in found} >= book.always
    assert len(found) == len(set(found))


BEHIND_KNOWN = [("return", 27), ("return", 17), ("return", 33), ("return", 12), ("return", 2)]
"""Somebody who was not read yet comes to the front, and four who were read come before them."""
LEFT_AT_THE_END = [("return", 25), ("come", 2), ("come", 17), ("return", 2), ("return", 5), ("leave", 18), ("swap", 28)]
"""Somebody leaves just before the page that would end the reading."""


@pytest.mark.parametrize("order", ["newest"])
@given(people=st.integers(0, 30), changes=CHANGES)
@example(people=19, changes=BEHIND_KNOWN)
@example(people=17, changes=LEFT_AT_THE_END)
def test_nobody_is_missed_where_pages_have_numbers(order: str, people: int, changes: list[tuple[str, int]]) -> None:
    book = Book(people, order, changes)
    roll = Roll(book.numbered)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("shared.vendors.campaign_monitor.left_alone.MOST_ROWS", SIZE)
        with contextlib.suppress(RetryAfter):
            roll.refresh()
            assert not [name for name in book.always if name not in roll]


def test_one_page_takes_one_request() -> None:
    book = Book(SIZE - 1, "oldest", [])
    assert len(list(every("Acme", book.page, SIZE))) == SIZE - 1
    assert book.asked == [0]


def test_a_quiet_list_is_read_once_and_its_front_once_more() -> None:
    book = Book(3 * SIZE, "oldest", [])
    assert len(list(every("Acme", book.page, SIZE))) == 3 * SIZE
    assert book.asked == [0, 3, 6, 9, 0]


def test_the_reader_goes_back_where_somebody_before_it_left() -> None:
    book = Book(3 * SIZE, "oldest", [("leave", 0)])
    assert len(list(every("Acme", book.page, SIZE))) == 3 * SIZE
    assert book.asked[:4] == [0, 3, 0, 3]


def test_it_goes_back_a_page_and_again_as_little_when_somebody_leaves_later() -> None:
    still = ("none", 0)
    book = Book(4 * SIZE, "oldest", [still, ("leave", 0), still, still, ("leave", 0)])
    list(every("Acme", book.page, SIZE))
    assert book.asked == [0, 3, 6, 3, 6, 9, 6, 9, 12, 0]


def test_each_step_back_is_twice_as_long() -> None:
    book = Book(20 * SIZE, "oldest", [])

    def ask(place: int) -> list[Entry]:
        if place == 60 and len(book.entries) == 80:
            del book.entries[:50]
        return book.page(place)

    assert {name for name, _ in every("Acme", ask, SIZE)} >= {name for name, _ in book.entries}
    assert book.asked[20:26] == [60, 57, 51, 39, 15, 0]


def test_many_leavers_at_once_take_few_steps_back() -> None:
    book = Book(100 * SIZE, "oldest", [])
    gone = range(80 * SIZE)

    def ask(place: int) -> list[Entry]:
        if len(book.asked) == 90:
            del book.entries[: len(gone)]
        return book.page(place)

    found = {name for name, _ in every("Acme", ask, SIZE)}
    assert found >= {name for name, _ in book.entries}
    assert len(book.asked) < 180


@pytest.mark.parametrize(
    "ask",
    [
        lambda place: [(str(number), 0) for number in range(SIZE)],
        lambda place: [(f"{place}-{number}", 0) for number in range(SIZE)] if not place else [],
    ],
    ids=["the place is ignored", "the rest never shows"],
)
def test_a_list_that_cannot_be_read_is_given_up(ask: Callable[[int], list[Entry]]) -> None:
    asked: list[int] = []

    def counted(place: int) -> list[Entry]:
        asked.append(place)
        return ask(place)

    with pytest.raises(RetryAfter) as raised:
        list(every("Acme", counted, SIZE))
    assert len(asked) == 1 + 20, "after twenty pages with nobody new"
    assert raised.value.seconds == 60


def test_a_front_that_has_somebody_new_each_time_is_given_up() -> None:
    book = Book(3 * SIZE, "newest", [("come", 0)] * 200)
    with pytest.raises(RetryAfter):
        list(every("Acme", book.page, SIZE))
