"""What Klaviyo's answers mean for the people of an import, and its refusals for people, from tables of cases."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from shared.errors import RetryAfter, UserMustAct
from shared.vendors.answers import Answer
from shared.vendors.contract import ACKNOWLEDGED, PROFILE_MISSING, Kind, Outcome, Retry, Row
from shared.vendors.klaviyo import errors, receipts, responses
from shared.vendors.klaviyo.definition import DEFINITION, REVISION
from shared.vendors.klaviyo.responses import JobState
from tests.unit.vendors.klaviyo.scripted import error, refused_row

CASES = json.loads((Path(__file__).parent / "cases" / "imports.json").read_text(encoding="utf-8"))


def row_error(pointer: str, payload: Any) -> dict[str, Any]:
    detail = "A profile already exists with one of these identifiers: cy@x.example"
    told = {"code": "invalid", "title": "Invalid input", "detail": detail, "source": {"pointer": pointer}}
    return {"type": "import-error", "id": "e1", "attributes": {**told, "original_payload": payload}}


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_import_errors(case: dict[str, Any]) -> None:
    state = JobState("j", "complete", case["total"], case["failed"], None, None)
    found = [responses.import_error(row_error(**each)) for each in case["errors"]]
    ended = receipts.read(case["sent"], state, found)
    assert {str(place): receipt.code for place, receipt in ended.receipts.items()} == case["receipts"]
    assert ended.doubtful == case.get("doubtful", False)
    for receipt in ended.receipts.values():
        assert (receipt.outcome, receipt.retry) == (Outcome.REJECTED, Retry.WHEN_CHANGED)
        assert "@" not in receipt.reason
        assert "Invalid input" in receipt.reason


@pytest.mark.parametrize(
    ("pointer", "expected"),
    [
        ("/data/attributes/profiles/data/3/attributes/email", (3, "email")),
        ("/data/attributes/profiles/data/3/attributes/location/zip", (3, "location.zip")),
        ("/data/attributes/profiles/data/0/attributes/properties/Tier", (0, "Tier")),
        ("/data/attributes/profiles/data/12", (12, "")),
        ("/data/attributes/profiles/data/12/attributes", (12, "")),
        ("/data/relationships/lists/data/0/id", (None, "")),
        ("/data/attributes/profiles", (None, "")),
        ("/data", (None, "")),
    ],
)
def test_which_row_and_field_a_pointer_names(pointer: str, expected: tuple[int | None, str]) -> None:
    [found] = errors.complaints(Answer(400, body=json.dumps(refused_row(pointer)).encode()))
    assert (found.row, found.field) == expected
    assert found.names_list == ("lists" in pointer)


@pytest.mark.parametrize(
    ("detail", "expected"),
    [
        ("Invalid profile IDs: XYZABD", ["XYZABD"]),
        ("Invalid profile IDs: 01GD1, 01GD2", ["01GD1", "01GD2"]),
        ("Invalid profile ID: 01GD1", ["01GD1"]),
        ("Something else", []),
    ],
)
def test_which_ids_a_removal_was_refused_for(detail: str, expected: list[str]) -> None:
    assert errors.unknown_ids(Answer(400, body=json.dumps(error("invalid", detail)).encode())) == expected


@pytest.mark.parametrize(("status", "code"), [(401, "bad_credentials"), (403, "missing_scope")])
def test_refusals_say_what_to_do(status: int, code: str) -> None:
    found = errors.refusal(Answer(status, body=json.dumps(error("x")).encode()))
    assert found.code == code
    assert "key" in found.message


@pytest.mark.parametrize("status", [401, 403])
def test_html_before_klaviyo_is_no_verdict(status: int) -> None:
    with pytest.raises(RetryAfter):
        errors.refusal(Answer(status, body=b"<html>Just a moment...</html>"))


@pytest.mark.parametrize(
    ("status", "headers", "body", "expected"),
    [
        (410, {}, error("gone"), UserMustAct),
        (200, {"x-klaviyo-api-revision": "2027-01-15"}, {}, UserMustAct),
        (200, {"x-klaviyo-api-revision": REVISION}, {}, type(None)),
        (200, {}, {}, type(None)),
        (400, {}, error("invalid"), type(None)),
        (400, {}, {}, RetryAfter),
    ],
)
def test_what_any_call_may_be_told(status: int, headers: dict[str, str], body: Any, expected: type) -> None:
    found = errors.turned_away(Answer(status, headers, json.dumps(body).encode()))
    assert type(found) is expected
    if isinstance(found, UserMustAct):
        assert (found.code, REVISION in found.message) == ("version_retired", True)


@pytest.mark.parametrize(
    ("kind", "ago", "code"),
    [
        (Kind.CHANGE, None, PROFILE_MISSING),
        (Kind.REMOVE, None, "not_found"),
        (Kind.REMOVE, DEFINITION.fresh_seconds + 60, "never_there"),
        (Kind.REMOVE, 1.0, "not_there_yet"),
    ],
)
def test_people_whom_klaviyo_does_not_have(kind: Kind, ago: float | None, code: str) -> None:
    row = Row("ana@x.example", unsure_since=None if ago is None else time.time() - ago)
    assert receipts.missing(kind, row).code == code


@pytest.mark.parametrize(
    ("vendor_id", "known", "expected"),
    [(None, None, None), ("01A", None, "01A"), ("01A", "01A", None), (None, "01A", None)],
)
def test_an_id_is_kept_where_it_is_news(vendor_id: str | None, known: str | None, expected: str | None) -> None:
    assert receipts.confirmed(vendor_id, known).vendor_id == expected


def test_values_are_told_as_left_out_of_people_who_were_sent() -> None:
    assert ACKNOWLEDGED.without(["phone_number"]).left_out == ("phone_number",)
    assert receipts.NOT_NAMED.without(["phone_number"]) is receipts.NOT_NAMED


def test_every_code_that_a_job_keeps_has_its_receipt() -> None:
    assert all(code == receipt.code for code, receipt in receipts.BY_CODE.items())
    assert {receipt.outcome for receipt in receipts.BY_CODE.values()} == {Outcome.SKIPPED, Outcome.REJECTED}
