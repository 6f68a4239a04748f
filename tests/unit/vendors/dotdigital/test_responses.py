"""What Dotdigital's answers mean, from tables of cases; one that is not described is never taken for a good one."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from shared.errors import UserMustAct
from shared.vendors.answers import Answer, UnexpectedAnswer
from shared.vendors.contract import FieldType
from shared.vendors.dotdigital import responses
from shared.vendors.dotdigital.responses import Account, Members, Opposed
from shared.vendors.lists import Listed
from tests.unit.vendors.dotdigital.scripted import Dot, data_field, world

NO_LIST = {"message": "Error: ERROR_ADDRESSBOOK_NOT_FOUND"}
Parse = Callable[[Answer], Any]


def answer_of(status: int, body: Any) -> Answer:
    return Answer(status, {}, body if isinstance(body, bytes) else json.dumps(body).encode())


def property_of(name: str, value: str) -> dict[str, str]:
    return {"name": name, "type": "String", "value": value}


REGION = property_of("APIEndpoint", "https://r2-api.dotdigital.com")
PERSON = {"id": 7, "email": "Ann@Example.com"}
PROPERTIES = [property_of("Name", "Acme"), REGION, property_of("ApiCallsRemaining", "1997"), "odd"]

UNDERSTOOD: list[tuple[Parse, int, Any, Any]] = [
    (
        responses.account,
        200,
        {"id": 4711, "properties": PROPERTIES},
        Account(4711, "https://r2-api.dotdigital.com", "1997"),
    ),
    (responses.account, 201, {"id": 1, "properties": [REGION]}, Account(1, "https://r2-api.dotdigital.com", "")),
    (responses.lists, 200, [{"id": 1, "name": "A", "contacts": 3}], [Listed("1", "A")]),
    (responses.lists, 201, [], []),
    (responses.list_by_id, 200, {"id": 12, "name": ""}, Listed("12", "")),
    (responses.list_by_id, 201, {"id": 12, "name": "B"}, Listed("12", "B")),
    (responses.list_by_id, 404, NO_LIST, None),
    (responses.created_list, 200, {"id": 3, "name": "C"}, Listed("3", "C")),
    (responses.created_list, 201, {"id": 3, "name": "C"}, Listed("3", "C")),
    (responses.created_list, 400, {"message": "Error: ERROR_ADDRESSBOOK_DUPLICATE"}, None),
    (
        responses.fields,
        200,
        [{"name": "AGE", "type": "Numeric"}, {"name": "X", "type": "Y"}],
        {"AGE": "Numeric", "X": "Y"},
    ),
    (responses.created_field, 200, {}, None),
    (responses.created_field, 201, {}, None),
    (responses.created_field, 400, {"message": "Error: ERROR_NON_UNIQUE_DATAFIELD"}, None),
    (
        responses.unsubscribed,
        200,
        [
            {"suppressedContact": PERSON, "dateRemoved": "2026-11-01"},
            {"suppressedContact": {"id": 8}, "dateRemoved": None},
            {"suppressedContact": {"email": "bob@example.com", "id": 0}},
            {"suppressedContact": {"email": None}},
        ],
        [
            Opposed(frozenset({"ann@example.com", "7"}), "2026-11-01"),
            Opposed(frozenset({"8"}), ""),
            Opposed(frozenset({"bob@example.com"}), ""),
            Opposed(frozenset(), ""),
        ],
    ),
    (
        responses.members,
        200,
        {
            "_items": [{"identifiers": {"email": "a@x.com"}}, {"identifiers": {"mobileNumber": "+49"}}],
            "_links": {"next": {"marker": "m1"}},
        },
        Members(["a@x.com"], "m1"),
    ),
    (responses.members, 201, {"_items": [], "_links": {}}, Members([], None)),
    (responses.members, 200, {"_items": [], "_links": {"next": {"marker": ""}}}, Members([], None)),
    (responses.contact_id, 200, {"contactId": 1}, 1),
    (responses.contact_id, 201, {"contactId": 93}, 93),
    (responses.contact_id, 404, {"errorCode": "contacts:contactNotFound"}, None),
    (responses.contact_id, 400, {"errorCode": "contacts:invalidId"}, None),
    (responses.started, 202, {"importId": "job-1"}, "job-1"),
    (responses.started, 202, {"Id": "j" * 100, "Status": "Started"}, "j" * 100),
    (responses.progress, 200, {"Status": "Finished", "importId": "x"}, {"status": "Finished", "importid": "x"}),
    (responses.progress, 201, {"status": "NotFinished"}, {"status": "NotFinished"}),
    (responses.progress, 404, {"errorCode": "contacts:importNotFound"}, None),
    (responses.progress, 400, {"message": "Error: ERROR_IMPORT_NOT_FOUND"}, None),
]


@pytest.mark.parametrize(("parse", "status", "body", "found"), UNDERSTOOD)
def test_answers_that_are_understood(parse: Parse, status: int, body: Any, found: Any) -> None:
    assert parse(answer_of(status, body)) == found


NOT_DESCRIBED: list[tuple[Parse, int, Any]] = [
    (responses.account, 200, {"properties": [REGION]}),
    (responses.account, 200, {"id": "4711", "properties": [REGION]}),
    (responses.account, 200, {"id": True, "properties": [REGION]}),
    (responses.account, 200, {"id": 0, "properties": [REGION]}),
    (responses.account, 200, {"id": 4711}),
    (responses.account, 200, {"id": 4711, "properties": [property_of("Name", "Acme")]}),
    (responses.account, 202, {"id": 4711, "properties": [REGION]}),
    (responses.probed, 200, {"_links": {}}),
    (responses.probed, 500, {"_items": []}),
    (responses.lists, 200, {"id": 1, "name": "A"}),
    (responses.lists, 200, ["A"]),
    (responses.lists, 200, [{"id": "1", "name": "A"}]),
    (responses.lists, 200, [{"id": 1, "name": None}]),
    (responses.lists, 202, []),
    (responses.list_by_id, 404, b"<html>"),
    (responses.list_by_id, 200, {"name": "A"}),
    (responses.created_list, 500, {"message": "Sorry"}),
    (responses.created_list, 200, {}),
    (responses.fields, 200, ["AGE"]),
    (responses.fields, 200, [{"name": "AGE"}]),
    (responses.fields, 200, [{"type": "Numeric"}]),
    (responses.created_field, 202, {}),
    (responses.created_field, 500, {"message": "Sorry"}),
    (responses.unsubscribed, 200, {}),
    (responses.unsubscribed, 200, ["ann@example.com"]),
    (responses.unsubscribed, 200, [{"suppressedContact": "ann@example.com"}]),
    (responses.unsubscribed, 500, {"message": "Sorry"}),
    (responses.members, 200, {"_items": []}),
    (responses.members, 200, {"_links": {}}),
    (responses.members, 404, NO_LIST),
    (responses.contact_id, 404, b"<html>"),
    (responses.contact_id, 404, {"errorCode": "contacts:somethingElse"}),
    (responses.contact_id, 200, {"contactId": "93"}),
    (responses.contact_id, 200, {}),
    (responses.started, 200, {"importId": "job-1"}),
    (responses.started, 202, {}),
    (responses.started, 202, {"id": 7}),
    (responses.started, 202, {"id": "j" * 101}),
    (responses.started, 202, {"id": "job\n1"}),
    (responses.progress, 404, b"<html>"),
    (responses.progress, 500, {"errorCode": "contacts:importNotFound"}),
    (responses.progress, 200, {"importId": "x"}),
    (responses.progress, 200, {"status": 3}),
]


@pytest.mark.parametrize(("parse", "status", "body"), NOT_DESCRIBED)
def test_answers_that_are_not_described_say_nothing(parse: Parse, status: int, body: Any) -> None:
    with pytest.raises(UnexpectedAnswer):
        parse(answer_of(status, body))


FULL = {"message": "Error: ERROR_ADDRESSBOOK_LIMITEXCEEDED"}
OTHER = {"message": "Error: ERROR_ADDRESSBOOK_INVALID"}


@pytest.mark.parametrize(
    ("parse", "status", "body", "code", "words"),
    [
        (responses.probed, 400, {"_items": []}, "not_migrated", "unified contacts"),
        (responses.probed, 499, {}, "not_migrated", "unified contacts"),
        (responses.created_list, 400, FULL, "target_refused", "delete one there"),
        (responses.created_list, 400, OTHER, "target_refused", "make the list: Error: ERROR_ADDRESSBOOK_INVALID"),
        (responses.created_list, 499, b"", "target_refused", "status 499"),
        (responses.created_field, 400, OTHER, "field_refused", "Error: ERROR_ADDRESSBOOK_INVALID"),
        (responses.created_field, 499, b"", "field_refused", "status 499"),
        (responses.unsubscribed, 404, NO_LIST, "target_vanished", "does not exist in Dotdigital any more"),
        (responses.unsubscribed, 400, {"message": "Gone"}, "unsubscribed_unreadable", "(Gone)"),
        (responses.unsubscribed, 499, b"", "unsubscribed_unreadable", "(status 499)"),
        (responses.refuse_vanished, 404, NO_LIST, "target_vanished", "does not exist in Dotdigital any more"),
    ],
)
def test_what_only_a_person_can_put_right(parse: Parse, status: int, body: Any, code: str, words: str) -> None:
    with pytest.raises(UserMustAct) as error:
        parse(answer_of(status, body))
    assert error.value.code == code
    assert words in error.value.message


@pytest.mark.parametrize("status", [200, 201])
def test_an_account_with_the_current_api_is_told_by_its_contacts(status: int) -> None:
    answer = answer_of(status, {"_items": [], "_links": {}})
    assert responses.probed(answer) is answer


def test_no_other_refusal_means_that_the_list_is_gone() -> None:
    responses.refuse_vanished(answer_of(404, {"message": "Error: ERROR_CONTACT_NOT_FOUND"}))


@pytest.mark.parametrize(
    ("status", "body", "large", "why"),
    [
        (200, {}, False, ""),
        (400, {"description": "Bad"}, False, "Bad"),
        (499, b"", False, "status 499"),
        (500, {"description": "The request is too large"}, False, ""),
        (413, b"", True, "it is too large."),
        (400, {"description": "The request is TOO LARGE"}, True, "it is too large."),
    ],
)
def test_a_request_that_was_refused_as_a_whole(status: int, body: Any, large: bool, why: str) -> None:
    answer = answer_of(status, body)
    assert (responses.too_large(answer), responses.refused(answer)) == (large, why)


@pytest.mark.parametrize(
    "entry",
    ["ann@example.com", {}, {"identifiers": "ann@example.com"}, *({"identifiers": {"email": it}} for it in ("", 7))],
)
def test_a_contact_may_have_no_address(entry: Any) -> None:
    assert responses.address_of(entry) is None


def test_types_of_data_fields_that_a_cell_can_have() -> None:
    kinds = ("String", "Numeric", "Date", "Boolean", "Picture")
    with world(Dot(fields=[data_field(kind.upper(), kind) for kind in kinds])) as here:
        assert here.vendor.field_types() == {
            "STRING": FieldType.STRING,
            "NUMERIC": FieldType.NUMBER,
            "DATE": FieldType.DATE,
            "BOOLEAN": FieldType.BOOLEAN,
        }
