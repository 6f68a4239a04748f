"""The trigger with the function key, when something unforeseen happens."""

from __future__ import annotations

import json
from typing import NoReturn

import azure.functions as func
import pytest
from azure.core.exceptions import ServiceRequestError

from functions import process, run_export
from shared.access.visitors import LocalAccess
from shared.catalog.models import KeyKind
from shared.control.service import Service
from shared.delivery.state.transitions import RunKind
from tests.unit.api.service import FakeService


def test_an_unforeseen_failure_is_a_problem_that_tells_nobody_anything(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    answer = failing_with(RuntimeError("ada@example.com"), monkeypatch)
    problem = json.loads(answer.get_body())
    assert (answer.status_code, problem["code"]) == (500, "unexpected")
    assert problem["incident"] in caplog.text
    assert "ada@" not in caplog.text + answer.get_body().decode()


def test_storage_in_trouble_is_for_later(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = failing_with(ServiceRequestError("no route to ada@example.com"), monkeypatch)
    assert (answer.status_code, json.loads(answer.get_body())["code"]) == (503, "try_later")
    assert int(answer.headers["retry-after"]) > 0


ALWAYS = {RunKind.DELIVERY, RunKind.DRY_RUN, RunKind.REHEARSAL}


@pytest.mark.parametrize("kind", RunKind)
@pytest.mark.parametrize("more", [(), (KeyKind.WITHDRAW,), tuple(KeyKind)], ids=["usual", "one more", "all"])
def test_the_key_starts_deliveries_and_what_only_looks_and_what_the_export_allows(
    more: tuple[KeyKind, ...], kind: RunKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[RunKind] = []
    service = FakeService()
    service.world.connect()
    service.world.save("loyal", function_key_starts=more)
    monkeypatch.setattr(service, "begin", lambda name, kind: asked.append(kind), raising=False)
    monkeypatch.setattr(FakeService, "start", Service.start)
    monkeypatch.setattr(process, "service", lambda: service)
    monkeypatch.setattr(process, "access", LocalAccess)
    answer = called(json.dumps({"kind": kind}).encode())
    allowed = kind in ALWAYS | set(more)
    assert asked == ([kind] if allowed else [])
    assert (answer.status_code == 403) is not allowed


def failing_with(error: Exception, monkeypatch: pytest.MonkeyPatch) -> func.HttpResponse:
    def fail() -> NoReturn:
        raise error

    monkeypatch.setattr(process, "service", fail)
    return called(b"")


def called(body: bytes) -> func.HttpResponse:
    trigger = run_export.run_export._function.get_user_function()
    answer: func.HttpResponse = trigger(func.HttpRequest("POST", "/", route_params={"name": "loyal"}, body=body))
    return answer
