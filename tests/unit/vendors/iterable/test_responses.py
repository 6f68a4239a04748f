"""What Iterable's answers mean, from tables of cases."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from shared.errors import UserMustAct
from shared.vendors.answers import Answer, UnexpectedAnswer
from shared.vendors.contract import Evidence, FieldType, Kind, Outcome, Receipt, Row
from shared.vendors.iterable import receipts, responses
from tests.unit.vendors.readings import told

FOLDER = Path(__file__).parent / "cases"
CASES = [case for name in ("counts", "refusals") for case in json.loads((FOLDER / f"{name}.json").read_text("utf-8"))]


def spelled(receipt: Receipt) -> str:
    words = " ".join(filter(None, (receipt.outcome, receipt.code)))
    return f"{words} / {receipt.retry}" if receipt.retry else words


def answer_of(case: dict[str, Any]) -> Answer:
    body = case["text"] if "text" in case else json.dumps(case["answer"])
    return Answer(case.get("status", 200), {}, body.encode())


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_bulk_answers(case: dict[str, Any]) -> None:
    rows = [Row(row) if isinstance(row, str) else Row(*row) for row in case["rows"]]
    if case.get("unexpected"):
        with pytest.raises(UnexpectedAnswer):
            receipts.read(Kind(case["kind"]), rows, answer_of(case))
        return
    reading = receipts.read(Kind(case["kind"]), rows, answer_of(case))
    found = told(reading, len(rows))
    expected = case.get("receipts", {})
    if isinstance(expected, list):
        expected = {str(index): words for index, words in enumerate(expected)}
    assert {str(index): spelled(receipt) for index, receipt in found.items()} == expected
    assert [list(group) for group in reading.again] == case.get("again", [])
    assert list(reading.warnings) == case.get("warnings", [])
    covered = sorted([*found, *(index for group in reading.again for index in group)])
    assert covered == list(range(len(rows)))
    if "otherwise" in case:
        assert spelled(reading.otherwise) == case["otherwise"]
    if "reason" in case:
        assert found[0].reason == case["reason"]
    for receipt in [*found.values(), reading.otherwise]:
        assert "@" not in receipt.reason
        assert (receipt.outcome is Outcome.ACCEPTED) == (receipt.evidence is Evidence.CONFIRMED)
        assert (receipt.outcome is Outcome.REJECTED) == (receipt.retry is not None)
        assert receipt.outcome is Outcome.ACCEPTED or receipt.reason


def test_a_project_that_is_full_of_fields_needs_a_person() -> None:
    answer = Answer(400, {}, b'{"msg":"m","code":"UniqueFieldsLimitExceeded","params":{}}')
    with pytest.raises(UserMustAct) as error:
        receipts.read(Kind.ADD, [Row("a@x.com")], answer)
    assert error.value.code == "too_many_fields"


LISTS = [{"id": 0, "name": "A", "listType": "Standard"}, {"id": 7, "name": "B", "listType": "Dynamic"}]


def test_lists_of_a_project_of_which_only_static_ones_can_be_written_to() -> None:
    found = responses.lists(Answer(200, {}, json.dumps({"lists": LISTS}).encode()))
    assert [(each.id, each.name, each.standard) for each in found] == [("0", "A", True), ("7", "B", False)]


def test_a_list_that_was_made_and_a_name_that_is_refused() -> None:
    assert responses.created_list(Answer(200, {}, b'{"listId":7}')) == "7"
    long = "x" * 80
    for status in (400, 499):
        body = {"code": long, "msg": "Not this\n name, ann@example.com"}
        with pytest.raises(UserMustAct) as error:
            responses.created_list(Answer(status, {}, json.dumps(body).encode()))
        assert error.value.code == "target_refused"
        refused = f"Iterable refuses to make the list: {long[:59]}…: Not this name, [address]"
        assert error.value.message == refused


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, {"code": "Success", "msg": "m"}),
        (400, {"code": "BadParams"}),
        (400, {"msg": "m"}),
        (400, ["odd"]),
        (500, {"code": "BadParams", "msg": "m"}),
    ],
)
def test_a_list_that_was_perhaps_made_is_neither_made_nor_refused(status: int, body: Any) -> None:
    with pytest.raises(UnexpectedAnswer):
        responses.created_list(Answer(status, {}, json.dumps(body).encode()))


PLAIN = {"content-type": "text/plain; charset=UTF-8"}


def test_members_are_lines_with_an_address() -> None:
    answer = Answer(200, PLAIN, b"a@x.com\r\n\nuser-id-7\nb@\xff.com\n")
    assert list(responses.members(answer)) == ["a@x.com", "b@\ufffd.com"]
    assert list(responses.members(Answer(200, PLAIN, b""))) == []


@pytest.mark.parametrize(
    ("status", "headers"), [(200, {"content-type": "application/json"}), (200, {}), (404, PLAIN), (500, PLAIN)]
)
def test_whatever_else_comes_is_not_an_empty_list(status: int, headers: dict[str, str]) -> None:
    with pytest.raises(UnexpectedAnswer):
        responses.members(Answer(status, headers, b"a@x.com"))


def test_a_field_of_a_type_in_an_unknown_shape_is_of_an_unknown_type() -> None:
    body = {"fields": {"email": "string", "odd": {"type": "string"}}}
    assert responses.fields(Answer(200, {}, json.dumps(body).encode())) == {"email": "string", "odd": "unknown"}


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"fields":["email"]}'])
def test_fields_in_an_unknown_shape_are_not_a_project_without_fields(body: bytes) -> None:
    with pytest.raises(UnexpectedAnswer):
        responses.fields(Answer(200, {}, body))


@pytest.mark.parametrize("status", [400, 404, 500])
def test_an_unknown_list_is_told_by_its_message(status: int) -> None:
    body = b'{"msg":"error.lists.invalidListId(999999999)","code":"Success","params":{"listId":999999999}}'
    assert responses.list_unknown(Answer(status, {}, body))
    assert not responses.list_unknown(Answer(status, {}, b'{"msg":"m","code":"BadParams","params":null}'))
    assert not responses.list_unknown(Answer(200, {}, body))


def test_types_of_fields_that_a_cell_can_have() -> None:
    fields = {
        "email": "string",
        "n": "long",
        "x": "double",
        "b": "boolean",
        "d": "date",
        "o": "object",
        "g": "geo_location",
    }
    found = responses.field_types(Answer(200, {}, json.dumps({"fields": fields}).encode()))
    assert found == {
        "email": FieldType.STRING,
        "n": FieldType.INTEGER,
        "x": FieldType.NUMBER,
        "b": FieldType.BOOLEAN,
        "d": FieldType.DATE,
    }


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"lists":{}}',
        b'{"lists":[1]}',
        *(
            json.dumps({"lists": [LISTS[0] | wrong]}).encode()
            for wrong in ({"id": "1"}, {"id": True}, {"id": -1}, {"name": 7}, {"listType": None})
        ),
    ],
)
def test_lists_in_an_unknown_shape_are_not_an_empty_project(body: bytes) -> None:
    with pytest.raises(UnexpectedAnswer):
        responses.lists(Answer(200, {}, body))


@pytest.mark.parametrize("body", [b"", b"{}", b'{"listId":"7"}', b'{"listId":null}', b'{"listId":true}'])
def test_a_new_list_without_an_id_is_not_a_list(body: bytes) -> None:
    with pytest.raises(UnexpectedAnswer):
        responses.created_list(Answer(200, {}, body))


WEAK = "Disabled API key or insufficient privileges"


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (401, {"msg": "Invalid API key", "code": "BadApiKey", "params": {"ip": "203.0.113.9"}}, "bad_credentials"),
        (
            401,
            {"msg": WEAK, "code": "BadApiKey", "params": {"apiKeyType": "Mobile"}},
            "wrong_key_type",
        ),
        (
            401,
            {"msg": WEAK, "code": "BadApiKey", "params": {"apiKeyType": "Standard"}},
            "key_disabled",
        ),
        (401, {"msg": "m", "code": "InvalidJwtPayload", "params": None}, "wrong_key_type"),
        *(
            (401, {"msg": WEAK, "code": "BadApiKey", "params": {"apiKeyType": kind}}, "wrong_key_type")
            for kind in ("mobile", "JavaScript", "js", "Web", "JWT")
        ),
        (401, {"msg": WEAK, "code": "BadApiKey", "params": {"apiKeyType": 7}}, "key_disabled"),
        (401, ["odd"], "bad_credentials"),
        (403, {"msg": "m", "code": "Forbidden", "params": None}, "forbidden"),
    ],
)
def test_refused_keys(status: int, body: Any, code: str) -> None:
    assert responses.refusal(Answer(status, {}, json.dumps(body).encode())).code == code
