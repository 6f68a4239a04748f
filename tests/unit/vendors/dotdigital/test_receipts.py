"""What Dotdigital's results mean for the rows of a job, from a table of cases."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from shared.vendors.contract import Evidence, Kind, Outcome, Receipt, Row
from shared.vendors.dotdigital import receipts

CASES = json.loads((Path(__file__).parent / "cases" / "imports.json").read_text(encoding="utf-8"))


def spelled(receipt: Receipt) -> str:
    words = " ".join(filter(None, (receipt.outcome, receipt.code)))
    words += f" #{receipt.vendor_id}" if receipt.vendor_id else ""
    return f"{words} / {receipt.retry}" if receipt.retry else words


def failure(row: Row, code: str | None) -> dict[str, Any]:
    named = {"failureCode": code, "description": f"Nothing for '{row.address}'"} if code else {}
    return {"matchIdentifier": "email", "identifiers": {"email": row.address}, "failures": [named]}


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_results(case: dict[str, Any]) -> None:
    rows = [Row(row) if isinstance(row, str) else Row(*row) for row in case["rows"]]
    progress = case["progress"]
    if "failed" in case:
        progress = progress | {"failures": [failure(*pair) for pair in zip(rows, case["failed"], strict=True)]}
    found = receipts.read(Kind(case["kind"]), rows, progress)
    assert [spelled(receipt) for receipt in found.receipts] == case["receipts"]
    assert found.warnings == case.get("warnings", [])
    for receipt in found.receipts:
        assert "@" not in receipt.reason
        assert (receipt.outcome is Outcome.ACCEPTED) == (receipt.evidence is Evidence.CONFIRMED)
        assert (receipt.outcome is Outcome.REJECTED) == (receipt.retry is not None)
        assert receipt.outcome is Outcome.ACCEPTED or receipt.reason


@pytest.mark.parametrize(
    ("kind", "status", "expected"),
    [
        (Kind.ADD, "NotFinished", True),
        (Kind.ADD, "notfinished", True),
        (Kind.ADD, "SomethingNew", True),
        (Kind.ADD, "Finished", False),
        (Kind.ADD, "RejectedByWatchdog", False),
        (Kind.CHANGE, "ExceedsAllowedContactLimit", False),
        (Kind.CHANGE, "Failed", False),
        (Kind.CHANGE, "InvalidFileFormat", False),
        (Kind.CHANGE, "Unknown", False),
        (Kind.REMOVE, "Started", True),
        (Kind.REMOVE, "Completed", False),
        (Kind.REMOVE, "Failed", False),
        (Kind.REMOVE, "NotAvailableInThisVersion", False),
    ],
)
def test_only_words_that_are_known_end_a_job(kind: Kind, status: str, expected: bool) -> None:
    assert receipts.under_way(kind, {"status": status}) is expected


def test_a_job_that_is_gone_has_ended() -> None:
    assert not receipts.under_way(Kind.ADD, None)
