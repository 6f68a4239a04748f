"""The trigger with the function key, when something unforeseen happens."""

from __future__ import annotations

import json
from typing import NoReturn

import azure.functions as func
import pytest

from functions import process, run_export


def test_an_unforeseen_failure_is_a_problem_that_tells_nobody_anything(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> NoReturn:
        raise RuntimeError("ada@example.com")

    monkeypatch.setattr(process, "service", fail)
    trigger = run_export.run_export._function.get_user_function()
    answer = trigger(func.HttpRequest("POST", "/", route_params={"name": "loyal"}, body=b""))
    problem = json.loads(answer.get_body())
    assert (answer.status_code, problem["code"]) == (500, "unexpected")
    assert problem["incident"] in caplog.text
    assert "ada@" not in caplog.text + answer.get_body().decode()
