"""Whom a vendor does not have is neither changed nor taken off, for either could make them anew."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from shared.errors import RetryAfter
from shared.vendors.answers import Unreadable
from shared.vendors.contract import PROFILE_MISSING, Kind, Row
from shared.vendors.presence import FEW, Presence, missing, never_there, not_found_words, not_there_yet, told
from shared.vendors.registry import DEFINITIONS

DEFINITION = DEFINITIONS["omnisend"]
PAGE = 10


class Vendor:
    """Knows the people of `known`; those of `listed` are on the target, in pages of ten."""

    def __init__(self, known: set[str], listed: set[str] | None = None, most_pages: int = 100) -> None:
        self.known = known
        self.listed = sorted(known if listed is None else listed)
        self.most_pages = most_pages
        self.asked: list[str] = []
        self.broken = 0

    def is_known(self, address: str) -> bool:
        self.asked.append(address)
        if address.startswith("strange"):
            raise Unreadable("The answer makes no sense.")
        return address in self.known

    def presence(self, lanes: int = 1) -> Presence:
        return Presence(DEFINITION, self.is_known, self.pages, most_pages=self.most_pages, lanes=lanes)

    def pages(self) -> Iterator[list[str]]:
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


def test_without_a_word_one_page_is_read_and_nothing_is_asked_for_beside_the_callers_own_requests() -> None:
    vendor, threads = Vendor(known(100)), set()

    def is_known(address: str) -> bool:
        threads.add(threading.current_thread())
        return vendor.is_known(address)

    presence = Presence(DEFINITION, is_known, vendor.pages)
    for first in range(0, 90, 30):
        assert not presence.absent(Kind.CHANGE, people(30, first))
    assert vendor.asked.count("page") == 1
    assert threads == {threading.current_thread()}


def test_two_lanes_ask_for_two_people_at_once() -> None:
    both = threading.Barrier(2, timeout=10)

    def is_known(address: str) -> bool:
        return both.wait() >= 0

    assert not Presence(DEFINITION, is_known, lambda: iter(()), lanes=2).absent(Kind.CHANGE, people(2))


@pytest.mark.parametrize("most_pages", [0, 1, 7, 60, 1_000])
def test_reading_and_asking_together_cost_at_most_twice_the_cheaper_of_both(most_pages: int) -> None:
    vendor = Vendor(known(2_000), most_pages=most_pages)
    presence = vendor.presence()
    for first in range(0, 600, 30):
        assert not presence.absent(Kind.CHANGE, people(30, first))
    pages = vendor.asked.count("page")
    assert pages == most_pages if most_pages < 100 else pages <= 2_000 // PAGE
    assert len(vendor.asked) <= 600 + most_pages
    if most_pages == 1_000:
        assert len(vendor.asked) <= 2 * (2_000 // PAGE)


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
def test_looking_is_cheap_for_a_few_and_where_everybody_is_read(wanted: int, most_pages: int, cheap: bool) -> None:
    assert Vendor(known(40), most_pages=most_pages).presence().is_cheap(wanted) is cheap


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
