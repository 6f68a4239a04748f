"""Signing in at a vendor over HTTP: the way there, the way back, and everything that may be wrong with it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qsl, urlsplit

import pytest
from starlette.requests import Request

from shared.access.person import How, Person, Role
from shared.access.visitors import Visitor
from shared.app import create_app
from shared.errors import RetryAfter
from shared.vendors.contract import CheckResult, OAuth
from tests.unit.api.asgi import Answer, Client
from tests.unit.api.bodies import connection_body
from tests.unit.api.service import FakeService
from tests.unit.catalog.samples import LETTERBOX
from tests.unit.vendors.loopback import Reply, Seen, reply, serving

ONE = "/api/v1/connections/parcels"
CALLBACK = "/oauth/callback"
SECRET = "segment-exports-parcels-tokens"
PAIR = {"access_token": "acc-ess/1==", "refresh_token": "ref-resh/1=="}

COURIER = replace(
    LETTERBOX,
    name="courier",
    label="Courier",
    credentials=(*LETTERBOX.credentials, replace(LETTERBOX.credentials[1], name="tokens")),
    hosts=("login.courier.example",),
    oauth=OAuth("tokens", "login.courier.example", "/authorize", "/token", ("lists", "people"), separator=" "),
)


@dataclass
class Vendor:
    """The vendor's token endpoint, and what it was asked."""

    url: str = ""
    answer: Reply = field(default_factory=lambda: reply(PAIR))
    forms: list[dict[str, str]] = field(default_factory=list)

    def __call__(self, seen: Seen) -> Reply:
        assert (seen.method, seen.path) == ("POST", "/token")
        self.forms.append(dict(parse_qsl(seen.body.decode())))
        return self.answer


@pytest.fixture
def vendor(service: FakeService, client: Client) -> Iterator[Vendor]:
    made = Vendor()
    with serving(made) as server:
        made.url = server.url
        service.world.offer({"courier": COURIER, "letterbox": LETTERBOX})
        hosts = {"login.courier.example": server.url}
        service.vault.settings = replace(service.vault.settings, vendor_hosts=hosts)
        assert client.put(ONE, connection_body(vendor="courier", secrets={})).status == 201
        yield made


def begin(client: Client, **options: str) -> Answer:
    return client.post(f"{ONE}/authorize", **options)


def state(client: Client) -> str:
    return str(dict(parse_qsl(urlsplit(begin(client).json["url"]).query))["state"])


def come_back(client: Client, **query: str) -> Answer:
    return client.get(CALLBACK, query=query)


def refused(answer: Answer, status: int, code: str) -> bool:
    typed = answer.headers["content-type"] == "application/problem+json"
    return typed and (answer.status, answer.json["code"]) == (status, code)


def test_the_way_there_says_who_asks_for_what_and_where_to_come_back(client: Client, vendor: Vendor) -> None:
    answer = begin(client)
    assert (answer.status, answer.json["expires_at"]) == (200, "2026-11-22T12:10:00Z")
    parts = urlsplit(answer.json["url"])
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"{vendor.url}/authorize"
    query = dict(parse_qsl(parts.query))
    assert len(query.pop("state")) >= 43
    assert query == {
        "response_type": "code",
        "client_id": "app-7",
        "redirect_uri": "https://exports.example.com/oauth/callback",
        "scope": "lists people",
    }
    assert state(client) != state(client)


def test_the_way_back_keeps_both_tokens_as_one_secret_and_shows_the_connection(
    client: Client, service: FakeService, vendor: Vendor
) -> None:
    answer = come_back(client, state=state(client), code="c+o/de")
    assert (answer.status, answer.headers["location"]) == (303, "/connections/parcels")
    assert (answer.headers["cache-control"], answer.headers["referrer-policy"]) == ("no-store", "no-referrer")
    assert vendor.forms == [
        {
            "grant_type": "authorization_code",
            "client_id": "app-7",
            "client_secret": "app+secret/=",
            "redirect_uri": "https://exports.example.com/oauth/callback",
            "code": "c+o/de",
        }
    ]
    assert service.vault.held[SECRET] == '{"access_token": "acc-ess/1==", "refresh_token": "ref-resh/1=="}'
    kept = client.get(ONE).json
    assert (kept["secrets"], kept["check_code"], kept["account"]) == ({"tokens": SECRET}, "ok", "acc-1")


def test_a_check_that_fails_does_not_undo_the_sign_in(client: Client, service: FakeService, vendor: Vendor) -> None:
    service.check = lambda: CheckResult(False, "No such client.", code="client_unknown")
    assert come_back(client, state=state(client), code="c").status == 303
    assert client.get(ONE).json["check_code"] == "client_unknown"
    service.failure = RetryAfter(30, "The vendor is busy.")
    assert come_back(client, state=state(client), code="c").status == 303
    assert SECRET in service.vault.held


def test_signing_in_takes_the_place_of_a_key_and_a_key_that_of_signing_in(client: Client, vendor: Vendor) -> None:
    client.put(f"{ONE}/secrets/key", {"value": "k"})
    come_back(client, state=state(client), code="c")
    assert client.get(ONE).json["secrets"] == {"tokens": SECRET}
    typed = client.put(f"{ONE}/secrets/key", {"value": "k"})
    assert typed.json["secrets"] == {"key": "segment-exports-parcels-key"}
    both = client.put(ONE, connection_body(vendor="courier", secrets={"key": "a", "tokens": "b"}))
    assert [each["pointer"] for each in both.json["errors"]] == ["/secrets/tokens"]


def test_tokens_are_never_typed(client: Client, service: FakeService, vendor: Vendor) -> None:
    assert refused(client.put(f"{ONE}/secrets/tokens", {"value": "x"}), 422, "not_typed")
    assert SECRET not in service.vault.held


# A state is good once, for who began, for ten minutes


def test_a_state_is_good_once(client: Client, vendor: Vendor) -> None:
    given = state(client)
    assert come_back(client, state=given, code="c").status == 303
    assert refused(come_back(client, state=given, code="c"), 422, "state_used")
    assert len(vendor.forms) == 1


@pytest.mark.parametrize("given", ["", "none", "x" * 4000, "../../'\"\x00"])
def test_a_state_that_was_not_given_is_refused(client: Client, vendor: Vendor, given: str) -> None:
    assert refused(come_back(client, state=given, code="c"), 422, "state_unknown")
    assert refused(client.get(CALLBACK), 422, "state_unknown")
    assert vendor.forms == []


def test_a_state_ends_with_its_time(client: Client, service: FakeService, vendor: Vendor) -> None:
    late, kept = state(client), state(client)
    service.world.later(minutes=10)
    assert refused(come_back(client, state=late, code="c"), 422, "state_expired")
    begin(client)
    assert refused(come_back(client, state=kept, code="c"), 422, "state_unknown")
    assert len(service.vault.authorizations.rows) == 1


class Amy:
    """Another administrator."""

    origin = issuer = ""

    def admit(self, request: Request) -> Visitor:
        return Visitor(Person("amy", "amy", frozenset({Role.ADMINISTRATOR}), How.SESSION))


def test_a_state_is_good_for_nobody_else_and_then_for_nobody(
    client: Client, service: FakeService, vendor: Vendor
) -> None:
    given = state(client)
    assert come_back(Client(create_app(service, Amy())), state=given, code="c").status == 403
    assert refused(come_back(client, state=given, code="c"), 422, "state_used")
    assert vendor.forms == []


def test_contributors_neither_begin_nor_finish(client: Client, contributor: Client, vendor: Vendor) -> None:
    assert begin(contributor).status == 403
    assert come_back(contributor, state=state(client), code="c").status == 403


def test_the_table_does_not_hold_a_state_that_could_be_used(
    client: Client, service: FakeService, vendor: Vendor
) -> None:
    assert state(client) not in str(service.vault.authorizations.rows)


# What else may go wrong


def test_saying_no_at_the_vendor_changes_nothing(client: Client, service: FakeService, vendor: Vendor) -> None:
    answer = come_back(client, state=state(client), error="access_denied", error_description="No.")
    assert refused(answer, 422, "access_denied")
    assert refused(come_back(client, state=state(client), error="server_error"), 422, "oauth_refused")
    assert (vendor.forms, client.get(ONE).json["secrets"]) == ([], {})


def test_a_browser_is_told_on_a_page(client: Client, vendor: Vendor) -> None:
    query = {"state": state(client), "error": "access_denied"}
    answer = client.get(CALLBACK, query=query, headers={"accept": "text/html,*/*;q=0.8"})
    assert (answer.status, answer.headers["content-type"].partition(";")[0]) == (422, "text/html")
    assert b"Access was denied at Courier, so nothing was changed." in answer.body
    assert f'href="{ONE.removeprefix("/api/v1")}"'.encode() in answer.body, "the way back"
    assert b"Back to the connection" in answer.body


@pytest.mark.parametrize(
    ("answer", "status", "code"),
    [
        (reply({"error": "invalid_grant"}, 400), 422, "authenticate_again"),
        (reply({"error": "invalid_client"}, 401), 422, "oauth_app_refused"),
        (reply({"error": "strange", "error_description": "Mail jane@example.org"}, 400), 422, "oauth_refused"),
        (reply({}, 200), 503, "try_later"),
        (Reply(200, b"<html>", {"Content-Type": "text/html"}), 503, "try_later"),
        (Reply(500, b""), 503, "try_later"),
        (reply({}, 429, Retry_After="7"), 503, "try_later"),
    ],
)
def test_an_exchange_that_fails_is_explained(
    client: Client, service: FakeService, vendor: Vendor, answer: Reply, status: int, code: str
) -> None:
    vendor.answer = answer
    failed = come_back(client, state=state(client), code="c")
    assert refused(failed, status, code)
    assert b"jane" not in failed.body
    assert len(vendor.forms) == 1
    assert SECRET not in service.vault.held


def test_a_vendor_without_it_and_an_app_that_is_not_registered_say_so(
    client: Client, service: FakeService, vendor: Vendor
) -> None:
    assert refused(client.post("/api/v1/connections/marketing/authorize"), 422, "oauth_not_offered")
    service.vault.settings = replace(service.vault.settings, oauth_apps={})
    answer = begin(client)
    assert refused(answer, 422, "oauth_app_missing")
    assert "https://exports.example.com/oauth/callback" in answer.json["detail"]
    assert client.post("/api/v1/connections/none/authorize").status == 404


def test_a_connection_that_is_gone_meanwhile(client: Client, vendor: Vendor) -> None:
    given = state(client)
    assert client.delete(ONE).status == 204
    assert come_back(client, state=given, code="c").status == 404
    assert vendor.forms == []


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "127.0.0.1@evil.example", "", "[", "a b"])
def test_without_a_public_url_no_host_but_this_machine_is_believed(
    client: Client, service: FakeService, vendor: Vendor, host: str
) -> None:
    service.vault.settings = replace(service.vault.settings, public_url="")
    assert refused(client.post(f"{ONE}/authorize", headers={"host": host}), 422, "public_url_missing")
    local = client.post(f"{ONE}/authorize", headers={"host": "127.0.0.1:7071"})
    back = dict(parse_qsl(urlsplit(local.json["url"]).query))["redirect_uri"]
    assert back == "http://127.0.0.1:7071/oauth/callback"


def test_a_forged_host_changes_nothing_where_the_address_is_known(client: Client, vendor: Vendor) -> None:
    answer = client.post(f"{ONE}/authorize", headers={"host": "127.0.0.1:7071"})
    assert "evil" not in answer.json["url"]
    assert "exports.example.com" in answer.json["url"]


def test_no_secret_is_logged_or_answered(
    client: Client, service: FakeService, vendor: Vendor, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        answers = [
            come_back(client, state=state(client), code="the-code"),
            client.get(ONE),
            client.get("/api/v1/audit"),
        ]
    for word in (*PAIR.values(), "app+secret/=", "app%2Bsecret", "the-code"):
        assert word not in caplog.text
        assert not [each for each in answers if word.encode() in each.body or word in str(each.headers)]


def test_the_trail_has_the_sign_in_with_what_it_changed(client: Client, vendor: Vendor) -> None:
    come_back(client, state=state(client), code="c")
    newest = client.get("/api/v1/audit").json["changes"][0]
    assert (newest["who"], newest["subject"], newest["outcome"]) == ("ann", "connection parcels", "done")
    assert newest["changes"]["secrets"] == [{}, {"tokens": SECRET}]


def test_vendors_say_whether_they_have_it(client: Client, vendor: Vendor) -> None:
    assert client.get("/api/v1/vendors/courier").json["oauth"] == {
        "credential": "tokens",
        "scopes": ["lists", "people"],
    }
    assert client.get("/api/v1/vendors/letterbox").json["oauth"] is None
