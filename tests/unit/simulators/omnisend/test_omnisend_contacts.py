"""Omnisend: writing contacts, their fields, their consent (contract section 3)."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from dev.simulators.common.simulator import Simulator
from dev.simulators.omnisend import Omnisend
from tests.unit.simulators.omnisend.conftest import Caller, in_channel, item

NOW = "2025-11-22T10:00:00Z"
FIELDS = {
    "firstName": "Ana",
    "lastName": "Diaz",
    "address": "1 River St",
    "city": "Hoboken",
    "state": "NJ",
    "postalCode": "07030",
    "country": "United States",
    "countryCode": "US",
    "gender": "f",
    "birthdate": "1990-04-01",
}


def refused_fields(answer: requests.Response) -> list[str]:
    assert answer.status_code == 400
    return [f"{error['field']} {error['code']}" for error in answer.json()["errors"]]


def test_a_contact_is_made_and_shown(caller: Caller) -> None:
    request = item("ana@example.com", **FIELDS, customProperties={"points": 125.5, "loyalty_tier": "gold"})
    answer = caller.post("/api/contacts", request)
    assert answer.status_code == 201
    channel = {"status": "nonSubscribed", "statusChangedAt": NOW}
    assert answer.json() == {
        "id": answer.json()["id"],
        "email": "ana@example.com",
        "phone": [],
        "status": "nonSubscribed",
        **FIELDS,
        "tags": [],
        "customProperties": {"points": 125.5, "loyalty_tier": "gold"},
        "segments": [],
        "identifiers": [{"type": "email", "id": "ana@example.com", "channels": {"email": channel}}],
        "statuses": [{"channel": "email", **channel}],
        "optIns": [],
        "consents": [],
        "createdAt": NOW,
        "updatedAt": NOW,
    }
    assert caller.get(f"/api/contacts/{answer.json()['id']}").json() == answer.json()
    assert caller.contact("ana@example.com") == answer.json()


def test_what_is_absent_is_empty_and_no_properties_are_null(caller: Caller) -> None:
    contact = caller.post("/api/contacts", item("ana@example.com")).json()
    assert {contact[name] for name in FIELDS} == {""}
    assert contact["customProperties"] is None


def test_what_is_omitted_stays(caller: Caller) -> None:
    caller.post("/api/contacts", item("ana@example.com", firstName="Ana", customProperties={"a": 1, "b": 2}))
    caller.advance(60)
    answer = caller.post("/api/contacts", item("ana@example.com", city="Hoboken", customProperties={"b": 3}))
    assert answer.status_code == 200
    contact = answer.json()
    assert (contact["firstName"], contact["city"]) == ("Ana", "Hoboken")
    assert contact["customProperties"] == {"a": 1, "b": 3}
    assert (contact["createdAt"], contact["updatedAt"]) == (NOW, "2025-11-22T10:01:00Z")


def test_an_address_in_other_letters_is_somebody_else(simulator: Simulator[Omnisend], caller: Caller) -> None:
    caller.post("/api/contacts", item("ana@example.com"))
    assert caller.post("/api/contacts", item("Ana@Example.com")).status_code == 201
    assert caller.contact("ANA@example.com") == {}
    caller.post("/_simulator/reset", {})
    simulator.vendor.settings.email_case = "insensitive"
    caller.post("/api/contacts", item("ana@example.com"))
    assert caller.post("/api/contacts", item("Ana@Example.com")).status_code == 200
    assert caller.contact("ANA@example.com")["id"]


@pytest.mark.parametrize(
    "address",
    [
        "ana",
        "ana@",
        "@x.com",
        "ana@example",
        "a@@example.com",
        " ana@example.com",
        "ana@example.com ",
        "a..b@x.com",
        "a.@x.com",
        "ana@-x.com",
        "ana@x..com",
        "ana,b@x.com",
        "jürgen@example.com",
        f"{'a' * 65}@example.com",
    ],
)
def test_a_malformed_address_is_refused(caller: Caller, address: str) -> None:
    answer = caller.post("/api/contacts", item(address))
    assert refused_fields(answer) == ["identifiers.0.id invalid_format"]
    assert answer.json()["type"] == "https://problems.omnisend.com/validation-failed"


@pytest.mark.parametrize("address", ["o'brien+tag@sub.example.co.uk", "a_b-c.d@x.io", "ana@xn--exmple-cua.xn--p1ai"])
def test_an_unusual_address_is_taken(caller: Caller, address: str) -> None:
    assert caller.post("/api/contacts", item(address)).status_code == 201


@pytest.mark.parametrize(
    ("identifiers", "field"),
    [
        (None, "identifiers required"),
        ([], "identifiers required"),
        (["ana@example.com"], "identifiers.0 invalid_type"),
        ([{"type": "email"}], "identifiers.0.id required"),
        ([{"id": "ana@example.com"}], "identifiers.0.type required"),
        ([{"type": "fax", "id": "1"}], "identifiers.0.type invalid_value"),
        ([{"type": ["email"], "id": "1"}], "identifiers.0.type invalid_value"),
        ([{"type": "phone", "id": "0123"}], "identifiers.0.id invalid_format"),
    ],
)
def test_a_contact_has_to_be_named(caller: Caller, identifiers: Any, field: str) -> None:
    assert refused_fields(caller.post("/api/contacts", {"identifiers": identifiers})) == [field]


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"sendWelcomeMessage": "no"}, "sendWelcomeMessage invalid_type"),
        ({"channels": []}, "channels invalid_type"),
        ({"channels": {"sms": {"status": "subscribed"}}}, "channels.sms invalid_value"),
        ({"channels": {"email": {}}}, "channels.email.status invalid_value"),
        ({"channels": {"email": {"status": "active"}}}, "channels.email.status invalid_value"),
        (
            {"channels": {"email": {"status": "subscribed", "statusChangedAt": "2025-11-22"}}},
            "channels.email.statusChangedAt invalid_format",
        ),
        ({"consent": "yes"}, "consent invalid_type"),
        ({"consent": {"createdAt": "now"}}, "consent.createdAt invalid_format"),
    ],
)
def test_what_is_said_of_an_identifier_has_to_fit(caller: Caller, more: dict[str, Any], field: str) -> None:
    request = {"identifiers": [{"type": "email", "id": "ana@example.com", **more}]}
    assert refused_fields(caller.post("/api/contacts", request)) == [f"identifiers.0.{field}"]


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("firstName", 7, "invalid_type"),
        ("firstName", None, "invalid_type"),
        ("postalCode", 7030, "invalid_type"),
        ("gender", "female", "invalid_value"),
        ("gender", "F", "invalid_value"),
        ("gender", "", "invalid_value"),
        ("birthdate", "01.04.1990", "invalid_format"),
        ("birthdate", "1990-02-30", "invalid_format"),
        ("birthdate", "1990-04-01T00:00:00Z", "invalid_format"),
        ("birthdate", "", "invalid_format"),
        ("countryCode", "USA", "invalid_value"),
        ("countryCode", "us", "invalid_value"),
        ("countryCode", "XX", "invalid_value"),
        ("customProperties", [], "invalid_type"),
        ("tags", "loyal", "invalid_type"),
        ("tags", ["t"] * 101, "invalid_length"),
        ("createdAt", "yesterday", "invalid_format"),
    ],
)
def test_a_value_that_does_not_fit_is_refused(caller: Caller, name: str, value: Any, code: str) -> None:
    caller.post("/api/contacts", item("ana@example.com", city="Hoboken"))
    answer = caller.post("/api/contacts", item("ana@example.com", city="Newark", **{name: value}))
    assert refused_fields(answer) == [f"{name} {code}"]
    assert caller.contact("ana@example.com")["city"] == "Hoboken"


def test_an_unknown_field_is_ignored(caller: Caller) -> None:
    answer = caller.post("/api/contacts", item("ana@example.com", shoeSize=38))
    assert answer.status_code == 201
    assert "shoeSize" not in answer.json()


@pytest.mark.parametrize(
    ("given", "country", "code"),
    [
        ({"country": "Germany"}, "Germany", "DE"),
        ({"country": "united states"}, "united states", "US"),
        ({"country": "Ruritania"}, "Ruritania", ""),
        ({"countryCode": "LT"}, "Lithuania", "LT"),
        ({"countryCode": "LT", "country": "Latvia"}, "Lithuania", "LT"),
        ({"country": ""}, "", ""),
    ],
)
def test_the_country_code_goes_before_the_name(caller: Caller, given: dict[str, str], country: str, code: str) -> None:
    caller.post("/api/contacts", item("ana@example.com", countryCode="US"))
    contact = caller.post("/api/contacts", item("ana@example.com", **given)).json()
    assert (contact["country"], contact["countryCode"]) == (country, code)


def test_an_empty_text_clears_a_field(caller: Caller) -> None:
    caller.post("/api/contacts", item("ana@example.com", **FIELDS))
    contact = caller.post("/api/contacts", item("ana@example.com", firstName="", country="")).json()
    assert (contact["firstName"], contact["country"], contact["countryCode"]) == ("", "", "")
    assert contact["lastName"] == "Diaz"


@pytest.mark.parametrize("empty", ["", None])
def test_clearing_can_be_allowed_for_every_field(
    simulator: Simulator[Omnisend], caller: Caller, empty: str | None
) -> None:
    simulator.vendor.settings.clearing = "all"
    caller.post("/api/contacts", item("ana@example.com", **FIELDS))
    answer = caller.post("/api/contacts", item("ana@example.com", **dict.fromkeys(FIELDS, empty)))
    assert {answer.json()[name] for name in FIELDS} == {""}


@pytest.mark.parametrize("value", [1, 1.5, True, "text", "x" * 2048, "2026-01-01", ["a", "b"], []])
def test_a_property_may_be_a_number_a_boolean_a_text_or_a_list(caller: Caller, value: Any) -> None:
    answer = caller.post("/api/contacts", item("ana@example.com", customProperties={"p": value}))
    assert answer.json()["customProperties"] == {"p": value}


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("p", {"a": 1}, "invalid_type"),
        ("p", [1], "invalid_type"),
        ("p", "x" * 2049, "too_long"),
        ("p", ["x" * 2049], "too_long"),
        ("loyalty tier", 1, "invalid_format"),
        ("größe", 1, "invalid_format"),
        ("", 1, "invalid_format"),
        ("p" * 129, 1, "invalid_format"),
    ],
)
def test_a_property_that_does_not_fit_is_refused(caller: Caller, name: str, value: Any, code: str) -> None:
    answer = caller.post("/api/contacts", item("ana@example.com", customProperties={name: value}))
    assert refused_fields(answer) == [f"customProperties.{name} {code}"]


@pytest.mark.parametrize("empty", ["", None])
def test_an_empty_property_is_removed(caller: Caller, empty: str | None) -> None:
    caller.post("/api/contacts", item("ana@example.com", customProperties={"a": 1, "A": 2}))
    contact = caller.post("/api/contacts", item("ana@example.com", customProperties={"a": empty})).json()
    assert contact["customProperties"] == {"A": 2}
    contact = caller.post("/api/contacts", item("ana@example.com", customProperties={"A": empty})).json()
    assert contact["customProperties"] is None


def test_a_contact_has_at_most_200_properties(caller: Caller) -> None:
    many = {f"p{number}": number for number in range(200)}
    assert caller.post("/api/contacts", item("ana@example.com", customProperties=many)).status_code == 201
    answer = caller.post("/api/contacts", item("ana@example.com", customProperties={"more": 1}))
    assert refused_fields(answer) == ["customProperties too_many"]
    swap = {"p0": None, "more": 1}
    assert caller.post("/api/contacts", item("ana@example.com", customProperties=swap)).status_code == 200
    assert caller.post("/api/contacts", item("bo@example.com", customProperties={**many, "x": 1})).status_code == 400
    assert caller.contact("bo@example.com") == {}


def test_when_a_contact_was_made_elsewhere_becomes_a_property(caller: Caller) -> None:
    contact = caller.post("/api/contacts", item("ana@example.com", createdAt="2020-01-01T00:00:00Z")).json()
    assert contact["createdAt"] == NOW
    assert contact["customProperties"] == {"externalCreated": "2020-01-01T00:00:00Z"}


def test_the_identifier_of_somebody_else_is_ignored(caller: Caller) -> None:
    phone = {"type": "phone", "id": "+37060000000", "sendWelcomeMessage": False}
    ana = caller.post("/api/contacts", item("ana@example.com") | {"identifiers": [phone]}).json()
    assert ana["phone"] == ["+37060000000"]
    both = {"identifiers": [*item("bo@example.com")["identifiers"], phone]}
    answer = caller.post("/api/contacts", both)
    assert (answer.status_code, answer.json()["phone"]) == (201, [])
    assert caller.post("/api/contacts", {"identifiers": [phone]}).status_code == 400
    assert caller.get("/api/contacts", phone="+37060000000").json()["contacts"][0]["id"] == ana["id"]
    assert caller.state()["people"] == 2


def test_a_contact_is_changed_by_its_address_or_its_id(caller: Caller) -> None:
    contact = caller.post("/api/contacts", item("ana@example.com")).json()
    caller.post("/api/contacts", item("bo@example.com"))
    by_address = caller.call("PATCH", "/api/contacts", {"city": "Hoboken"}, email="ana@example.com")
    assert (by_address.status_code, by_address.json()["city"]) == (200, "Hoboken")
    path = f"/api/contacts/{contact['id']}"
    assert caller.call("PATCH", path, {"firstName": "Ana"}).json()["firstName"] == "Ana"
    assert caller.call("PATCH", path, item("bo@example.com")).status_code == 409
    assert caller.call("PATCH", path, {"gender": "x"}).status_code == 400
    assert caller.call("PATCH", path, item("new@example.com")).json()["email"] == "new@example.com"
    assert caller.contact("ana@example.com") == {}


@pytest.mark.parametrize("path", ["/api/contacts?email=nobody@example.com", "/api/contacts/60a6170920d91c215e949b5c"])
def test_an_unknown_contact_is_not_found(caller: Caller, path: str) -> None:
    assert caller.call("PATCH", path, {"city": "Hoboken"}).status_code == 404


def test_leaving_channels_out_leaves_the_status_alone(caller: Caller) -> None:
    for status in ("subscribed", "unsubscribed", "nonSubscribed"):
        caller.post("/_simulator/people", {"people": [{"email": f"{status}@example.com", "status": status}]})
        assert caller.post("/api/contacts", item(f"{status}@example.com", city="Hoboken")).json()["status"] == status
    assert caller.state()["status_changes"] == {}


@pytest.mark.parametrize("status", ["nonSubscribed", "subscribed"])
def test_what_new_people_are_can_be_chosen(simulator: Simulator[Omnisend], caller: Caller, status: Any) -> None:
    simulator.vendor.settings.new_contact_status = status
    assert caller.post("/api/contacts", item("ana@example.com")).json()["status"] == status
    assert caller.state()["status_changes"] == {f"new -> {status}": 1}


def test_a_subscription_is_recorded_with_its_consent(caller: Caller) -> None:
    consent = {"source": "dynamics", "createdAt": "2026-01-01T00:00:00Z"}
    contact = caller.post("/api/contacts", in_channel("ana@example.com", "subscribed", consent=consent)).json()
    assert contact["status"] == "subscribed"
    assert contact["consents"] == [{"channel": "email", **consent}]
    assert contact["optIns"] == [{"channel": "email", "optInAt": NOW}]


def test_an_earlier_change_of_status_is_ignored(caller: Caller) -> None:
    caller.post("/api/contacts", in_channel("ana@example.com", "subscribed", "2025-11-20T00:00:00Z"))
    old = in_channel("ana@example.com", "unsubscribed", "2025-11-19T23:59:59Z")
    assert caller.post("/api/contacts", old).json()["status"] == "subscribed"
    later = in_channel("ana@example.com", "unsubscribed", "2025-11-20T02:00:00+01:00")
    assert caller.post("/api/contacts", later).json()["status"] == "unsubscribed"


@pytest.mark.parametrize(("to", "counted"), [("subscribed", 1), ("nonSubscribed", 1), ("unsubscribed", 0)])
def test_who_unsubscribed_and_comes_back_is_counted(caller: Caller, to: str, counted: int) -> None:
    people = [{"email": "ana@example.com", "status": "unsubscribed"}, {"email": "bo@example.com"}]
    caller.post("/_simulator/people", {"people": people})
    caller.deliver(in_channel("ana@example.com", to), in_channel("bo@example.com", to))
    state = caller.state()
    assert state["resubscribes"] == counted
    assert state["unsubscribed"] == ([] if counted else ["ana@example.com", "bo@example.com"])


def test_demoting_a_subscriber_is_counted_by_its_kind(caller: Caller) -> None:
    caller.post("/_simulator/people", {"people": [{"email": "ana@example.com", "status": "subscribed"}]})
    caller.deliver(in_channel("ana@example.com", "nonSubscribed"))
    assert caller.state()["status_changes"] == {"subscribed -> nonSubscribed": 1}


def test_a_welcome_message_goes_out_unless_the_request_says_no(caller: Caller) -> None:
    silent = item("ana@example.com")
    loud = {"identifiers": [{"type": "email", "id": "bo@example.com"}]}
    caller.deliver(silent)
    assert caller.state()["welcome_messages"] == 0
    caller.deliver(silent, loud)
    caller.post("/api/contacts", {"identifiers": [{**silent["identifiers"][0], "sendWelcomeMessage": True}]})
    assert caller.state()["welcome_messages"] == 2


@pytest.mark.parametrize(("rule", "sent"), [("every_item", 2), ("newcomers", 1), ("off", 0)])
def test_who_is_welcomed_can_be_chosen(simulator: Simulator[Omnisend], caller: Caller, rule: Any, sent: int) -> None:
    simulator.vendor.settings.welcome = rule
    for _ in range(2):
        caller.post("/api/contacts", {"identifiers": [{"type": "email", "id": "ana@example.com"}]})
    assert caller.state()["welcome_messages"] == sent
