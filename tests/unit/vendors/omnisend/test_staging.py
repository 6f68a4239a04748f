"""Batches on their way: contacts, then the tag, and what happens when something comes between."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from shared.errors import LeaseLost, RetryAfter, UserMustAct
from shared.vendors.contract import BatchResult, Evidence, Kind, Outcome, Retry, Row
from shared.vendors.omnisend.client import FRESH_SECONDS
from shared.vendors.omnisend.staging import NEW_SECONDS
from tests.unit.vendors.loopback import Raw, Reply, Seen, reply
from tests.unit.vendors.omnisend.brand import (
    FORBIDDEN,
    TARGET,
    UNAUTHORIZED,
    Brand,
    World,
    addresses,
    hang_up,
    receipts,
    rows,
    world,
)

INVALID = (400, {"error": "1 error(s) found.", "fields": {"0": ["identifiers[0].id: invalid email"]}})
LIMITED = reply({"title": "Rate limit exceeded", "status": 429, "retryAfter": 300}, 429)
TAG = TARGET.list_id


def job_of(result: BatchResult | None) -> str:
    assert result is not None
    assert result.staged is not None
    return result.staged


def settled(here: World, brand: Brand, kind: Kind, people: list[Row], most: int = 10) -> BatchResult:
    """Deliver, and settle until the receipts are there, as the engine does."""
    result: BatchResult | None = here.vendor.deliver(TARGET, kind, people)
    job = ""
    for _ in range(most):
        if result is not None and result.staged is None:
            return result
        job = result.staged if result is not None and result.staged else job
        brand.work()
        here.clock.wait(70)
        result = here.vendor.settle(TARGET, kind, people, job)
    raise AssertionError("not settled")


def refuse(method: str, path: str, answer: Reply | Raw, after: int = 0, times: int = 1000) -> Callable[[Seen], Any]:
    """Answers to the requests after the first so many, `times` of them, in the brand's place."""
    count = 0

    def instead(seen: Seen) -> Reply | Raw | None:
        nonlocal count
        if seen.method != method or not seen.path.split("?")[0].endswith(path):
            return None
        count += 1
        return answer if after < count <= after + times else None

    return instead


# The three operations


@pytest.mark.parametrize("kind", list(Kind))
def test_an_empty_batch_makes_no_request(kind: Kind) -> None:
    with world(Brand()) as here:
        found = here.vendor.deliver(TARGET, kind, [])
        assert (found.staged, found.requests) == (None, 0)
        assert here.server.seen == []


def test_an_addition_writes_contacts_and_then_the_tag() -> None:
    brand, people = Brand(), rows(1000, '{"firstName":"Ana","points":3}')
    with world(brand) as here:
        result = here.vendor.deliver(TARGET, Kind.ADD, people)
        assert [len(each["items"]) for each in brand.batches.values()] == [100] * 10
        assert result.requests == 10
        assert here.vendor.settle(TARGET, Kind.ADD, people, job_of(result)) is None
        assert not brand.members(TAG)
        brand.work(9)
        here.clock.wait(FRESH_SECONDS + 0.1)
        assert here.vendor.settle(TARGET, Kind.ADD, people, job_of(result)) is None
        assert not brand.members(TAG)
        found = settled(here, brand, Kind.ADD, people)
        assert (found.default.outcome, found.default.evidence, found.others) == ("accepted", Evidence.ACKNOWLEDGED, {})
        assert brand.members(TAG) == addresses(people)
        assert brand.early == []
        assert [len(seen.json()["emails"]) for seen in here.asked("POST", "contacts/tags")] == [250] * 4


def test_contacts_carry_no_tags_no_channels_and_no_welcome() -> None:
    brand = Brand()
    with world(brand) as here:
        for kind in (Kind.ADD, Kind.CHANGE):
            here.vendor.deliver(TARGET, kind, rows(2, '{"firstName":"Ana"}'))
    for seen in here.asked("POST", "batches"):
        body = seen.json()
        assert (body["method"], body["endpoint"]) == ("POST", "contacts")
        assert body["items"][0] == {
            "identifiers": [{"type": "email", "id": "p0@example.com", "sendWelcomeMessage": False}],
            "firstName": "Ana",
        }


def test_a_change_writes_contacts_and_leaves_the_tag_alone() -> None:
    people = rows(150)
    brand = Brand(contacts={address: {"old": True} for address in addresses(people)})
    with world(brand) as here:
        found = settled(here, brand, Kind.CHANGE, people)
        assert (found.default.evidence, found.others) == (Evidence.CONFIRMED, {})
        assert {address for address, contact in brand.contacts.items() if "identifiers" in contact} == addresses(people)
        assert not brand.tags


def test_a_removal_takes_the_tag_off_and_nothing_else() -> None:
    people = rows(600)
    brand = Brand(tags={TAG: {*addresses(people), "other@example.com"}, "another": addresses(people)})
    with world(brand) as here:
        found = here.vendor.deliver(TARGET, Kind.REMOVE, people)
        assert (found.default.evidence, found.others, found.staged) == (Evidence.ACKNOWLEDGED, {}, None)
        assert brand.members(TAG) == {"other@example.com"}
        assert brand.members("another") == addresses(people)
        assert [seen.method for seen in here.server.seen] == ["GET"] * 3 + ["DELETE"] * 3
        assert [{*seen.json()} for seen in here.asked("DELETE", "contacts/tags")] == [{"tags", "emails"}] * 3


def test_batches_are_cut_by_bytes_too() -> None:
    brand = Brand()
    with world(brand) as here:
        here.vendor.deliver(TARGET, Kind.ADD, rows(100, json.dumps({f"bio{n}": "x" * 2000 for n in range(10)})))
        assert [len(each["items"]) for each in brand.batches.values()] == [44, 44, 12]
        assert all(len(seen.body) <= 910_000 for seen in here.server.seen)


def test_what_was_left_out_is_said() -> None:
    with world(Brand()) as here:
        found = here.vendor.deliver(TARGET, Kind.ADD, rows(3, '{"countryCode":"Spain"}'))
        assert len(found.warnings) == 1


# Waiting


def test_many_jobs_are_asked_about_with_one_request() -> None:
    brand, people = Brand(), rows(100)
    with world(brand) as here:
        jobs = [job_of(here.vendor.deliver(TARGET, Kind.ADD, people)) for _ in range(30)]
        assert [here.vendor.settle(TARGET, Kind.ADD, people, job) for job in jobs] == [None] * 30
        assert len(here.asked("GET", "batches")) == 1
        assert len(here.server.seen) == 31


def test_items_are_read_only_where_somebody_was_refused() -> None:
    brand, people = Brand(errors={"p250@example.com": INVALID}), rows(1000)
    with world(brand) as here:
        found = receipts(settled(here, brand, Kind.ADD, people), 1000)
        assert [seen.path for seen in here.server.seen if seen.path.endswith("/items")] == ["/api/batches/b0002/items"]
    refused = {index: each for index, each in enumerate(found) if each.outcome is not Outcome.ACCEPTED}
    assert refused.keys() == {250}
    assert (refused[250].code, refused[250].retry) == ("invalid_email", Retry.WHEN_CHANGED)
    assert brand.members(TAG) == addresses(people) - {"p250@example.com"}


def test_another_worker_goes_on_where_one_stopped() -> None:
    brand, people = Brand(), rows(300)
    with world(brand) as here:
        job = job_of(here.vendor.deliver(TARGET, Kind.ADD, people))
    brand.work()
    with world(brand) as later:
        found = later.vendor.settle(TARGET, Kind.ADD, people, job)
        assert found is not None
        assert found.default.outcome == "accepted"
        assert brand.members(TAG) == addresses(people)


def test_settling_a_second_time_is_harmless() -> None:
    brand, people = Brand(), rows(3)
    with world(brand) as here:
        job = job_of(here.vendor.deliver(TARGET, Kind.ADD, people))
        brand.work()
        assert here.vendor.settle(TARGET, Kind.ADD, people, job) == here.vendor.settle(TARGET, Kind.ADD, people, job)
        assert brand.members(TAG) == addresses(people)


# What Omnisend loses or puts off


@pytest.mark.parametrize("code", [403, 408, 429, 503])
def test_a_passing_trouble_is_tried_once_more(code: int) -> None:
    brand, people = Brand(errors={"p1@example.com": (code, {})}), rows(3)
    with world(brand) as here:
        job = job_of(here.vendor.deliver(TARGET, Kind.ADD, people))
        brand.work()
        brand.errors = {}
        again = here.vendor.settle(TARGET, Kind.ADD, people, job)
        assert [each["identifiers"][0]["id"] for each in brand.batches["b0001"]["items"]] == ["p1@example.com"]
        brand.work()
        here.clock.wait(FRESH_SECONDS + 0.1)
        found = here.vendor.settle(TARGET, Kind.ADD, people, job_of(again))
        assert found is not None
        assert (found.default.outcome, found.others) == ("accepted", {})
        assert brand.members(TAG) == addresses(people)
        assert len(here.asked("POST", "contacts/tags")) == 1


def test_a_trouble_that_does_not_pass_is_left_to_the_next_run() -> None:
    brand, people = Brand(errors={"p1@example.com": (503, {})}), rows(3)
    with world(brand) as here:
        found = receipts(settled(here, brand, Kind.ADD, people), 3)
        assert (found[1].code, found[1].retry) == ("temporary", Retry.NEXT_RUN)
        assert len(brand.batches) == 2
    assert brand.members(TAG) == {"p0@example.com", "p2@example.com"}


@pytest.mark.parametrize("ending", ["finished", "stopped"])
def test_who_is_never_answered_for_is_sent_once_more_and_then_unknown(ending: str) -> None:
    brand, people = Brand(silent={"p1@example.com"}, ending=ending), rows(3)
    brand.errors = {"p2@example.com": INVALID}
    with world(brand) as here:
        found = receipts(settled(here, brand, Kind.ADD, people), 3)
        assert [each.outcome for each in found] == ["accepted", "unknown", "rejected"]
        assert len(brand.batches) == 2
    assert brand.members(TAG) == {"p0@example.com"}


def test_a_batch_that_is_not_known_yet_is_waited_for() -> None:
    brand, people = Brand(), rows(3)
    with world(brand) as here:
        job = job_of(here.vendor.deliver(TARGET, Kind.ADD, people))
        brand.batches.clear()
        here.clock.wait(NEW_SECONDS - 1)
        assert here.vendor.settle(TARGET, Kind.ADD, people, job) is None
        here.clock.wait(2)
        again = here.vendor.settle(TARGET, Kind.ADD, people, job)
        assert len(brand.batches) == 1
        brand.batches.clear()
        here.clock.wait(NEW_SECONDS + 1)
        found = here.vendor.settle(TARGET, Kind.ADD, people, job_of(again))
        assert found is not None
        assert (found.default.outcome, found.default.code) == ("unknown", "batch_gone")


# What comes between


def test_a_limit_before_anything_was_done_is_raised() -> None:
    for kind in Kind:
        with world(lambda seen: LIMITED) as here, pytest.raises(RetryAfter) as error:
            here.vendor.deliver(TARGET, kind, rows(300))
        assert error.value.seconds == 300


def test_a_limit_between_two_batches_leaves_the_rest_for_later() -> None:
    brand, people = Brand(instead=refuse("POST", "/batches", LIMITED, after=2, times=1)), rows(500)
    with world(brand) as here:
        result = here.vendor.deliver(TARGET, Kind.ADD, people)
        assert len(brand.batches) == 2
        assert here.clock.waits == []
        here.clock.wait(301)
        again = here.vendor.settle(TARGET, Kind.ADD, people, job_of(result))
        assert len(brand.batches) == 5
        brand.work()
        found = here.vendor.settle(TARGET, Kind.ADD, people, job_of(again))
        assert found is not None
        assert (found.default.outcome, found.others) == ("accepted", {})
        assert brand.members(TAG) == addresses(people)
        assert len(here.asked("POST", "batches")) == 6


@pytest.mark.parametrize(("kind", "method"), [(Kind.ADD, "POST"), (Kind.REMOVE, "DELETE")])
def test_a_limit_between_two_tag_requests_leaves_the_rest_for_later(kind: Kind, method: str) -> None:
    brand, people = Brand(instead=refuse(method, "/contacts/tags", LIMITED, after=1, times=1)), rows(1000)
    with world(brand) as here:
        if kind is Kind.REMOVE:
            brand.tags = {TAG: addresses(people)}
        result = here.vendor.deliver(TARGET, kind, people)
        brand.work()
        if kind is Kind.ADD:
            waiting = here.vendor.settle(TARGET, kind, people, job_of(result))
            assert waiting is not None
            result = waiting
        here.clock.wait(301)
        found = here.vendor.settle(TARGET, kind, people, job_of(result))
        assert found is not None
        assert (found.default.evidence, found.others) == (Evidence.ACKNOWLEDGED, {})
        assert brand.members(TAG) == (addresses(people) if kind is Kind.ADD else set())
        assert len(here.asked(method, "contacts/tags")) == 5


def test_a_limit_before_the_first_tag_request_changes_nothing() -> None:
    brand, people = Brand(instead=refuse("POST", "/contacts/tags", LIMITED, times=1)), rows(10)
    with world(brand) as here:
        job = job_of(here.vendor.deliver(TARGET, Kind.ADD, people))
        brand.work()
        with pytest.raises(RetryAfter):
            here.vendor.settle(TARGET, Kind.ADD, people, job)
        here.clock.wait(301)
        assert here.vendor.settle(TARGET, Kind.ADD, people, job) is not None
        assert brand.members(TAG) == addresses(people)


def test_our_own_limiter_never_lets_more_tags_out_than_omnisend_allows() -> None:
    brand, people = Brand(tags={TAG: addresses(rows(250))}), rows(250)
    with world(brand) as here:
        with pytest.raises(RetryAfter):
            for _ in range(61):
                here.vendor.deliver(TARGET, Kind.REMOVE, people)
        assert len(here.asked("DELETE", "contacts/tags")) == 45


def test_an_answer_that_never_comes_is_unknown_and_the_others_go_on() -> None:
    def broken(seen: Seen) -> Reply | Raw | None:
        return hang_up if seen.method == "POST" and b'"p150@' in seen.body and b"items" in seen.body else None

    brand, people = Brand(instead=broken), rows(300)
    with world(brand) as here:
        found = receipts(settled(here, brand, Kind.ADD, people), 300)
    assert [each.outcome for each in found] == ["accepted"] * 100 + ["unknown"] * 100 + ["accepted"] * 100
    assert brand.members(TAG) == addresses(people[:100] + people[200:])


def test_tags_whose_answer_never_comes_are_unknown() -> None:
    brand, people = Brand(instead=refuse("POST", "/contacts/tags", hang_up)), rows(3)
    with world(brand) as here:
        found = settled(here, brand, Kind.ADD, people)
        assert (found.default.outcome, found.others) == ("unknown", {})


@pytest.mark.parametrize(
    "answer",
    [
        Reply(200, b"<html>"),
        Reply(201, b"<html>", {"Content-Type": "text/html"}),
        Reply(201, b""),
        reply({"totalCount": 3}, 201),
        Reply(204, b""),
        Reply(301, b"", {"Location": "/elsewhere"}),
        Reply(404, b"<html>", {"Content-Type": "text/html"}),
    ],
)
def test_an_unexpected_answer_is_never_success(answer: Reply) -> None:
    for kind in (Kind.ADD, Kind.REMOVE):
        with world(lambda seen: answer) as here:
            found = here.vendor.deliver(TARGET, kind, rows(2))
            assert (found.default.outcome, found.others, found.staged) == ("unknown", {}, None)
    with world(lambda seen: answer) as here, pytest.raises(RetryAfter):
        here.vendor.deliver(TARGET, Kind.CHANGE, rows(2))  # whether they are there was to be asked first


@pytest.mark.parametrize("path", ["/batches", "/items"])
@pytest.mark.parametrize("answer", [Reply(200, b"{}"), Reply(404, b"<html>"), reply({"title": "x"}, 500), hang_up])
def test_a_question_that_is_not_answered_is_asked_again_later(path: str, answer: Reply | Raw) -> None:
    brand, people = Brand(errors={"p1@example.com": INVALID}), rows(3)
    with world(brand) as here:
        job = job_of(here.vendor.deliver(TARGET, Kind.ADD, people))
        brand.work()
        brand.instead = refuse("GET", path, answer, times=8)
        with pytest.raises(RetryAfter):
            here.vendor.settle(TARGET, Kind.ADD, people, job)
        assert not brand.members(TAG)


def test_people_whom_omnisend_refuses_at_once_do_not_keep_others_off() -> None:
    def picky(seen: Seen) -> Reply | None:
        if seen.method == "POST" and seen.path == "/api/batches" and b'"p7@' in seen.body:
            return reply(
                {"title": "Validation failed", "status": 400, "detail": "One or more fields are invalid."}, 400
            )
        return None

    brand, people = Brand(instead=picky), rows(20)
    with world(brand) as here:
        found = receipts(settled(here, brand, Kind.ADD, people), 20)
    assert [index for index, each in enumerate(found) if each.outcome is not Outcome.ACCEPTED] == [7]
    assert (found[7].code, found[7].retry) == ("invalid_data", Retry.WHEN_CHANGED)
    assert brand.members(TAG) == addresses(people) - {"p7@example.com"}


@pytest.mark.parametrize(("answer", "code"), [(UNAUTHORIZED, "bad_credentials"), (FORBIDDEN, "missing_scope")])
def test_a_revoked_key_is_raised_and_what_was_done_before_is_kept(answer: Reply, code: str) -> None:
    brand, people = Brand(instead=refuse("POST", "/batches", answer, after=1)), rows(300)
    with world(brand) as here:
        job = job_of(here.vendor.deliver(TARGET, Kind.ADD, people))
        assert len(brand.batches) == 1
        with pytest.raises(UserMustAct) as error:
            here.vendor.settle(TARGET, Kind.ADD, people, job)
        assert error.value.code == code


def test_a_tag_that_omnisend_refuses_needs_a_person() -> None:
    answer = reply({"errors": [{"field": "tags.0", "message": "Too long"}]}, 400)
    brand = Brand(
        instead=refuse("DELETE", "/contacts/tags", answer), contacts={each: {} for each in addresses(rows(3))}
    )
    with world(brand) as here, pytest.raises(UserMustAct) as error:
        here.vendor.deliver(TARGET, Kind.REMOVE, rows(3))
    assert error.value.code == "target_refused"


def test_a_lost_lease_leaves_at_once() -> None:
    asked = 0

    def lease() -> None:
        nonlocal asked
        asked += 1
        if asked > 1:
            raise LeaseLost("gone")

    with world(Brand(), before_request=lease) as here:
        with pytest.raises(LeaseLost):
            here.vendor.deliver(TARGET, Kind.ADD, rows(300))
        assert len(here.server.seen) == 1
