"""A list is read whole where that takes less time than asking for people one by one, within the vendor's rates."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.vendors.limits import Limiter
from shared.vendors.looking_up import LONGEST, ListReading, Looks, SecondsFor, asking, reading
from shared.vendors.registry import DEFINITIONS

PAGED = [name for name, each in DEFINITIONS.items() if each.looks and each.looks.page_people]


def of(vendor: str) -> tuple[Looks, SecondsFor]:
    definition = DEFINITIONS[vendor]
    assert definition.looks is not None
    return definition.looks, Limiter(definition.rates).seconds_for


@pytest.mark.parametrize(
    ("vendor", "wanted", "people", "is_read"),
    [
        ("campaign-monitor", 20, 1_000, False),
        ("campaign-monitor", 500, 1_000_000, False),
        ("campaign-monitor", 2_000, 1_000_000, True),
        ("campaign-monitor", 10_000, 1_000_000, True),
        ("campaign-monitor", 10_000, 3_000_000, False),
        ("iterable", 20, 1_000, False),
        ("iterable", 1_000, 100_000, True),
        ("iterable", 1_000, 200_000, False),
        ("iterable", 5_000, 1_000_000, False),
        ("iterable", 15_000, 1_000_000, True),
        ("iterable", 15_000, 5_000_000, False),
        ("omnisend", 200, 100_000, False),
        ("omnisend", 500, 100_000, True),
        ("omnisend", 10_000, 100_000, True),
        ("omnisend", 10_000, 250_000, True),
        ("omnisend", 10_000, 1_000_000, False),
        ("mailchimp", 500, 1_000_000, False),
        ("mailchimp", 10_000, 1_000_000, True),
    ],
)
def test_the_faster_way_is_taken(vendor: str, wanted: int, people: int, is_read: bool) -> None:
    found = reading(*of(vendor), wanted, people, DEFINITIONS[vendor].request_seconds)
    assert bool(found.pages) is is_read


@given(st.sampled_from(PAGED), st.integers(21, 100_000), st.none() | st.integers(0, 10_000_000))
def test_pages_never_take_longer_than_asking_and_never_longer_than_a_slice(
    vendor: str, wanted: int, people: int | None
) -> None:
    looks, seconds_for = of(vendor)
    found = reading(looks, seconds_for, wanted, people)
    assert seconds_for(looks.page, found.pages) <= min(asking(looks, seconds_for, wanted), LONGEST)
    if people is not None and found.pages:
        assert found.pages * looks.page_people >= people, "a list is read whole, or not at all"


@given(st.integers(21, 1_000_000), st.integers(0, 10_000_000))
def test_one_answer_with_everyone_costs_a_quarter_of_asking_or_two_seconds(wanted: int, people: int) -> None:
    looks, seconds_for = of("iterable")
    found = reading(looks, seconds_for, wanted, people, 60.0)
    assert found == ListReading() or found.pages == 1
    assert found.seconds <= min(max(asking(looks, seconds_for, wanted) / 4, 2.0), 60.0)


def test_of_one_answer_whose_length_nobody_knows_nothing_is_read() -> None:
    assert reading(*of("iterable"), 100_000, None) == ListReading()


def test_of_pages_of_a_list_whose_length_nobody_knows_as_many_are_read_as_there_are_questions() -> None:
    looks = Looks("person", "page", 100)
    assert reading(looks, Limiter(()).seconds_for, 300, None).pages == 300
