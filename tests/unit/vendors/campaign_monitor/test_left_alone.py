"""Long lists of people: read page by page, later only what is new, kept as hashes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from shared.errors import RetryAfter
from shared.vendors.campaign_monitor.left_alone import LeftAlone, Roll, pages
from shared.vendors.campaign_monitor.responses import Page
from shared.vendors.contract import Row
from shared.vendors.hashes import Hashes

SIZE = 1000


class Book:
    """A roll at the vendor: (address, date), and how it is asked for. `sorts` as it is told, or by nothing."""

    def __init__(self, people: list[tuple[str, str]], *, sorts: bool = True, says: bool = True) -> None:
        self.people = people
        self.sorts = sorts
        self.says = says
        self.asked: list[int] = []

    def __call__(self, number: int) -> Page:
        self.asked.append(number)
        ordered = sorted(self.people, key=lambda each: each[1], reverse=True) if self.sorts else self.people
        shown = ordered[(number - 1) * SIZE : number * SIZE]
        return Page(shown, len(ordered), -(-len(ordered) // SIZE), newest_first=self.sorts and self.says)


def people(count: int, day: int = 1, name: str = "p") -> list[tuple[str, str]]:
    return [(f"{name}{number}@x.com", f"2026-11-{day:02d} 10:{number // 60 % 60:02d}:00") for number in range(count)]


def test_hashes_are_a_set_regardless_of_case_and_spaces() -> None:
    found = Hashes()
    for address in ("a@x.com", " A@X.com ", "b@x.com"):
        found.add(address)
    assert len(found) == 2
    assert "B@x.com" in found
    assert "c@x.com" not in found


@pytest.mark.parametrize("told", ["Info@Müller.de", "info@xn--mller-kva.de", "in\u200bfo@müller.de "])
@pytest.mark.parametrize("sent", ["info@müller.de", "info@xn--mller-kva.de"])
def test_who_said_no_is_known_in_every_spelling(told: str, sent: str) -> None:
    found = Hashes()
    found.add(told)
    assert sent in found


MANY = 5_000


@pytest.mark.parametrize("size", [1, 250, MANY])
def test_many_hashes(size: int) -> None:
    """Added one by one, or so many at once, and half of them twice."""
    found = Hashes()
    for first in range(0, MANY, size):
        if size == 1:
            found.add(f"{first // 2}@x.com")
            found.add(f"{first}@x.com")
        else:
            found.update(f"{number}@x.com" for number in range(first // 2, min(first + size, MANY)))
    assert len(found) == MANY
    assert all(f"{number}@x.com" in found for number in range(MANY))
    assert not any(f"{number}@y.com" in found for number in range(MANY))


def test_all_pages_are_read() -> None:
    book = Book(people(2500))
    assert sum(len(page.people) for page in pages(book)) == 2500
    assert book.asked == [1, 2, 3]


def test_an_empty_roll_is_one_page() -> None:
    assert [page.people for page in pages(Book([]))] == [[]]


def test_people_who_move_forward_past_the_reader_are_not_missed() -> None:
    book = Book(people(3000))
    seen: set[str] = set()
    for page in pages(book):
        seen |= {address for address, _ in page.people}
        if book.asked == [1, 2]:
            # Somebody on the first page leaves, so that the first of page three moves to page two.
            book.people.remove(max(book.people, key=lambda each: each[1]))
    assert seen >= {address for address, _ in book.people}
    assert book.asked == [1, 2, 3, 2, 3]


def test_a_page_that_is_past_the_end_by_now_sends_the_reader_back() -> None:
    book = Book(people(3000))
    seen: set[str] = set()

    def ask(number: int) -> Page:
        if number == 3 and len(book.people) == 3000:
            # Everybody on the second page and half of the third leaves before the third is asked for.
            book.people = sorted(book.people, key=lambda each: each[1], reverse=True)
            del book.people[1000:2500]
        shown = book(number)
        return shown if shown.people else Page((), 0, 0, past_end=True)

    for page in pages(ask):
        assert not page.past_end
        seen |= {address for address, _ in page.people}
    assert seen >= {address for address, _ in book.people}


def test_a_reader_who_is_back_at_the_first_page_goes_no_further_back() -> None:
    totals = iter([3000, 2000, 1500, 1500])
    asked: list[int] = []

    def ask(number: int) -> Page:
        asked.append(number)
        total = next(totals)
        return Page((), total, -(-total // SIZE))

    assert [page.shrank for page in pages(ask)] == [False, True, False, False]
    assert asked == [1, 2, 1, 2]


def test_a_roll_without_a_first_page_is_not_an_empty_one() -> None:
    with pytest.raises(RetryAfter):
        list(pages(lambda number: Page((), 0, 0, past_end=True)))


def test_the_second_reading_stops_where_the_first_began() -> None:
    book = Book(people(3500, day=1) + people(3, day=20, name="late"))
    roll = Roll(book)
    roll.refresh()
    assert book.asked == [1, 2, 3, 4, 1]
    book.people += people(5, day=20, name="later")
    roll.refresh()
    assert book.asked == [1, 2, 3, 4, 1, 1]
    assert "later4@x.com" in roll
    assert "p3499@x.com" in roll


def test_the_last_day_seen_is_read_again_since_days_are_all_that_is_known() -> None:
    book = Book(people(1500, day=15) + people(1500, day=19) + people(1500, day=20))
    roll = Roll(book)
    roll.refresh()
    del book.asked[:]
    roll.refresh()
    assert book.asked == [1, 2, 3, 4]  # the 19th and 20th are on pages 1 to 3; the end of page 4 is older


@pytest.mark.parametrize("how", [{"sorts": False}, {"says": False}])
def test_a_roll_that_is_not_said_to_be_in_order_is_read_to_its_end(how: dict[str, bool]) -> None:
    book = Book(people(1, day=18, name="new") + people(2500), **how)
    roll = Roll(book)
    roll.refresh()
    book.people += people(5, day=20, name="late")
    roll.refresh()
    # Twice until all of it has nobody new, then twice for the newcomers.
    assert book.asked == [1, 2, 3] * 4
    assert "late4@x.com" in roll


def test_new_ones_that_did_not_come_first_are_found_by_the_count() -> None:
    book = Book(people(1, day=20, name="new") + people(2500, day=5))
    roll = Roll(book)
    roll.refresh()
    book.people += people(1, day=2, name="old")
    roll.refresh()
    assert "old0@x.com" in roll
    assert book.asked == [1, 2, 3, 1, 1, 1, 2, 3, 1]


def test_a_roll_that_counts_somebody_twice_is_not_read_to_its_end_each_time() -> None:
    book = Book(people(2500, day=1) + people(1, day=1) + people(1, day=20, name="late"))
    roll = Roll(book)
    roll.refresh()
    roll.refresh()
    assert book.asked == [1, 2, 3, 1, 1]


def test_who_left_a_roll_is_still_left_alone() -> None:
    book = Book(people(3))
    roll = Roll(book)
    roll.refresh()
    book.people.clear()
    roll.refresh()
    assert "p1@x.com" in roll


def test_dates_that_are_none_mean_reading_everything_again() -> None:
    book = Book([(f"{number}@x.com", "") for number in range(1500)])
    roll = Roll(book)
    roll.refresh()
    roll.refresh()
    assert book.asked == [1, 2, 1, 1, 2]


def test_a_front_of_many_people_is_read_until_it_is_the_same_twice() -> None:
    """A whole page of them has the newest moment, so that nobody can tell who came while it was read."""
    book = Book([(f"{number}@x.com", "2026-11-20 10:00:00") for number in range(1500)])
    roll = Roll(book)
    roll.refresh()
    assert book.asked == [1, 2] * 3
    assert "1499@x.com" in roll


def test_a_roll_that_moves_all_the_time_is_given_up() -> None:
    moment = "2026-11-20 10:00:00"
    book = Book([(f"{number}@x.com", moment) for number in range(1500)])

    def ask(number: int) -> Page:
        if number == 1:
            book.people.append((f"new{len(book.people)}@x.com", moment))
        return book(number)

    with pytest.raises(RetryAfter) as raised:
        Roll(ask).refresh()
    assert raised.value.seconds == 60
    assert book.asked.count(1) == 1 + 20, "it is begun anew twenty times"


def test_a_reading_that_broke_off_does_not_count_as_done() -> None:
    book = Book(people(2500))
    answers: Iterator[bool] = iter([True, False, True, True, True, True])

    def ask(number: int) -> Page:
        if not next(answers):
            raise RetryAfter(30, "Requests have to wait.")
        return book(number)

    roll = Roll(ask)
    with pytest.raises(RetryAfter):
        roll.refresh()
    roll.refresh()
    assert book.asked == [1, 1, 2, 3, 1]


def test_the_first_reason_is_told() -> None:
    alone = LeftAlone({"unsubscribed": Roll(Book(people(2))), "suppressed": Roll(Book(people(3)))})
    alone.refresh()
    found = alone.among([Row(f"p{number}@x.com") for number in range(4)])
    assert {index: receipt.code for index, receipt in found.items()} == {
        0: "unsubscribed",
        1: "unsubscribed",
        2: "suppressed",
    }
