"""What goes out to Mailchimp, from a table of cases."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import orjson
import pytest

from shared.vendors.answers import Answer, UnexpectedAnswer
from shared.vendors.contract import Kind, Row
from shared.vendors.mailchimp import people, requests, responses
from shared.vendors.mailchimp.people import Slot
from shared.vendors.mailchimp.requests import Update
from tests.unit.vendors.mailchimp.scripted import packed

CASES = json.loads((Path(__file__).parent / "cases" / "values.json").read_text(encoding="utf-8"))
ANA = people.place_of("ana@example.com")


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_values(case: dict[str, Any]) -> None:
    row = Row("ana@example.com", json.dumps(case["values"]))
    slots = {name: Slot(*each) for name, each in case["slots"].items()}
    found = people.written(row, slots, case.get("without", ()))
    assert json.loads(requests.values(found.fields)) == {"merge_fields": case["fields"]}
    assert [*found.left_out] == case.get("left_out", [])


def test_a_person_is_known_by_a_hash_of_the_address_in_small_letters() -> None:
    assert people.place_of("Urist.McVankab@freddiesjokes.com") == "62eeb292278cc15f5817cb78f7790b08"


def test_numbers_go_in_digit_by_digit() -> None:
    row = Row("ana@example.com", '{"A":1.0000000000000000001}')
    fields = people.written(row, {"A": Slot("A", "number")}).fields
    assert requests.newcomer("ana@example.com", "subscribed", fields).endswith(b'{"A":1.0000000000000000001}}')


def test_new_people_are_added_without_changing_anybody_else() -> None:
    request = requests.import_people("57a", [requests.newcomer("ana@example.com", "transactional", {})])
    assert request.path == "/3.0/lists/57a"
    assert request.query == {"skip_merge_validation": "true", "skip_duplicate_check": "false"}
    member = {"email_address": "ana@example.com", "status": "transactional"}
    assert json.loads(request.body or b"") == {"members": [member], "update_existing": False, "sync_tags": False}
    assert "example.com" not in repr(request)


def test_a_tag_goes_on_and_off_by_address_and_touches_nothing_else() -> None:
    on, off = (requests.tagging("57a", "10297", kind, ["ana@example.com"]) for kind in (Kind.ADD, Kind.REMOVE))
    assert {each.path for each in (on, off)} == {"/3.0/lists/57a/segments/10297"}
    assert json.loads(on.body or b"") == {"members_to_add": ["ana@example.com"]}
    assert json.loads(off.body or b"") == {"members_to_remove": ["ana@example.com"]}


def test_an_update_says_nothing_of_a_status() -> None:
    request = requests.update("57a", Update("", ANA, b'{"merge_fields":{"FNAME":"Ana"}}'))
    assert (request.method, request.path) == ("PATCH", f"/3.0/lists/57a/members/{ANA}")
    assert request.query == {"skip_merge_validation": "true"}


def test_operations_of_a_job_are_named_by_their_row_and_hold_texts() -> None:
    request = requests.make_job("57a", [Update("17", ANA, b'{"merge_fields":{"FNAME":"Ana"}}')])
    [operation] = json.loads(request.body or b"")["operations"]
    assert operation == {
        "method": "PATCH",
        "path": f"/lists/57a/members/{ANA}",
        "params": {"skip_merge_validation": "true"},
        "operation_id": "17",
        "body": '{"merge_fields":{"FNAME":"Ana"}}',
    }


def test_a_new_merge_field_is_shown_on_no_form_and_required_of_nobody() -> None:
    body = json.loads(requests.make_field("57a", "TIER", "Loyalty tier", "text").body or b"")
    assert body == {"tag": "TIER", "name": "Loyalty tier", "type": "text", "required": False, "public": False}


def test_results_are_read_from_all_files_of_the_archive() -> None:
    first = [{"status_code": 200, "operation_id": "0", "response": "{}"}]
    second = [{"status_code": 404, "operation_id": "1", "response": "{}"}]
    assert responses.results(packed(first, second)) == {"0": 200, "1": 404}


BROKEN = {
    "nothing": b"",
    "a web page": b"<html>",
    "without a status": packed([{"operation_id": "ana@example.com"}]),
    "cut off": packed([{"status_code": 200, "operation_id": "ana@example.com"}])[:-20],
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_results_that_cannot_be_read_are_no_success_and_name_nobody(broken: bytes) -> None:
    with pytest.raises(UnexpectedAnswer) as caught:
        responses.results(broken)
    assert "example.com" not in str(caught.value)
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    "body", [b"[]", b"{}", b'{"new_members":[],"errors":{}}', b'{"new_members":["x"],"errors":[]}']
)
def test_an_answer_of_another_shape_is_no_success(body: bytes) -> None:
    with pytest.raises(UnexpectedAnswer):
        responses.imported(Answer(200, {}, body))


def test_an_error_may_name_an_address_in_quotes() -> None:
    refusal = {"email_address": '\\"Ana@example.com\\"', "error": "x", "error_code": "ERROR_CONTACT_EXISTS"}
    found = responses.imported(Answer(200, {}, orjson.dumps({"new_members": [], "errors": [refusal]})))
    assert found is not None and [*found.refused] == ["ana@example.com"]
