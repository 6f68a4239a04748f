"""Made-up segments: few people, but joiners, leavers, changes, a duplicate, one refused here, one by the vendor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.integration.delivery.engine import Person


@dataclass(frozen=True, slots=True)
class Segment:
    """Rows as they are landed; `members` are the people that belong on the list, with their fields."""

    rows: Sequence[Person]
    members: Mapping[str, Mapping[str, str]]


def person(export: str, number: int, *, first: str = "") -> Person:
    """Somebody of one export only, so that the simulator's journal tells exports apart."""
    return Person(f"{export}.person{number}@example.com", first or f"First{number}", f"City {number % 7}")


def refused_by_the_vendor(export: str) -> str:
    """An address that only the vendor finds fault with."""
    return f"{export}.odd@nowhere.zzz"


def segment(export: str, people: Sequence[Person]) -> Segment:
    odd = [Person("bad@@example"), Person(refused_by_the_vendor(export), "Odd"), people[0]]
    members = {each.email: {"first": each.first, "city": each.city} for each in people}
    return Segment([*people, *odd], members)


FEW = 20
"""Enough for two parts, several windows and all kinds of operation, where every point of a run is tried."""
USUAL = 38


def first(export: str, people: int = USUAL) -> Segment:
    return segment(export, [person(export, number) for number in range(people)])


def second(export: str, people: int = USUAL) -> Segment:
    """Six left, six joined, four changed, the others stayed."""
    changed = [person(export, number, first="Changed") for number in range(6, 10)]
    stayed = [person(export, number) for number in range(10, people)]
    joined = [person(export, number) for number in range(100, 106)]
    return segment(export, [*changed, *stayed, *joined])


def third(export: str, people: int = USUAL) -> Segment:
    """Some who left are back, others have left."""
    return segment(export, [person(export, number) for number in range(people - 4)])
