"""What Campaign Monitor's answers mean, from tables of cases."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shared.errors import UserMustAct
from shared.vendors.answers import Answer, UnexpectedAnswer
from shared.vendors.campaign_monitor import errors, receipts, responses
from shared.vendors.campaign_monitor.responses import ListField
from shared.vendors.contract import Evidence, Outcome, Receipt, Row
from shared.vendors.lists import Listed
from tests.unit.vendors.readings import told

FOLDER = Path(__file__).parent / "cases"
IMPORTS, REMOVALS = (json.loads((FOLDER / f"{name}.json").read_text("utf-8")) for name in ("imports", "removals"))


def spelled(receipt: Receipt) -> str:
    evidence = "acknowledged" if receipt.evidence is Evidence.ACKNOWLEDGED else ""
    words = " ".join(filter(None, (receipt.outcome, receipt.code, evidence)))
    return f"{words} / {receipt.retry}" if receipt.retry else words


def answer_of(case: dict[str, Any]) -> Answer:
    return Answer(case["status"], {}, (case["text"] if "text" in case else json.dumps(case["answer"])).encode())


def is_sound(receipt: Receipt) -> bool:
    """Nobody's address, a reason wherever one is owed, and evidence and retry where they belong."""
    return (
        "@" not in receipt.reason
        and (receipt.outcome is Outcome.ACCEPTED) == (receipt.evidence is not None)
        and (receipt.outcome is Outcome.REJECTED) == (receipt.retry is not None)
        and (receipt.outcome is Outcome.ACCEPTED or receipt.reason.endswith("."))
    )


@pytest.mark.parametrize("case", IMPORTS, ids=[case["name"] for case in IMPORTS])
def test_imports(case: dict[str, Any]) -> None:
    rows = [Row(address) for address in case["rows"]]
    if "unexpected" in case:
        with pytest.raises(UnexpectedAnswer):
            receipts.read(rows, answer_of(case))
        return
    if "user" in case:
        with pytest.raises(UserMustAct) as error:
            receipts.read(rows, answer_of(case))
        assert error.value.code == case["user"]
        return
    reading = receipts.read(rows, answer_of(case))
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
    for index, reason in case.get("reasons", {}).items():
        assert found[int(index)].reason == reason
    assert all(is_sound(receipt) for receipt in [*found.values(), reading.otherwise])


@pytest.mark.parametrize("case", REMOVALS, ids=[case["name"] for case in REMOVALS])
def test_removals(case: dict[str, Any]) -> None:
    if "unexpected" in case:
        with pytest.raises(UnexpectedAnswer):
            receipts.removal(answer_of(case))
        return
    if "user" in case:
        with pytest.raises(UserMustAct) as error:
            receipts.removal(answer_of(case))
        assert error.value.code == case["user"]
        return
    receipt = receipts.removal(answer_of(case))
    assert (receipt and spelled(receipt)) == case["receipt"]
    assert receipt is None or is_sound(receipt)


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (401, {"Code": 100, "Message": "Invalid API Key"}, "bad_credentials"),
        (401, {"Code": "100", "Message": "Invalid API Key"}, "bad_credentials"),
        (401, {"Code": 60, "Message": "m"}, "forbidden"),
        (401, {"Code": 102, "Message": "Invalid ClientID"}, "unknown_id"),
        (401, {"Code": 101, "Message": "Invalid ListID"}, "unknown_id"),
        (403, {"Code": 403, "Message": "m"}, "forbidden"),
        (401, {"Code": 99, "Message": "m"}, "forbidden"),
        (401, ["odd"], "forbidden"),
        (403, {}, "forbidden"),
    ],
)
def test_a_refusal_is_told_by_its_code_not_by_its_status(status: int, body: Any, code: str) -> None:
    found = errors.refusal(Answer(status, {}, json.dumps(body).encode()))
    assert found.code == code
    assert found.message.endswith(".")


def test_its_own_failure_is_told_from_a_gateways() -> None:
    own = b'{"Code":500,"Message":"Sorry, we\'ve run into a problem"}'
    assert errors.broken(Answer(500, {}, own))
    assert not errors.broken(Answer(500, {}, b"<html>"))
    assert not errors.broken(Answer(502, {}, own))
    assert not errors.broken(Answer(400, {}, own))


Parse = Callable[[Answer], Any]


@pytest.mark.parametrize(
    ("parse", "status", "body", "found"),
    [
        (responses.clients, 200, [{"ClientID": "c1", "Name": "Acme"}], [Listed("c1", "Acme")]),
        (responses.lists, 200, [], []),
        (responses.lists, 200, [{"ListID": "l1", "Name": "A"}], [Listed("l1", "A")]),
        (responses.created_list, 201, "e3c5", "e3c5"),
        (responses.created_list, 400, {"Code": 250, "Message": "List title must be unique"}, None),
        (responses.created_field, 201, "[Postcode]", "Postcode"),
        (responses.created_field, 400, {"Code": 255, "Message": "Field name already exists"}, None),
        (
            responses.fields,
            200,
            [{"FieldName": "Post code", "Key": "[Postcode]", "DataType": "Text", "FieldOptions": []}],
            [ListField("Post code", "Postcode", "Text")],
        ),
        (
            responses.fields,
            200,
            [
                {"FieldName": "Size", "Key": " [Size] ", "DataType": "MultiSelectOne", "FieldOptions": ["S", 7, "L"]},
                {"FieldName": "Age", "Key": "Age", "DataType": "Number"},
            ],
            [ListField("Size", "Size", "MultiSelectOne", ("S", "L")), ListField("Age", "Age", "Number")],
        ),
        (
            responses.page,
            200,
            {
                "Results": [],
                "ResultsOrderedBy": "email",
                "OrderDirection": "desc",
                "TotalNumberOfRecords": "0",
                "NumberOfPages": 0,
            },
            responses.Page([], 0, 0, reasons=[]),
        ),
        (
            responses.page,
            400,
            {"Code": 800, "Message": "There is no such page."},
            responses.Page((), 0, 0, newest_first=False, past_end=True, shrank=False),
        ),
        (
            responses.details,
            200,
            {"ListID": "l1", "Title": "A", "ConfirmedOptIn": True, "UnsubscribeSetting": "OnlyThisList"},
            responses.Details("A", True, True),
        ),
        (
            responses.details,
            200,
            {"ListID": "l1", "Title": "A", "ConfirmedOptIn": False, "UnsubscribeSetting": "AllClientLists"},
            responses.Details("A", False, False),
        ),
        (
            responses.page,
            200,
            {
                "Results": [{"EmailAddress": "a@x.com", "Date": "2026-11-20 10:28:00"}, {"EmailAddress": "b@x.com"}],
                "ResultsOrderedBy": "Date",
                "OrderDirection": "DESC",
                "TotalNumberOfRecords": 2,
                "NumberOfPages": 1,
            },
            responses.Page(
                [("a@x.com", "2026-11-20 10:28:00"), ("b@x.com", "")], 2, 1, newest_first=True, reasons=["", ""]
            ),
        ),
    ],
)
def test_answers_that_are_understood(parse: Parse, status: int, body: Any, found: Any) -> None:
    assert parse(Answer(status, {}, json.dumps(body).encode())) == found


@pytest.mark.parametrize(
    ("parse", "status", "body"),
    [
        (responses.clients, 200, {}),
        (responses.clients, 200, [{"ClientID": 7, "Name": "Acme"}]),
        (responses.lists, 202, []),
        (responses.lists, 200, [{"ListID": "l1"}]),
        (responses.details, 200, {"Title": "A"}),
        (responses.details, 200, []),
        (responses.fields, 200, [{"FieldName": "A", "DataType": "Text"}]),
        (responses.created_list, 201, ""),
        (responses.created_list, 201, {"ListID": "l1"}),
        (responses.created_list, 200, "l1"),
        (responses.created_field, 409, ["odd"]),
        (responses.page, 200, {"Results": [{}], "TotalNumberOfRecords": 1, "NumberOfPages": 1}),
        (responses.page, 200, {"Results": []}),
        (responses.page, 400, {"Code": 801, "Message": "m"}),
        (responses.page, 500, {"Code": 800, "Message": "m"}),
        (responses.page, 200, []),
        (responses.page, 200, {"Results": None, "TotalNumberOfRecords": 1, "NumberOfPages": 1}),
        (responses.page, 200, {"Results": [], "NumberOfPages": 1}),
        (responses.page, 200, {"Results": [], "TotalNumberOfRecords": 1}),
        (responses.page, 200, {"Results": ["a@x.com"], "TotalNumberOfRecords": 1, "NumberOfPages": 1}),
        (responses.details, 200, {"Title": "A", "ConfirmedOptIn": "yes"}),
        (responses.details, 200, {"ConfirmedOptIn": True}),
        (responses.created_list, 201, None),
        (responses.created_list, 500, {"Code": 251, "Message": "m"}),
        (responses.created_field, 500, {"Code": 255, "Message": "m"}),
    ],
)
def test_answers_in_an_unknown_shape_are_never_read_as_empty(parse: Parse, status: int, body: Any) -> None:
    with pytest.raises(UnexpectedAnswer):
        parse(Answer(status, {}, json.dumps(body).encode()))


@pytest.mark.parametrize(
    ("parse", "code"), [(responses.created_list, "target_refused"), (responses.created_field, "field_refused")]
)
def test_names_that_are_refused_need_a_person(parse: Parse, code: str) -> None:
    for status in (400, 499):
        with pytest.raises(UserMustAct) as error:
            parse(Answer(status, {}, b'{"Code":251,"Message":"Title was empty."}'))
        assert (error.value.code, "Title was empty (code 251)" in error.value.message) == (code, True)


@pytest.mark.parametrize("parse", [responses.created_list, responses.created_field])
def test_nothing_is_made_for_a_client_or_list_that_is_not_known(parse: Parse) -> None:
    with pytest.raises(UserMustAct) as error:
        parse(Answer(400, {}, b'{"Code":102,"Message":"Invalid ClientID"}'))
    assert error.value.code == "unknown_id"


PEOPLE = [("b@x.com", "2026-11-20 10:28:00"), ("a@x.com", "2026-11-18 09:00:00")]


@pytest.mark.parametrize(
    ("people", "day", "newest_first", "before"),
    [
        (PEOPLE, "2026-11-19", True, True),
        (PEOPLE, "2026-11-18", True, False),
        (PEOPLE, "2026-11-18 09:00:00", True, False),
        (PEOPLE, "2026-11-19", False, False),
        ([], "2026-11-19", True, False),
    ],
)
def test_whether_all_that_follow_a_page_are_from_before_a_day(
    people: list[tuple[str, str]], day: str, newest_first: bool, before: bool
) -> None:
    assert responses.Page(people, 9, 5, newest_first=newest_first).all_before(day) is before


def test_a_page_did_not_shrink_unless_it_is_said() -> None:
    page = responses.Page(PEOPLE, 2, 1)
    assert (page.newest_first, page.past_end, page.shrank) == (False, False, False)


@pytest.mark.parametrize("parse", [responses.lists, responses.details, responses.fields, responses.page])
@pytest.mark.parametrize(("status", "body"), [(404, b""), (400, b'{"Code":102,"Message":"Invalid ClientID"}')])
def test_an_id_that_is_not_known(parse: Parse, status: int, body: bytes) -> None:
    with pytest.raises(UserMustAct) as error:
        parse(Answer(status, {}, body))
    assert error.value.code == "unknown_id"
