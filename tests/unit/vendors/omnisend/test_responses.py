"""What Omnisend's answers to requests mean, from a table of cases."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from shared.errors import UserMustAct
from shared.vendors.answers import Answer, UnexpectedAnswer
from shared.vendors.contract import ACKNOWLEDGED, Outcome, Receipt
from shared.vendors.omnisend import errors, receipts, responses
from shared.vendors.omnisend.responses import BatchState

CASES = json.loads((Path(__file__).parent / "cases" / "refusals.json").read_text(encoding="utf-8"))
READ = {"created": receipts.created, "tagging": receipts.tagging}


def spelled(receipt: Receipt) -> str:
    if receipt == ACKNOWLEDGED:
        return "acknowledged"
    return f"{receipt.code} / {receipt.retry}" if receipt.retry else receipt.code


def answer_of(status: int, body: Any) -> Answer:
    return Answer(status, {}, body.encode() if isinstance(body, str) else json.dumps(body).encode())


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_writes(case: dict[str, Any]) -> None:
    read, rows = READ[case["of"]], case["rows"]
    answer = answer_of(case["status"], case.get("text", case.get("answer")))
    if "person" in case:
        with pytest.raises(UserMustAct) as error:
            read(rows, answer)
        assert error.value.code == case["person"]
        return
    if case.get("unexpected"):
        with pytest.raises(UnexpectedAnswer):
            read(rows, answer)
        return
    reading = read(rows, answer)
    expected = case.get("receipts", {})
    if isinstance(expected, list):
        expected = {str(index): words for index, words in enumerate(expected)}
    assert {str(index): spelled(receipt) for index, receipt in reading.receipts.items()} == expected
    assert [list(group) for group in reading.again] == case.get("again", [])
    covered = sorted([*reading.receipts, *(index for group in reading.again for index in group)])
    assert covered == list(range(rows))
    if "otherwise" in case:
        assert spelled(reading.otherwise) == case["otherwise"]
    for receipt in reading.receipts.values():
        assert (receipt.outcome is Outcome.REJECTED) == (receipt.retry is not None)
    if "reason" in case:
        assert reading.receipts[0].reason == case["reason"]


def test_a_page_of_contacts() -> None:
    paging = {"limit": 250, "hasMore": True, "cursors": {"after": "eyJ", "before": None}}
    entries = [{"id": "1", "email": "a@x.com"}, {"id": "2"}, {"id": "3", "email": ""}, {"id": "4", "email": None}]
    entries += [{"id": "5", "email": "no address"}]
    page = responses.contacts(answer_of(200, {"contacts": [*entries, "odd"], "paging": paging}))
    assert (page.addresses, page.after) == (["a@x.com"], "eyJ")
    ends: list[dict[str, Any]] = [{"hasMore": False}, {"cursors": {"after": None}}, {"cursors": {}}, {"cursors": None}]
    ends += [{"cursors": {"after": ""}}]
    for end in ends:
        assert responses.contacts(answer_of(200, {"contacts": [], "paging": paging | end})).after is None


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"contacts": []},
        {"contacts": {}, "paging": {"hasMore": False}},
        {"contacts": [], "paging": {}},
        {"contacts": [], "paging": {"hasMore": "yes"}},
        {"contacts": [], "paging": {"hasMore": True, "cursors": {"after": 7}}},
        {"paging": {"hasMore": False}},
        "[]",
        "<html>",
    ],
)
def test_no_page_of_contacts(body: Any) -> None:
    with pytest.raises(UnexpectedAnswer):
        responses.contacts(answer_of(200, body))


def test_a_page_of_batches() -> None:
    entry = {"batchID": "a1", "status": "inProgress", "totalCount": 2, "finishedCount": 1, "errorsCount": True}
    page = responses.batches(answer_of(200, {"batches": [entry], "paging": {"next": "https://api.omnisend.com/x"}}))
    assert page.more
    assert page.batches == [BatchState("a1", "inProgress", 2, 1, None)]
    assert not responses.batches(answer_of(200, {"batches": [], "paging": {"next": None}})).more
    shapes: list[Any] = [{}, {"batches": [{}], "paging": {}}, {"batches": []}, {"paging": {}}, {"batches": ["x"]}]
    shapes += [{"batches": [entry | wrong], "paging": {}} for wrong in ({"batchID": 7}, {"status": None})]
    for broken in shapes:
        with pytest.raises(UnexpectedAnswer):
            responses.batches(answer_of(200, broken))


@pytest.mark.parametrize(
    ("status", "over"), [("finished", True), ("stopped", True), ("inProgress", False), ("pending", False)]
)
def test_a_batch_is_over_when_it_is_finished_or_stopped(status: str, over: bool) -> None:
    assert BatchState("a1", status, 1, 1, 0).over is over


@pytest.mark.parametrize(
    ("batch", "failures", "complete"),
    [
        (BatchState("a", "finished", 5, 5, 0), 0, True),
        (BatchState("a", "finished", 5, 5, 2), 2, True),
        (BatchState("a", "finished", 5, 3, 2), 2, True),
        (BatchState("a", "finished", 5, 4, 2), 2, False),
        (BatchState("a", "finished", 5, 7, 2), 2, False),
        (BatchState("a", "finished", 6, 5, 0), 0, False),
        (BatchState("a", "finished", 5, 5, 1), 0, False),
        (BatchState("a", "finished", 5, None, 0), 0, False),
        (BatchState("a", "stopped", 5, 5, 0), 0, False),
    ],
)
def test_a_batch_is_complete_when_nobody_is_left_open(batch: BatchState, failures: int, complete: bool) -> None:
    assert batch.complete(5, failures) is complete


def test_a_batch_is_read_with_its_counts() -> None:
    body = {"batchID": "a-1_B", "status": "finished", "totalCount": 3, "finishedCount": 2, "errorsCount": 1}
    assert responses.one_batch(answer_of(200, body)) == BatchState("a-1_B", "finished", 3, 2, 1)
    assert responses.batch(answer_of(200, body)) == body
    assert responses.batch_state({"batchID": "a", "status": "s"}) == BatchState("a", "s", None, None, None)
    with pytest.raises(UnexpectedAnswer):
        responses.batch_state("a")


def test_a_brand_may_have_no_name() -> None:
    assert responses.brand(answer_of(200, {"brandID": "b" * 64, "name": "Acme"})) == responses.Brand("b" * 64, "Acme")
    assert responses.brand(answer_of(200, {"brandID": "5f", "name": 7})) == responses.Brand("5f", "")


def test_a_batch_is_gone_only_when_omnisend_says_so() -> None:
    assert responses.one_batch(answer_of(404, {"title": "Not found", "status": 404})) is None
    for other in (answer_of(404, "<html>"), answer_of(404, {}), answer_of(200, {}), answer_of(204, "")):
        with pytest.raises(UnexpectedAnswer):
            responses.one_batch(other)


@pytest.mark.parametrize("body", [{"brandID": ""}, {"brandID": 7}, {"brandID": "a/b"}, {"brandID": "b" * 65}, {}])
def test_no_brand(body: Any) -> None:
    with pytest.raises(UnexpectedAnswer):
        responses.brand(answer_of(200, body))


def test_a_refused_key_says_what_it_lacks() -> None:
    assert errors.refusal(answer_of(401, "")).code == "bad_credentials"
    refusal = errors.refusal(answer_of(403, {"title": "Forbidden", "detail": "Missing scope contacts.write"}))
    assert refusal.code == "missing_scope"
    assert "Missing scope contacts.write" in refusal.message
    assert errors.refusal(answer_of(403, "<html>")).code == "missing_scope"


def test_a_version_that_is_refused_as_such() -> None:
    answer = answer_of(
        400, {"title": "Validation failed", "errors": [{"field": "Omnisend-Version", "message": "unknown"}]}
    )
    with pytest.raises(UserMustAct) as error:
        responses.brand(answer)
    assert error.value.code == "version_retired"
