"""Checkov's verdict counts only where it read everything, and an acceptance only while its finding is there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dev.infra_checks.accepted import ACCEPTED, Finding
from dev.infra_checks.checkov import NoVerdict, checkov, judge

INFRA = Path("infra")
FINDING = Finding("CKV_1", "modules/a.bicep", "Microsoft.Storage/storageAccounts.storage")
FAILED = {
    "check_id": FINDING.check,
    "check_name": "Ensure something",
    "file_path": f"/{FINDING.file}",
    "resource": FINDING.resource,
    "file_line_range": [7, 9],
}


def verdict(*, failed: list[Any], passed: int = 3, unread: list[str] | None = None) -> dict[str, Any]:
    results = {"passed_checks": [{}] * passed, "failed_checks": failed, "parsing_errors": unread or []}
    return {"check_type": "bicep", "results": results}


def test_a_finding_that_nobody_accepted_is_a_problem() -> None:
    (problem,) = judge(verdict(failed=[FAILED]), [], INFRA, {})
    assert str(problem) == f"infra/modules/a.bicep:7: CKV_1 {FINDING.resource}: Ensure something"


def test_an_accepted_finding_is_none() -> None:
    assert judge(verdict(failed=[FAILED]), [], INFRA, {FINDING: "a reason"}) == []


def test_an_acceptance_that_nothing_needs_is_a_problem() -> None:
    (problem,) = judge(verdict(failed=[]), [], INFRA, {FINDING: "a reason"})
    assert "no longer found" in problem.message


def test_a_file_that_checkov_cannot_read_is_a_problem() -> None:
    (problem,) = judge(verdict(failed=[], unread=["infra/main.bicep"]), [], INFRA, {})
    assert "cannot read" in problem.message


def test_a_check_that_crashes_is_a_problem() -> None:
    (problem,) = judge(verdict(failed=[]), ["CKV_2 on main.bicep"], INFRA, {})
    assert "CKV_2" in problem.message


@pytest.mark.parametrize("said", [verdict(failed=[], passed=0), {"passed": 0}, []])
def test_nothing_checked_is_no_verdict(said: Any) -> None:
    with pytest.raises(NoVerdict):
        judge(said, [], INFRA, {})


@pytest.mark.parametrize("program", ["/nowhere/checkov", "/bin/echo"])
def test_a_program_that_is_not_checkov_gives_no_verdict(program: str) -> None:
    with pytest.raises(NoVerdict):
        checkov(Path(program), INFRA, {})


def test_every_acceptance_is_of_a_file_and_has_a_reason() -> None:
    root = Path(__file__).parents[2] / "infra"
    for finding, reason in ACCEPTED.items():
        assert (root / finding.file).is_file()
        assert reason.endswith(".")
