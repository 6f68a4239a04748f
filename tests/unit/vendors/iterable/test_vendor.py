"""Iterable's calls against a scripted server: lists, checks, and batches that go wrong in part."""

from __future__ import annotations

import contextlib
import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from shared.errors import LeaseLost, RetryAfter, UserMustAct
from shared.vendors.answers import Unreadable
from shared.vendors.contract import Kind, Receipt, Retry, Row, TargetFound, TargetWanted, Vendor
from shared.vendors.http import Link
from shared.vendors.iterable.definition import DEFINITION, HOSTS
from shared.vendors.iterable.receipts import LEFT_OUT
from shared.vendors.limits import Limiter
from shared.vendors.looking_up import Prospect
from shared.vendors.registry import open_vendor
from tests.unit.vendors.loopback import Clock, Keys, Loopback, Raw, Reply, Seen, reply, serving

KEY = "0f8fad5bd9cb469fa16570867728950e"
TARGET = TargetFound("4411201", "Loyal customers")
BAD_KEY = reply({"msg": "Invalid API key", "code": "BadApiKey", "params": {"ip": "203.0.113.9"}}, 401)
UNKNOWN_LIST = reply(
    {"msg": "error.lists.invalidListId(4411201)", "code": "Success", "params": {"listId": 4411201}}, 400
)


def hang_up(handler: Any) -> None:
    """Close the connection without a word."""


def listed(number: int, name: str, kind: str = "Standard") -> dict[str, Any]:
    return {"id": number, "name": name, "createdAt": 1763805600123, "listType": kind}


def people(seen: Seen) -> list[str]:
    body = seen.json()
    return [each["email"] for each in body.get("subscribers", body.get("users"))]


def succeed(seen: Seen) -> Reply:
    return reply({"successCount": len(people(seen)), "failCount": 0})


@dataclass
class Project:
    """An Iterable project as far as a test needs one. `bulk` answers the three bulk endpoints."""

    lists: list[dict[str, Any]] = field(default_factory=lambda: [listed(4411201, "Loyal customers")])
    bulk: Callable[[Seen], Reply | Raw] = succeed
    create: Callable[[Seen], Reply | Raw] = lambda seen: reply({"listId": 7})
    keys: tuple[str, ...] = (KEY,)
    other: dict[str, Reply] = field(default_factory=dict)
    fields: dict[str, str] = field(default_factory=dict)

    def __call__(self, seen: Seen) -> Reply | Raw:
        if seen.headers.get("api-key") not in self.keys:
            return BAD_KEY
        if seen.path in self.other:
            return self.other[seen.path]
        match seen.method, seen.path:
            case "GET", "/api/lists":
                return reply({"lists": self.lists})
            case "POST", "/api/lists":
                return self.create(seen)
            case "POST", "/api/lists/subscribe" | "/api/lists/unsubscribe" | "/api/users/bulkUpdate":
                return self.bulk(seen)
            case "GET", path if path.startswith("/api/users/getByEmail"):
                return reply({"user": {"dataFields": {}}})
            case "GET", "/api/lists/4411201/size":
                return Reply(200, b"1000")
            case "GET", path if path.startswith("/api/lists/getUsers"):
                lines = "\n".join(row.address for row in rows(1000))
                return Reply(200, lines.encode(), {"Content-Type": "text/plain"})
            case "GET", "/api/users/getFields":
                return reply({"fields": self.fields})
        return Reply(404, b"<html>Action not found</html>", {"Content-Type": "text/html"})


@dataclass
class World:
    vendor: Vendor
    server: Loopback
    clock: Clock
    link: Link


@contextlib.contextmanager
def world(project: Callable[[Seen], Reply | Raw], *, keys: Keys | None = None, **settings: Any) -> Iterator[World]:
    with serving(project) as server:
        opened = linked({HOSTS["us"]: server.url}, keys or Keys(KEY), settings)
        yield World(opened[0], server, *opened[1:])
        opened[2].transport.close()  # type: ignore[attr-defined]  # the default transport


def linked(
    hosts: Mapping[str, str], keys: Keys, settings: Mapping[str, Any], **hooks: Any
) -> tuple[Vendor, Clock, Link]:
    clock = Clock()
    limiter = Limiter(DEFINITION.rates, clock=clock, wait=clock.wait, settings=settings)
    link = Link(limiter, vendor_hosts=hosts, **{"wait": clock.wait} | hooks)
    return open_vendor("iterable", settings=settings, credentials=keys, link=link), clock, link


def rows(count: int, values: str = "{}") -> list[Row]:
    return [Row(f"p{number}@example.com", values) for number in range(count)]


def receipts(found: Any, count: int) -> list[Receipt]:
    return [found.others.get(index, found.default) for index in range(count)]


# The account and the check


def test_the_account_is_a_hash_of_the_key_without_a_request() -> None:
    with world(Project()) as here:
        account = here.vendor.account()
        assert len(account) == 16
        assert int(account, 16) >= 0
        assert here.server.seen == []
    with world(Project(), keys=Keys(KEY + "\n"), data_center="us") as here:
        assert here.vendor.account() == account
    with world(Project(), keys=Keys("another")) as here:
        assert here.vendor.account() != account


def test_a_good_connection() -> None:
    with world(Project()) as here:
        found = here.vendor.check()
        assert (found.ok, found.code, found.account) == (True, "ok", here.vendor.account())
        assert [seen.path for seen in here.server.seen] == ["/api/lists"]


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (BAD_KEY, "bad_credentials"),
        (reply({"msg": "m", "code": "BadApiKey", "params": {"apiKeyType": "Mobile"}}, 401), "wrong_key_type"),
        (reply({"msg": "Disabled API key or insufficient privileges", "code": "BadApiKey"}, 401), "key_disabled"),
        (reply({"msg": "m", "code": "Forbidden"}, 403), "forbidden"),
        (reply({"msg": "Exceeded rate limit.", "code": "RateLimitExceeded"}, 429, Retry_After="90"), "rate_limited"),
        (reply({"msg": "m", "code": "GenericError"}, 500), "not_checked"),
        (Reply(200, b"<html>", {"Content-Type": "text/html"}), "unexpected_answer"),
        (Reply(200, b"{}"), "unexpected_answer"),
        (Reply(302, b"", {"Location": "https://elsewhere.example"}), "unexpected_answer"),
    ],
)
def test_each_way_to_be_wrong_has_its_own_words(answer: Reply, code: str) -> None:
    with world(lambda seen: answer) as here:
        found = here.vendor.check()
        assert (found.ok, found.code, found.account) == (False, code, None)
        assert KEY not in found.message


def test_a_vendor_that_is_not_there() -> None:
    with serving(Project()) as server:
        closed = server.url
    vendor, _, _ = linked({HOSTS["us"]: closed}, Keys(KEY), {})
    assert vendor.check().code == "unreachable"


def test_a_secret_that_is_missing_is_said_not_raised() -> None:
    class NoKeys(Keys):
        def get(self, name: str, *, fresh: bool = False) -> str:
            raise UserMustAct("secret_missing", "There is no such secret.")

    with world(Project(), keys=NoKeys("")) as here:
        assert here.vendor.check().code == "secret_missing"


def test_a_key_of_the_other_data_centre_is_recognised() -> None:
    with serving(Project()) as european, serving(Project(keys=())) as american:
        both = {HOSTS["us"]: american.url, HOSTS["eu"]: european.url}
        found = linked(both, Keys(KEY), {})[0].check()
        assert found.code == "wrong_data_center"
        assert "EU" in found.message
        assert len(european.seen) == 1
        assert linked(both, Keys("unknown"), {})[0].check().code == "bad_credentials"
        assert linked(both, Keys(KEY), {"data_center": "eu"})[0].check().ok


def test_where_only_one_host_is_replaced_the_other_is_not_called() -> None:
    with serving(Project(keys=())) as server:
        called = []

        def transport(method: str, url: str, *rest: Any) -> Any:
            called.append(url)
            return link.transport(method, url, *rest)

        _, _, link = linked({HOSTS["us"]: server.url}, Keys(KEY), {})
        vendor, _, _ = linked({HOSTS["us"]: server.url}, Keys(KEY), {}, transport=transport)
        assert vendor.check().code == "bad_credentials"
        assert called == [f"{server.url}/api/lists"]


def test_email_based_projects_do_not_exist_in_the_eu() -> None:
    vendor, _, _ = linked({}, Keys(KEY), {"project_type": "email", "data_center": "eu"})
    assert vendor.check().code == "unsupported_project_type"


def test_a_key_that_was_replaced_in_the_vault_is_picked_up() -> None:
    keys = Keys("old", stored=KEY)
    with world(Project(), keys=keys) as here:
        assert here.vendor.check().ok
        assert keys.fresh == 1


# Lists and fields


def test_only_static_lists_can_be_chosen() -> None:
    project = Project([listed(3, "b"), listed(1, "a"), listed(2, "c", "Dynamic"), listed(4, "d", "Suppression")])
    with world(project) as here:
        assert [(each.list_id, each.name) for each in here.vendor.targets()] == [("1", "a"), ("3", "b")]


def test_field_types() -> None:
    with world(Project(other={"/api/users/getFields": reply({"fields": {"n": "long", "o": "object"}})})) as here:
        assert here.vendor.field_types() == {"n": "integer"}


def test_a_list_is_found_by_its_remembered_id_even_when_renamed() -> None:
    with world(Project([listed(5, "Loyal"), listed(6, "Renamed")])) as here:
        found = here.vendor.prepare(TargetWanted(None, "Loyal"), TargetFound("6", "Loyal"), {})
        assert (found.list_id, found.name, found.created) == ("6", "Renamed", False)


def test_a_given_id_goes_before_a_remembered_one() -> None:
    with world(Project([listed(5, "a"), listed(6, "b")])) as here:
        assert here.vendor.prepare(TargetWanted("5", "x"), TargetFound("6", "b"), {}).list_id == "5"


@pytest.mark.parametrize(
    ("wanted", "remembered", "code"),
    [
        (TargetWanted("9", "x"), None, "target_vanished"),
        (TargetWanted(None, "Loyal"), TargetFound("9", "Loyal"), "target_vanished"),
        (TargetWanted("six", "x"), None, "target_vanished"),
        (TargetWanted("6", "x"), None, "target_not_static"),
        (TargetWanted(None, "x"), TargetFound("6", "x"), "target_not_static"),
    ],
)
def test_a_list_that_is_gone_or_not_static_needs_a_person(
    wanted: TargetWanted, remembered: TargetFound | None, code: str
) -> None:
    with world(Project([listed(5, "Loyal"), listed(6, "x", "Dynamic")])) as here:
        with pytest.raises(UserMustAct) as error:
            here.vendor.prepare(wanted, remembered, {})
        assert error.value.code == code
        assert here.server.bodies() == []


def test_by_name_it_is_exact_static_and_the_oldest() -> None:
    lists = [listed(8, "Loyal"), listed(5, "loyal"), listed(6, "Loyal", "Dynamic"), listed(7, "Loyal")]
    with world(Project(lists)) as here:
        found = here.vendor.prepare(TargetWanted(None, "Loyal"), None, {})
        assert (found.list_id, found.created) == ("7", False)
        assert len(found.warnings) == 1
        assert "8" in found.warnings[0]


def test_a_missing_list_is_made_with_exactly_the_name() -> None:
    with world(Project([listed(5, "loyal")], create=lambda seen: reply({"listId": 7}))) as here:
        found = here.vendor.prepare(TargetWanted(None, "Loyal ä"), None, {})
        assert (found.list_id, found.name, found.created) == ("7", "Loyal ä", True)
        assert here.server.bodies() == [{"name": "Loyal ä"}]


def test_a_name_that_iterable_refuses_needs_a_person() -> None:
    answer = reply({"msg": "Name too long", "code": "BadParams", "params": None}, 400)
    with world(Project([], create=lambda seen: answer)) as here, pytest.raises(UserMustAct) as error:
        here.vendor.prepare(TargetWanted(None, "n" * 500), None, {})
    assert error.value.code == "target_refused"
    assert "Name too long" in error.value.message


def test_a_list_whose_making_was_not_answered_is_looked_up_not_made_twice() -> None:
    project = Project([])

    def make_and_hang_up(seen: Seen) -> Raw:
        project.lists.append(listed(7, seen.json()["name"]))
        return hang_up

    project.create = make_and_hang_up
    with world(project) as here:
        assert here.vendor.prepare(TargetWanted(None, "Loyal"), None, {}).list_id == "7"
        assert len(here.server.bodies()) == 1


def test_a_list_that_was_perhaps_made_is_looked_for_later() -> None:
    with world(Project([], create=lambda seen: hang_up)) as here:
        with pytest.raises(RetryAfter):
            here.vendor.prepare(TargetWanted(None, "Loyal"), None, {})
        assert len(here.server.bodies()) == 1


# Batches


@pytest.mark.parametrize("kind", list(Kind))
def test_an_empty_batch_makes_no_request(kind: Kind) -> None:
    with world(Project()) as here:
        assert here.vendor.deliver(TARGET, kind, []).requests == 0
        assert here.server.seen == []


@pytest.mark.parametrize("kind", list(Kind))
def test_a_batch_is_one_request(kind: Kind) -> None:
    with world(Project()) as here:
        here.vendor.expect(Prospect(changes=1000, members=1000))
        found = here.vendor.deliver(TARGET, kind, rows(1000, '{"firstName":"Ana"}'))
        assert (found.default.outcome, found.others, found.requests) == ("accepted", {}, 1)
        assert people(here.server.seen[-1]) == [row.address for row in rows(1000)]
        # Who is on the list is known to Iterable.
        assert len(here.server.seen) == (1 if kind is Kind.ADD else 2)


@pytest.mark.parametrize("kind", [Kind.CHANGE, Kind.REMOVE])
@pytest.mark.parametrize(
    "answer",
    [Reply(500, b""), Reply(503, b"Request timeout."), reply({}, 429), reply({}), Reply(200, b"<html>")],
    ids=["error", "late", "limited", "JSON", "a page"],
)
def test_a_list_that_cannot_be_read_is_tried_once_and_then_each_is_asked_for(kind: Kind, answer: Reply) -> None:
    members = "/api/lists/getUsers?listId=4411201"
    with world(Project(other={members: answer})) as here:
        here.vendor.expect(Prospect(changes=200, members=200))
        for first in (0, 100):
            found = here.vendor.deliver(TARGET, kind, rows(200)[first : first + 100])
            assert (found.default.outcome, found.others) == ("accepted", {})
        paths = [seen.path for seen in here.server.seen]
        assert paths.count(members) == 1
        assert sum(path.startswith("/api/users/getByEmail") for path in paths) == 200


@pytest.mark.parametrize("kind", [Kind.CHANGE, Kind.REMOVE])
def test_who_is_not_on_the_list_that_was_read_is_asked_for(kind: Kind) -> None:
    with world(Project()) as here:
        here.vendor.expect(Prospect(changes=1010, members=1000))
        found = here.vendor.deliver(TARGET, kind, rows(1010))
        assert (found.default.outcome, found.others) == ("accepted", {})
        asked = [seen.path for seen in here.server.seen if seen.path.startswith("/api/users/getByEmail")]
        assert sorted(asked) == sorted(
            f"/api/users/getByEmail?email=p{number}%40example.com" for number in range(1000, 1010)
        )


def test_batches_are_cut_by_rows_and_by_bytes() -> None:
    with world(Project(), batch_rows=400) as here:
        here.vendor.deliver(TARGET, Kind.ADD, rows(1000))
        assert [len(people(seen)) for seen in here.server.seen] == [400, 400, 200]
    with world(Project()) as here:
        here.vendor.deliver(TARGET, Kind.ADD, rows(1000, json.dumps({"bio": "x" * 8_000})))
        assert len(here.server.seen) == 3
        assert all(len(seen.body) <= 3_510_000 for seen in here.server.seen)


def test_what_is_too_large_is_halved_down_to_the_row() -> None:
    def at_most_three(seen: Seen) -> Reply:
        if len(people(seen)) > 3:
            return reply({"msg": "m", "code": "BatchTooLarge", "params": None}, 400)
        return Reply(413, b"") if "p7@example.com" in people(seen) else succeed(seen)

    with world(Project(bulk=at_most_three)) as here:
        found = receipts(here.vendor.deliver(TARGET, Kind.ADD, rows(20)), 20)
        assert [index for index, each in enumerate(found) if each.outcome != "accepted"] == [7]
        assert (found[7].code, found[7].retry) == ("too_large", Retry.WHEN_CHANGED)


def test_an_unnamed_failure_is_found_by_asking_again() -> None:
    def hush(seen: Seen) -> Reply:
        bad = sum(each in ("p3@example.com", "p90@example.com") for each in people(seen))
        return reply({"successCount": len(people(seen)) - bad, "failCount": bad})

    with world(Project(bulk=hush)) as here:
        found = receipts(here.vendor.deliver(TARGET, Kind.REMOVE, rows(100)), 100)
        assert {index: each.outcome for index, each in enumerate(found) if each.outcome != "accepted"} == {
            3: "rejected",
            90: "rejected",
        }


def test_a_batch_refused_for_a_type_loses_only_the_values_to_blame() -> None:
    def typed(seen: Seen) -> Reply:
        ages = [each.get("dataFields", {}).get("age") for each in seen.json()["subscribers"]]
        if any(isinstance(age, str) for age in ages):
            errors = {"age": {"incomingTypes": ["string"], "expectedType": "long", "offendingValue": "old"}}
            params = {"validationErrors": errors}
            return reply({"msg": "m", "code": "RequestFieldsTypesMismatched", "params": params}, 400)
        return succeed(seen)

    batch = [*rows(9, '{"age":3}'), Row("old@example.com", '{"age":"old"}')]
    with world(Project(bulk=typed, fields={"age": "long"})) as here:
        result = here.vendor.deliver(TARGET, Kind.ADD, batch)
        assert (result.others, result.requests) == ({9: replace(LEFT_OUT, left_out=("age",))}, 3)
        assert not result.warnings
        assert here.server.seen[-1].json()["subscribers"] == [{"email": "old@example.com"}]


def test_a_new_list_that_is_not_known_everywhere_yet_is_waited_for() -> None:
    answers = iter([UNKNOWN_LIST] * 3)
    project = Project([], bulk=lambda seen: next(answers, None) or succeed(seen))
    with world(project) as here:
        made = here.vendor.prepare(TargetWanted(None, "Loyal"), None, {})
        later = TargetFound(made.list_id, made.name)
        assert here.vendor.deliver(later, Kind.ADD, rows(2)).default.outcome == "accepted"
        assert [wait for wait in here.clock.waits if wait >= 2] == [2, 4, 8]


def test_a_new_list_that_stays_unknown_is_tried_later_and_never_called_gone() -> None:
    with world(Project([], bulk=lambda seen: UNKNOWN_LIST)) as here:
        target = TargetFound("4411201", "Loyal", created=True)
        with pytest.raises(RetryAfter):
            here.vendor.deliver(target, Kind.ADD, rows(2))
        assert 55 <= sum(wait for wait in here.clock.waits if wait >= 2) <= 65


def test_a_list_that_is_gone_needs_a_person_even_where_the_status_is_500() -> None:
    gone = Reply(500, UNKNOWN_LIST.body)
    with world(Project([], bulk=lambda seen: gone)) as here:
        with pytest.raises(UserMustAct) as error:
            here.vendor.deliver(TARGET, Kind.REMOVE, rows(2))
        assert error.value.code == "target_vanished"


def test_an_answer_that_never_comes_is_unknown_and_the_other_parts_keep_theirs() -> None:
    def broken(seen: Seen) -> Reply | Raw:
        return hang_up if "p0@example.com" in people(seen) else succeed(seen)

    with world(Project(bulk=broken), batch_rows=2) as here:
        found = receipts(here.vendor.deliver(TARGET, Kind.ADD, rows(6)), 6)
        assert [each.outcome for each in found] == ["unknown"] * 2 + ["accepted"] * 4


@pytest.mark.parametrize(
    "answer",
    [
        Reply(200, b"<html>"),
        Reply(200, b"<html>", {"Content-Type": "text/html"}),
        Reply(200, b""),
        Reply(200, b'{"msg":"","code":"Success","params":null}'),
        Reply(204, b""),
        Reply(301, b"", {"Location": "/elsewhere"}),
        Reply(404, b"<html>Action not found</html>", {"Content-Type": "text/html"}),
    ],
)
def test_an_unexpected_answer_is_never_success(answer: Reply) -> None:
    with world(Project(bulk=lambda seen: answer)) as here:
        result = here.vendor.deliver(TARGET, Kind.ADD, rows(3))
        assert (result.default.outcome, result.others) == ("unknown", {})


def test_a_revoked_key_raises_before_anything_was_done_and_is_a_reason_afterwards() -> None:
    def once(seen: Seen) -> Reply:
        return succeed(seen) if "p0@example.com" in people(seen) else BAD_KEY

    with world(Project(bulk=lambda seen: BAD_KEY)) as here, pytest.raises(UserMustAct):
        here.vendor.deliver(TARGET, Kind.ADD, rows(3))
    with world(Project(bulk=once), batch_rows=2) as here:
        found = receipts(here.vendor.deliver(TARGET, Kind.ADD, rows(4)), 4)
        assert [each.outcome for each in found] == ["accepted", "accepted", "rejected", "rejected"]
        assert (found[3].code, found[3].retry) == ("bad_credentials", Retry.NEXT_RUN)


def test_a_long_retry_after_ends_the_slice_with_nothing_done() -> None:
    limited = reply({"msg": "Exceeded rate limit", "code": "RateLimitExceeded", "params": {}}, 429, Retry_After="60")
    with world(Project(bulk=lambda seen: limited)) as here:
        with pytest.raises(RetryAfter) as error:
            here.vendor.deliver(TARGET, Kind.ADD, rows(3))
        assert error.value.seconds == 60
        assert len(here.server.seen) == 1


def test_a_lost_lease_stops_before_the_next_request() -> None:
    checks = iter([None, LeaseLost("taken over")])

    def check() -> None:
        if error := next(checks):
            raise error

    with serving(Project()) as server:
        vendor, _, link = linked({HOSTS["us"]: server.url}, Keys(KEY), {"batch_rows": 2}, before_request=check)
        with pytest.raises(LeaseLost):
            vendor.deliver(TARGET, Kind.ADD, rows(6))
        assert len(server.seen) == 1
        link.transport.close()  # type: ignore[attr-defined]  # the default transport


def test_many_threads_share_a_vendor() -> None:
    with world(Project(), subscribe_rate=1000.0) as here, ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda _: here.vendor.deliver(TARGET, Kind.ADD, rows(50)), range(40)))
        assert {(result.default.outcome, len(result.others)) for result in results} == {("accepted", 0)}
        assert len(here.server.seen) == here.link.counters.requests == 40


def test_nobodys_address_reaches_a_log_a_reason_or_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    def chatty(seen: Seen) -> Reply:
        if len(people(seen)) == 1:
            return reply({"msg": "Bad: p1@example.com", "code": "BadParams", "params": {"x": "p1@example.com"}}, 400)
        fields = ["p1@example.com", "fine"]
        return reply({"successCount": 0, "failCount": 2, "filteredOutFields": fields, "msg": "p0%40example.com"})

    with world(Project(bulk=chatty)) as here:
        result = here.vendor.deliver(TARGET, Kind.ADD, rows(2))
        told = caplog.text + repr(result)
        assert "example.com" not in told
        assert KEY not in told
        assert "Bad: [address]" in told


# Removals of people who may never have been added


def whom(known: set[str]) -> Callable[[Seen], Reply | Raw]:
    """A project that has these people; what it makes of a removal is `succeed`."""
    project = Project()

    def answer(seen: Seen) -> Reply | Raw:
        if not seen.path.startswith("/api/users/getByEmail"):
            return project(seen)
        [address] = parse_qs(urlsplit(seen.path).query)["email"]
        return reply({"user": {"email": address, "dataFields": {}}} if address in known else {})

    return answer


@pytest.mark.parametrize(
    ("ago", "outcome", "code"), [(3600.0, "accepted", "never_there"), (1.0, "skipped", "not_there_yet")]
)
def test_whom_iterable_does_not_have_is_not_sent(ago: float, outcome: str, code: str) -> None:
    leavers = [
        Row("a@example.com"),
        Row("b@example.com", unsure_since=time.time() - ago),
        Row("c@example.com", unsure_since=1.0),
    ]
    with world(whom({"c@example.com"})) as here:
        found = receipts(here.vendor.deliver(TARGET, Kind.REMOVE, leavers), 3)
        [sent] = [people(seen) for seen in here.server.seen if seen.method == "POST"]
        asked = [seen for seen in here.server.seen if seen.method == "GET"]
    assert sent == ["c@example.com"]
    assert len(asked) == 3
    assert [(each.outcome, each.code) for each in found] == [
        ("accepted", "not_found"),
        (outcome, code),
        ("accepted", ""),
    ]


def strange(addresses: set[str]) -> Callable[[Seen], Reply | Raw]:
    """A project whose answers about these people make no sense."""
    answer = whom({"b@example.com"})

    def replies(seen: Seen) -> Reply | Raw:
        found = parse_qs(urlsplit(seen.path).query).get("email", [""])[0]
        return reply({"user": 7}) if found in addresses else answer(seen)

    return replies


def test_an_answer_about_one_person_that_makes_no_sense_leaves_that_person_to_the_next_run() -> None:
    leavers = [Row(f"{name}@example.com", unsure_since=1.0) for name in "abc"]
    with world(strange({"a@example.com"})) as here:
        found = receipts(here.vendor.deliver(TARGET, Kind.REMOVE, leavers), 3)
    assert [(each.outcome, each.code) for each in found] == [
        ("skipped", "not_looked_at"),
        ("accepted", ""),
        ("accepted", "never_there"),
    ]


def test_where_no_answer_makes_sense_the_batch_waits() -> None:
    leavers = [Row(f"{name}@example.com", unsure_since=1.0) for name in "abc"]
    with world(strange({each.address for each in leavers})) as here:
        with pytest.raises(Unreadable):
            here.vendor.deliver(TARGET, Kind.REMOVE, leavers)
        assert not [seen for seen in here.server.seen if seen.method == "POST"]


def test_where_iterable_has_nobody_of_a_batch_no_removal_is_asked_for() -> None:
    with world(whom(set())) as here:
        found = here.vendor.deliver(TARGET, Kind.REMOVE, [Row("a@example.com", unsure_since=1.0)])
        assert [seen.method for seen in here.server.seen] == ["GET"]
    assert receipts(found, 1)[0].outcome == "accepted"
