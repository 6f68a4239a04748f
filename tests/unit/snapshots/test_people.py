from __future__ import annotations

import pytest

from dev.demo.people import COLUMNS, Person, expected_members, make_people, next_version


def test_the_same_seed_makes_the_same_people() -> None:
    assert make_people(500, 7) == make_people(500, 7)
    assert make_people(500, 7) != make_people(500, 8)


def test_some_repeat_an_address_and_some_have_none() -> None:
    people = make_people(5000, 1)
    repeated = 5000 - len(expected_members(people)) - sum(person.address is None for person in people)
    assert repeated > 50
    assert sum(person.address is None for person in people) > 25
    assert any(person.email == person.email.upper() for person in people if person.address)
    assert any(person.email != person.email.strip() for person in people if person.address)


def test_every_domain_is_reserved_for_examples() -> None:
    domains = {address.partition("@")[2] for address in expected_members(make_people(500, 1))}
    assert domains == {"example.com", "example.org", "example.net"}


def test_the_first_row_of_an_address_counts() -> None:
    [one] = make_people(1, 1)
    members = expected_members([one, one._replace(city="Elsewhere", email=one.email.upper())])
    assert members == {one.address: one}


def test_cells_hold_what_is_hard_to_read() -> None:
    cells = "".join(str(cell) for person in make_people(2000, 1) for cell in person[: len(COLUMNS)])
    assert all(hard in cells for hard in ('"', ",", "\n", "\r\n", "例", "😀"))
    assert any("" in person[: len(COLUMNS)] for person in make_people(100, 1))


def test_a_later_version_differs_by_exactly_what_was_asked() -> None:
    people = make_people(2000, 1)
    later = next_version(people, 2, joins=30, leaves=20, changes=10)
    before, after = expected_members(people), expected_members(later)
    assert len(after.keys() - before.keys()) == 30
    assert len(before.keys() - after.keys()) == 20
    assert len([address for address in before.keys() & after.keys() if before[address] != after[address]]) == 10
    assert next_version(people, 2, joins=30, leaves=20, changes=10) == later


def test_nobody_can_leave_who_is_not_there() -> None:
    with pytest.raises(ValueError, match="too few"):
        next_version(make_people(10, 1), 1, joins=0, leaves=11, changes=0)


def test_a_person_has_a_cell_for_every_column() -> None:
    assert len(Person._fields) == len(COLUMNS) + 1
