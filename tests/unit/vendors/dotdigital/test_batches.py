"""Batches against a scripted server: imports and removals as staged jobs, and what goes wrong with them."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from shared.errors import LeaseLost, OutcomeUnknown, RetryAfter, UserMustAct
from shared.vendors.answers import RateLimited
from shared.vendors.contract import PROFILE_MISSING, BatchResult, Kind, Outcome, Retry, Row, TargetFound
from shared.vendors.dotdigital import staging
from shared.vendors.presence import not_found_words
from tests.unit.vendors.dotdigital.scripted import (
    DENIED,
    NO_LIST,
    PASSWORD,
    USER,
    Dot,
    World,
    error,
    hang_up,
    linked,
    people,
    receipts,
    regions,
    rows,
    token,
    world,
)
from tests.unit.vendors.loopback import Raw, Reply, Seen, reply, serving

TARGET = TargetFound("345579", "Loyal customers")
IMPORT, REMOVE = "PUT /contacts/v3/import", "POST /v2/address-books/345579/contacts/delete"
BUSY = error("contacts:tooManyActiveImports", 429)


def finish(here: World, kind: Kind, batch: list[Row]) -> BatchResult:
    """Deliver, and settle until there are receipts, as the engine does."""
    result: BatchResult | None = here.vendor.deliver(TARGET, kind, batch)
    assert result is not None
    while result.staged is not None:
        job = result.staged
        result = None
        while result is None:
            try:
                result = here.vendor.settle(TARGET, kind, batch, job)
            except RateLimited as limited:
                here.clock.wait(limited.seconds)
    return result


def outcomes(found: BatchResult, count: int) -> list[str]:
    return [str(each.outcome) for each in receipts(found, count)]


def unsubscriber(address: str | None, number: int = 0) -> dict[str, Any]:
    person = {"id": number, "email": address, "status": "Subscribed"}
    return {"suppressedContact": person, "dateRemoved": "2026-01-01T09:40:18.527Z", "reason": "Unsubscribed"}


# The common way


@pytest.mark.parametrize("kind", list(Kind))
def test_an_empty_batch_makes_no_request(kind: Kind) -> None:
    with world(Dot()) as here:
        found = here.vendor.deliver(TARGET, kind, [])
        assert (found.staged, found.others) == (None, {})
        assert here.server.seen == []


def test_an_addition_is_one_import_whose_people_keep_their_contact_ids() -> None:
    with world(Dot()) as here:
        batch = rows(10_000, '{"FIRSTNAME":"Ana"}')
        found = finish(here, Kind.ADD, batch)
        assert outcomes(found, 10_000) == ["accepted"] * 10_000
        assert [each.vendor_id for each in receipts(found, 10_000)] == [str(n + 1) for n in range(10_000)]
        assert here.asked() == [
            "GET /r1/v2/account-info",
            "GET /r2/v2/address-books/345579/contacts/unsubscribed-since/2000-01-01",
            "PUT /r2/contacts/v3/import",
            "GET /r2/contacts/v3/import/job-1",
        ]
        assert [each["lists"] for each in people(here.server.seen[2])] == [[345579]] * 10_000


def test_nothing_that_is_sent_touches_a_subscription() -> None:
    with world(Dot()) as here:
        for kind in Kind:
            finish(here, kind, rows(3, "{}" if kind is Kind.REMOVE else '{"optInType":"single"}'))
        for seen in here.server.seen:
            assert b"status" not in seen.body
            assert b"resubscribe" not in seen.body.lower()
            assert seen.method != "DELETE"
            assert not seen.path.endswith(("/contacts/v3/delete", "/unsubscribe", "/contacts/unsubscribe"))


def test_a_change_names_no_list_and_asks_nothing_about_it() -> None:
    with world(Dot()) as here:
        found = finish(here, Kind.CHANGE, rows(2, '{"FIRSTNAME":"Ana"}', known=True))
        assert (found.default.outcome, found.others) == ("accepted", {})
        assert here.asked()[1:] == ["PUT /r2/contacts/v3/import", "GET /r2/contacts/v3/import/job-1"]
        assert all("lists" not in each for each in people(here.server.seen[1]))


def test_a_change_of_somebody_who_was_deleted_is_added_again_by_the_next_run() -> None:
    account = Dot(ids={"p0@example.com": 8})
    with world(account) as here:
        staged = here.vendor.deliver(TARGET, Kind.CHANGE, rows(1))
        account.jobs["job-1"] = {
            "status": "Finished",
            "created": [{"contactId": 9, "identifiers": {"email": "p0@example.com"}}],
        }
        found = here.vendor.settle(TARGET, Kind.CHANGE, rows(1), staged.staged or "")
        assert found is not None
        assert receipts(found, 1)[0].code == PROFILE_MISSING


def test_a_removal_takes_contacts_off_the_list_by_their_ids() -> None:
    with world(Dot()) as here:
        found = finish(here, Kind.REMOVE, rows(3, known=True))
        assert (found.default.outcome, found.others) == ("accepted", {})
        assert here.sent("/contacts/delete") == [[1, 2, 3]]
        assert "/r2/v2/contacts/deletion/job-1" in here.server.seen[-1].path


def test_people_without_an_id_are_looked_up_before_they_are_taken_off() -> None:
    account = Dot(ids={"p0@example.com": 71, "p2@example.com": 73})
    with world(account) as here:
        batch = [*rows(3), Row("known@example.com", vendor_id="9"), Row("odd@example.com", vendor_id="?")]
        found = finish(here, Kind.REMOVE, batch)
        assert outcomes(found, 5) == ["accepted"] * 5
        assert here.sent("/contacts/delete") == [[71, 73, 9]]


def test_where_dotdigital_knows_nobody_there_is_nothing_to_take_off() -> None:
    with world(Dot()) as here:
        found = here.vendor.deliver(TARGET, Kind.REMOVE, rows(2))
        assert found.staged is None
        assert [(each.outcome, each.code) for each in receipts(found, 2)] == [("accepted", "not_found")] * 2
        assert list(found.warnings) == [not_found_words("Dotdigital")]
        perhaps = here.vendor.deliver(TARGET, Kind.REMOVE, [Row("p0@example.com", unsure_since=1.0)])
        assert (perhaps.default.outcome, perhaps.others, list(perhaps.warnings)) == ("accepted", {}, [])
        assert here.server.bodies() == []


@pytest.mark.parametrize("known", [(), (0,), (1,), (0, 2), (0, 1, 2)])
def test_a_change_without_an_id_is_sent_for_those_alone_who_are_there(known: tuple[int, ...]) -> None:
    account = Dot(ids={f"p{number}@example.com": 70 + number for number in known})
    with world(account) as here:
        batch = [*rows(3, '{"FIRSTNAME":"Ana"}'), Row("known@example.com", '{"FIRSTNAME":"Bo"}', vendor_id="9")]
        found = finish(here, Kind.CHANGE, batch)
        assert [each.code for each in receipts(found, 3)] == [
            "" if number in known else PROFILE_MISSING for number in range(3)
        ]
        assert receipts(found, 4)[3].outcome == "accepted"
        [sent] = [people(seen) for seen in here.server.seen if seen.method == "PUT"]
        assert len(sent) == len(known) + 1


def test_each_is_looked_up_once_and_not_all_before_one_import(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.vendors.dotdigital.staging.MOST_LOOKS", 2)
    account = Dot(ids={f"p{number}@example.com": 70 + number for number in range(5)})
    with world(account) as here:
        for _ in range(2):
            finish(here, Kind.CHANGE, rows(5, '{"FIRSTNAME":"Ana"}'))
        sizes = [len(people(seen)) for seen in here.server.seen if seen.method == "PUT"]
        looks = [path for path in here.asked() if "/contacts/v3/email/" in path]
    assert (sizes, len(looks)) == ([2, 2, 1, 5], 5)


@pytest.mark.parametrize("answer", [Reply(404, b"<html>"), Reply(404), reply({}), reply({"contactId": "7"})])
def test_only_dotdigitals_own_word_says_that_nobody_is_known(answer: Reply) -> None:
    with world(Dot(other={"GET /contacts/v3/email/p0%40example.com": answer})) as here:
        with pytest.raises(RetryAfter):
            here.vendor.deliver(TARGET, Kind.REMOVE, rows(1))
        assert here.server.bodies() == []


# People who unsubscribed from the list


@pytest.mark.parametrize("kind", [Kind.ADD, Kind.REMOVE])
def test_who_unsubscribed_from_the_list_is_left_alone(kind: Kind) -> None:
    account = Dot(unsubscribed=[unsubscriber("P1@Example.com", 71), unsubscriber(None, 4)])
    with world(account) as here:
        batch = rows(5, known=kind is Kind.REMOVE)
        found = finish(here, kind, batch)
        told = receipts(found, 5)
        expected = {1, 3} if kind is Kind.REMOVE else {1}
        assert {index for index, each in enumerate(told) if each.outcome == Outcome.SKIPPED} == expected
        assert told[1].code == "unsubscribed"
        sent = here.server.bodies()[0]
        known = sent if kind is Kind.REMOVE else [each["identifiers"]["email"] for each in sent["contacts"]]
        assert len(known) == 5 - len(expected)
        assert not {2, "p1@example.com"} & set(known)


def test_where_all_unsubscribed_nothing_is_sent() -> None:
    account = Dot(unsubscribed=[unsubscriber(row.address) for row in rows(3)])
    with world(account) as here:
        found = here.vendor.deliver(TARGET, Kind.ADD, rows(3))
        assert found.staged is None
        assert outcomes(found, 3) == ["skipped"] * 3
        assert here.server.bodies() == []


def test_everyone_who_unsubscribed_is_read_once_whatever_the_number_of_batches() -> None:
    account = Dot(unsubscribed=[unsubscriber(f"u{n}@example.com", n + 1) for n in range(2001)])
    with world(account) as here, ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: here.vendor.deliver(TARGET, Kind.ADD, rows(5)), range(12)))
        # Three pages, and a look at the front in the end for those who moved there.
        assert sum("unsubscribed-since" in path for path in here.asked()) == 4
        assert here.asked().count("PUT /r2/contacts/v3/import") == 12


def test_a_page_that_has_to_wait_for_the_rate_does_not_begin_anew() -> None:
    account = Dot(unsubscribed=[unsubscriber(f"u{n}@example.com") for n in range(2500)])
    limited = iter([None, Reply(429, b"", {"X-RateLimit-Reset": "50"}), None, None, None])
    path = "/v2/address-books/345579/contacts/unsubscribed-since/2000-01-01"

    def page(seen: Seen) -> Reply | Raw:
        skip = int(seen.path.rpartition("=")[2])
        return next(limited) or reply(account.unsubscribed[skip : skip + 1000])

    account.other[f"GET {path}"] = page
    with world(account) as here:
        assert finish(here, Kind.ADD, rows(1)).default.outcome == "accepted"
        assert sum("unsubscribed-since" in each for each in here.asked()) == 5
        assert sum(here.clock.waits) >= 50


@pytest.mark.parametrize(
    ("answer", "code"), [(NO_LIST, "target_vanished"), (Reply(404, b"<html>"), "unsubscribed_unreadable")]
)
def test_without_knowing_who_unsubscribed_nobody_is_added_or_taken_off(answer: Reply, code: str) -> None:
    path = "/v2/address-books/345579/contacts/unsubscribed-since/2000-01-01"
    with world(Dot(other={f"GET {path}": answer})) as here:
        for kind in (Kind.ADD, Kind.REMOVE):
            with pytest.raises(UserMustAct) as found:
                here.vendor.deliver(TARGET, kind, rows(1, known=True))
            assert found.value.code == code
        assert here.server.bodies() == []


# Jobs that take their time


def test_a_job_that_is_under_way_has_no_receipts_yet() -> None:
    account = Dot()
    with world(account) as here:
        job = here.vendor.deliver(TARGET, Kind.ADD, rows(2)).staged or ""
        ended, account.jobs["job-1"] = account.jobs["job-1"], {"importId": "job-1", "status": "NotFinished"}
        assert here.vendor.settle(TARGET, Kind.ADD, rows(2), job) is None
        account.jobs["job-1"] = {"status": "SomethingNew"}
        assert here.vendor.settle(TARGET, Kind.ADD, rows(2), job) is None
        account.jobs["job-1"] = ended
        found = here.vendor.settle(TARGET, Kind.ADD, rows(2), job)
        assert found is not None
        assert outcomes(found, 2) == ["accepted"] * 2
        assert found == here.vendor.settle(TARGET, Kind.ADD, rows(2), job)


def test_a_job_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    account = Dot()
    with world(account) as here:
        job = here.vendor.deliver(TARGET, Kind.ADD, rows(2)).staged or ""
        account.jobs["job-1"] = {"status": "NotFinished"}
        assert here.vendor.settle(TARGET, Kind.ADD, rows(2), job) is None
        now = time.time()
        monkeypatch.setattr("shared.vendors.dotdigital.vendor.time.time", lambda: now + 12 * 3600 + 60)
        found = here.vendor.settle(TARGET, Kind.ADD, rows(2), job)
        assert found is not None
        assert outcomes(found, 2) == ["unknown"] * 2


@pytest.mark.parametrize("kind", [Kind.ADD, Kind.REMOVE])
def test_a_job_that_dotdigital_forgot_is_unknown(kind: Kind) -> None:
    account = Dot()
    with world(account) as here:
        batch = rows(2, known=True)
        job = here.vendor.deliver(TARGET, kind, batch).staged or ""
        account.jobs.clear()
        found = here.vendor.settle(TARGET, kind, batch, job)
        assert found is not None
        assert outcomes(found, 2) == ["unknown"] * 2


@pytest.mark.parametrize(
    "answer",
    [
        Reply(200, b"<html>"),
        reply({}),
        reply([]),
        reply({"status": 1}),
        Reply(404, b""),
        reply({}, 500),
        Reply(429, b""),
    ],
)
def test_an_answer_that_tells_nothing_about_a_job_is_asked_for_again(answer: Reply) -> None:
    account = Dot()
    with world(account) as here:
        job = here.vendor.deliver(TARGET, Kind.ADD, rows(2)).staged or ""
        account.other["GET /contacts/v3/import/job-1"] = answer
        with pytest.raises(RetryAfter):
            here.vendor.settle(TARGET, Kind.ADD, rows(2), job)


def test_the_watchdogs_verdict_reaches_the_rows_and_the_run() -> None:
    account = Dot()
    with world(account) as here:
        job = here.vendor.deliver(TARGET, Kind.ADD, rows(2)).staged or ""
        account.jobs["job-1"] = {"status": "RejectedByWatchdog"}
        found = here.vendor.settle(TARGET, Kind.ADD, rows(2), job)
        assert found is not None
        assert {(each.code, each.retry) for each in receipts(found, 2)} == {("watchdog", Retry.NEXT_RUN)}
        assert "Dotdigital support" in found.warnings[0]


# Batches that need several jobs


def test_a_batch_that_is_too_large_is_several_imports_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staging, "MOST_BYTES", 1000)
    account = Dot(unsubscribed=[unsubscriber("p3@example.com"), unsubscriber("p19@example.com")])
    with world(account) as here:
        found = finish(here, Kind.ADD, rows(20, json.dumps({"FIRSTNAME": "x" * 100})))
        expected = ["skipped" if n in (3, 19) else "accepted" for n in range(20)]
        assert outcomes(found, 20) == expected
        sent = here.sent("/import")
        assert all(len(json.dumps(body, separators=(",", ":"))) <= 1100 for body in sent)
        assert len(sent) > 2
        order = [path for path in here.asked() if "/import" in path]
        assert order[:3] == ["PUT /r2/contacts/v3/import", "GET /r2/contacts/v3/import/job-1", order[0]]
        assert sorted(each["identifiers"]["email"] for body in sent for each in body["contacts"]) == sorted(
            row.address for n, row in enumerate(rows(20)) if n not in (3, 19)
        )


def test_a_person_too_large_for_any_import_goes_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staging, "MOST_BYTES", 400)
    with world(Dot()) as here:
        batch = [*rows(2), Row("large@example.com", json.dumps({"FIRSTNAME": "x" * 1000})), Row("last@example.com")]
        assert outcomes(finish(here, Kind.ADD, batch), 4) == ["accepted"] * 4
        assert [len(body["contacts"]) for body in here.sent("/import")] == [2, 1, 1]


def test_a_large_removal_is_several_too() -> None:
    with world(Dot()) as here:
        batch = rows(12_000, known=True)
        found = finish(here, Kind.REMOVE, batch)
        assert (found.default.outcome, found.others) == ("accepted", {})
        assert [len(body) for body in here.sent("/contacts/delete")] == [5000, 5000, 2000]


def test_the_parts_keep_their_own_fates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staging, "MOST_IDS", 2)
    account = Dot()
    with world(account) as here:
        batch = rows(6, known=True)
        first = here.vendor.deliver(TARGET, Kind.REMOVE, batch)
        account.jobs["job-1"] = {"id": "job-1", "status": "Failed"}
        second = here.vendor.settle(TARGET, Kind.REMOVE, batch, first.staged or "")
        assert second is not None
        third = here.vendor.settle(TARGET, Kind.REMOVE, batch, second.staged or "")
        assert third is not None
        found = here.vendor.settle(TARGET, Kind.REMOVE, batch, third.staged or "")
        assert found is not None
        assert outcomes(found, 6) == ["unknown"] * 2 + ["accepted"] * 4


def test_another_worker_goes_on_and_goes_by_what_is_so_by_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staging, "MOST_IDS", 2)
    account = Dot(unsubscribed=[unsubscriber("p0@example.com"), unsubscriber("p4@example.com")])
    with world(account) as here:
        batch = rows(6, known=True)
        job = here.vendor.deliver(TARGET, Kind.REMOVE, batch).staged or ""
        account.unsubscribed = [unsubscriber("p5@example.com")]
        other, _, link = linked(regions(here.server.url))
        following = other.settle(TARGET, Kind.REMOVE, batch, job)
        assert following is not None
        found = other.settle(TARGET, Kind.REMOVE, batch, following.staged or "")
        assert found is not None
        assert outcomes(found, 6) == ["skipped", *["accepted"] * 4, "skipped"]
        assert here.sent("/contacts/delete") == [[2, 3], [4, 5]]
        link.transport.close()  # type: ignore[attr-defined]  # the default transport


def test_a_next_part_that_got_no_answer_is_sent_again_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staging, "MOST_IDS", 2)
    account = Dot()
    with world(account) as here:
        batch = rows(4, known=True)
        job = here.vendor.deliver(TARGET, Kind.REMOVE, batch).staged or ""
        account.other[REMOVE] = lambda seen: hang_up
        with pytest.raises(RetryAfter):
            here.vendor.settle(TARGET, Kind.REMOVE, batch, job)
        account.other.clear()
        following = here.vendor.settle(TARGET, Kind.REMOVE, batch, job)
        assert following is not None
        assert here.sent("/contacts/delete")[-1] == [3, 4]


def test_looking_people_up_goes_on_where_the_rate_stopped_it() -> None:
    def limited(seen: Seen) -> Reply:
        number = int(seen.path.split("/p")[-1].split("%40")[0])
        turns[number] = turns.get(number, 0) + 1
        if number % 3 == 2 and turns[number] == 1:
            return Reply(429, b"", {"X-RateLimit-Reset": "30"})
        return account.contact(f"p{number}@example.com")

    turns: dict[int, int] = {}
    account = Dot(ids={f"p{n}@example.com": n + 1 for n in range(8, 12)})
    account.other = {f"GET /contacts/v3/email/p{n}%40example.com": limited for n in range(12)}
    with world(account) as here:
        found = finish(here, Kind.REMOVE, rows(12))
        assert outcomes(found, 12) == ["accepted"] * 12
        assert sorted(each for body in here.sent("/contacts/delete") for each in body) == [9, 10, 11, 12]
        assert sum(turns.values()) == 12 + 4


# What goes wrong


def test_too_many_imports_wait_and_too_many_calls_slow_down() -> None:
    for answer, factor in ((BUSY, 1.0), (Reply(429, b"", {"X-RateLimit-Reset": "50"}), 0.7)):
        with world(Dot(other={IMPORT: answer})) as here:
            with pytest.raises(RetryAfter) as found:
                here.vendor.deliver(TARGET, Kind.ADD, rows(2))
            assert found.value.seconds == (60 if answer is BUSY else 50)
            window = next(each for name, each in here.link.limiter.state().items() if "contacts/import+" in name)
            assert window["factor"] == factor
            assert here.asked().count("PUT /r2/contacts/v3/import") == 1


@pytest.mark.parametrize(
    ("kind", "path", "answer"),
    [
        (Kind.ADD, IMPORT, error("contacts:badRequest")),
        (Kind.ADD, IMPORT, Reply(413, b"")),
        (Kind.CHANGE, IMPORT, error("contacts:badJson")),
        (Kind.REMOVE, REMOVE, token("ERROR_PARAMETER_INVALID")),
    ],
)
def test_a_request_that_is_refused_as_a_whole_did_nothing(kind: Kind, path: str, answer: Reply) -> None:
    with world(Dot(other={path: answer})) as here:
        found = here.vendor.deliver(TARGET, kind, rows(3, known=True))
        assert found.staged is None
        assert {(each.code, each.retry) for each in receipts(found, 3)} == {("refused", Retry.NEXT_RUN)}


@pytest.mark.parametrize(
    "answer",
    [
        Reply(200, b"{}"),
        reply({"importId": "job-1"}, 200),
        Reply(202, b"<html>"),
        Reply(202, b""),
        reply({}, 202),
        reply({"importId": 7}, 202),
        reply({"importId": ""}, 202),
        reply({"importId": "a" * 101}, 202),
        Reply(204, b""),
        Reply(301, b"", {"Location": "/elsewhere"}),
    ],
)
def test_an_unexpected_answer_is_never_success(answer: Reply) -> None:
    with world(Dot(other={IMPORT: answer})) as here, pytest.raises(OutcomeUnknown):
        here.vendor.deliver(TARGET, Kind.ADD, rows(3))


def test_an_import_without_an_answer_is_sent_again_and_then_unknown() -> None:
    replies: list[Callable[[Seen], Reply | Raw]] = [lambda seen: hang_up]
    account = Dot()
    account.other[IMPORT] = lambda seen: (
        replies.pop()(seen) if replies else reply({"importId": account.take(people(seen))}, 202)
    )
    with world(account) as here:
        assert here.vendor.deliver(TARGET, Kind.ADD, rows(3)).staged
        assert here.asked().count("PUT /r2/contacts/v3/import") == 2
    with world(Dot(other={IMPORT: lambda seen: hang_up})) as here, pytest.raises(OutcomeUnknown):
        here.vendor.deliver(TARGET, Kind.ADD, rows(3))


def test_a_password_that_was_withdrawn_needs_a_person() -> None:
    with world(Dot(other={IMPORT: DENIED})) as here, pytest.raises(UserMustAct) as found:
        here.vendor.deliver(TARGET, Kind.ADD, rows(3))
    assert found.value.code == "bad_credentials"


def test_a_lost_lease_stops_before_the_next_request() -> None:
    checks = iter([None, None, LeaseLost("taken over")])

    def check() -> None:
        if lost := next(checks):
            raise lost

    with serving(Dot()) as server:
        vendor, _, link = linked(regions(server.url), before_request=check)
        with pytest.raises(LeaseLost):
            vendor.deliver(TARGET, Kind.ADD, rows(6))
        assert [seen.method for seen in server.seen] == ["GET", "GET"]
        link.transport.close()  # type: ignore[attr-defined]  # the default transport


def test_an_opt_in_type_that_may_not_be_written_is_told() -> None:
    batch = [Row("a@example.com", '{"optInType":"verifiedDouble"}'), Row("b@example.com", '{"optInType":"single"}')]
    with world(Dot()) as here:
        found = here.vendor.deliver(TARGET, Kind.ADD, batch)
        assert found.warnings == ["optInType was left out (people: 1): it is unknown, single or double."]


def test_dates_are_written_in_dotdigitals_form() -> None:
    target = TargetFound("345579", "Loyal", details={"dates": '["SEEN"]'})
    with world(Dot()) as here:
        here.vendor.deliver(target, Kind.CHANGE, rows(1, '{"SEEN":"2026-01-05 10:00:00"}', known=True))
        assert here.sent("/import")[0]["contacts"][0]["dataFields"] == {"SEEN": "2026-01-05T10:00:00Z"}


# Who is on the list


def pages(seen: Seen) -> Reply:
    marker = seen.path.rpartition("marker=")[2] if "marker=" in seen.path else ""
    names = {"": ["ana", "bo"], "TQ%3D%3D": ["cy"], "end": []}[marker]
    following = {"": "TQ==", "TQ%3D%3D": "end", "end": ""}[marker]
    items = [{"contactId": 1, "identifiers": {"email": f"{name}@example.com"}} for name in names]
    links = {"self": {"marker": marker}, "first": {"marker": ""}, "next": {"marker": following, "link": "https://x"}}
    return reply({"_items": [*items, {"contactId": 2, "identifiers": {"mobileNumber": "447"}}], "_links": links})


def test_members_are_read_page_by_page() -> None:
    with world(Dot(other={"GET /contacts/v3": pages})) as here:
        assert list(here.vendor.members(TARGET)) == ["ana@example.com", "bo@example.com", "cy@example.com"]
        assert "~listId=345579" in here.server.seen[1].path


def test_a_marker_that_repeats_does_not_go_round_in_circles() -> None:
    links = {"self": {}, "first": {}, "next": {"marker": "TQ==", "link": "https://x"}}
    with world(Dot(other={"GET /contacts/v3": reply({"_items": [], "_links": links})})) as here:
        assert list(here.vendor.members(TARGET)) == []
        assert len(here.server.seen) == 1 + 2


@pytest.mark.parametrize("body", [[], {}, {"_items": []}, {"_items": {}, "_links": {}}])
def test_members_in_an_unknown_shape_are_not_an_empty_list(body: Any) -> None:
    with world(Dot(other={"GET /contacts/v3": reply(body)})) as here, pytest.raises(RetryAfter):
        list(here.vendor.members(TARGET))


# Silence


def test_nobodys_address_and_no_secret_reaches_a_log_a_reason_or_a_job(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    words = {"errorCode": "contacts:badRequest", "description": "Bad: p1@example.com", "details": []}
    failures = [{"failureCode": "Odd p0@example.com", "description": "p0%40example.com is odd"}]
    account = Dot()

    def told(here: World, kind: Kind) -> str:
        result = here.vendor.deliver(TARGET, kind, rows(2))
        if result.staged:
            account.jobs["job-1"]["updated"] = []
            account.jobs["job-1"]["failures"] = [{"identifiers": {"email": "p0@example.com"}, "failures": failures}]
            return repr(result) + repr(here.vendor.settle(TARGET, kind, rows(2), result.staged))
        return repr(result)

    with world(account) as here:
        text = told(here, Kind.ADD)
        assert "[address]" in text
        account.other = {IMPORT: reply(words, 400)}
        text += told(here, Kind.CHANGE)
        account.ids = {"p0@example.com": 5}
        account.other = {}
        text += repr(here.vendor.deliver(TARGET, Kind.REMOVE, rows(2))) + repr(here.vendor) + caplog.text
    assert "example.com" not in text
    for secret in (PASSWORD, USER, "Basic "):
        assert secret not in text


# Imports that Dotdigital finds too large


def taking(account: Dot, most: int) -> Callable[[Seen], Reply | Raw]:
    """Imports of at most so many people are taken on."""

    def answer(seen: Seen) -> Reply | Raw:
        sent = seen.json()["contacts"]
        if len(sent) > most:
            return Reply(413, b"")
        return reply({"importId": account.take(sent)}, 202)

    return answer


def test_an_import_that_is_too_large_is_halved_and_the_size_is_kept() -> None:
    account = Dot()
    account.other[IMPORT] = taking(account, 5)
    with world(account) as here:
        assert outcomes(finish(here, Kind.ADD, rows(16)), 16) == ["accepted"] * 16
        sizes = [len(body["contacts"]) for body in here.sent("/import")]
        assert sizes[:3] == [16, 8, 4] and max(sizes[3:]) <= 4
        assert sum(sizes[2:]) == 16


def test_where_every_import_is_too_large_the_size_is_not_what_is_wrong() -> None:
    with world(Dot(other={IMPORT: Reply(413, b"")})) as here:
        found = finish(here, Kind.ADD, rows(200))
        assert {(each.code, each.retry) for each in receipts(found, 200)} == {("refused", Retry.NEXT_RUN)}
        assert len(here.sent("/import")) < 30
