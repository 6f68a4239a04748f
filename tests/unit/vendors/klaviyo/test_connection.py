"""The check, lists, counts, people and warnings against a scripted account."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from shared.errors import RetryAfter, UserMustAct
from shared.vendors.contract import Count, FieldType, Row, Seen, TargetFound, TargetWanted
from shared.vendors.klaviyo import targets
from shared.vendors.klaviyo.definition import REVISION, SERVED_UNTIL
from tests.unit.vendors.klaviyo.scripted import (
    IMPORTS,
    TARGET,
    Account,
    account_with,
    error,
    hang_up,
    listed,
    rows,
    world,
)
from tests.unit.vendors.loopback import Reply, reply

FLOWS = "GET /api/lists/Y6nRLr/flow-triggers"


def named(name: str) -> TargetWanted:
    return TargetWanted(None, name)


def by_id(list_id: str) -> TargetWanted:
    return TargetWanted(list_id, "")


# The check


def test_a_good_key_is_connected_and_nothing_is_changed() -> None:
    with world(account_with("p0@x.example")) as here:
        found = here.vendor.check()
        assert (found.ok, found.account) == (True, "klaviyo-AbC123")
        assert "Acme" in found.message
        assert len(here.account.people) == 1
        assert here.asked() == ["GET /api/accounts", "GET /api/lists", "GET /api/profiles", IMPORTS]


def test_a_wrong_key_is_a_result() -> None:
    with world(key="pk_wrong") as here:
        found = here.vendor.check()
        assert (found.ok, found.code) == (False, "bad_credentials")
        assert "pk_" not in found.message


def test_a_400_to_the_question_about_the_account_can_only_mean_the_key() -> None:
    with world() as here:
        here.account.other["GET /api/accounts"] = reply(error("invalid"), 400)
        assert here.vendor.check().code == "bad_credentials"


@pytest.mark.parametrize("call", ["GET /api/accounts", "GET /api/lists", "GET /api/profiles", IMPORTS])
def test_a_scope_that_is_lacking_is_said_with_all_that_are_needed(call: str) -> None:
    with world() as here:
        here.account.other[call] = reply(error("permission_denied"), 403)
        found = here.vendor.check()
        assert (found.ok, found.code) == (False, "missing_scope")
        assert "profiles:write" in found.message


def test_a_refusal_of_nobody_is_no_reason_to_doubt_the_key() -> None:
    with world() as here:
        here.account.other[IMPORTS] = reply(error("invalid"), 400)
        assert here.vendor.check().ok


def test_a_revision_that_has_ended_is_said() -> None:
    with world() as here:
        here.account.other["GET /api/accounts"] = reply(error("gone"), 410)
        assert here.vendor.check().code == "version_retired"


@pytest.mark.parametrize(
    ("before", "warned"), [(timedelta(days=91), False), (timedelta(days=90), True), (timedelta(), True)]
)
def test_the_end_of_the_revision_is_said_from_90_days_before(before: timedelta, warned: bool) -> None:
    found = targets.revision_warnings(SERVED_UNTIL - before)
    assert bool(found) == warned
    assert all(REVISION in each and SERVED_UNTIL.isoformat() in each for each in found)


def test_the_check_and_a_run_say_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(targets, "SERVED_UNTIL", date(2027, 1, 20))  # the test's clock is at 2027-01-15
    with world() as here:
        assert "2027-01-20" in here.vendor.check().message
        assert any("2027-01-20" in each for each in here.vendor.prepare(named(TARGET.name), None, {}).warnings)
        assert any("2027-01-20" in each for each in here.vendor.warnings_of(named(TARGET.name), TARGET))


def test_the_account_is_told_by_any_answer() -> None:
    with world() as here:
        assert here.vendor.account() == here.vendor.account() == "klaviyo-AbC123"
        assert here.asked() == ["GET /api/lists"]


def test_an_answer_without_the_accounts_id_is_followed_by_a_question_for_it() -> None:
    with world() as here:
        here.account.other["GET /api/lists"] = reply({"data": [], "links": {"next": None}})
        assert here.vendor.account() == "klaviyo-AbC123"


def test_a_key_of_another_account_is_not_gone_on_with() -> None:
    with world() as here:
        here.vendor.account()
        here.account.other["GET /api/lists/Y6nRLr"] = reply({"data": listed("Y6nRLr", "x")}, cid="XyZ999")
        with pytest.raises(UserMustAct) as caught:
            here.vendor.prepare(by_id("Y6nRLr"), None, {})
        assert caught.value.code == "other_account"


# Rates


@pytest.mark.parametrize(("header", "expected"), [("7", 7.0), ("0", 1.0), (None, 1.0)])
def test_a_refusal_for_the_rate_is_waited_out(header: str | None, expected: float) -> None:
    headers = {"Retry_After": header} if header else {}
    answers = [reply(error("throttled"), 429, **headers), reply({"data": [], "links": {"next": None}})]
    with world() as here:
        here.account.other["GET /api/lists"] = lambda seen: answers.pop(0)
        here.vendor.targets()
        assert sum(here.clock.waits) >= expected
        assert answers == []


def test_without_a_word_the_waits_get_longer_and_in_the_end_another_slice_goes_on() -> None:
    with world() as here:
        here.account.other["GET /api/lists"] = reply(error("throttled"), 429)
        with pytest.raises(RetryAfter):
            here.vendor.targets()
        assert len(here.server.seen) < 12


# Lists


def test_a_list_is_found_by_its_id_or_its_name_and_made_once() -> None:
    with world() as here:
        assert here.vendor.prepare(by_id("Y6nRLr"), None, {}).name == "Loyal customers"
        assert here.vendor.prepare(named("Loyal customers"), None, {}).list_id == "Y6nRLr"
        made = here.vendor.prepare(named("New ones"), None, {})
        assert (made.created, made.name) == (True, "New ones")
        again = here.vendor.prepare(named("New ones"), None, {})
        assert (again.created, again.list_id) == (False, made.list_id)


def test_of_lists_with_one_name_the_oldest_is_used_and_the_others_are_said() -> None:
    account = Account()
    account.lists.append(listed("Older1", "Loyal customers", "2025-01-01T00:00:00+00:00"))
    with world(account) as here:
        found = here.vendor.prepare(named("Loyal customers"), None, {})
        assert found.list_id == "Older1"
        assert "Y6nRLr" in found.warnings[0]


def test_a_name_that_no_filter_can_hold_is_found_among_all_lists() -> None:
    account = Account()
    account.lists = [listed(f"L{n}", f"List {n}") for n in range(15)] + [listed("Odd111", 'say "hi"')]
    with world(account) as here:
        assert here.vendor.prepare(named('say "hi"'), None, {}).list_id == "Odd111"


@pytest.mark.parametrize("list_id", ["Gone11", "not an id", "../accounts"])
def test_a_list_that_is_gone_is_said(list_id: str) -> None:
    with world() as here, pytest.raises(UserMustAct) as caught:
        here.vendor.prepare(by_id(list_id), None, {})
    assert caught.value.code == "target_vanished"


def test_a_list_whose_making_was_not_answered_is_looked_for() -> None:
    account = Account()

    def make(seen: Any) -> Any:
        account.make(seen.json())
        return hang_up

    account.other["POST /api/lists"] = make
    with world(account) as here:
        found = here.vendor.prepare(named("New ones"), None, {})
        assert (found.created, found.list_id) == (True, "new1")


def test_a_name_that_klaviyo_does_not_take_is_for_people_to_change() -> None:
    with world() as here:
        here.account.other["POST /api/lists"] = reply(error("invalid"), 400)
        with pytest.raises(UserMustAct) as caught:
            here.vendor.prepare(named("New ones"), None, {})
        assert caught.value.code == "target_refused"


def test_lists_are_offered_by_name_over_all_pages_without_following_a_link_elsewhere() -> None:
    account = Account()
    account.lists = [listed(f"L{n:02}", f"List {n:02}") for n in reversed(range(25))]
    with world(account) as here:
        assert [each.name for each in here.vendor.targets()] == [f"List {n:02}" for n in range(25)]
        assert len(here.server.seen) == 3


def test_dates_of_the_matching_are_kept_with_the_target() -> None:
    types = {"Seen": FieldType.DATE, "Born": FieldType.DATE, "title": FieldType.STRING}
    with world() as here:
        assert here.vendor.prepare(by_id("Y6nRLr"), None, types).details == {"dates": '["Born","Seen"]'}


# What people are told before the first run


def flow(name: str, status: str, **more: Any) -> dict[str, Any]:
    return {"type": "flow", "id": name, "attributes": {"name": name, "status": status, **more}}


def test_flows_that_the_list_starts_are_said_before_the_first_run_and_not_again() -> None:
    account = Account(flows=[flow("Welcome", "live"), flow("Idea", "draft"), flow("Old", "live", archived=True)])
    with world(account) as here:
        told = " ".join(here.vendor.warnings_of(by_id("Y6nRLr"), None))
        assert "Welcome" in told
        assert "Idea" not in told
        assert "Old" not in told
        assert "bills" in told
        assert here.vendor.warnings_of(by_id("Y6nRLr"), TARGET) == ()
        assert here.vendor.starts(by_id("Y6nRLr"), None) == ["Welcome"]
        assert "Welcome" in here.vendor.prepare(by_id("Y6nRLr"), None, {}).warnings[0]
        assert here.vendor.prepare(by_id("Y6nRLr"), TARGET, {}).warnings == ()


def test_a_key_that_may_not_read_flows_says_so_and_the_run_goes_on() -> None:
    with world() as here:
        here.account.other[FLOWS] = reply(error("permission_denied"), 403)
        assert "flows:read" in here.vendor.prepare(by_id("Y6nRLr"), None, {}).warnings[0]


def test_a_list_that_does_not_exist_yet_is_not_made_by_looking() -> None:
    with world() as here:
        told = here.vendor.warnings_of(named("New ones"), None)
        assert ["bills" in each for each in told] == [True]
        assert here.vendor.starts(named("New ones"), None) == ()
        assert len(here.account.lists) == 1


# Counts and people


def test_members_come_page_by_page_each_once_and_those_without_an_address_not_at_all() -> None:
    account = account_with(*(f"p{n}@x.example" for n in range(7)))
    account.people["01P3"].email = ""
    account.page = 3
    with world(account) as here:
        found = list(here.vendor.members(TARGET))
        assert found == [f"p{n}@x.example" for n in range(7) if n != 3]


def test_the_count_is_the_lists_own() -> None:
    with world(account_with("p0@x.example", "p1@x.example")) as here:
        assert here.vendor.count(TARGET) == Count(2)


def test_a_count_that_is_not_told_is_none() -> None:
    with world() as here:
        here.account.other["GET /api/lists/Y6nRLr"] = reply({"data": listed("Y6nRLr", "x", profile_count=None)})
        assert here.vendor.count(TARGET) is None


def test_people_are_compared_on_the_list_and_off_it_in_two_requests() -> None:
    account = account_with(*(f"p{n}@x.example" for n in range(4)))
    account.people["01P0"].attributes = {
        "title": "Boss",
        "location": {"city": "Ulm", "zip": None},
        "properties": {"Tier": "Gold", "$consent": ["email"]},
    }
    account.people["01P1"].suppressed = ("HARD_BOUNCE",)
    account.people["01P2"].said_no = ("Y6nRLr",)
    account.on_list -= {"01P2", "01P3"}
    sent = '{"title":"Boss","location.city":"Rom","location.zip":"1","Tier":"Gold","Age":7}'
    with world(account) as here:
        batch = [Row("P0@x.example", sent), *rows(4)[1:], Row("nobody@x.example")]
        found = here.vendor.look_at(TARGET, batch)
        assert found[0] == Seen(
            True,
            compared=frozenset({"title", "location.city", "location.zip", "Tier"}),
            differing=frozenset({"location.city", "location.zip"}),
        )
        assert found[1:] == [
            Seen(True, inactive=True),
            Seen(False, inactive=True),
            Seen(False),
            Seen(False),
        ]
        assert here.asked() == ["GET /api/lists/Y6nRLr/profiles", "GET /api/profiles"]


def test_an_unsubscribed_person_is_inactive() -> None:
    account = account_with("p0@x.example")
    told = account.people["01P0"].entry()
    told["attributes"]["subscriptions"]["email"]["marketing"]["consent"] = "UNSUBSCRIBED"
    account.other["GET /api/lists/Y6nRLr/profiles"] = reply({"data": [told], "links": {"next": None}})
    with world(account) as here:
        assert here.vendor.look_at(TARGET, rows(1)) == [Seen(True, inactive=True)]


def test_the_same_page_again_and_again_is_not_read_for_ever() -> None:
    page = {"data": [], "links": {"next": "https://a.klaviyo.com/api/lists?page%5Bcursor%5D=x"}}
    with world() as here:
        here.account.other["GET /api/lists"] = reply(page)
        with pytest.raises(RetryAfter):
            here.vendor.targets()


@pytest.mark.parametrize("body", [b"[]", b'{"data": 7}', b'{"data": [7]}', b"<html>"])
def test_answers_that_the_contract_does_not_describe_are_no_lists(body: bytes) -> None:
    with world() as here:
        here.account.other["GET /api/lists"] = Reply(200, body)
        with pytest.raises(RetryAfter):
            here.vendor.targets()


def test_the_target_is_not_needed_to_build_a_person() -> None:
    with world() as here:
        for kind in ("add", "change", "remove"):
            assert here.vendor.build(TargetFound("0", ""), kind, rows(1)[0])  # type: ignore[arg-type]
        assert here.server.seen == []
