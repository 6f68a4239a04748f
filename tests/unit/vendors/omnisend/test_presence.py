"""Whom a brand does not have is not written by a change, and leavers who are not found are told of."""

from __future__ import annotations

import pytest

from shared.errors import RetryAfter
from shared.vendors.contract import ACKNOWLEDGED, PROFILE_MISSING, Kind, Row
from shared.vendors.looking_up import ANSWER_SECONDS, FEW
from shared.vendors.omnisend import staging
from shared.vendors.omnisend.staging import NOT_LOOKED_UP
from shared.vendors.presence import not_found_words
from tests.unit.vendors.loopback import Seen, reply
from tests.unit.vendors.omnisend.brand import TARGET, Brand, World, addresses, receipts, rows, world
from tests.unit.vendors.omnisend.test_staging import settled

VALUES = '{"city":"Ulm"}'
TAG = TARGET.list_id
NOT_FOUND = (not_found_words("Omnisend"),)


def looks(here: World) -> tuple[int, int]:
    """Pages of the tag, and people asked for by themselves."""
    asked = [seen.path for seen in here.asked("GET", "contacts")]
    return sum("tag=" in path for path in asked), sum("email=" in path for path in asked)


@pytest.mark.parametrize("count", [1, 3, FEW, FEW + 30, 150], ids=["one", "three", "a few", "many", "two batches"])
@pytest.mark.parametrize("missing", [0, -1], ids=["the first", "the last"])
def test_a_change_of_somebody_who_is_not_there_makes_nobody(count: int, missing: int) -> None:
    people = rows(count, VALUES)
    gone = people[missing].address
    there = addresses(people) - {gone}
    brand = Brand(tags={TAG: set(there)}, contacts={address: {} for address in there})
    with world(brand) as here:
        found = receipts(settled(here, brand, Kind.CHANGE, people), count)
    assert brand.contacts.keys() == there
    assert all(brand.contacts[address].get("city") == "Ulm" for address in there)
    codes = [""] * count
    codes[missing] = PROFILE_MISSING
    assert [each.code for each in found] == codes


def test_a_contact_without_the_tag_is_changed_all_the_same() -> None:
    people = rows(FEW + 3, VALUES)
    brand = Brand(tags={TAG: {"p0@example.com"}}, contacts={address: {} for address in addresses(people)})
    with world(brand) as here:
        assert settled(here, brand, Kind.CHANGE, people).others == {}
        assert looks(here) == (1, FEW + 2)


def test_another_spelling_on_the_tag_is_not_the_person() -> None:
    people = rows(FEW + 1, VALUES)
    brand = Brand(tags={TAG: {each.upper() for each in addresses(people)}})
    with world(brand) as here:
        found = receipts(settled(here, brand, Kind.CHANGE, people), FEW + 1)
    assert {each.code for each in found} == {PROFILE_MISSING}
    assert not brand.contacts


def test_newcomers_are_not_looked_up() -> None:
    brand = Brand()
    with world(brand) as here:
        settled(here, brand, Kind.ADD, rows(FEW + 1, VALUES))
        assert looks(here) == (0, 0)


def test_what_was_read_serves_every_batch() -> None:
    people = rows(300, VALUES)
    brand = Brand(tags={TAG: addresses(people)}, contacts={address: {} for address in addresses(people)})
    with world(brand) as here:
        settled(here, brand, Kind.CHANGE, people)
        settled(here, brand, Kind.CHANGE, people)
        assert looks(here) == (2, 0)


def test_a_step_that_takes_long_leaves_the_rest_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.vendors.looking_up.LONGEST", 0.0)
    people = rows(300, VALUES)
    brand = Brand(contacts={address: {} for address in addresses(people)})
    with world(brand) as here:

        def slowly(seen: Seen) -> None:
            here.clock.wait(0.4)

        brand.instead = slowly
        begun = here.vendor.deliver(TARGET, Kind.CHANGE, people)
        assert begun.staged is not None
        assert 100 <= looks(here)[1] < 200
        assert len(brand.batches) in (1, 2)
        assert settled(here, brand, Kind.CHANGE, people).others == {}
    assert all(contact.get("city") == "Ulm" for contact in brand.contacts.values())
    assert staging.STEP_SECONDS == 30


@pytest.mark.parametrize(
    ("there", "row", "told"),
    [
        ((), Row("p0@example.com"), NOT_FOUND),
        (("new@example.com",), Row("p0@example.com"), NOT_FOUND),
        (("P0@example.com",), Row("p0@example.com"), NOT_FOUND),
        (("p0@example.com",), Row("p0@example.com"), ()),
        ((), Row("p0@example.com", unsure_since=1.0), ()),
    ],
    ids=["erased", "another address", "another spelling", "there", "perhaps never added"],
)
def test_a_leaver_who_is_not_found_is_told_of(there: tuple[str, ...], row: Row, told: tuple[str, ...]) -> None:
    brand = Brand(tags={TAG: set(there)}, contacts={address: {} for address in there})
    with world(brand) as here:
        found = here.vendor.deliver(TARGET, Kind.REMOVE, [row])
    assert (found.default.outcome, found.warnings) == ("accepted", told)


@pytest.mark.parametrize("most_pages", [0, 1])
def test_many_leavers_of_a_tag_too_long_to_be_read_are_not_looked_up_and_each_receipt_says_so(
    monkeypatch: pytest.MonkeyPatch, most_pages: int
) -> None:
    monkeypatch.setattr("shared.vendors.looking_up.LONGEST", most_pages * ANSWER_SECONDS)
    people = rows(600)
    brand = Brand(tags={TAG: addresses(people)})
    with world(brand) as here:
        people[-1] = people[-1]._replace(unsure_since=1.0)
        found = here.vendor.deliver(TARGET, Kind.REMOVE, people)
        assert (found.default, found.others, found.warnings) == (NOT_LOOKED_UP, {599: ACKNOWLEDGED}, ())
        assert looks(here) == (most_pages, 0)
    assert not brand.members(TAG)


def test_nobody_keeps_the_tag_because_a_look_failed() -> None:
    brand = Brand(tags={TAG: {"p0@example.com"}})
    brand.instead = lambda seen: reply({}, 404) if "email=" in seen.path else None
    with world(brand) as here:
        assert here.vendor.deliver(TARGET, Kind.REMOVE, rows(1)).default == NOT_LOOKED_UP
    assert not brand.members(TAG)


def test_nobody_is_written_because_a_look_failed() -> None:
    brand = Brand(instead=lambda seen: reply({"title": "x"}, 500) if "email=" in seen.path else None)
    with world(brand) as here, pytest.raises(RetryAfter):
        here.vendor.deliver(TARGET, Kind.CHANGE, rows(2, VALUES))
    assert not brand.batches
