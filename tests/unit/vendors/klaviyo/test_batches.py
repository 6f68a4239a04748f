"""Batches against a scripted account: imports as staged jobs, removals by ids, and what goes wrong with them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from shared.errors import OutcomeUnknown, RetryAfter, UserMustAct
from shared.vendors.contract import PROFILE_MISSING, Evidence, Kind, Outcome, Receipt, Retry, Row
from shared.vendors.klaviyo import people
from shared.vendors.presence import not_found_words
from tests.unit.vendors.klaviyo.scripted import (
    IMPORTS,
    JOBS,
    REMOVALS,
    TARGET,
    Account,
    World,
    account_with,
    codes,
    error,
    hang_up,
    receipts,
    refused_at,
    rows,
    world,
)
from tests.unit.vendors.loopback import Reply, Seen, reply

LOOK_UP = "GET /api/profiles"
MEMBERS = "GET /api/lists/Y6nRLr/profiles"


def imported(seen: Seen) -> list[dict[str, Any]]:
    return [each["attributes"] for each in seen.json()["data"]["attributes"]["profiles"]["data"]]


def imports(here: World) -> list[list[dict[str, Any]]]:
    """People of every import that was sent."""
    return [imported(each) for each in here.server.seen if each.method == "POST"]


def removals(here: World) -> list[list[str]]:
    return [[one["id"] for one in each.json()["data"]] for each in here.server.seen if each.method == "DELETE"]


# The common way


@pytest.mark.parametrize("kind", list(Kind))
def test_an_empty_batch_makes_no_request(kind: Kind) -> None:
    with world() as here:
        found = here.vendor.deliver(TARGET, kind, [])
        assert (found.staged, found.others) == (None, {})
        assert here.server.seen == []


def test_an_addition_is_one_import_whose_people_keep_their_ids() -> None:
    with world() as here:
        found = here.finish(Kind.ADD, rows(3, '{"first_name":"Ana"}'))
        assert [each.vendor_id for each in receipts(found, 3)] == ["01P0", "01P1", "01P2"]
        assert {each.evidence for each in receipts(found, 3)} == {Evidence.CONFIRMED}
        assert here.account.on_list == {"01P0", "01P1", "01P2"}
        assert here.asked() == [LOOK_UP, JOBS, IMPORTS, JOBS, MEMBERS]


def test_after_two_minutes_of_looking_people_up_the_rest_is_the_next_slices() -> None:
    def slow(seen: Seen) -> Reply:
        here.clock.wait(130.0)
        return reply({"data": [], "links": {"next": None}})

    with world() as here:
        staged = [here.vendor.deliver(TARGET, Kind.ADD, [Row(f"p{n}@x.example")]).staged or "" for n in range(2)]
        here.account.other[MEMBERS] = slow
        assert here.vendor.settle(TARGET, Kind.ADD, [Row("p0@x.example")], staged[0]) is not None
        assert here.vendor.settle(TARGET, Kind.ADD, [Row("p1@x.example")], staged[1]) is None


def test_whoever_does_not_show_on_the_list_after_an_addition_is_not_confirmed() -> None:
    """Klaviyo may drop people without a word, or show them later."""
    with world() as here:
        here.account.other[MEMBERS] = reply({"data": [], "links": {"next": None}})
        found = here.finish(Kind.ADD, rows(2))
        assert {(each.outcome, each.evidence) for each in receipts(found, 2)} == {
            (Outcome.ACCEPTED, Evidence.ACKNOWLEDGED)
        }


def test_an_import_has_10_000_people_at_the_most() -> None:
    with world() as here:
        assert here.vendor.deliver(TARGET, Kind.ADD, rows(10_001)).staged
        assert [len(each) for each in imports(here)] == [10_000]


def test_people_whose_ids_are_kept_are_not_asked_for_again_after_a_change() -> None:
    with world(account_with("p0@x.example", "p1@x.example")) as here:
        found = here.finish(Kind.CHANGE, rows(2, '{"first_name":"Ana"}', known=True))
        assert codes(found, 2) == ["accepted", "accepted"]
        assert here.asked() == [LOOK_UP, JOBS, IMPORTS, JOBS]
        assert here.account.people["01P0"].attributes["first_name"] == "Ana"


def test_many_imports_are_asked_about_at_once() -> None:
    batches = [[Row(f"p{n}@x.example", '{"title":"x"}', f"01P{n}")] for n in range(5)]
    with world(account_with(*(f"p{n}@x.example" for n in range(5)))) as here:
        staged = [here.vendor.deliver(TARGET, Kind.CHANGE, each).staged or "" for each in batches]
        here.clock.wait(10.0)
        before = len(here.server.seen)
        for rows_, job in zip(batches, staged, strict=True):
            here.vendor.settle(TARGET, Kind.CHANGE, rows_, job)
        assert here.asked()[before:] == [JOBS]


def test_an_import_that_is_none_of_the_newest_is_asked_about_alone() -> None:
    with world() as here:
        staged = here.vendor.deliver(TARGET, Kind.ADD, rows(1))
        here.account.other[JOBS] = reply({"data": [], "links": {"next": None}})
        found = here.vendor.settle(TARGET, Kind.ADD, rows(1), staged.staged or "")
        assert found is not None
        assert codes(found, 1) == ["accepted"]
        assert "GET /api/profile-bulk-import-jobs/job-1" in here.asked()


@pytest.mark.parametrize("status", ["queued", "processing", "something new"])
def test_an_import_that_is_under_way_is_waited_for_and_in_the_end_given_up(status: str) -> None:
    with world() as here:
        staged = here.vendor.deliver(TARGET, Kind.ADD, rows(1)).staged or ""
        here.account.jobs[0]["attributes"]["status"] = status
        assert here.vendor.settle(TARGET, Kind.ADD, rows(1), staged) is None
        assert not here.vendor.has_ended(Kind.ADD, staged)
        here.clock.wait(7 * 3600.0)
        found = here.vendor.settle(TARGET, Kind.ADD, rows(1), staged)
        assert found is not None
        assert codes(found, 1) == ["job_late"]


@pytest.mark.parametrize(("end", "code"), [("cancelled", "job_cancelled"), (None, "job_gone")])
def test_what_an_import_did_that_was_cancelled_or_forgotten_is_not_known(end: str | None, code: str) -> None:
    with world() as here:
        staged = here.vendor.deliver(TARGET, Kind.ADD, rows(2)).staged or ""
        if end:
            here.account.jobs[0]["attributes"]["status"] = end
        else:
            here.account.jobs.clear()
        assert here.vendor.has_ended(Kind.ADD, staged)
        found = here.vendor.settle(TARGET, Kind.ADD, rows(2), staged)
        assert found is not None
        assert codes(found, 2) == [code, code]
        assert {each.outcome for each in receipts(found, 2)} == {Outcome.UNKNOWN}


# Whom nothing is done to


def test_whoever_unsubscribed_from_the_list_is_left_alone_and_counted() -> None:
    account = account_with("p1@x.example", on_list=False)
    account.people["01P0"].said_no = ("Y6nRLr",)
    with world(account) as here:
        found = here.finish(Kind.ADD, rows(3))
        assert codes(found, 3) == ["accepted", "unsubscribed", "accepted"]
        assert receipts(found, 3)[1].outcome is Outcome.SKIPPED
        assert [each["email"] for each in imports(here)[0]] == ["p0@x.example", "p2@x.example"]
        assert "01P0" not in account.on_list


def test_a_no_to_another_list_is_none_to_this_one() -> None:
    account = account_with("p0@x.example", on_list=False)
    account.people["01P0"].said_no = ("Other1",)
    with world(account) as here:
        assert codes(here.finish(Kind.ADD, rows(1)), 1) == ["accepted"]


def test_too_many_who_unsubscribed_are_said_before_anybody_is_added(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people, "MOST_UNSUBSCRIBED", 2)
    account = account_with(*(f"n{n}@x.example" for n in range(3)))
    for each in account.people.values():
        each.said_no = ("Y6nRLr",)
    with world(account) as here, pytest.raises(UserMustAct) as caught:
        here.vendor.deliver(TARGET, Kind.ADD, rows(1))
    assert caught.value.code == "too_many_unsubscribed"
    assert imports(here) == []


def test_a_change_makes_nobody_and_puts_nobody_on_the_list() -> None:
    with world(account_with("p1@x.example", on_list=False)) as here:
        found = here.finish(Kind.CHANGE, rows(2, '{"title":"x"}'))
        assert codes(found, 2) == [PROFILE_MISSING, "accepted"]
        assert len(here.account.people) == 1
        assert here.account.on_list == set()


def test_a_change_finds_whoever_has_another_address_by_now_and_keeps_that() -> None:
    with world(account_with("new@x.example")) as here:
        found = here.finish(Kind.CHANGE, [Row("p0@x.example", '{"title":"x"}', "01P0")])
        assert codes(found, 1) == ["accepted"]
        assert imports(here) == [[{"email": "new@x.example", "title": "x"}]]
        assert [each.email for each in here.account.people.values()] == ["new@x.example"]


def test_whoever_was_merged_is_found_by_their_address() -> None:
    with world(account_with("p0@x.example")) as here:
        found = here.finish(Kind.CHANGE, [Row("p0@x.example", '{"title":"x"}', "01OLD")])
        assert codes(found, 1) == ["accepted"]


def test_two_rows_of_one_person_do_not_go_out_together() -> None:
    with world(account_with("p1@x.example")) as here:
        batch = [Row("p0@x.example", '{"title":"x"}', "01P0"), Row("p1@x.example", '{"title":"y"}')]
        found = here.finish(Kind.CHANGE, batch)
        assert codes(found, 2) == ["accepted", "same_person"]
        assert [len(each) for each in imports(here)] == [1]


def test_nothing_that_is_sent_says_anything_about_consent() -> None:
    with world(account_with("p0@x.example")) as here:
        for kind in Kind:
            here.finish(kind, rows(1, "{}" if kind is Kind.REMOVE else '{"title":"x"}'))
        sent = [json.dumps(each.json()) for each in here.server.seen if each.body]
        assert len(sent) == 3
        assert not any(word in text for text in sent for word in ("subscri", "consent", "suppress"))


def test_somebody_of_more_than_100_kb_is_refused_alone() -> None:
    batch = [Row("p0@x.example", json.dumps({"Note": "x" * 100_001})), Row("p1@x.example")]
    with world() as here:
        found = here.finish(Kind.ADD, batch)
        assert codes(found, 2) == ["too_large", "accepted"]


# Refusals


def refusing_once(account: Account, *answers: Reply) -> None:
    """The first imports get these answers."""
    waiting = list(answers)

    def take(seen: Seen) -> Reply:
        return waiting.pop(0) if waiting else account.take(seen.json())

    account.other[IMPORTS] = take


def test_an_address_that_klaviyo_does_not_take_is_refused_alone_and_nobody_with_it() -> None:
    with world() as here:
        refusing_once(here.account, refused_at((1, "email")), refused_at((2, "email")))
        found = here.finish(Kind.ADD, rows(5))
        assert codes(found, 5) == ["accepted", "invalid_email", "accepted", "invalid_email", "accepted"]
        assert receipts(found, 5)[1].retry is Retry.WHEN_CHANGED
        assert [len(each) for each in imports(here)] == [5, 4, 3]


def test_a_value_that_klaviyo_does_not_take_is_left_out_and_counted_and_the_person_sent() -> None:
    values = '{"phone_number":"+15005550006","location.zip":"1","title":"x"}'
    with world() as here:
        refusing_once(here.account, refused_at((0, "phone_number"), (1, "location/zip")))
        found = here.finish(Kind.ADD, rows(3, values))
        assert [each.left_out for each in receipts(found, 3)] == [("phone_number",), ("location.zip",), ()]
        assert {each.outcome for each in receipts(found, 3)} == {Outcome.ACCEPTED}
        assert "phone_number" not in here.account.people["01P0"].attributes
        assert here.account.people["01P1"].attributes["phone_number"] == "+15005550006"


def test_one_row_to_blame_is_found_where_klaviyo_names_none() -> None:
    def refuse(seen: Seen) -> Reply:
        sent = imported(seen)
        odd = any(each["email"] == "p13@x.example" for each in sent)
        return reply(error("invalid"), 400) if odd else here.account.take(seen.json())

    with world() as here:
        here.account.other[IMPORTS] = refuse
        found = here.finish(Kind.ADD, rows(40))
        assert [index for index, code in enumerate(codes(found, 40)) if code != "accepted"] == [13]
        assert len(here.account.on_list) == 39


def test_what_is_refused_whatever_it_is_ends_after_some_requests() -> None:
    with world() as here:
        here.account.other[IMPORTS] = reply(error("invalid"), 400)
        found = here.finish(Kind.ADD, rows(500))
        assert {each.outcome for each in receipts(found, 500)} == {Outcome.REJECTED}
        assert {each.retry for each in receipts(found, 500) if each.code == "refused"} == {Retry.NEXT_RUN}
        assert len(imports(here)) <= 61


def test_an_import_that_is_too_large_is_halved_and_its_size_kept() -> None:
    def refuse(seen: Seen) -> Reply:
        return Reply(413, b"") if len(imported(seen)) > 30 else here.account.take(seen.json())

    with world() as here:
        here.account.other[IMPORTS] = refuse
        found = here.finish(Kind.ADD, rows(100))
        assert {each.outcome for each in receipts(found, 100)} == {Outcome.ACCEPTED}
        assert len(here.account.on_list) == 100
        sizes = [len(each) for each in imports(here)]
        assert sizes[:3] == [100, 50, 25]
        assert max(sizes[3:]) <= 26


def test_one_person_who_is_too_large_is_refused_and_does_not_make_the_others_go_out_one_by_one() -> None:
    def refuse(seen: Seen) -> Reply:
        odd = any(each["email"] == "p13@x.example" for each in imported(seen))
        return Reply(413, b"") if odd else here.account.take(seen.json())

    with world() as here:
        here.account.other[IMPORTS] = refuse
        found = here.finish(Kind.ADD, rows(40))
        assert [code for code in codes(found, 40) if code != "accepted"] == ["too_large"]
        assert len(here.account.jobs) <= 4


def test_an_error_of_an_import_lands_on_its_row() -> None:
    with world() as here:
        here.account.fails = lambda one: one if one["email"] == "p1@x.example" else None
        found = here.finish(Kind.ADD, rows(3))
        assert codes(found, 3) == ["accepted", "import_invalid", "accepted"]
        assert "@" not in receipts(found, 3)[1].reason


def test_where_errors_name_nobody_the_list_tells_who_is_there() -> None:
    with world() as here:
        here.account.fails = lambda one: {} if one["email"] == "p1@x.example" else None
        found = here.finish(Kind.ADD, rows(3))
        assert codes(found, 3) == ["accepted", "not_named", "accepted"]


def test_where_errors_of_a_change_name_nobody_it_is_not_known_whose_they_are() -> None:
    with world(account_with("p0@x.example", "p1@x.example")) as here:
        here.account.fails = lambda one: {} if one["email"] == "p1@x.example" else None
        found = here.finish(Kind.CHANGE, rows(2, '{"title":"x"}', known=True))
        assert codes(found, 2) == ["not_named", "not_named"]


@pytest.mark.parametrize("pointer", ["/data/relationships/lists/data/0/id", "/data"])
def test_a_list_that_is_gone_is_said(pointer: str) -> None:
    with world() as here:
        here.account.lists.clear()
        here.account.other[IMPORTS] = reply(error("invalid", pointer=pointer), 404 if pointer == "/data" else 400)
        with pytest.raises(UserMustAct) as caught:
            here.vendor.deliver(TARGET, Kind.ADD, rows(2))
        assert caught.value.code == "target_vanished"


@pytest.mark.parametrize("status", [400, 403])
def test_html_before_klaviyo_is_tried_again_later(status: int) -> None:
    with world() as here:
        here.account.other[IMPORTS] = Reply(status, b"<html>", {"Content-Type": "text/html"})
        with pytest.raises(RetryAfter):
            here.vendor.deliver(TARGET, Kind.ADD, rows(2))


# Lost answers


def losing(account: Account, *, carried_out: bool, times: int = 1) -> Callable[[Seen], Any]:
    left = [times]

    def take(seen: Seen) -> Any:
        if not left[0]:
            return account.take(seen.json())
        left[0] -= 1
        if carried_out:
            account.take(seen.json())
        return hang_up

    return take


def test_an_import_whose_answer_is_lost_is_looked_up_and_not_sent_again() -> None:
    with world() as here:
        here.account.other[IMPORTS] = losing(here.account, carried_out=True)
        found = here.finish(Kind.ADD, rows(2))
        assert codes(found, 2) == ["accepted", "accepted"]
        assert len(imports(here)) == len(here.account.jobs) == 1


def test_an_import_that_never_arrived_is_sent_again() -> None:
    with world() as here:
        here.account.other[IMPORTS] = losing(here.account, carried_out=False)
        found = here.finish(Kind.ADD, rows(2))
        assert codes(found, 2) == ["accepted", "accepted"]
        assert (len(imports(here)), len(here.account.jobs)) == (2, 1)


def test_an_import_that_was_there_before_is_not_taken_for_the_lost_one() -> None:
    """An earlier worker's may be of as many people, for the same list."""
    with world() as here:
        here.account.take(
            {
                "data": {
                    "attributes": {"profiles": {"data": [{"attributes": {"email": "z@x.example"}}]}},
                    "relationships": {"lists": {"data": [{"id": "Y6nRLr"}]}},
                }
            }
        )
        here.account.other[IMPORTS] = losing(here.account, carried_out=False)
        found = here.finish(Kind.ADD, rows(1))
        assert codes(found, 1) == ["accepted"]
        assert "p0@x.example" in {each.email for each in here.account.members()}


@pytest.mark.parametrize("other", ["size", "list"])
def test_an_import_of_another_size_or_list_is_not_taken_for_the_lost_one(other: str) -> None:
    def take(seen: Seen) -> Any:
        if len(imports(here)) == 1:  # another tool's, at the same moment
            body = seen.json()
            if other == "size":
                body["data"]["attributes"]["profiles"]["data"].append({"attributes": {"email": "z@x.example"}})
            else:
                body["data"]["relationships"]["lists"]["data"] = [{"id": "Other1"}]
            here.account.take(body)
            here.account.jobs[-1]["attributes"]["failed_count"] = 99
            return hang_up
        return here.account.take(seen.json())

    with world() as here:
        here.account.other[IMPORTS] = take
        assert codes(here.finish(Kind.ADD, rows(1)), 1) == ["accepted"]
        assert len(imports(here)) == 2


def test_of_several_that_may_be_the_lost_one_none_is_taken() -> None:
    def take(seen: Seen) -> Any:
        here.account.take(seen.json())
        here.account.take(seen.json())
        return hang_up

    with world() as here:
        here.account.other[IMPORTS] = take
        with pytest.raises(OutcomeUnknown):
            here.vendor.deliver(TARGET, Kind.ADD, rows(1))


def test_an_answer_that_cannot_be_read_is_a_lost_one() -> None:
    def take(seen: Seen) -> Reply:
        here.account.take(seen.json())
        return Reply(202, b"{}")

    with world() as here:
        here.account.other[IMPORTS] = take
        assert codes(here.finish(Kind.ADD, rows(1)), 1) == ["accepted"]
        assert len(imports(here)) == 1


# Removals


def test_people_are_taken_off_by_their_ids_a_thousand_at_a_time() -> None:
    account = account_with(*(f"p{n}@x.example" for n in range(1500)))
    with world(account) as here:
        found = here.finish(Kind.REMOVE, rows(1500, known=True))
        assert {each.evidence for each in receipts(found, 1500)} == {Evidence.ACKNOWLEDGED}
        assert [len(each) for each in removals(here)] == [1000, 500]
        assert account.on_list == set()
        assert len(account.people) == 1500
        assert here.asked() == [REMOVALS, REMOVALS]


def test_ids_that_are_not_kept_are_looked_up_a_hundred_at_once() -> None:
    account = account_with(*(f"p{n}@x.example" for n in range(150)))
    with world(account) as here:
        here.finish(Kind.REMOVE, rows(150))
        assert here.asked() == [LOOK_UP, LOOK_UP, REMOVALS]
        assert account.on_list == set()


def test_whoever_has_another_address_by_now_is_taken_off_by_the_kept_id() -> None:
    with world(account_with("new@x.example")) as here:
        here.finish(Kind.REMOVE, [Row("p0@x.example", vendor_id="01P0")])
        assert here.account.on_list == set()


def test_leavers_whom_klaviyo_does_not_have_are_told_of() -> None:
    with world(account_with("p0@x.example")) as here:
        found = here.finish(Kind.REMOVE, rows(2))
        assert codes(found, 2) == ["accepted", "not_found"]
        assert list(found.warnings) == [not_found_words("Klaviyo")]
        assert removals(here) == [["01P0"]]


def test_an_id_that_is_gone_does_not_keep_the_others_on_the_list() -> None:
    """Merged people have another id by now, and are found by their address."""
    account = account_with("p0@x.example", "p1@x.example", "p2@x.example")
    with world(account) as here:
        batch = [*rows(2, known=True), Row("p2@x.example", vendor_id="01OLD"), Row("gone@x.example", vendor_id="01X")]
        found = here.finish(Kind.REMOVE, batch)
        assert codes(found, 4) == ["accepted", "accepted", "accepted", "not_found"]
        assert account.on_list == set()
        assert removals(here) == [["01P0", "01P1", "01OLD", "01X"], ["01P0", "01P1", "01P2"]]


def test_whoever_is_off_the_list_already_may_be_refused_and_needs_nothing() -> None:
    def refuse(seen: Seen) -> Reply:
        ids = [each["id"] for each in seen.json()["data"]]
        absent = [each for each in ids if each not in here.account.on_list]
        if absent:
            return reply(error("invalid", f"Invalid profile IDs: {', '.join(absent)}"), 400)
        return here.account.take_off(seen.json())

    with world(account_with("p0@x.example", "p1@x.example")) as here:
        here.account.on_list.discard("01P0")
        here.account.other[REMOVALS] = refuse
        assert codes(here.finish(Kind.REMOVE, rows(2)), 2) == ["accepted", "accepted"]
        assert here.account.on_list == set()


def test_whoever_is_off_the_list_already_needs_nothing_where_klaviyo_names_nobody() -> None:
    def refuse(seen: Seen) -> Reply:
        absent = any(each["id"] not in here.account.on_list for each in seen.json()["data"])
        return reply(error("invalid"), 400) if absent else here.account.take_off(seen.json())

    with world(account_with(*(f"p{n}@x.example" for n in range(8)))) as here:
        here.account.on_list.discard("01P5")
        here.account.other[REMOVALS] = refuse
        assert codes(here.finish(Kind.REMOVE, rows(8, known=True)), 8) == ["accepted"] * 8
        assert here.account.on_list == set()


def test_a_refusal_without_ids_is_halved_until_the_one_to_blame_is_alone() -> None:
    def refuse(seen: Seen) -> Reply:
        odd = any(each["id"] == "01P5" for each in seen.json()["data"])
        return reply(error("invalid", "Something else"), 400) if odd else here.account.take_off(seen.json())

    with world(account_with(*(f"p{n}@x.example" for n in range(8)))) as here:
        here.account.other[REMOVALS] = refuse
        found = here.finish(Kind.REMOVE, rows(8, known=True))
        assert [index for index, code in enumerate(codes(found, 8)) if code != "accepted"] == [5]
        assert here.account.on_list == {"01P5"}


def test_a_list_that_is_gone_takes_nobody_off() -> None:
    with world(account_with("p0@x.example")) as here:
        here.account.other[REMOVALS] = reply(error("not_found"), 404)
        with pytest.raises(UserMustAct) as caught:
            here.finish(Kind.REMOVE, rows(1))
        assert caught.value.code == "target_vanished"


def test_an_address_that_no_filter_can_hold_waits() -> None:
    with world() as here:
        found = here.finish(Kind.REMOVE, [Row('"a b"@x.example')])
        assert codes(found, 1) == ["not_looked_at"]
        assert here.server.seen == []


def test_a_filter_that_is_too_long_is_halved() -> None:
    account = account_with(*(f"p{n}@x.example" for n in range(8)))

    def look_up(seen: Seen) -> Reply:
        if seen.path.count("x.example") > 2:
            return reply(error("invalid", pointer=""), 400)
        del account.other[LOOK_UP]
        try:
            found = account(seen)
        finally:
            account.other[LOOK_UP] = look_up
        assert isinstance(found, Reply)
        return found

    account.other[LOOK_UP] = look_up
    with world(account) as here:
        here.finish(Kind.REMOVE, rows(8))
        assert account.on_list == set()


def test_no_address_is_in_any_message(caplog: pytest.LogCaptureFixture) -> None:
    with world() as here:
        here.account.fails = lambda one: one
        refusing_once(here.account, refused_at((0, "email")))
        found: list[Receipt] = receipts(here.finish(Kind.ADD, rows(3)), 3)
        assert not any("@" in each.reason for each in found)
    assert "@x.example" not in caplog.text
