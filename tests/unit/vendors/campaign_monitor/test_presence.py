"""Whom a list does not have is not imported by a change, and leavers who are not found are told of."""

from __future__ import annotations

import pytest

from shared.errors import UserMustAct
from shared.vendors.contract import PROFILE_MISSING, Kind, Row
from shared.vendors.looking_up import FEW, Prospect
from shared.vendors.presence import not_found_words
from tests.unit.vendors.campaign_monitor.account import LIST, TARGET, Account, error, receipts, rows, world

VALUES = '{"Name":"Changed"}'
NOT_FOUND = (not_found_words("Campaign Monitor"),)


def active(count: int) -> dict[str, str]:
    return {row.address: "Active" for row in rows(count)}


@pytest.mark.parametrize("count", [1, 3, FEW, FEW + 30], ids=["one", "three", "a few", "many"])
@pytest.mark.parametrize("missing", [0, -1], ids=["the first", "the last"])
def test_a_change_of_somebody_who_is_not_there_makes_nobody(count: int, missing: int) -> None:
    people = rows(count, VALUES)
    gone = people[missing].address
    account = Account(people={address: state for address, state in active(count).items() if address != gone})
    with world(account) as here:
        found = here.vendor.deliver(TARGET, Kind.CHANGE, people)
    assert gone not in account.people
    expected = ["accepted"] * count
    expected[missing] = f"rejected {PROFILE_MISSING}"
    assert receipts(found, count) == expected


def test_where_nobody_is_there_nothing_is_imported() -> None:
    account = Account()
    with world(account) as here:
        found = here.vendor.deliver(TARGET, Kind.CHANGE, rows(2, VALUES))
        assert not here.imports()
    assert receipts(found, 2) == [f"rejected {PROFILE_MISSING}"] * 2


@pytest.mark.parametrize(
    ("state", "receipt"),
    [
        ("Active", "accepted"),
        ("Unconfirmed", "skipped unconfirmed"),
        ("Unsubscribed", "rejected unsubscribed"),
        ("Bounced", "rejected bounced"),
        ("Deleted", "rejected deleted"),
    ],
)
def test_of_whoever_is_there_in_any_state_the_import_says_what_it_said_before(state: str, receipt: str) -> None:
    account = Account(people={"p0@example.com": state})
    with world(account) as here:
        assert receipts(here.vendor.deliver(TARGET, Kind.CHANGE, rows(1, VALUES)), 1) == [receipt]
    assert account.people == {"p0@example.com": state}


def test_newcomers_are_not_looked_up() -> None:
    with world(Account()) as here:
        here.vendor.deliver(TARGET, Kind.ADD, rows(FEW + 1))
        assert here.calls() == [f"POST subscribers/{LIST}/import"]


def test_many_changes_take_a_page_of_the_list_for_a_thousand_people() -> None:
    account = Account(people=active(60))
    with world(account) as here:
        here.vendor.deliver(TARGET, Kind.CHANGE, rows(60, VALUES))
        here.vendor.deliver(TARGET, Kind.CHANGE, rows(60, VALUES))
        asked = here.calls()
    lists = [f"GET lists/{LIST}/active", f"GET lists/{LIST}/unconfirmed"]
    assert asked == [*lists, *[f"POST subscribers/{LIST}/import"] * 2]


def test_on_a_list_that_takes_longer_to_be_read_each_is_asked_for() -> None:
    account = Account(people=active(FEW + 2))
    with world(account) as here:
        here.vendor.expect(Prospect(changes=FEW + 2, members=1_000_000))
        here.vendor.deliver(TARGET, Kind.CHANGE, rows(FEW + 2, VALUES))
        assert here.calls().count(f"GET subscribers/{LIST}") == FEW + 2


@pytest.mark.parametrize(
    ("people", "row", "told"),
    [
        ({}, Row("p0@example.com"), NOT_FOUND),
        ({"p0.new@example.com": "Active"}, Row("p0@example.com"), NOT_FOUND),
        ({"p0@example.com": "Deleted"}, Row("p0@example.com"), ()),
        ({"p0@example.com": "Active"}, Row("p0@example.com"), ()),
        ({}, Row("p0@example.com", unsure_since=1.0), ()),
    ],
    ids=["erased", "another address", "deleted from the list", "there", "perhaps never added"],
)
def test_a_leaver_who_is_not_found_is_told_of(people: dict[str, str], row: Row, told: tuple[str, ...]) -> None:
    with world(Account(people=people)) as here:
        found = here.vendor.deliver(TARGET, Kind.REMOVE, [row])
    assert (found.default.outcome, found.warnings) == ("accepted", told)


def test_a_list_that_is_gone_is_said_by_the_look_as_well() -> None:
    gone = Account(other={f"/subscribers/{LIST}": error(101, status=401)}, lists={})
    with world(gone) as here, pytest.raises(UserMustAct) as raised:
        here.vendor.deliver(TARGET, Kind.CHANGE, rows(1, VALUES))
    assert raised.value.code == "target_vanished"
