"""What is deployed is pinned with hashes, complete, free to pass on, and honestly audited."""

from __future__ import annotations

import json
from email.message import Message
from importlib.metadata import distributions, requires, version
from pathlib import Path
from typing import Any, cast

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from dev.audit import advisories, licences, locked
from dev.audit.advisories import Verdict

REPOSITORY = Path(__file__).parents[3]
LOCK = (REPOSITORY / "requirements.lock").read_text()
WANTED = locked.wanted((REPOSITORY / "requirements.txt").read_text())
ENTRIES = locked.applicable(locked.read(LOCK))
AGAIN = "run make lock"
ENVIRONMENT = [REPOSITORY / name for name in ("requirements-dev.lock", "dev/host/requirements.lock")]
LOCKS = sorted([*REPOSITORY.glob("*.lock"), *REPOSITORY.glob("dev/*/*.lock")])
BROUGHT_BY_PYTHON = {"pip", "setuptools"}


def test_there_is_a_lock_for_every_environment() -> None:
    assert {path.stem for path in LOCKS if path.parent == REPOSITORY} == {
        *("requirements", "requirements-dev", "requirements-telemetry", "requirements-audit")
    }
    assert len(LOCKS) == 7, "the host's worker library, checkov, and the benchmark's peers have theirs in dev/"


def test_the_lock_has_what_is_asked_for() -> None:
    assert locked.differences(WANTED, ENTRIES) == [], AGAIN


def needed() -> set[str]:
    """Names of everything that the requirements lead to, as the installed packages say."""
    names, waiting = set[str](), list(WANTED)
    while waiting:
        each = waiting.pop()
        name = canonicalize_name(each.name)
        if name in names and not each.extras:
            continue
        names.add(name)
        inner = [Requirement(text) for text in requires(each.name) or []]
        extras = each.extras or {""}
        waiting += [r for r in inner if r.marker is None or any(r.marker.evaluate({"extra": e}) for e in extras)]
    return names


@pytest.mark.parametrize("name", sorted(ENTRIES))
def test_what_is_tested_is_what_is_deployed(name: str) -> None:
    assert version(name) == ENTRIES[name].version, "make setup"


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.name)
def test_every_lock_pins_all_with_hashes_and_names_no_address(path: Path) -> None:
    text = path.read_text()
    assert locked.read(text)
    assert not [word for word in ("://", "index-url", "find-links") if word in text]


def test_the_environment_holds_nothing_but_what_its_locks_name() -> None:
    named = {each.name for path in ENVIRONMENT for each in locked.read(path.read_text())}
    assert {canonicalize_name(each.name) for each in distributions()} - named <= BROUGHT_BY_PYTHON, "make setup"


def test_the_lock_is_complete_and_holds_nothing_else() -> None:
    assert set(ENTRIES) == needed(), AGAIN


def test_a_lock_without_a_pin_or_hash_is_refused() -> None:
    for text in ("requests>=2 --hash=sha256:" + "0" * 64, "requests==2.34.2"):
        with pytest.raises(ValueError, match="not pinned"):
            locked.read(text)


def test_differences_are_told() -> None:
    entries = locked.applicable(locked.read("one==1.0 --hash=sha256:" + "0" * 64))
    found = locked.differences([Requirement("one>=2"), Requirement("two")], entries)
    assert found == ["one is locked at 1.0, asked for is >=2", "two is not in the lock"]


def test_every_deployed_library_may_be_passed_on() -> None:
    assert licences.problems(ENTRIES) == []


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


def test_a_hole_is_found_and_silence_is_not_taken_for_safety() -> None:
    hole = {"name": "a", "version": "1", "vulns": [{"id": "X-1", "fix_versions": ["2"]}]}
    skipped = {"name": "b", "skip_reason": "not found"}
    found = advisories.verdict(json.dumps({"dependencies": [hole, skipped]}))
    assert found == Verdict(("a 1: X-1, mended in 2",), frozenset({"a"}))
    assert found.unchecked(["a", "b", "c"]) == ["b", "c"]
    assert advisories.verdict('{"dependencies": []}').unchecked(["a"]) == ["a"]
    assert advisories.verdict("", "ConnectionError: nobody").failure == "ConnectionError: nobody"
    assert advisories.verdict("[]").failure
    assert advisories.audit(Path("no-such-program"), Path("requirements.lock")).failure
