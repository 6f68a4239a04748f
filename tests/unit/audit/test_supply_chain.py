"""What is deployed is free to pass on, and honestly audited."""

from __future__ import annotations

import json
import subprocess
import sys
from email.message import Message
from pathlib import Path
from typing import Any, cast

import pytest

from dev.audit import advisories, licences, locked
from dev.audit.__main__ import main
from dev.audit.advisories import HOLED, Verdict

REPOSITORY = Path(__file__).parents[3]
DEPLOYED = locked.applicable(locked.read((REPOSITORY / "requirements.lock").read_text()))


def test_every_deployed_library_may_be_passed_on() -> None:
    assert licences.problems(DEPLOYED) == []


def stated(**headers: str) -> Any:
    message = Message()
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    return cast(Any, message)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"License_Expression": "MIT"}, {"mit"}),
        ({"License_Expression": "MIT AND PSF-2.0"}, {"mit", "psf-2.0"}),
        ({"License_Expression": "GPL-3.0-only OR Apache-2.0"}, {"apache-2.0"}),
        ({"License_Expression": "GPL-3.0-only AND MIT"}, {"gpl-3.0-only", "mit"}),
        ({"Classifier": "License :: OSI Approved :: BSD License", "License": "whatever"}, {"bsd"}),
        ({"License": "MIT License"}, {"mit"}),
        ({}, set()),
    ],
)
def test_licences_are_read_as_stated(headers: dict[str, str], expected: set[str]) -> None:
    assert licences.licences(stated(**headers)) == expected


NAMES = {"a", "b"}
CLEAN: dict[str, Any] = {"name": "a", "version": "1", "vulns": []}
HOLE = {**CLEAN, "vulns": [{"id": "X-1", "fix_versions": ["2"]}]}
UNKNOWN = {"name": "b", "skip_reason": "not found"}
KNOWN_ONE = {"name": HOLED[0], "version": HOLED[1], "vulns": [{"id": "X-0", "fix_versions": ["9"]}]}


def verdict(*answers: dict[str, Any]) -> Verdict:
    return advisories.verdict(json.dumps({"dependencies": answers}), "", NAMES)


def test_a_hole_is_found() -> None:
    assert verdict(HOLE, {**CLEAN, "name": "b"}, KNOWN_ONE) == Verdict(("a 1: X-1, mended in 2",))


def test_what_the_source_does_not_know_is_not_checked() -> None:
    for found in (verdict(CLEAN, UNKNOWN, KNOWN_ONE), verdict(CLEAN, KNOWN_ONE)):
        assert (found.holes, found.unchecked) == ((), ("b",))
        assert "does not know" in found.why


def test_where_not_even_a_well_known_hole_is_known_nothing_is_checked() -> None:
    both = (CLEAN, {**CLEAN, "name": "b"})
    for found in (verdict(*both), verdict(*both, {**KNOWN_ONE, "vulns": []})):
        assert found.unchecked == ("a", "b")
        assert "no advisories" in found.why
    assert verdict(HOLE).holes == ("a 1: X-1, mended in 2",)


@pytest.mark.parametrize("output", ["", "[]", "no JSON"])
def test_an_answer_that_is_none_is_not_taken_for_safety(output: str) -> None:
    found = advisories.verdict(output, "ConnectionError: nobody", NAMES)
    assert found == Verdict((), ("a", "b"), "ConnectionError: nobody")


def test_without_pip_audit_nothing_is_checked() -> None:
    found = advisories.audit(Path("no-such-program"), [REPOSITORY / "requirements.lock"], NAMES, "pypi")
    assert (found.unchecked, found.why) == (("a", "b"), "pip-audit could not be run: FileNotFoundError")


@pytest.mark.parametrize(("options", "status"), [([], 0), (["--strict"], 1)])
def test_what_was_not_checked_is_told_last_by_name(options: list[str], status: int) -> None:
    command = [sys.executable, "-m", "dev.audit", "--pip-audit", "no-such-program", *options]
    done = subprocess.run(command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    last = done.stdout.partition("NOT CHECKED for known holes")[2]
    assert done.returncode == status
    assert set(DEPLOYED) <= set(last.replace(",", " ").split())
    assert "docs/renewing-libraries.md" in last
    assert last.endswith("!!!\n")


@pytest.mark.parametrize("lock", ["", "# nothing\n"])
def test_an_empty_lock_is_a_problem(lock: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "requirements.lock").write_text(lock)
    monkeypatch.setattr("dev.audit.__main__.DEPLOYED", tmp_path / "requirements.lock")
    monkeypatch.setattr(sys, "argv", ["dev.audit", "--pip-audit", "no-such-program"])
    assert main() == 1
