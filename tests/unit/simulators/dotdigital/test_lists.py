"""Dotdigital: lists and data fields (contract sections 2 and 3)."""

from __future__ import annotations

from typing import Any

import pytest

from dev.simulators.common.simulator import Simulator
from dev.simulators.dotdigital import Dotdigital
from tests.unit.simulators.dotdigital.conftest import Caller, row


def token(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["message"].split()[-1]


def test_a_list_is_made_with_200(caller: Caller) -> None:
    answer = caller.post("/v2/address-books", {"name": "Export A", "visibility": "Public"})
    assert answer.status_code == 200
    assert answer.json() == {"id": 345579, "name": "Export A", "visibility": "Public", "contacts": 0}
    assert caller.get("/v2/address-books/345579").json() == answer.json()
    assert caller.post("/v2/address-books", {"name": "Export B"}).json()["visibility"] == "Private"


def test_the_other_specification_has_201(caller: Caller) -> None:
    caller.settings(list_created_status=201)
    assert caller.post("/v2/address-books", {"name": "Export A"}).status_code == 201


@pytest.mark.parametrize(
    "body",
    [{}, {"name": ""}, {"name": " "}, {"name": "x" * 129}, {"name": 7}, {"name": "x", "visibility": "private"}, []],
)
def test_a_list_that_does_not_fit_is_refused(caller: Caller, body: Any) -> None:
    assert token(caller.post("/v2/address-books", body)) == (400, "ERROR_PARAMETER_INVALID")
    assert caller.post("/v2/address-books", {"name": "x" * 128}).status_code == 200


@pytest.mark.parametrize("name", ["Export A", "EXPORT a", "Test", "All contacts"])
def test_a_name_is_taken_once(caller: Caller, name: str) -> None:
    caller.create_list("Export A")
    assert token(caller.post("/v2/address-books", {"name": name})) == (400, "ERROR_ADDRESSBOOK_DUPLICATE")


def test_lists_can_run_out(caller: Caller) -> None:
    caller.settings(most_lists=3)
    caller.create_list()
    assert token(caller.post("/v2/address-books", {"name": "B"})) == (400, "ERROR_ADDRESSBOOK_LIMITEXCEEDED")


def test_lists_are_read_in_pages_until_none_comes(caller: Caller) -> None:
    for number in range(5):
        caller.create_list(f"List {number}")
    pages = [
        [each["name"] for each in caller.get("/v2/address-books", select=3, skip=skip).json()] for skip in (0, 3, 6, 9)
    ]
    assert pages == [["All contacts", "Test", "List 0"], ["List 1", "List 2", "List 3"], ["List 4"], []]


@pytest.mark.parametrize("query", [{"select": 0}, {"select": 1001}, {"select": "x"}, {"skip": -1}])
def test_a_page_that_does_not_fit_is_refused(caller: Caller, query: dict[str, Any]) -> None:
    assert token(caller.get("/v2/address-books", **query)) == (400, "ERROR_PARAMETER_INVALID")


def test_a_list_is_changed_and_deleted(caller: Caller) -> None:
    list_id = caller.create_list("Old")
    path = f"/v2/address-books/{list_id}"
    caller.people({"email": "ana@example.com", "lists": [list_id]})
    assert caller.call("PUT", path, {"name": "old", "visibility": "Public"}).json()["name"] == "old"
    answer = caller.call("DELETE", path)
    assert (answer.status_code, answer.content) == (204, b"")
    for method in ("GET", "PUT", "DELETE"):
        assert token(caller.call(method, path, {"name": "x"})) == (404, "ERROR_ADDRESSBOOK_NOT_FOUND")
    assert caller.contact("ana@example.com")["lists"] == []


def test_the_http_status_of_an_error_can_be_any(caller: Caller) -> None:
    caller.settings(v2_statuses={"ERROR_ADDRESSBOOK_NOT_FOUND": 400, "ERROR_ADDRESSBOOK_DUPLICATE": 409})
    assert token(caller.get("/v2/address-books/1")) == (400, "ERROR_ADDRESSBOOK_NOT_FOUND")
    assert token(caller.post("/v2/address-books", {"name": "Test"})) == (409, "ERROR_ADDRESSBOOK_DUPLICATE")


def test_the_reserved_lists_take_no_writes(caller: Caller) -> None:
    for reserved in (47111, 47112):
        path = f"/v2/address-books/{reserved}"
        assert caller.get(path).status_code == 200
        for method, below, body in (
            ("DELETE", "", None),
            ("PUT", "", {"name": "x"}),
            ("POST", "/contacts/delete", [1]),
        ):
            assert token(caller.call(method, path + below, body)) == (400, "ERROR_ADDRESSBOOK_NOTWRITABLE")
    result = caller.run(row("ana@example.com", 47112))
    assert result["failures"][0]["failures"][0]["failureCode"] == "invalidAddressBookIds"


def test_the_count_of_a_list_lags_behind(caller: Caller) -> None:
    list_id = caller.create_list()

    def count() -> int:
        shown: int = caller.get(f"/v2/address-books/{list_id}").json()["contacts"]
        return shown

    caller.people({"email": "ana@example.com", "lists": [list_id]})
    assert count() == 0
    caller.advance(60)
    assert count() == 1
    caller.settings(list_count_lag=0)
    caller.people({"email": "bo@example.com", "lists": [list_id]})
    assert count() == 2
    assert caller.get("/v2/address-books/47111").json()["contacts"] == 2


def test_the_built_in_fields_are_there(caller: Caller) -> None:
    fields = caller.get("/v2/data-fields").json()
    assert fields[0] == {"name": "FIRSTNAME", "type": "String", "visibility": "Public", "defaultValue": None}
    assert [each["name"] for each in fields] == [
        "FIRSTNAME", "LASTNAME", "FULLNAME", "GENDER", "POSTCODE", "LASTSUBSCRIBED",
    ]  # fmt: skip


def test_a_field_is_made_with_201_and_gets_an_upper_case_name(caller: Caller) -> None:
    answer = caller.post("/v2/data-fields", {"name": "Loyalty_Tier", "type": "Numeric"})
    expected = {"name": "LOYALTY_TIER", "type": "Numeric", "visibility": "Private", "defaultValue": None}
    assert (answer.status_code, answer.json()) == (201, expected)
    assert expected in caller.get("/v2/data-fields").json()


@pytest.mark.parametrize("name", ["FIRSTNAME", "firstname"])
def test_a_field_that_is_there_is_not_made_again(caller: Caller, name: str) -> None:
    answer = caller.post("/v2/data-fields", {"name": name, "type": "String"})
    assert answer.status_code == 400
    assert answer.json() == {"message": "Field already exists. ERROR_NON_UNIQUE_DATAFIELD"}


@pytest.mark.parametrize(
    "body",
    [
        {"name": "X" * 21, "type": "String"},
        {"name": "", "type": "String"},
        {"name": "TWO WORDS", "type": "String"},
        {"name": "ÜBER", "type": "String"},
        {"name": "Email", "type": "String"},
        {"name": "X", "type": "string"},
        {"name": "X", "type": "Text"},
        {"name": "X"},
        {"type": "String"},
        {"name": "X", "type": "String", "visibility": "Secret"},
        ["X"],
    ],
)
def test_a_field_that_does_not_fit_is_refused(caller: Caller, body: Any) -> None:
    assert token(caller.post("/v2/data-fields", body)) == (400, "ERROR_PARAMETER_INVALID")
    assert caller.post("/v2/data-fields", {"name": "X" * 20, "type": "String"}).status_code == 201


def test_a_deleted_field_takes_its_values_along(simulator: Simulator[Dotdigital], caller: Caller) -> None:
    caller.people({"email": "ana@example.com", "dataFields": {"CITY": "Hoboken", "FIRSTNAME": "Ana"}})
    answer = caller.call("DELETE", "/v2/data-fields/city")
    assert (answer.status_code, answer.json()) == (200, {"dependencies": None, "result": True})
    assert caller.contact("ana@example.com")["dataFields"] == {"FIRSTNAME": "Ana"}
    assert token(caller.call("DELETE", "/v2/data-fields/city")) == (400, "ERROR_DATAFIELD_NOTFOUND")


def test_a_field_in_use_stays(caller: Caller) -> None:
    caller.people(fields=[{"name": "CITY", "dependencies": ["Used in program 12345"]}])
    answer = caller.call("DELETE", "/v2/data-fields/CITY")
    assert (answer.status_code, answer.json()) == (200, {"dependencies": ["Used in program 12345"], "result": False})
    assert "CITY" in caller.state()["fields"]
