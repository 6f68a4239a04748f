"""Batches against a scripted audience: who is added, tagged, written, left alone, and what goes wrong with them."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from typing import Any

import pytest

from shared.errors import RetryAfter, UserMustAct
from shared.vendors.answers import Answer, Unreadable
from shared.vendors.contract import PROFILE_MISSING, Kind, Outcome, Retry, Row
from shared.vendors.http import Link
from shared.vendors.limits import Limiter
from shared.vendors.mailchimp.client import MailchimpCalls
from shared.vendors.presence import not_found_words
from tests.unit.vendors.loopback import Keys, Reply, Seen, reply
from tests.unit.vendors.mailchimp.scripted import (
    IMPORT,
    JOBS,
    ROLL,
    TAGGING,
    TARGET,
    Audience,
    Person,
    audience_of,
    codes,
    crowd,
    problem,
    receipts,
    rows,
    world,
)

ANA = '{"FNAME":"Ana"}'


def throttled(seen: Seen) -> Reply:
    return Reply(403, b"", {"Content-Type": "text/plain"})


def tagged(audience: Audience) -> set[str]:
    return {each.address for each in audience.people.values() if 10297 in each.tags}


@pytest.mark.parametrize("kind", list(Kind))
def test_an_empty_batch_makes_no_request(kind: Kind) -> None:
    with world() as here:
        found = here.vendor.deliver(TARGET, kind, [])
        assert (found.staged, found.others, here.server.seen) == (None, {}, [])


# Who is new


def test_without_a_decision_new_people_are_refused_in_words_and_the_others_tagged() -> None:
    with world(audience_of(*crowd(2))) as here:
        found = here.finish(Kind.ADD, rows(4))
        assert codes(found, 4) == ["accepted", "accepted", "not_in_audience", "not_in_audience"]
        assert receipts(found, 4)[3].retry is Retry.NEXT_RUN
        assert "an administrator does that on the connection" in receipts(found, 4)[3].reason
        assert tagged(here.audience) == {"p0@x.example", "p1@x.example"}
        assert IMPORT not in here.asked()


@pytest.mark.parametrize("decision", ["transactional", "subscribed"])
def test_new_people_are_added_as_was_decided_and_then_tagged(decision: str) -> None:
    with world(new_people=decision) as here:
        assert codes(here.finish(Kind.ADD, rows(3, ANA)), 3) == ["accepted"] * 3
        assert {each.status for each in here.audience.people.values()} == {decision}
        assert tagged(here.audience) == {f"p{n}@x.example" for n in range(3)}
        assert [each.fields for each in here.audience.people.values()] == [{"FNAME": "Ana"}] * 3
        writes = [each for each in here.asked() if not each.startswith("GET")]
        assert writes == [IMPORT, TAGGING]


def test_whoever_is_known_by_no_address_stops_nobody() -> None:
    """Contacts who gave a phone number alone have an id of another form."""
    people = [{"id": "phone:1", "last_changed": ""}, {"last_changed": ""}]
    with world(audience_of(*crowd(1))) as here:
        here.audience.other["GET /3.0/lists/57afe96172/members"] = lambda seen: reply({"members": people})
        assert codes(here.finish(Kind.ADD, rows(1)), 1) == ["accepted"]


@pytest.mark.parametrize("status", ["unsubscribed", "cleaned", "archived", "pending"])
@pytest.mark.parametrize("kind", [Kind.ADD, Kind.CHANGE])
def test_whoever_said_no_is_left_alone_and_counted_with_the_reason(status: str, kind: Kind) -> None:
    audience = audience_of(Person("p0@x.example", status), Person("p1@x.example"))
    with world(audience, new_people="subscribed") as here:
        found = here.finish(kind, rows(2, ANA))
        assert codes(found, 2) == [status, "accepted"]
        assert receipts(found, 2)[0].outcome is Outcome.SKIPPED
        left = audience.people[next(iter(audience.people))]
        assert (left.status, left.fields, left.tags) == (status, {}, set())
        assert "p0@x.example" not in json.dumps([here.sent(IMPORT), here.sent(TAGGING)])


def test_the_statuses_are_read_once_before_anything_is_written() -> None:
    with world(new_people="subscribed") as here:
        for _ in range(2):
            here.finish(Kind.ADD, rows(1))
        assert here.asked()[:4] == [ROLL] * 4
        assert here.asked().count(ROLL) == 4


def test_whoever_is_in_the_audience_keeps_their_status_and_gets_tag_and_values() -> None:
    with world(audience_of(*crowd(2, "transactional")), new_people="subscribed") as here:
        assert codes(here.finish(Kind.ADD, rows(3, ANA)), 3) == ["accepted"] * 3
        people = [*here.audience.people.values()]
        assert [each.status for each in people] == ["transactional", "transactional", "subscribed"]
        assert [each.fields for each in people] == [{"FNAME": "Ana"}] * 3


def test_two_rows_of_one_person_are_sent_once() -> None:
    with world(new_people="subscribed") as here:
        found = here.finish(Kind.ADD, [Row("a@x.example"), Row("A@x.example")])
        assert codes(found, 2) == ["accepted", "same_person"]


TEXTS = {
    "p0@x.example was permanently deleted and cannot be re-imported.": ("forgotten", Outcome.SKIPPED),
    "p0@x.example is in a compliance state due to unsubscribe, bounce, or compliance review": (
        "opted_out",
        Outcome.SKIPPED,
    ),
    "p0@x.example looks fake or invalid, please enter a real email address.": ("invalid_email", Outcome.REJECTED),
    "Please provide a valid email address.": ("invalid_email", Outcome.REJECTED),
    "p0@x.example has signed up to a lot of lists very recently": ("signed_up_often", Outcome.REJECTED),
    "Something that nobody wrote down": ("not_added", Outcome.REJECTED),
}


@pytest.mark.parametrize("text", TEXTS)
def test_a_refused_row_is_told_by_its_words_and_names_nobody(text: str) -> None:
    refusal = {"email_address": '\\"p0@x.example\\"', "error": text, "error_code": "ERROR_GENERIC", "field": ""}
    with world(new_people="subscribed") as here:
        here.audience.other[IMPORT] = reply({"new_members": [], "updated_members": [], "errors": [refusal]})
        [found] = receipts(here.finish(Kind.ADD, rows(1)), 1)
        assert (found.code, found.outcome) == TEXTS[text]
        assert "p0@x.example" not in found.reason
        assert TAGGING not in here.asked()


def test_whom_the_answer_does_not_name_is_unknown() -> None:
    with world(new_people="subscribed") as here:
        here.audience.other[IMPORT] = reply({"new_members": [], "updated_members": [], "errors": []})
        assert codes(here.finish(Kind.ADD, rows(2)), 2) == ["not_named"] * 2


@pytest.mark.parametrize("new", [True, False], ids=["new", "known"])
def test_a_value_that_its_field_does_not_take_costs_the_value_and_not_the_person(new: bool) -> None:
    people = [] if new else crowd(2)
    with world(audience_of(*people), new_people="subscribed") as here:
        here.audience.refuses = lambda fields: {"AGE": "Please enter a number"} if fields.get("AGE") == 7 else {}
        sent = [Row("p0@x.example", '{"FNAME":"Ana","AGE":7}'), Row("p1@x.example", '{"FNAME":"Bo","AGE":8}')]
        found = receipts(here.finish(Kind.ADD, sent), 2)
        assert [(each.outcome, each.left_out) for each in found] == [
            (Outcome.ACCEPTED, ("AGE",)),
            (Outcome.ACCEPTED, ()),
        ]
        fields = {each.address: each.fields for each in here.audience.people.values()}
        assert fields == {"p0@x.example": {"FNAME": "Ana"}, "p1@x.example": {"FNAME": "Bo", "AGE": 8}}
        assert tagged(here.audience) == {"p0@x.example", "p1@x.example"}


def test_a_call_that_is_refused_as_a_whole_is_halved_down_to_the_row_to_blame() -> None:
    def picky(seen: Seen) -> Any:
        if "p3@x.example" in seen.body.decode():
            return problem("Bad Request", detail="Data did not match any of the schemas described in anyOf.")
        return here.audience.add(seen.json(), {"skip_merge_validation": "true"})

    with world(new_people="subscribed") as here:
        here.audience.other[IMPORT] = picky
        assert codes(here.finish(Kind.ADD, rows(8)), 8) == [*["accepted"] * 3, "refused", *["accepted"] * 4]


def test_a_person_who_is_too_large_alone_is_told_so() -> None:
    with world(new_people="subscribed") as here:
        here.audience.other[IMPORT] = problem("Payload Too Large", 413)
        assert codes(here.finish(Kind.ADD, rows(1)), 1) == ["too_large"]


# Tags


def test_whom_a_tag_call_does_not_list_is_found_by_reading_back() -> None:
    """One has the tag already, one is not in the audience: neither is listed."""
    with world(audience_of(Person("p0@x.example", tags={10297}), Person("p2@x.example"))) as here:
        assert codes(here.finish(Kind.ADD, rows(3)), 3) == ["accepted", "not_in_audience", "accepted"]


def test_who_unsubscribed_a_moment_ago_is_counted_and_not_tagged() -> None:
    person = Person("p0@x.example")

    def leave(seen: Seen) -> Any:
        person.status = "unsubscribed"
        return here.audience.set_tag(10297, seen.json())

    with world(audience_of(person)) as here:
        here.audience.other[TAGGING] = leave
        assert codes(here.finish(Kind.ADD, rows(1)), 1) == ["unsubscribed"]
        assert person.tags == set()


def test_a_tag_that_is_gone_stops_the_run_and_says_so() -> None:
    with world(audience_of(*crowd(1))) as here, pytest.raises(UserMustAct) as caught:
        here.audience.tags.clear()
        here.finish(Kind.ADD, rows(1))
    assert caught.value.code == "target_vanished"


def test_a_tag_that_goes_between_adding_and_tagging_stops_the_run() -> None:
    with world(new_people="subscribed") as here, pytest.raises(UserMustAct) as caught:
        here.audience.tags.clear()
        here.finish(Kind.ADD, rows(2))
    assert caught.value.code == "target_vanished"


def test_throttled_between_adding_and_tagging_the_rest_is_the_next_runs() -> None:
    with world(new_people="subscribed") as here:
        here.audience.other[TAGGING] = throttled
        assert codes(here.finish(Kind.ADD, rows(2)), 2) == ["tag_pending"] * 2
        del here.audience.other[TAGGING]
        here.clock.wait(400)
        assert codes(here.finish(Kind.ADD, rows(2)), 2) == ["accepted"] * 2
        assert len(tagged(here.audience)) == 2


def test_throttled_before_anything_was_done_the_batch_waits() -> None:
    with world(new_people="subscribed") as here, pytest.raises(RetryAfter):
        here.audience.other[IMPORT] = throttled
        here.finish(Kind.ADD, rows(2))


# Leavers


def test_leavers_lose_the_tag_and_nothing_else() -> None:
    with world(audience_of(*crowd(3, tagged=True))) as here:
        assert codes(here.finish(Kind.REMOVE, rows(2)), 2) == ["accepted"] * 2
        assert tagged(here.audience) == {"p2@x.example"}
        assert {each.status for each in here.audience.people.values()} == {"subscribed"}
        assert [each for each in here.asked() if not each.startswith("GET")] == [TAGGING]
        assert here.sent(TAGGING) == [{"members_to_remove": ["p0@x.example", "p1@x.example"]}]


@pytest.mark.parametrize("status", ["unsubscribed", "cleaned"])
def test_a_leaver_who_said_no_loses_the_tag_by_a_call_of_their_own(status: str) -> None:
    with world(audience_of(*crowd(3, status, tagged=True))) as here:
        here.audience.tags[10297] = "Renamed"
        assert codes(here.finish(Kind.REMOVE, rows(3)), 3) == ["accepted"] * 3
        assert tagged(here.audience) == set()
        assert {each.status for each in here.audience.people.values()} == {status}
        assert len(here.asked("GET")) == 1, "what the tag is called is asked once for all of them"


def test_leavers_whom_the_audience_does_not_have_are_told_of() -> None:
    with world(audience_of(*crowd(1, tagged=True))) as here:
        found = here.finish(
            Kind.REMOVE, [Row("p0@x.example"), Row("gone@x.example"), Row("p9@x.example", "{}", None, False, 1.0)]
        )
        assert codes(found, 3) == ["accepted", "not_found", "never_there"]
        assert found.warnings == (not_found_words("Mailchimp"),)


# Values


def test_a_few_changes_are_written_one_by_one_and_nobody_is_made() -> None:
    with world(audience_of(*crowd(2))) as here:
        found = here.finish(Kind.CHANGE, rows(3, ANA))
        assert codes(found, 3) == ["accepted", "accepted", PROFILE_MISSING]
        assert len(here.audience.people) == 2
        assert here.asked("batches") == []


@pytest.mark.parametrize("kind", [Kind.ADD, Kind.CHANGE])
def test_many_values_are_one_job_whose_results_are_fetched_without_the_key(kind: Kind) -> None:
    with world(audience_of(*crowd(60))) as here:
        found = here.vendor.deliver(TARGET, kind, rows(61, ANA))
        assert found.staged is not None and "x.example" not in found.staged
        settled = here.vendor.settle(TARGET, kind, rows(61, ANA), found.staged)
        assert settled is not None
        absent = "not_in_audience" if kind is Kind.ADD else PROFILE_MISSING
        assert codes(settled, 61) == [*["accepted"] * 60, absent]
        assert [each.fields for each in here.audience.people.values()] == [{"FNAME": "Ana"}] * 60
        assert len(here.sent(JOBS)) == 1
        assert {each["operation_id"] for each in here.sent(JOBS)[0]["operations"]} >= {"0", "59"}


def test_whom_a_job_refuses_is_written_alone_without_the_value() -> None:
    with world(audience_of(*crowd(60))) as here:
        here.audience.refuses = lambda fields: {"AGE": "Please enter a number"} if fields.get("AGE") == 7 else {}
        sent = [*rows(59, '{"AGE":8}'), Row("p59@x.example", '{"FNAME":"Ana","AGE":7}')]
        found = receipts(here.finish(Kind.CHANGE, sent), 60)
        assert {each.outcome for each in found} == {Outcome.ACCEPTED}
        assert found[59].left_out == ("AGE",)


def test_people_whom_a_job_was_too_busy_for_are_written_again() -> None:
    busy = {"left": 2}

    def operation(member: str) -> int:
        return 429 if len(here.audience.jobs) < busy["left"] else 0

    with world(audience_of(*crowd(60))) as here:
        here.audience.operation = operation
        assert codes(here.finish(Kind.CHANGE, rows(60, ANA)), 60) == ["accepted"] * 60
        assert len(here.audience.jobs) == 3


def test_an_address_of_results_that_ran_out_is_asked_for_again() -> None:
    with world(audience_of(*crowd(60))) as here:
        staged = here.vendor.deliver(TARGET, Kind.CHANGE, rows(60, ANA)).staged or ""
        here.audience.other["GET /3.0/batches"] = reply(
            {"batches": [{"id": "job0", "status": "finished", "response_body_url": f"{here.server.url}/results/old"}]}
        )
        here.audience.other["GET /results/old"] = lambda seen: Reply(403, b"")
        here.audience.other["GET /results/job0"] = Reply(200, here.audience.results["job0"])

        settled = here.vendor.settle(TARGET, Kind.CHANGE, rows(60, ANA), staged)
        assert settled is not None and codes(settled, 60) == ["accepted"] * 60
        assert here.asked("batches/job0") == ["GET /3.0/batches/job0"]


@pytest.mark.parametrize(
    ("address", "is_called"),
    [
        ("https://results.example.com/a.tar.gz?Signature=x", True),
        ("http://results.example.com/a.tar.gz", False),
        ("http://169.254.169.254/results", False),
        ("https://10.0.0.1/results", False),
        ("https://localhost/results", False),
        ("https://us6.api.mailchimp.com@evil.example/results", False),
        ("file:///etc/passwd", False),
    ],
)
def test_results_are_fetched_from_hosts_of_the_internet_only_and_without_the_key(address: str, is_called: bool) -> None:
    called: list[str] = []

    def transport(method: str, url: str, headers: Mapping[str, str], *rest: Any) -> Answer:
        called.append(url)
        assert "Authorization" not in headers
        return Answer(200, {}, b"packed")

    calls = MailchimpCalls({}, Keys("k-us6"), Link(Limiter(()), transport=transport))
    with contextlib.nullcontext() if is_called else pytest.raises(Unreadable):
        assert calls.results(address) == b"packed"
    assert called == [address] * is_called


def test_a_job_that_is_gone_or_late_leaves_its_people_unknown() -> None:
    with world(audience_of(*crowd(60))) as here:
        staged = here.vendor.deliver(TARGET, Kind.CHANGE, rows(60, ANA)).staged or ""
        here.audience.jobs[0]["status"] = "started"
        assert here.vendor.settle(TARGET, Kind.CHANGE, rows(60, ANA), staged) is None
        assert not here.vendor.has_ended(Kind.CHANGE, staged)
        here.clock.wait(7 * 3600)
        late = here.vendor.settle(TARGET, Kind.CHANGE, rows(60, ANA), staged)
        assert late is not None and codes(late, 60) == ["job_late"] * 60
        here.audience.jobs.clear()
        here.clock.wait(60)
        gone = here.vendor.settle(TARGET, Kind.CHANGE, rows(60, ANA), staged)
        assert gone is not None and codes(gone, 60) == ["job_gone"] * 60
        assert here.vendor.has_ended(Kind.CHANGE, staged)


def test_results_that_can_never_be_fetched_are_given_up_with_the_job() -> None:
    """Something on the way may let nobody reach where Mailchimp has them, which is no host of its API."""
    with world(audience_of(*crowd(60))) as here:
        staged = here.vendor.deliver(TARGET, Kind.CHANGE, rows(60, ANA)).staged or ""
        [job] = here.audience.jobs
        here.audience.other[f"GET /results/{job['id']}"] = lambda seen: Reply(503, b"")
        with pytest.raises(RetryAfter):
            here.vendor.settle(TARGET, Kind.CHANGE, rows(60, ANA), staged)
        here.clock.wait(7 * 3600)
        unknown = here.vendor.settle(TARGET, Kind.CHANGE, rows(60, ANA), staged)
        assert unknown is not None
        assert {(each.code, each.outcome) for each in receipts(unknown, 60)} == {("not_named", Outcome.UNKNOWN)}


def test_whoever_has_the_tag_but_not_the_values_may_be_taken_off_and_gets_them_by_the_next_run() -> None:
    with world(audience_of(*crowd(60))) as here:
        here.audience.other[JOBS] = throttled
        found = receipts(here.finish(Kind.ADD, rows(60, ANA)), 60)
        assert {(each.code, each.outcome) for each in found} == {("values_pending", Outcome.UNKNOWN)}


# What no export may say


def test_nobodys_status_is_ever_written_but_of_those_who_are_added() -> None:
    with world(audience_of(*crowd(60, tagged=True)), new_people="subscribed") as here:
        for kind in (Kind.ADD, Kind.CHANGE, Kind.REMOVE):
            here.finish(kind, rows(70, ANA if kind is not Kind.REMOVE else "{}"))
        told = [each for each in here.server.seen if b'"status"' in each.body]
        assert {f"{each.method} {each.path.partition('?')[0]}" for each in told} == {IMPORT}
        assert not any(each.method in ("DELETE", "PUT") for each in here.server.seen)
        assert not any(seen.method == "PATCH" and "/segments/" in seen.path for seen in here.server.seen)
