"""Storage that is busy or out of reach is said to be that, with when to try again; what it refuses is a failure."""

from __future__ import annotations

import pytest
from azure.core.exceptions import HttpResponseError, ServiceRequestError, ServiceResponseError

from tests.unit.api.asgi import Client
from tests.unit.api.service import FakeService

PERSON = {"address": "ada@example.com"}


class Response:
    """What the clients' errors read of an answer."""

    reason = "what storage said of ada@example.com"

    def __init__(self, status: int) -> None:
        self.status_code = status


def answered(status: int) -> HttpResponseError:
    return HttpResponseError(response=Response(status))  # type: ignore[arg-type]  # stands for a pipeline's answer


PASSING = [ServiceRequestError("no route"), ServiceResponseError("timed out"), *map(answered, (429, 500, 503, 507))]


@pytest.mark.parametrize("error", PASSING, ids=repr)
@pytest.mark.parametrize(("method", "path"), [("POST", "/api/v1/forget"), ("GET", "/api/v1/exports")])
def test_trouble_that_passes_is_a_503(
    client: Client, service: FakeService, monkeypatch: pytest.MonkeyPatch, error: Exception, method: str, path: str
) -> None:
    struck(service, monkeypatch, error)
    answer = client.send(method, path, body=PERSON if method == "POST" else None)
    assert (answer.status, answer.json["code"]) == (503, "try_later")
    assert int(answer.headers["retry-after"]) > 0
    assert b"ada@" not in answer.body


@pytest.mark.parametrize("status", [400, 403, 404, 409])
def test_what_storage_refuses_is_unexpected_and_the_log_has_its_word_for_it(
    client: Client,
    service: FakeService,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    status: int,
) -> None:
    refused = answered(status)
    refused.error_code = "AccountIsDisabled"  # type: ignore[attr-defined]  # the storage clients add it
    struck(service, monkeypatch, refused)
    answer = client.post("/api/v1/forget", PERSON)
    assert (answer.status, answer.json["code"]) == (500, "unexpected")
    assert f"HttpResponseError {status} AccountIsDisabled at" in caplog.text
    assert "ada@" not in caplog.text


def struck(service: FakeService, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """Storage fails whatever is asked of it."""

    def fail(*arguments: object, **named: object) -> None:
        raise error

    monkeypatch.setattr(service, "forget", fail)
    monkeypatch.setattr(type(service.catalog.exports), "all", fail)
