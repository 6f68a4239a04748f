"""What the items of a batch mean for its people, from a table of cases."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from shared.vendors.answers import UnexpectedAnswer
from shared.vendors.contract import CONFIRMED, Outcome, Receipt
from shared.vendors.omnisend import receipts

CASES = json.loads((Path(__file__).parent / "cases" / "receipts.json").read_text(encoding="utf-8"))


def spelled(receipt: Receipt) -> str:
    if receipt == CONFIRMED:
        return "confirmed"
    return f"{receipt.code} / {receipt.retry}" if receipt.retry else receipt.code


def item(about: dict[str, Any]) -> dict[str, Any]:
    request = {"identifiers": [{"type": "phone", "id": "+1"}, {"type": "email", "id": about["of"]}]}
    made = {"itemID": "6921", "request": request, "status": "finished", "response": about.get("response", {})}
    return made | ({"responseCode": about["code"]} if "code" in about else {})


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_items(case: dict[str, Any]) -> None:
    body = {"batchID": "6921a0", **case["batch"]}
    body |= {kind: [item(each) for each in case[kind]] for kind in ("responses", "errors") if kind in case}
    found = receipts.read(case["people"], body)
    assert [spelled(receipt) for receipt in found] == case["receipts"]
    for receipt in found:
        assert "@" not in receipt.reason
        assert (receipt.outcome is Outcome.REJECTED) == (receipt.retry is not None)
        assert receipt == CONFIRMED or receipt.reason
    if "reason" in case:
        assert found[0].reason == case["reason"]


def test_a_batch_that_is_gone_leaves_everyone_unknown() -> None:
    assert receipts.read(["a@x.com"], None) == [receipts.GONE]
    assert receipts.worth_repeating(receipts.GONE)


@pytest.mark.parametrize("broken", [{"errors": 3}, {"responses": ["x"]}, {"status": 3}, {"batchID": ""}])
def test_an_unknown_shape_is_no_receipt(broken: dict[str, Any]) -> None:
    with pytest.raises(UnexpectedAnswer):
        receipts.read(["a@x.com"], {"batchID": "6921a0", "status": "finished", **broken})


def test_an_item_may_name_its_person_in_plain() -> None:
    body = {
        "batchID": "6921a0",
        "status": "finished",
        "responses": [{"request": {"email": "a@x.com"}, "responseCode": 200}],
    }
    assert receipts.read(["a@x.com"], body) == [CONFIRMED]
    body["responses"] = [{"response": {"email": "a@x.com"}, "responseCode": 200}]
    assert receipts.read(["a@x.com"], body) == [CONFIRMED]
