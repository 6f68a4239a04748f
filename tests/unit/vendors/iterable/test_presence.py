"""Whom Iterable does not have is neither changed nor taken off, for either could make a profile."""

from __future__ import annotations

import time

import pytest

from shared.vendors.answers import Unreadable
from shared.vendors.contract import PROFILE_MISSING, Count, Kind, Row
from shared.vendors.iterable.presence import FEW, NOT_FOUND_WORDS, Presence, told


class Project:
    def __init__(self, known: set[str], listed: set[str] | None = None, size: int | None = None) -> None:
        self.known = known
        self.listed = known if listed is None else listed
        self.size = len(self.listed) if size is None else size
        self.asked: list[str] = []

    def is_known(self, address: str) -> bool:
        self.asked.append(address)
        if address.startswith("strange"):
            raise Unreadable(30, "Iterable's answer makes no sense.")
        return address in self.known

    def presence(self) -> Presence:
        return Presence(self.is_known, self.members, lambda: Count(self.size) if self.size >= 0 else None)

    def members(self) -> set[str]:
        self.asked.append("members")
        return {each.upper() for each in self.listed}


def people(count: int) -> list[Row]:
    return [Row(f"p{number}@example.com") for number in range(count)]


def known(count: int) -> set[str]:
    return {row.address for row in people(count)}


@pytest.mark.parametrize(("kind", "code"), [(Kind.CHANGE, PROFILE_MISSING), (Kind.REMOVE, "not_found")])
def test_who_is_unknown_gets_a_receipt_and_is_not_sent(kind: Kind, code: str) -> None:
    found = Project(known(2)).presence().absent(kind, people(3))
    assert {index: receipt.code for index, receipt in found.items()} == {2: code}
    assert told(found, kind) == ((NOT_FOUND_WORDS,) if kind is Kind.REMOVE else ())


def test_many_are_found_among_the_members_and_only_the_others_are_looked_up() -> None:
    project = Project(known(FEW + 5), known(FEW + 3))
    presence = project.presence()
    assert not presence.absent(Kind.CHANGE, people(FEW + 5))
    assert project.asked == ["members", f"p{FEW + 3}@example.com", f"p{FEW + 4}@example.com"]
    assert list(presence.absent(Kind.REMOVE, people(FEW + 6))) == [FEW + 5]
    assert project.asked.count("members") == 1


@pytest.mark.parametrize("size", [200_001, -1], ids=["too many to read", "no such list"])
def test_where_the_members_cannot_be_read_all_are_looked_up(size: int) -> None:
    project = Project(known(FEW), size=size)
    assert list(project.presence().absent(Kind.REMOVE, people(FEW + 1))) == [FEW]
    assert "members" not in project.asked
    assert len(project.asked) == FEW + 1


def test_who_may_just_have_been_added_is_left_to_the_next_run() -> None:
    rows = [Row("a@example.com", unsure_since=time.time()), Row("b@example.com", unsure_since=1.0)]
    found = Project(set()).presence().absent(Kind.REMOVE, rows)
    assert [receipt.code for receipt in found.values()] == ["not_there_yet", "never_there"]


def test_one_answer_without_sense_is_that_persons_and_all_of_them_are_the_vendors() -> None:
    some = [Row("strange1@example.com"), *people(2)]
    assert [each.code for each in Project(known(2)).presence().absent(Kind.REMOVE, some).values()] == ["not_looked_at"]
    with pytest.raises(Unreadable):
        Project(set()).presence().absent(Kind.REMOVE, [Row("strange1@example.com"), Row("strange2@example.com")])
