"""Checkov's view of the templates: every finding is fixed or accepted with a reason, and none of its checks is silent.

It runs in an environment of its own, with the newer parser in place of the one that it pins: with the old one it reads
nothing of a modern file and still ends well. So what it read is counted, too.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dev.infra_checks.accepted import Finding
from dev.infra_checks.problem import Problem

SECONDS = 300
_CRASHED = "Failed to run check "


class NoVerdict(Exception):
    """Checkov could not be run, or said something that is not a result."""


def checkov(program: Path, folder: Path, accepted: Mapping[Finding, str]) -> list[Problem]:
    """Run it over `folder`. Raises NoVerdict."""
    command = [str(program), "-d", str(folder), "--framework", "bicep", "--skip-download", "-o", "json"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
        verdict = json.loads(done.stdout)
    except (OSError, subprocess.TimeoutExpired, ValueError) as error:
        raise NoVerdict(f"checkov: {type(error).__name__}") from error
    crashed = [line.partition(_CRASHED)[2] for line in done.stderr.splitlines() if _CRASHED in line]
    return judge(verdict, crashed, folder, accepted)


def judge(verdict: Any, crashed: list[str], folder: Path, accepted: Mapping[Finding, str]) -> list[Problem]:
    """Findings that nobody accepted, acceptances that nothing needs any more, and files that were not read."""
    if not isinstance(verdict, dict) or not verdict.get("results", {}).get("passed_checks"):
        raise NoVerdict("checkov checked nothing")
    results = verdict["results"]
    problems = [Problem(Path(path), 1, "checkov cannot read this") for path in results["parsing_errors"]]
    problems += [Problem(folder, 1, f"checkov failed in its own check {what}") for what in crashed]
    found: set[Finding] = set()
    for each in results["failed_checks"]:
        finding = Finding(each["check_id"], each["file_path"].lstrip("/"), each["resource"])
        found.add(finding)
        if finding not in accepted:
            message = f"{finding.check} {finding.resource}: {each['check_name']}"
            problems.append(Problem(folder / finding.file, each["file_line_range"][0], message))
    problems += [
        Problem(folder / stale.file, 1, f"{stale.check} {stale.resource} is accepted and no longer found")
        for stale in accepted.keys() - found
    ]
    return sorted(problems)
