"""Commands that list, show, steer and compare, with an app that says what the test wants."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from typer.testing import CliRunner

from cli import desk
from cli.api import Answer, Api
from cli.app import app
from cli.doctor import summed_up, total
from cli.failures import Exit, Failure
from cli.findings import Finding
from cli.signing_in import Nobody
from tests.unit.cli.test_pure_parts import DOCUMENT

STORED = {"connection": "shops", "targets": [{"segments": ["segments:Loyal"], "list_id": "7"}]}
EXPORTS = [
    {"name": "newsletter", "last_run": {"export": "newsletter", "run": "r1", "state": "failed"}, "tags": ["a", "b"]},
    {"name": "spring", "last_run": None, "tags": []},
]


@dataclass
class Told:
    """What was asked of the app, and what it says: method and address -> the answer, or the failure."""

    answers: dict[tuple[str, str], Any] = field(default_factory=dict)
    asked: list[tuple[str, str, Any]] = field(default_factory=list)
    steps: dict[tuple[str, str], list[Any]] = field(default_factory=dict)
    """What it says one after the other."""


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    found = Told({("GET", "/api/openapi.json"): DOCUMENT, ("GET", "/api/v1/exports"): EXPORTS})

    class Scripted(Api):
        def __init__(self, *_: Any) -> None:
            super().__init__("http://127.0.0.1", Nobody())

        def send(self, method: str, address: str, body: Any = None, **_: Any) -> Answer:
            found.asked.append((method, address, body))
            if found.steps.get((method, address)):
                return Answer(found.steps[method, address].pop(0), '"1"')
            answer = found.answers.get((method, address), missing(address))
            if isinstance(answer, Failure):
                raise answer
            return Answer(answer, '"1"')

    monkeypatch.setattr(desk, "Api", Scripted)
    return found


def missing(address: str) -> Failure:
    return Failure("not_found", f'There is no export "{address.rpartition("/")[2]}".', status=404)


def run(*given: str) -> tuple[int, str]:
    ended = CliRunner().invoke(app, list(given))
    return ended.exit_code, ended.output


def test_the_version_is_told() -> None:
    assert run("--version")[1].startswith("segment-exports ")


@pytest.mark.parametrize(("what", "words"), [("exports", ("newsletter", "spring", "a, b")), ("runs", ("r1", "failed"))])
def test_what_there_is_is_listed(told: Told, what: str, words: tuple[str, ...]) -> None:
    status, output = run("list", what)
    assert status == 0
    assert all(word in output for word in words)


def test_one_of_them_is_shown_whole(told: Told) -> None:
    told.answers["GET", "/api/v1/exports/newsletter"] = STORED
    assert "list_id: '7'" in run("show", "export", "newsletter")[1]
    told.answers["GET", "/api/v1/exports/newsletter/runs/r7"] = {"state": "blocked"}
    assert "state: blocked" in run("show", "run", "newsletter", "--run", "r7")[1]


def test_a_name_that_there_is_not_brings_the_one_that_was_meant(told: Told) -> None:
    status, output = run("show", "export", "newsleter")
    assert status == Exit.FAILED
    assert "Did you mean newsletter?" in output
    assert "Did you mean" not in run("show", "export", "zzz")[1]


@pytest.mark.parametrize(("deed", "done"), [("pause", "Paused"), ("resume", "Resumed")])
def test_a_schedule_is_switched(told: Told, deed: str, done: str) -> None:
    told.answers["POST", "/api/v1/several"] = [{"export": "newsletter", "ok": True, "message": ""}]
    assert f"{done} newsletter." in run(deed, "newsletter")[1]
    assert told.asked[-1] == ("POST", "/api/v1/several", {"exports": ["newsletter"], "do": deed})
    told.answers["POST", "/api/v1/several"] = [{"export": "newsletter", "ok": False, "message": "You may not."}]
    assert run(deed, "newsletter")[0] == Exit.FAILED


def test_a_decision_is_about_the_run_that_waits_also_behind_a_newer_dry_run(told: Told) -> None:
    runs = [{"run": "r2", "state": "succeeded"}, {"run": "r1", "state": "blocked"}]
    told.answers["GET", "/api/v1/exports/newsletter/runs"] = {"runs": runs}
    told.answers["POST", "/api/v1/exports/newsletter/runs/r1/cancel"] = {"state": "cancelled", "message": ""}
    assert "r1: cancelled." in run("cancel", "newsletter")[1]


def test_nothing_is_removed_before_somebody_agreed(told: Told) -> None:
    told.answers["GET", "/api/v1/exports/newsletter"] = STORED
    told.answers["DELETE", "/api/v1/exports/newsletter"] = None
    assert run("remove", "export", "newsletter", "--json")[0] == Exit.USAGE
    assert not any(method == "DELETE" for method, _, _ in told.asked)
    assert run("remove", "export", "newsletter", "--yes")[0] == 0
    assert told.asked[-1][:2] == ("DELETE", "/api/v1/exports/newsletter")
    assert run("remove", "export", "gone", "--yes")[0] == Exit.FAILED
    assert run("remove", "export", "gone", "--yes", "--if-there")[0] == 0


CLEAR = "/api/v1/connections/shops/clear"


def clearing(told: Told, *answers: dict[str, Any]) -> None:
    """What the app says, step by step."""
    told.answers["GET", "/api/v1/connections/shops"] = {"name": "shops"}
    told.answers["GET", CLEAR] = {"left": 104, "people": 41230}
    base = {"removed": False, "left": 0, "people": 0, "withdrawing": 0, "refused": []}
    told.steps["POST", CLEAR] = [base | each for each in answers]


def test_a_connection_goes_with_one_decision_about_all_of_its_exports(told: Told) -> None:
    clearing(told, {"left": 84}, {"left": 64}, {"removed": True})
    status, output = run("remove", "connection", "shops", "--exports", "detach", "--yes")
    assert status == 0
    assert "20 of 104 exports done" in output
    assert "40 of 104 exports done" in output
    assert "Removed the connection shops." in output
    sent = [body for method, address, body in told.asked if (method, address) == ("POST", CLEAR)]
    assert sent == [{"exports": "detach"}] * 3


def test_the_question_has_the_numbers_and_nothing_is_done_before(told: Told) -> None:
    clearing(told, {"removed": True})
    ended = CliRunner().invoke(app, ["remove", "connection", "shops", "--exports", "withdraw"], input="n\n")
    assert ended.exit_code == Exit.FAILED
    assert "104 exports use shops; 41230 people whom they added are on lists." in ended.output
    assert not any(method == "POST" for method, _, _ in told.asked)


def test_exports_that_cannot_go_are_named_and_it_ends(told: Told) -> None:
    clearing(told, {"left": 1, "refused": [{"export": "spring", "ok": False, "message": "It runs."}]})
    status, output = run("remove", "connection", "shops", "--exports", "remove", "--yes")
    assert status == Exit.FAILED
    assert "spring: It runs." in output


def test_a_decision_about_exports_is_for_connections(told: Told) -> None:
    assert run("remove", "export", "newsletter", "--exports", "detach", "--yes")[0] == Exit.USAGE
    assert told.asked == []


def file_of(tmp_path: Any, export: Mapping[str, Any]) -> str:
    path = tmp_path / "exports.json"
    path.write_text(json.dumps({"exports": {"newsletter": export}}))
    return str(path)


@pytest.mark.parametrize(
    ("segments", "status"),
    [(["segments:Loyal"], 0), (["Loyal"], 0), (["Other"], Exit.DIFFERS), (["elsewhere:Loyal"], Exit.DIFFERS)],
)
def test_a_difference_has_an_exit_status_and_two_spellings_are_none(
    told: Told, tmp_path: Any, segments: list[str], status: int
) -> None:
    told.answers["GET", "/api/v1/exports/newsletter"] = STORED
    wanted = {"connection": "shops", "targets": [{"segments": segments, "list_id": "7"}]}
    assert run("diff", "-f", file_of(tmp_path, wanted))[0] == status


def test_a_dry_run_of_apply_ends_as_apply_would(told: Told, tmp_path: Any) -> None:
    told.answers["GET", "/api/v1/exports/newsletter"] = STORED
    wanted = file_of(tmp_path, {"connection": "shops", "targets": [{"segments": ["Other"], "list_id": "7"}]})
    errors = [{"pointer": "/targets/0/segments/0", "message": "There is none."}]
    refused = Failure("invalid", "Put right what is listed.", status=422, errors=errors)
    told.answers["POST", "/api/v1/exports/newsletter/validate"] = refused
    status, output = run("apply", "-f", wanted, "--dry-run")
    assert (status, "/targets/0/segments/0: There is none." in output) == (Exit.FAILED, True)
    told.answers["POST", "/api/v1/exports/newsletter/validate"] = {"warnings": [{"message": "Mind the list."}]}
    status, output = run("apply", "-f", wanted, "--dry-run")
    assert (status, "Mind the list." in output) == (0, True)
    assert not any(method == "PUT" for method, _, _ in told.asked)


def test_the_doctor_sums_up() -> None:
    findings = [Finding("last run", f"export-{number}", "warning", "It never ran.") for number in range(300)]
    findings += [Finding("ready", "app", "ok"), Finding("segment", "s", "failed", "It cannot be read.")]
    shown = summed_up(findings)
    assert [each.subject for each in shown] == ["300: export-0, export-1, export-2 …", "app", "s"]
    assert total(findings) == "1 ok, 300 warnings, 1 failed"
