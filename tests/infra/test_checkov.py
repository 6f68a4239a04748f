"""Checkov's verdict counts only where it read everything, and an acceptance only while its finding is there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dev.infra_checks.accepted import ACCEPTED, Finding
from dev.infra_checks.checkov import NoVerdict, checkov, judge
from tests.infra.deployment import Deployment

NAMED = Path("infra/parameters/prod.bicepparam")
FINDING = Finding("CKV_1", "Microsoft.Storage/storageAccounts.stexports")
FAILED = {
    "check_id": FINDING.check,
    "check_name": "Ensure something",
    "resource": f"{FINDING.resource}abc123",
}


def verdict(*, failed: list[Any], passed: int = 3, unread: list[str] | None = None) -> dict[str, Any]:
    results = {"passed_checks": [{}] * passed, "failed_checks": failed, "parsing_errors": unread or []}
    return {"check_type": "arm", "results": results}


def test_a_finding_that_nobody_accepted_is_a_problem() -> None:
    (problem,) = judge(verdict(failed=[FAILED]), [], "abc123", {}, NAMED)
    assert str(problem) == f"{NAMED}:1: CKV_1 {FINDING.resource}: Ensure something"


def test_an_accepted_finding_is_none() -> None:
    assert judge(verdict(failed=[FAILED]), [], "abc123", {FINDING: "a reason"}, NAMED) == []


def test_an_acceptance_that_nothing_needs_is_a_problem() -> None:
    (problem,) = judge(verdict(failed=[]), [], "abc123", {FINDING: "a reason"}, NAMED)
    assert "no longer found" in problem.message


def test_a_file_that_checkov_cannot_read_is_a_problem() -> None:
    (problem,) = judge(verdict(failed=[], unread=["deployed.json"]), [], "abc123", {}, NAMED)
    assert "cannot read" in problem.message


def test_a_check_that_crashes_is_a_problem() -> None:
    (problem,) = judge(verdict(failed=[]), ["CKV_2 on main.bicep"], "abc123", {}, NAMED)
    assert "CKV_2" in problem.message


@pytest.mark.parametrize("said", [verdict(failed=[], passed=0), {"passed": 0}, []])
def test_nothing_checked_is_no_verdict(said: Any) -> None:
    with pytest.raises(NoVerdict):
        judge(said, [], "abc123", {}, NAMED)


@pytest.mark.parametrize("program", ["/nowhere/checkov", "/bin/echo"])
def test_a_program_that_is_not_checkov_gives_no_verdict(program: str) -> None:
    with pytest.raises(NoVerdict):
        checkov(Path(program), {"predictedResources": [], "outputs": {"keyVaultName": "kv-x"}}, {}, NAMED)


def test_every_acceptance_is_of_something_that_is_deployed_and_has_a_reason(deployments: dict[str, Deployment]) -> None:
    made = deployments["prod"]
    token = made.outputs["keyVaultName"].rpartition("-")[2]
    resources = {f"{each['type']}.{each['name']}".replace(token, "") for each in made.resources}
    for finding, reason in ACCEPTED.items():
        assert finding.resource in resources
        assert reason.endswith(".")
