"""Checkov's view of what production deploys: every finding is fixed or accepted with a reason, and no check is silent.

It reads what the compiler made, with every parameter in it, and not the templates: its own reader of Bicep knows
less of the language than the templates use. It runs in an environment of its own, .venv-infra.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dev.infra_checks.accepted import Finding
from dev.infra_checks.problem import Problem

SECONDS = 300
_CRASHED = "Failed to run check "
_SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"


class NoVerdict(Exception):
    """Checkov could not be run, or said something that is not a result."""


def checkov(program: Path, snapshot: Mapping[str, Any], accepted: Mapping[Finding, str], named: Path) -> list[Problem]:
    """Run it over a snapshot; problems are told as of the file `named`. Raises NoVerdict."""
    resources = [{name: each[name] for name in each if name != "id"} for each in snapshot["predictedResources"]]
    with tempfile.TemporaryDirectory() as folder:
        template = Path(folder) / "deployed.json"
        template.write_text(json.dumps({"$schema": _SCHEMA, "contentVersion": "1.0.0.0", "resources": resources}))
        command = [str(program), "-f", str(template), "--framework", "arm", "--skip-download", "-o", "json"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
            verdict = json.loads(done.stdout)
        except (OSError, subprocess.TimeoutExpired, ValueError) as error:
            raise NoVerdict(f"checkov: {type(error).__name__}") from error
    crashed = [line.partition(_CRASHED)[2] for line in done.stderr.splitlines() if _CRASHED in line]
    token = str(snapshot["outputs"]["keyVaultName"]).rpartition("-")[2]
    return judge(verdict, crashed, token, accepted, named)


def judge(verdict: Any, crashed: list[str], token: str, accepted: Mapping[Finding, str], named: Path) -> list[Problem]:
    """Findings that nobody accepted, acceptances that nothing needs any more, and files that were not read."""
    if not isinstance(verdict, dict) or not verdict.get("results", {}).get("passed_checks"):
        raise NoVerdict("checkov checked nothing")
    results = verdict["results"]
    problems = [Problem(named, 1, "checkov cannot read what the compiler made")] * bool(results["parsing_errors"])
    problems += [Problem(named, 1, f"checkov failed in its own check {what}") for what in crashed]
    names = {
        Finding(each["check_id"], each["resource"].replace(token, "")): each["check_name"]
        for each in results["failed_checks"]
    }
    problems += [
        Problem(named, 1, f"{found.check} {found.resource}: {name}")
        for found, name in names.items()
        if found not in accepted
    ]
    problems += [
        Problem(named, 1, f"{stale.check} {stale.resource} is accepted and no longer found")
        for stale in accepted.keys() - names.keys()
    ]
    return sorted(problems)
