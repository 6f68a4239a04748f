"""A connection: its key or sign-in, its data centre, its audience, tags and merge fields, and what is said of them."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain
from typing import Any

import pytest

from shared.errors import OutcomeUnknown, RetryAfter, UserMustAct
from shared.transport import Failure
from shared.vendors import oauth
from shared.vendors.answers import Answer, Request
from shared.vendors.contract import Count, FieldType, Fit, Kind, Row, TargetFound, TargetWanted
from shared.vendors.http import Link, base_url
from shared.vendors.limits import Limiter
from shared.vendors.mailchimp import requests, targets
from shared.vendors.mailchimp.client import MailchimpCalls
from shared.vendors.mailchimp.definition import DEFINITION
from shared.vendors.mailchimp.people import place_of
from shared.vendors.mailchimp.throttling import CALM_ANSWERS, Lanes, Throttling
from shared.vendors.opt_outs import OptOut, OptOutKind
from shared.vendors.tokens import Pair
from tests.unit.vendors.loopback import Clock, Keys, Reply, Seen, reply
from tests.unit.vendors.mailchimp.scripted import (
    GONE,
    LIST,
    TARGET,
    Audience,
    Person,
    World,
    audience_of,
    merge_field,
    problem,
    rows,
    world,
)

LOYAL = TargetWanted(None, "Loyal")
TEXT = Fit(longest=255, cut=True)


# Check


def test_a_check_tells_the_account_and_the_audience_and_changes_nothing() -> None:
    with world() as here:
        found = here.vendor.check()
        assert (found.ok, found.account) == (True, "mailchimp-8d3a")
        assert found.message == "Connected to Mailchimp as Contoso, audience News."
        assert {seen.method for seen in here.server.seen} == {"GET"}


def test_a_connection_without_an_audience_is_told_those_that_there_are() -> None:
    with world(audience_id="") as here:
        found = here.vendor.check()
        assert (found.ok, found.code) == (False, "audience_missing")
        assert f"{LIST} (News)" in found.message


def test_an_audience_that_is_gone_is_told_beside_those_that_there_are() -> None:
    with world() as here:
        here.audience.other[f"GET /3.0/lists/{LIST}"] = GONE
        found = here.vendor.check()
        assert (found.ok, found.code) == (False, "audience_unknown")


def test_a_role_that_may_not_write_is_warned_of() -> None:
    with world() as here:
        here.audience.other["GET /3.0/"] = reply({"account_id": "8d3a", "account_name": "Contoso", "role": "viewer"})
        assert "This key's role (viewer) may not be allowed" in here.vendor.check().message


REFUSALS = {
    "bad_credentials": problem("API Key Invalid", 401, "Your API key may be invalid"),
    "wrong_data_centre": problem("Forbidden", 403, "The API key provided is linked to datacenter 'us7'"),
    "forbidden": problem("Forbidden", 403, "This role does not let you"),
}


@pytest.mark.parametrize("code", REFUSALS)
def test_a_refusal_says_what_to_do(code: str) -> None:
    with world() as here:
        here.audience.other["GET /3.0/"] = REFUSALS[code]
        found = here.vendor.check()
        assert (found.ok, found.code) == (False, code)
        assert "us7" in found.message or code != "wrong_data_centre"


# Where it calls


@pytest.mark.parametrize(
    ("key", "centre", "host"),
    [
        ("3f9c0d7e1a-us6", "", "us6.api.mailchimp.com"),
        ("3f9c0d7e1a-us6", "us21", "us21.api.mailchimp.com"),
        ("3f9c0d7e1a", "", "api.mailchimp.com"),
        ("3f9c0d7e1a-us6.evil.example", "", "api.mailchimp.com"),
        ("3f9c0d7e1a", "US7 ", "us7.api.mailchimp.com"),
    ],
)
def test_a_keys_data_centre_is_where_it_calls(key: str, centre: str, host: str) -> None:
    called: list[str] = []

    def transport(method: str, url: str, *rest: Any) -> Answer:
        called.append(url)
        return Answer(200, {}, b'{"account_id":"1"}')

    link = Link(Limiter(()), transport=transport)
    MailchimpCalls({"data_centre": centre}, Keys(key), link).call(requests.root())
    assert called[0].startswith(f"https://{host}/3.0/")


@pytest.mark.parametrize("host", ["us6.api.mailchimp.com.evil.example", "evil.example", "xapi.mailchimp.com"])
def test_no_other_host_is_called(host: str) -> None:
    assert base_url(DEFINITION, "us6.api.mailchimp.com", {}) == "https://us6.api.mailchimp.com"
    with pytest.raises(ValueError, match="is not a host of Mailchimp"):
        base_url(DEFINITION, host, {})


@dataclass
class SignIn:
    """The credentials of a connection that somebody signed in."""

    value: str = field(default_factory=lambda: json.dumps({"access_token": "a1", "refresh_token": ""}))

    def has(self, name: str) -> bool:
        return name == "oauth_tokens"

    def get(self, name: str, *, fresh: bool = False) -> str:
        return self.value

    def put(self, name: str, value: str) -> None:
        raise AssertionError("there is one token, which nobody replaces")

    @contextlib.contextmanager
    def alone(self, name: str) -> Iterator[None]:
        yield


class SignedIn(Audience):
    metadata: Reply = reply({"dc": "us7", "login": {"email": "x"}})

    def __call__(self, seen: Seen) -> Any:
        if seen.path == "/oauth2/metadata":
            assert seen.headers["authorization"] == "OAuth a1"
            return self.metadata
        seen.headers["authorization"] = seen.headers["authorization"].replace("a1", "3f9c0d7e1a-us6")
        return super().__call__(seen)


def test_a_sign_in_is_asked_once_for_its_data_centre() -> None:
    with world(SignedIn(), keys=SignIn()) as here:
        assert here.vendor.check().ok
        assert here.vendor.targets()
        assert here.asked("oauth2") == ["GET /oauth2/metadata"]


def test_a_sign_in_that_was_revoked_is_never_renewed_and_said_in_words() -> None:
    audience = SignedIn()
    audience.metadata = reply({"error": "invalid_token"})
    with world(audience, keys=SignIn()) as here:
        assert here.vendor.check().code == "authenticate_again"
    with world(SignedIn(), keys=SignIn()) as here:
        here.audience.other["GET /3.0/"] = REFUSALS["bad_credentials"]
        assert here.vendor.check().code == "authenticate_again"
        assert not any("token" in seen.path for seen in here.server.seen)


def test_the_exchange_gives_one_token_without_an_end_and_the_address_names_no_scope() -> None:
    address = oauth.address(DEFINITION, {}, client_id="7", redirect_uri="http://127.0.0.1/back", state="s")
    assert address.startswith("https://login.mailchimp.com/oauth2/authorize?response_type=code&client_id=7")
    assert "scope" not in address
    told = Answer(200, {}, b'{"access_token":"a1","expires_in":0,"scope":null}')
    link = Link(Limiter(()), transport=lambda *rest: told)
    pair = oauth.exchange(DEFINITION, link, client_id="7", client_secret="x", redirect_uri="y", code="z")
    assert pair == Pair("a1", "")


# Tags


def test_a_tag_is_found_by_name_whatever_its_case_and_else_made() -> None:
    with world() as here:
        found = here.vendor.prepare(TargetWanted(None, "LOYAL"), None, {})
        assert (found.list_id, found.name, found.created) == (f"{LIST}/10297", "Loyal", False)
        made = here.vendor.prepare(TargetWanted(None, "Nordic"), None, {})
        assert (made.name, made.created) == ("Nordic", True)
        assert here.vendor.prepare(TargetWanted(None, "Nordic"), made, {}).list_id == made.list_id


@pytest.mark.parametrize("list_id", [f"{LIST}/10297", "10297", f" {LIST}/10297 "])
def test_a_tag_is_given_by_its_id_with_or_without_the_audience(list_id: str) -> None:
    with world() as here:
        assert here.vendor.prepare(TargetWanted(list_id, ""), None, {}).list_id == f"{LIST}/10297"


@pytest.mark.parametrize("list_id", ["99", "other/10297", "../../lists", "x"])
def test_a_tag_that_is_not_there_is_said(list_id: str) -> None:
    with world() as here, pytest.raises(UserMustAct) as caught:
        here.audience.other[f"GET /3.0/lists/{LIST}/segments/99"] = GONE
        here.vendor.prepare(TargetWanted(list_id, ""), None, {})
    assert caught.value.code == "target_vanished"


def test_a_tag_whose_making_was_not_answered_is_looked_for() -> None:
    def lost(seen: Seen) -> Any:
        here.audience.make_tag(seen.json())
        return lambda handler: None

    with world() as here:
        here.audience.other[f"POST /3.0/lists/{LIST}/segments"] = lost
        found = here.vendor.prepare(TargetWanted(None, "Nordic"), None, {})
        assert (found.name, found.created, len(here.audience.tags)) == ("Nordic", True, 2)


# Merge fields

THERE = [
    merge_field("FNAME", name="First Name"),
    merge_field("AGE", "number"),
    merge_field("MMERGE7", name="Loyalty tier"),
    merge_field("ADDRESS", "address"),
    merge_field("SIZE", "radio", options={"choices": ["S", "M"]}),
    merge_field("BORN", "birthday"),
    merge_field("MUST", required=True),
]


def test_fields_are_found_by_tag_and_by_name_and_say_what_they_take() -> None:
    names = ["fname", "Loyalty Tier", "AGE", "SIZE", "BORN", "ADDRESS.city", "Nothing"]
    with world(Audience(fields=THERE)) as here:
        assert here.vendor.fits(LOYAL, None, names) == {
            "fname": TEXT,
            "Loyalty Tier": TEXT,
            "AGE": Fit(FieldType.NUMBER),
            "SIZE": Fit(choices=("S", "M")),
            "BORN": Fit(FieldType.DATE, day=True),
        }
        found = here.vendor.prepare(LOYAL, None, {"fname": FieldType.STRING, "Loyalty Tier": FieldType.STRING})
        assert json.loads(found.details["fields"]) == {
            "fname": ["FNAME", "text"],
            "Loyalty Tier": ["MMERGE7", "text"],
        }


def test_missing_fields_are_named_before_anything_is_sent_and_made_only_where_that_is_asked_for() -> None:
    wanted = {"City": FieldType.STRING, "Since": FieldType.DATE, "Number of orders": FieldType.INTEGER}
    wanted |= {"Number of returns": FieldType.INTEGER}
    with world() as here, pytest.raises(UserMustAct) as caught:
        here.vendor.prepare(TargetWanted(None, "Nordic"), None, wanted)
    assert caught.value.code == "fields_missing"
    assert "City, Number of orders, Number of returns, Since" in caught.value.message
    assert {seen.method for seen in here.server.seen} == {"GET"}
    with world(create_fields=True) as here:
        found = here.vendor.prepare(LOYAL, None, wanted)
        assert json.loads(found.details["fields"]) == {
            "City": ["CITY", "text"],
            "Since": ["SINCE", "date"],
            "Number of orders": ["NUMBER_OF_", "number"],
            "Number of returns": ["NUMBER_OF2", "number"],
        }


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"AGE": FieldType.DATE}, "field_type"),
        ({"ADDRESS": FieldType.STRING}, "field_type"),
        ({"FNAME": FieldType.STRING, "First Name": FieldType.STRING}, "field_twice"),
    ],
)
def test_a_matching_that_no_field_fits_is_refused(fields: dict[str, FieldType], code: str) -> None:
    with world(Audience(fields=THERE)) as here, pytest.raises(UserMustAct) as caught:
        here.vendor.prepare(LOYAL, None, fields)
    assert caught.value.code == code


def test_an_audience_that_takes_no_more_fields_says_so() -> None:
    with world(create_fields=True) as here, pytest.raises(UserMustAct) as caught:
        here.audience.other[f"POST /3.0/lists/{LIST}/merge-fields"] = problem("Bad Request")
        here.vendor.prepare(LOYAL, None, {"City": FieldType.STRING})
    assert caught.value.code == "field_refused"


def test_required_fields_are_named_before_anything_is_sent() -> None:
    with world(Audience(fields=THERE), new_people="subscribed") as here:
        assert any("The audience requires MUST." in each for each in here.vendor.warnings_of(LOYAL, None))
        [warning] = here.vendor.prepare(LOYAL, None, {"FNAME": FieldType.STRING}).warnings
        assert "The audience requires MUST." in warning
        assert here.vendor.prepare(LOYAL, None, {"MUST": FieldType.STRING}).warnings == ()


def test_what_adding_people_does_besides_is_told() -> None:
    flags = {"double_optin": True, "has_welcome": True, "marketing_permissions": True}
    counts = []
    for decision in ("refused", "transactional", "subscribed"):
        with world(Audience(flags=flags), new_people=decision) as here:
            counts.append(len(here.vendor.warnings_of(LOYAL, None)))
            assert here.vendor.warnings_of(LOYAL, TARGET) == ()
    assert counts == [1, 2, 4]


# Looking


def test_a_count_has_people_who_get_something_and_those_who_do_not() -> None:
    people = [Person(f"p{n}@x.example", status, tags={10297}) for n, status in enumerate(["subscribed"] * 3)]
    people += [
        Person("t@x.example", "transactional", tags={10297}),
        Person("u@x.example", "unsubscribed", tags={10297}),
    ]
    with world(audience_of(*people)) as here:
        assert here.vendor.count(TARGET) == Count(4, 1)
        assert len([*here.vendor.members(TARGET)]) == 5


def test_one_person_is_shown_beside_the_row_that_was_sent() -> None:
    person = Person("p0@x.example", fields={"FNAME": "Ana", "AGE": 7}, tags={10297})
    with world(audience_of(person, Person("p1@x.example", "unsubscribed", more_tags=60, tags={10297}))) as here:
        seen, other, absent = here.vendor.look_at(TARGET, [Row("P0@x.example", '{"FNAME":"Bo","AGE":7}'), *rows(3)[1:]])
        assert (seen.on_target, seen.inactive) == (True, False)
        assert [set(seen.compared), set(seen.differing)] == [{"FNAME", "AGE"}, {"FNAME"}]
        assert (other.on_target, other.inactive, absent.on_target) == (True, True, False)


# Who said no


class Inclusive(Audience):
    """Tells also who changed at the moment itself."""

    def standing(self, query: Mapping[str, str]) -> list[Any]:
        moment = datetime.fromisoformat(query.get("since_last_changed") or "2000-01-01T00:00:00+00:00")
        return super().standing({**query, "since_last_changed": (moment - timedelta(seconds=1)).isoformat()})


class Undated(Audience):
    """Does not tell when anybody changed, and so tells everybody whatever the moment."""

    def standing(self, query: Mapping[str, str]) -> list[Any]:
        return [{**each, "last_changed": ""} for each in super().standing({**query, "since_last_changed": ""})]


def every_page(here: World, roll: str, since: str = "", *, size: int = 3) -> list[Sequence[OptOut]]:
    """The pages of a roll, which has an end."""
    [read] = [each.read for each in here.vendor.opt_outs([]) if each.name == f"{LIST}/{roll}"]
    found, place = list[Sequence[OptOut]](), ""
    with pytest.MonkeyPatch.context() as patch:
        for module in ("requests", "opt_outs"):
            patch.setattr(f"shared.vendors.mailchimp.{module}.MOST_PAGE", size)
        while len(found) < 10:
            page = read(since, place)
            found.append(page.people)
            if page.after is None:
                return found
            place = page.after
    raise AssertionError("the roll has no end")


def test_rolls_are_read_from_the_moment_on_where_the_last_page_ended() -> None:
    """Five people of one moment, then one of a later one, three a page: nobody is missed, and it ends."""
    people = [Person(f"p{n}@x.example", "cleaned", changed=f"2026-11-28T10:00:0{n // 5}+00:00") for n in range(6)]
    with world(audience_of(*people, Person("q@x.example", "unsubscribed"))) as here:
        names = [each.name for each in here.vendor.opt_outs([])]
        assert names == [f"{LIST}/{status}" for status in ("unsubscribed", "cleaned", "archived")]
        found = list(chain.from_iterable(every_page(here, "cleaned")))
        assert {each.address for each in found} == {each.address for each in people}
        assert {(each.kind, each.reason) for each in found} == {(OptOutKind.BOUNCED, "cleaned")}
        [[late]] = every_page(here, "cleaned", "2026-11-28T10:00:01+00:00")
        assert late.address == "p5@x.example"


@pytest.mark.parametrize("kind", [Inclusive, Undated])
def test_reading_never_goes_back_to_an_earlier_moment(kind: type[Audience]) -> None:
    people = [Person(f"p{n}@x.example", "cleaned", changed=f"2026-11-28T10:00:0{n // 5}+00:00") for n in range(6)]
    with world(kind({place_of(each.address): each for each in people})) as here:
        pages = every_page(here, "cleaned", "2026-11-28T10:00:00+00:00")
        assert {each.address for each in chain.from_iterable(pages)} == {each.address for each in people}


def test_whoever_has_no_address_ends_no_roll() -> None:
    """Mailchimp has contacts who gave a phone number alone."""
    people = [Person(f"p{n}@x.example", "cleaned", changed=f"2026-11-28T10:00:0{n}+00:00") for n in range(6)]
    with world(audience_of(people[0], Person("", "cleaned", tags={10297}), *people[1:])) as here:
        found = {each.address for page in every_page(here, "cleaned") for each in page}
        assert found == {each.address for each in people}
        assert [*here.vendor.members(TARGET)] == []


# Too much

SAID = {
    "429": Answer(429, {}, b'{"title":"Too Many Requests"}'),
    "403 without JSON": Answer(403, {}, b""),
    "503 with a web page": Answer(503, {"content-type": "text/html"}, b"<html>Request Blocked</html>"),
}


@pytest.mark.parametrize("said", SAID)
def test_too_much_is_waited_for_longer_each_time_and_fewer_calls_are_made_at_once(said: str) -> None:
    lanes, asked = Lanes(), []
    telling = Throttling(lambda *rest: SAID[said], lanes, lambda seconds: None)
    for _ in range(7):
        outcome = telling("GET", "x", {}, None, 1.0)
        assert isinstance(outcome, Answer) and outcome.status == 429
        asked.append(float(outcome.headers["retry-after"]))
    assert [10 <= asked[0] <= 12, 20 <= asked[1] <= 24, 300 <= asked[6] <= 360] == [True] * 3
    assert lanes.open == 1


def test_a_reset_connection_is_too_much_and_calm_widens_again() -> None:
    lanes = Lanes()
    outcomes: Iterator[Any] = iter([Failure.DROPPED, *[Answer(200, {}, b"{}")] * CALM_ANSWERS])
    telling = Throttling(lambda *rest: next(outcomes), lanes, lambda seconds: None)
    telling("GET", "x", {}, None, 1.0)
    assert lanes.open == 2
    for _ in range(CALM_ANSWERS):
        telling("GET", "x", {}, None, 1.0)
    assert lanes.open == 3


def test_a_refusal_in_json_is_a_refusal_and_a_web_page_with_400_passes() -> None:
    answers: Iterator[Answer] = iter(
        [Answer(403, {}, b'{"title":"Forbidden"}'), Answer(400, {}, b"<H1>Bad Request</H1>")]
    )
    telling = Throttling(lambda *rest: next(answers), Lanes(), lambda seconds: None)
    statuses = [telling("GET", "x", {}, None, 1.0) for _ in range(2)]
    assert [each.status for each in statuses if isinstance(each, Answer)] == [403, 503]


def test_after_a_call_without_an_answer_the_account_is_left_alone_for_two_minutes() -> None:
    clock = Clock()
    link = Link(
        Limiter(DEFINITION.rates, clock=clock, wait=clock.wait),
        wait=clock.wait,
        transport=lambda *rest: Failure.TIMEOUT,
    )
    calls = MailchimpCalls({}, Keys("3f9c0d7e1a-us6"), link)
    with pytest.raises(OutcomeUnknown):
        calls.call(requests.tagging(LIST, "1", Kind.ADD, ["a@x.example"]))
    with pytest.raises(RetryAfter) as caught:
        calls.call(requests.root())
    assert caught.value.seconds > 100


def test_every_endpoint_has_a_rate() -> None:
    named = {endpoint for rate in DEFINITION.rates for endpoint in rate.endpoints}
    asked: list[Request] = [
        requests.root(),
        requests.audiences(),
        requests.audience("x"),
        requests.tags("x", 0),
        requests.tag("x", "1"),
        requests.make_tag("x", "n"),
        requests.tagging("x", "1", Kind.ADD, []),
        requests.untag("x", "m", "n"),
        requests.tagged("x", "1", 0),
        requests.tagged_count("x", "1", everybody=True),
        requests.members("x", "archived", 0),
        requests.member("x", "m"),
        requests.member_tags("x", "m"),
        requests.update("x", requests.Update("", "m", b"{}")),
        requests.fields("x"),
        requests.make_field("x", "T", "n", "text"),
        requests.import_people("x", []),
        requests.make_job("x", []),
        requests.jobs(),
        requests.job("1"),
    ]
    assert {each.endpoint for each in asked} == named


def test_a_target_names_its_audience_and_its_tag() -> None:
    assert targets.parts_of(TargetFound("57a/10297", "x")) == ("57a", "10297")
