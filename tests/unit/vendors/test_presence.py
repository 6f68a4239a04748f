"""Whom a vendor does not have is neither changed nor taken off, for either could make them anew."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from shared.errors import RetryAfter
from shared.vendors import looking_up
from shared.vendors.answers import Unreadable
from shared.vendors.contract import PROFILE_MISSING, Definition, Kind, Row
from shared.vendors.limits import Limiter
from shared.vendors.looking_up import ANSWER_SECONDS, FEW, Looks
from shared.vendors.presence import Presence, missing, never_there, not_found_words, not_there_yet, told
from shared.vendors.registry import DEFINITIONS

PAGE = 10


def definition(lanes: int = 1, page: int = PAGE) -> Definition:
    """Of a vendor without rates: a page takes as long as a question."""
    return replace(DEFINITIONS["omnisend"], looks=Looks("person", "page", page, lanes), rates=())


DEFINITION = definition()


class Vendor:
    """Knows the people of `known`; those of `listed` are on the target, in pages of ten."""

    def __init__(self, known: set[str], listed: set[str] | None = None) -> None:
        self.known = known
        self.listed = sorted(known if listed is None else listed)
        self.asked: list[str] = []
        self.broken = 0

    def is_known(self, address: str) -> bool:
        self.asked.append(address)
        if address.startswith("strange"):
            raise Unreadable("The answer makes no sense.")
        return address in self.known

    def presence(self, lanes: int = 1, page: int = PAGE, wanted: int = 0, people: int | None = None) -> Presence:
        looks = definition(lanes, page)
        return Presence(looks, self.is_known, self.pages, Limiter(()), wanted=wanted, people=people)

    def pages(self, seconds: float = 0.0) -> Iterator[list[str]]:
        for start in range(0, len(self.listed), PAGE):
            self.asked.append("page")
            if self.broken:
                self.broken -= 1
                raise RetryAfter(30, "Requests have to wait.")
            yield [each.upper() for each in self.listed[start : start + PAGE]]


def people(count: int, first: int = 0) -> list[Row]:
    return [Row(f"p{number:04}@example.com") for number in range(first, first + count)]


def known(count: int) -> set[str]:
    return {row.address for row in people(count)}


@pytest.mark.parametrize(("kind", "code"), [(Kind.CHANGE, PROFILE_MISSING), (Kind.REMOVE, "not_found")])
def test_who_is_unknown_gets_a_receipt_and_is_not_sent(kind: Kind, code: str) -> None:
    found = Vendor(known(2)).presence().absent(kind, people(3))
    assert {index: receipt.code for index, receipt in found.items()} == {2: code}
    assert told("Omnisend", kind, found.values()) == ((not_found_words("Omnisend"),) if kind is Kind.REMOVE else ())


@pytest.mark.parametrize("lanes", [1, 4])
def test_many_are_found_among_the_targets_people_and_only_the_others_are_asked_for(lanes: int) -> None:
    vendor = Vendor(known(FEW + 5), known(FEW + 3))
    presence = vendor.presence(lanes)
    assert not presence.absent(Kind.CHANGE, people(FEW + 5))
    assert vendor.asked.count("page") == 3
    assert {each for each in vendor.asked if each != "page"} == {row.address for row in people(2, FEW + 3)}
    assert list(presence.absent(Kind.REMOVE, people(FEW + 6))) == [FEW + 5]
    assert vendor.asked.count("page") == 3
    assert len(vendor.asked) == 6, "whom the vendor was asked about is not asked for again"


def test_a_few_are_asked_for_one_by_one() -> None:
    vendor = Vendor(known(500))
    assert not vendor.presence().absent(Kind.CHANGE, people(FEW))
    assert vendor.asked == [row.address for row in people(FEW)]


def test_with_one_lane_nothing_is_asked_for_beside_the_callers_own_requests() -> None:
    vendor, threads = Vendor(known(100), set()), set()

    def is_known(address: str) -> bool:
        threads.add(threading.current_thread())
        return vendor.is_known(address)

    presence = Presence(DEFINITION, is_known, vendor.pages, Limiter(()))
    for first in range(0, 90, 30):
        assert not presence.absent(Kind.CHANGE, people(30, first))
    assert threads == {threading.current_thread()}


def test_two_lanes_ask_for_two_people_at_once() -> None:
    both = threading.Barrier(2, timeout=10)

    def is_known(address: str) -> bool:
        return both.wait() >= 0

    asked = Presence(definition(lanes=2), is_known, lambda _: iter(()), Limiter(())).absent(Kind.CHANGE, people(2))
    assert not asked


def test_of_a_list_whose_length_nobody_knows_reading_and_asking_cost_at_most_twice_the_cheaper_of_both() -> None:
    vendor = Vendor(known(2_000))
    presence = vendor.presence()
    for first in range(0, 600, 30):
        assert not presence.absent(Kind.CHANGE, people(30, first))
    assert len(vendor.asked) <= 2 * (2_000 // PAGE)


@pytest.mark.parametrize(("expected", "pages"), [(150, 0), (190, 0), (200, 200), (600, 200)])
def test_who_is_expected_decides_for_all_batches_together(expected: int, pages: int) -> None:
    vendor = Vendor(known(2_000))
    presence = vendor.presence(wanted=expected, people=2_000)
    for first in range(0, 150, 30):
        assert not presence.absent(Kind.CHANGE, people(30, first))
    assert vendor.asked.count("page") == pages
    assert len(vendor.asked) == (pages or 150)


def test_a_list_that_is_longer_than_was_expected_is_read_no_longer_than_asking_takes() -> None:
    vendor = Vendor(known(2_000))
    presence = vendor.presence(wanted=100, people=300)
    for first in range(1_900, 2_000, 50):
        assert not presence.absent(Kind.CHANGE, people(50, first))
    assert vendor.asked.count("page") == 100
    assert len(vendor.asked) == 200


def test_a_batch_that_asks_about_nobody_reads_nothing() -> None:
    vendor = Vendor(known(200))
    presence = vendor.presence(wanted=100, people=200)
    now = time.time()
    assert not presence.absent(Kind.CHANGE, [row._replace(shown_at=now) for row in people(100)])
    assert not vendor.asked


def test_a_list_in_one_answer_is_read_once_where_it_may_come_in_time() -> None:
    vendor = Vendor(known(5))
    presence = vendor.presence(page=0, wanted=100, people=100)
    for first in (0, 40):
        presence.absent(Kind.CHANGE, people(40, first))
    assert vendor.asked.count("page") == 1
    assert len(vendor.asked) == 1 + 75


def test_reading_ends_when_its_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = itertools.count(0.0, 0.4 * looking_up.LONGEST)
    monkeypatch.setattr("shared.vendors.presence.time.monotonic", lambda: next(clock))
    vendor = Vendor(known(2_000))
    assert not vendor.presence().absent(Kind.CHANGE, people(1_000))
    assert vendor.asked.count("page") == 3


def test_pages_that_cannot_be_had_are_read_from_the_start_again() -> None:
    vendor = Vendor(known(FEW + 5))
    vendor.broken = 1
    presence = vendor.presence()
    with pytest.raises(RetryAfter):
        presence.absent(Kind.CHANGE, people(FEW + 5))
    assert not presence.absent(Kind.CHANGE, people(FEW + 5))
    assert vendor.asked == ["page"] * 4


@pytest.mark.parametrize(
    ("wanted", "most_pages", "cheap"), [(FEW, 0, True), (FEW + 1, 100, True), (FEW + 1, 3, False), (FEW + 1, 0, False)]
)
def test_looking_is_cheap_for_a_few_and_where_everybody_is_read(
    wanted: int, most_pages: int, cheap: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.vendors.looking_up.LONGEST", most_pages * ANSWER_SECONDS)
    assert Vendor(known(40)).presence().is_cheap(wanted) is cheap


def test_who_may_just_have_been_added_is_left_to_the_next_run(monkeypatch: pytest.MonkeyPatch) -> None:
    fresh = DEFINITION.fresh_seconds
    monkeypatch.setattr("shared.vendors.presence.time.time", lambda: 1_000_000.0)
    rows = [Row(f"{ago}@example.com", unsure_since=1_000_000.0 - ago) for ago in (0, fresh - 1, fresh, fresh + 1)]
    found = Vendor(set()).presence().absent(Kind.REMOVE, rows)
    assert [receipt.code for receipt in found.values()] == ["not_there_yet"] * 2 + ["never_there"] * 2


def test_only_leavers_who_were_not_found_are_told_of() -> None:
    unknown = missing("Omnisend").values()
    assert told("Omnisend", Kind.REMOVE, unknown)
    assert not told("Omnisend", Kind.ADD, unknown)
    assert not told("Omnisend", Kind.REMOVE, [never_there("Omnisend"), not_there_yet("Omnisend")])


def test_one_answer_without_sense_is_that_persons_and_all_of_them_are_the_vendors() -> None:
    some = [Row("strange1@example.com"), *people(2)]
    assert [each.code for each in Vendor(known(2)).presence().absent(Kind.REMOVE, some).values()] == ["not_looked_at"]
    with pytest.raises(Unreadable):
        Vendor(set()).presence().absent(Kind.REMOVE, [Row("strange1@example.com"), Row("strange2@example.com")])
