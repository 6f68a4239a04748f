"""Who unsubscribed from a list is known by the address and by the contact's id, however long the roll is."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.errors import RetryAfter, UserMustAct
from shared.vendors.contract import Row
from shared.vendors.dotdigital.left_alone import Unsubscribed
from shared.vendors.dotdigital.responses import Opposed

PAGE = 1000


def opposed(*names: str, when: str = "2026-01-01") -> Opposed:
    return Opposed(frozenset(names), when)


class Rolls:
    """The rolls of some lists, and how they were asked for."""

    def __init__(self, **people: list[Opposed]) -> None:
        self.people = people
        self.asked: list[tuple[str, int]] = []
        self.busy = False

    def ask(self, list_id: str, skip: int) -> Sequence[Opposed]:
        self.asked.append((list_id, skip))
        if self.busy and skip:
            raise RetryAfter(30, "Requests have to wait.")
        return self.people[list_id][skip : skip + PAGE]


@pytest.mark.parametrize(
    ("row", "left"),
    [
        (Row("ann@example.com"), True),
        (Row(" Ann@Example.com"), True),
        (Row("ann.new@example.com", vendor_id="71"), True),
        (Row("bo@example.com", vendor_id="71"), True),
        (Row("cy@example.com", vendor_id="72"), False),
        (Row("71@example.com", vendor_id="7"), False),
        (Row("cy@example.com"), False),
    ],
)
def test_a_person_is_known_by_the_address_or_by_the_id(row: Row, left: bool) -> None:
    rolls = Rolls(one=[opposed("ann@example.com", "71"), opposed("info@xn--mller-kva.de")])
    assert Unsubscribed(rolls.ask).among("one", [Row("dee@example.com"), row]) == ({1} if left else set())


def test_a_domain_in_letters_is_the_same_mailbox() -> None:
    rolls = Rolls(one=[opposed("info@xn--mller-kva.de")])
    assert Unsubscribed(rolls.ask).among("one", [Row("info@müller.de")]) == {0}


@pytest.mark.parametrize("told", [(), ("",)])
def test_an_entry_without_address_and_id_is_nobody(told: tuple[str, ...]) -> None:
    rolls = Rolls(one=[opposed(*told), opposed("ann@example.com")])
    assert Unsubscribed(rolls.ask).among("one", [Row("ann@example.com"), Row("bo@example.com")]) == {0}


def test_each_list_has_its_own_roll_which_is_read_once() -> None:
    rolls = Rolls(one=[opposed("ann@example.com")], two=[opposed("bo@example.com")])
    known = Unsubscribed(rolls.ask)
    people = [Row("ann@example.com"), Row("bo@example.com")]
    for _ in range(2):
        assert known.among("one", people) == {0}
        assert known.among("two", people) == {1}
    assert rolls.asked == [("one", 0), ("two", 0)]


def test_a_long_roll_is_read_to_its_end_by_full_pages() -> None:
    rolls = Rolls(one=[opposed(f"p{number}@example.com", when=str(number)) for number in range(2_500)])
    people = [Row(f"p{number}@example.com") for number in range(2_600)]
    assert Unsubscribed(rolls.ask).among("one", people) == set(range(2_500))
    assert rolls.asked == [("one", skip) for skip in (0, 999, 1_998, 0)]


def test_batches_that_come_at_once_read_it_once() -> None:
    rolls = Rolls(one=[opposed("ann@example.com")])
    together = threading.Barrier(4, timeout=10)
    known = Unsubscribed(rolls.ask)

    def look(_: int) -> set[int]:
        together.wait()
        return known.among("one", [Row("ann@example.com")])

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(look, range(4))) == [{0}] * 4
    assert rolls.asked == [("one", 0)]


def test_a_roll_that_broke_off_is_not_known() -> None:
    rolls = Rolls(one=[opposed(f"p{number}@example.com", when=str(number)) for number in range(1_500)])
    rolls.busy = True
    known = Unsubscribed(rolls.ask)
    with pytest.raises(RetryAfter):
        known.among("one", [Row("p1400@example.com")])
    rolls.busy = False
    assert known.among("one", [Row("p1400@example.com")]) == {0}


def test_a_list_that_more_than_a_hundred_thousand_unsubscribed_from_is_refused() -> None:
    people = [opposed(f"p{number}@example.com") for number in range(100_001)]
    rolls = Rolls(one=people[:-1], two=people)
    known = Unsubscribed(rolls.ask)
    assert known.among("one", [Row("p99999@example.com")]) == {0}
    with pytest.raises(UserMustAct) as raised:
        known.among("two", [Row("p99999@example.com")])
    assert raised.value.code == "too_many_unsubscribed"
