"""The app as a whole: addresses, problems, and a complete description of itself."""

from __future__ import annotations

import logging
import socket
import threading
from typing import Any, get_args

import pytest
import requests
import uvicorn
from fastapi.routing import APIRoute
from opentelemetry import trace
from pydantic import BaseModel

from shared.access.visitors import LocalAccess
from shared.api import describing as examples
from shared.app import ROUTERS, create_app
from shared.web.problems import KINDS
from tests.unit.api.asgi import Answer, Client
from tests.unit.api.bodies import connection_body
from tests.unit.api.service import FakeService


def is_problem(answer: Answer, status: int) -> bool:
    parts = {"type", "title", "status", "detail", "code", "errors"}
    typed = answer.headers["content-type"] == "application/problem+json"
    return typed and answer.status == answer.json["status"] == status and parts <= set(answer.json)


def test_it_says_that_it_is_up(client: Client) -> None:
    assert client.get("/api/health").json == {"status": "ok", "version": "1.2.3"}


def test_it_says_that_it_can_run_exports(client: Client) -> None:
    assert client.get("/api/ready").json == {"status": "ready", "version": "1.2.3"}


def test_what_is_out_of_reach_is_told_to_administrators_only(
    client: Client, contributor: Client, service: FakeService
) -> None:
    service.unready = {"queue": "", "key_vault": "It does not answer."}
    detailed, plain = client.get("/api/ready"), contributor.get("/api/ready")
    assert is_problem(detailed, 503)
    assert is_problem(plain, 503)
    assert detailed.json["detail"] == "Not ready. key_vault: It does not answer."
    assert plain.json["detail"] == "Not ready."
    assert int(plain.headers["retry-after"]) > 0


@pytest.mark.parametrize("path", ["/api", "/api/", "/api/v2/exports", "/api/v1/exports/", "/api/v1/exports/a/b", "/x"])
def test_an_unknown_address_is_a_problem(client: Client, path: str) -> None:
    assert is_problem(client.get(path), 404)


def test_a_wrong_method_is_a_problem_that_says_which_are_right(client: Client) -> None:
    answer = client.post("/api/v1/vendors")
    assert is_problem(answer, 405)
    assert answer.headers["allow"] == "GET"


def test_a_body_that_is_not_json_is_a_problem(client: Client) -> None:
    assert is_problem(client.send("PUT", "/api/v1/exports/a", raw=b'{"display_name": "hush'), 400)
    assert is_problem(client.send("PUT", "/api/v1/exports/a", raw=b"\xff\xfe"), 400)
    assert is_problem(client.send("PUT", "/api/v1/exports/a", raw=b""), 422)
    assert is_problem(client.send("PUT", "/api/v1/exports/a", raw=b"[]"), 422)
    text = client.send("PUT", "/api/v1/exports/a", raw=b"{}", headers={"content-type": "text/plain"})
    assert is_problem(text, 422)
    assert "Content-Type" in text.json["errors"][0]["message"]


def test_an_unexpected_failure_is_a_problem_without_a_word_of_what_was_said(
    client: Client, service: FakeService, caplog: pytest.LogCaptureFixture
) -> None:
    service.failure = KeyError("jane@example.org")
    with caplog.at_level(logging.DEBUG):
        answer = client.get("/api/v1/connections/marketing/targets")
    assert is_problem(answer, 500)
    assert b"jane" not in answer.body
    assert "jane" not in caplog.text
    assert f"incident {answer.json['incident']}: KeyError" in caplog.text
    assert "connection_targets" in caplog.text


def test_no_telemetry_but_the_services_own_sees_a_request(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    class Provider(trace.TracerProvider):
        def get_tracer(self, instrumenting_module_name: str, *args: Any, **options: Any) -> trace.Tracer:
            asked.append(instrumenting_module_name)
            return trace.NoOpTracer()

    monkeypatch.setattr(trace, "get_tracer_provider", Provider)
    assert client.get("/api/health", query={"code": "function-key"}).status == 200
    assert asked == []


def test_every_kind_of_problem_is_explained_on_the_page(client: Client) -> None:
    page = client.get("/api/docs")
    assert page.headers["content-type"].startswith("text/html")
    for kind in KINDS:
        assert f'id="{kind}"'.encode() in page.body


def test_the_page_lists_every_operation_and_loads_nothing_from_elsewhere(client: Client) -> None:
    page = client.get("/api/docs").body.decode()
    for path, methods in client.get("/api/openapi.json").json["paths"].items():
        for method in methods:
            assert f"{method.upper()} {path}" in page
    assert "<script" not in page
    assert "://" not in page


def operations(client: Client) -> dict[str, dict[str, Any]]:
    paths = client.get("/api/openapi.json").json["paths"]
    return {f"{method.upper()} {path}": each for path, methods in paths.items() for method, each in methods.items()}


def test_every_route_is_described(client: Client) -> None:
    found = [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]
    routes = [route for route in found if route.include_in_schema]
    names = {f"{method} {route.path_format}" for route in routes for method in route.methods or ()}
    assert names == set(operations(client))


def test_every_operation_has_a_summary_and_documented_errors(client: Client) -> None:
    for name, operation in operations(client).items():
        assert operation["summary"][0].isupper(), name
        assert operation["description"], name
        statuses = {int(status) for status in operation["responses"]}
        errors = {status for status in statuses if status >= 400}
        assert statuses - errors, name
        assert 500 in errors, name
        assert 403 in errors or "health" in name or "ready" in name, name
        may_be_new = name.startswith("PUT") or name.endswith("/validate")
        assert 404 in errors or "{" not in name or may_be_new, name
        assert not name.startswith("PUT") or {400, 409, 412, 422} <= errors, name
        for status in errors:
            content = operation["responses"][str(status)]["content"]
            assert content == {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}


def test_the_description_refers_only_to_what_it_has_and_uses_all_of_it(client: Client) -> None:
    document = client.get("/api/openapi.json").json
    references = set(_references(document))
    schemas = set(document["components"]["schemas"])
    assert references == {f"#/components/schemas/{name}" for name in schemas}
    assert document["info"]["version"] == "1.2.3"


def _references(part: Any) -> list[str]:
    if isinstance(part, dict):
        inner = [found for value in part.values() for found in _references(value)]
        return [*inner, part["$ref"]] if isinstance(part.get("$ref"), str) else inner
    return [found for value in part for found in _references(value)] if isinstance(part, list) else []


def test_it_is_served_over_http_as_it_is_called_directly(service: FakeService) -> None:
    """Headers, encoded paths and redirects on a real connection."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        app = create_app(service, LocalAccess())
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off", ws="none"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            _walk(f"http://127.0.0.1:{listener.getsockname()[1]}")
        finally:
            server.should_exit = True
            thread.join()


def _walk(base: str) -> None:
    with requests.Session() as session:
        created = session.put(f"{base}/api/v1/connections/second", json=connection_body(), timeout=30)
        assert (created.status_code, created.headers["Location"]) == (201, "/api/v1/connections/second")
        stale = session.delete(f"{base}/api/v1/connections/second", headers={"If-Match": '"no"'}, timeout=30)
        assert stale.status_code == 412
        assert stale.headers["Content-Type"] == "application/problem+json"
        assert session.get(f"{base}/api/v1/segments/blob%2Fci:VIP", timeout=30).json()["name"] == "VIP"
        assert session.get(f"{base}/api/docs", timeout=30).headers["Content-Type"].startswith("text/html")


def test_every_path_parameter_and_every_body_has_an_example(client: Client) -> None:
    document = client.get("/api/openapi.json").json
    for name, operation in operations(client).items():
        for parameter in operation.get("parameters", []):
            assert parameter["in"] != "path" or "example" in parameter, name
        for body in operation.get("requestBody", {}).get("content", {}).values():
            schema = body["schema"].get("$ref") or body["schema"]["anyOf"][0]["$ref"]
            assert document["components"]["schemas"][schema.rpartition("/")[2]]["examples"], name


@pytest.mark.parametrize("schema", examples.BODIES)
def test_every_example_is_what_it_is_an_example_of(schema: str) -> None:
    _body_models()[schema].model_validate(examples.BODIES[schema])


def _body_models() -> dict[str, type[BaseModel]]:
    routes = [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]
    found = [route.body_field.field_info.annotation for route in routes if route.body_field]
    models = [kind for annotation in found for kind in get_args(annotation) or (annotation,)]
    return {kind.__name__: kind for kind in models}


def test_the_description_says_who_is_let_in(client: Client) -> None:
    document = client.get("/api/openapi.json").json
    assert document["security"] == [{"session": []}, {"token": []}]
    open_to_all = {name for name, operation in operations(client).items() if operation.get("security") == []}
    assert open_to_all == {"GET /api/health", "GET /api/ready"}
