"""Calls and answers judged by a vendor's description, of either kind; the one here is made up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import requests

from dev.described.__main__ import told
from dev.described.descriptions import load
from dev.described.judging import Exchange, Judge, Rules
from dev.described.proxy import proxy
from dev.described.vendors import VENDORS, judge
from dev.simulators.common.faults import Fault
from dev.simulators.common.serving import serve
from dev.simulators.common.simulator import Simulator
from dev.simulators.klaviyo import REVISION, STANDARD_KEY, Klaviyo

PERSON: dict[str, Any] = {
    "type": "object",
    "required": ["email"],
    "properties": {"email": {"type": "string"}, "points": {"type": "integer"}},
}
SWAGGER: dict[str, Any] = {
    "swagger": "2.0",
    "basePath": "/3.0",
    "consumes": ["application/json"],
    "produces": ["application/json"],
    "definitions": {"Person": PERSON, "Problem": {"type": "object", "required": ["title"]}},
    "paths": {
        "/people/{id}": {
            "get": {
                "parameters": [
                    {"in": "query", "name": "count", "type": "integer", "maximum": 1000},
                    {"in": "query", "name": "fields", "type": "array", "items": {"type": "string"}},
                ],
                "responses": {
                    "200": {"schema": {"$ref": "#/definitions/Person"}},
                    "default": {"schema": {"$ref": "#/definitions/Problem"}},
                },
            },
            "put": {
                "parameters": [
                    {"in": "header", "name": "revision", "required": True, "type": "string"},
                    {"in": "body", "name": "body", "required": True, "schema": {"$ref": "#/definitions/Person"}},
                ],
                "responses": {"200": {"schema": {"$ref": "#/definitions/Person"}}, "204": {}},
            },
        },
    },
}
OPENAPI: dict[str, Any] = {
    "openapi": "3.0.2",
    "components": {
        "schemas": {
            "Person": {**PERSON, "properties": {**PERSON["properties"], "city": {"type": "string", "nullable": True}}}
        },
        "responses": {
            "Problem": {"content": {"application/json": {"schema": {"type": "object", "required": ["title"]}}}}
        },
    },
    "paths": {
        "/3.0/people/{id}": {
            "get": {
                "parameters": [
                    {"in": "query", "name": "count", "schema": {"type": "integer", "maximum": 1000}},
                    {
                        "in": "query",
                        "name": "fields",
                        "explode": False,
                        "schema": {"type": "array", "items": {"type": "string", "enum": ["email", "points"]}},
                    },
                ],
                "responses": {
                    "200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Person"}}}},
                    "4XX": {"$ref": "#/components/responses/Problem"},
                },
            },
            "put": {
                "parameters": [{"in": "header", "name": "revision", "required": True, "schema": {"type": "string"}}],
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Person"}}},
                },
                "responses": {
                    "200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Person"}}}},
                    "204": {"description": "Nothing"},
                },
            },
        },
    },
}
ANA = {"email": "ana@example.com", "points": 7}
JSON = {"content-type": "application/json"}


HTML = {"content-type": "text/html"}


def exchange(
    method: str = "GET", query: str = "", body: Any = None, status: int = 200, answer: Any = None, **more: Any
) -> Exchange:
    sent = b"" if body is None else json.dumps(body).encode()
    told = b"" if status == 204 else json.dumps(ANA if answer is None else answer).encode()
    headers = more.get("headers", {**JSON, "revision": "1"})
    path, answered = more.get("path", "/3.0/people/1"), more.get("answered", JSON)
    return Exchange(method, path, query, headers, sent, status, answered, told)


@pytest.fixture(params=[SWAGGER, OPENAPI], ids=["swagger", "openapi"])
def judged(request: pytest.FixtureRequest, tmp_path: Path) -> Judge:
    file = tmp_path / "description.json"
    file.write_text(json.dumps(request.param))
    return Judge(load([file]), Rules(cut=("fields",)))


@pytest.mark.parametrize(
    "seen",
    [
        exchange(),
        exchange(query="count=1000&fields=email,points"),
        exchange(query="fields=points", answer={"points": 7}),
        exchange("PUT", body=ANA),
        exchange("PUT", body=ANA, status=204),
        exchange(status=404, answer={"title": "Not found"}),
        exchange(query="count=many", status=400, answer={"title": "Wrong"}),
    ],
)
def test_what_is_described_is_in_order(judged: Judge, seen: Exchange) -> None:
    judged.see(seen)
    assert (judged.report()["found"], sum(judged.judged.values())) == ({}, 1)


@pytest.mark.parametrize(
    ("seen", "told"),
    [
        (exchange(query="count=1001"), "call, query count (whole): maximum"),
        (exchange(query="count=many"), "call, query count (whole): type"),
        (exchange(query="colour=red"), "call, query colour: not described"),
        (exchange("PUT", body={"points": 7}), "call, body (whole): required email"),
        (exchange("PUT", body={**ANA, "points": "7"}), "call, body points: type"),
        (exchange("PUT", body={**ANA, "colour": "red"}), "call, body (whole): additionalProperties ['colour']"),
        (exchange("PUT"), "call, body: required"),
        (exchange("PUT", body=ANA, headers=JSON), "call, header revision: required"),
        (
            exchange("PUT", body=ANA, headers={"content-type": "text/csv", "revision": "1"}),
            "call, content type: text/csv is not described",
        ),
        (exchange(body=ANA), "call, body: not described"),
        (exchange(answer={"points": 7}), "answer 200 (whole): required email"),
        (exchange(answer=[]), "answer 200 (whole): type"),
        (exchange(status=404, answer={}), "answer 404 (whole): required title"),
        (exchange("PUT", body=ANA, status=302), "answer 302: not described"),
    ],
)
def test_what_is_against_the_description_is_told_without_values(judged: Judge, seen: Exchange, told: str) -> None:
    judged.see(seen)
    name = next(iter(judged.judged))
    assert judged.report()["found"] == {f"{name}: {told}": 1}
    assert "example.com" not in json.dumps(judged.report())


def test_null_is_taken_only_where_the_description_says_so(tmp_path: Path) -> None:
    file = tmp_path / "description.json"
    file.write_text(json.dumps(OPENAPI))
    judged = Judge(load([file]), Rules())
    judged.see(exchange(answer={**ANA, "city": None}))
    judged.see(exchange(answer={**ANA, "points": None}))
    assert judged.report()["found"] == {"GET /3.0/people/{id}: answer 200 points: type": 1}


def test_what_the_contract_knows_better_is_told_apart(tmp_path: Path) -> None:
    file = tmp_path / "description.json"
    file.write_text(json.dumps(SWAGGER))
    judged = Judge(load([file]), Rules(prefix=r"^/us6(?=/)", allowed=(r"^answer 200 points: type$",)))
    judged.see(exchange(path="/us6/3.0/people/1", answer={**ANA, "points": None}))
    judged.see(exchange(path="/us6/3.0/places/ana@example.com/x1"))
    report = judged.report()
    assert (report["found"], report["allowed"]) == ({}, {"answer 200 points: type": 1})
    assert report["not_described"] == {"GET /…/places/…/… -> 200": 1}


def test_refusals_that_are_not_described_are_told_apart(judged: Judge) -> None:
    judged.see(exchange(status=403, answered=HTML))
    judged.see(exchange("PUT", body=ANA, status=409))
    judged.see(exchange(answered=HTML))
    report = judged.report()
    refusals = ("answer 403, content type: text/html is not described", "answer 409: not described")
    assert report["allowed"] == dict.fromkeys(refusals, 1)
    assert list(report["found"]) == [
        f"{next(iter(judged.judged))}: answer 200, content type: text/html is not described"
    ]


def test_the_first_file_goes_before_the_others(tmp_path: Path) -> None:
    first, second = tmp_path / "first.yaml", tmp_path / "second.json"
    first.write_text("openapi: 3.1.0\npaths:\n  /3.0/people/{id}:\n    get:\n      responses:\n        200: {}\n")
    second.write_text(json.dumps(OPENAPI))
    judged = Judge(load([first, second]), Rules())
    judged.see(exchange(answer=[]))
    judged.see(exchange("PUT", body={}))
    assert list(judged.report()["found"]) == ["PUT /3.0/people/{id}: call, body (whole): required email"]


def test_a_folder_without_the_files_is_told_in_words(tmp_path: Path) -> None:
    for vendor in VENDORS:
        with pytest.raises(SystemExit, match="not in the folder of descriptions"):
            judge(vendor, tmp_path)


def test_the_proxy_hands_on_and_tells(tmp_path: Path) -> None:
    file = tmp_path / "description.json"
    answered: dict[str, Any] = {"200": {"content": {"application/json": {}}}}
    described = {"/api/accounts": {"get": {"responses": answered}}}
    file.write_text(json.dumps({"openapi": "3.0.2", "paths": described}))
    headers = {"Authorization": f"Klaviyo-API-Key {STANDARD_KEY}", "revision": REVISION}
    judged = Judge(load([file]), Rules())
    with serve(Simulator(Klaviyo())) as simulator, proxy(simulator.url, judged) as url:
        answer = requests.get(f"{url}/api/accounts", headers=headers, timeout=20)
        assert (answer.status_code, answer.headers["cid"]) == (200, "AbC123")
        assert requests.get(f"{url}/api/lists", headers=headers, timeout=20).json()["data"] == []
        assert requests.get(f"{url}/_simulator/state", timeout=20).json()["people"] == 0
        simulator.faults.set([Fault(endpoint="GET /api/accounts", kind="html", status=200)])
        assert "<html>" in requests.get(f"{url}/api/accounts?nothing=1", headers=headers, timeout=20).text
        simulator.faults.set([Fault(endpoint="GET /api/lists", kind="drop")])
        with pytest.raises(requests.ConnectionError):
            requests.get(f"{url}/api/lists", headers=headers, timeout=20)
        report = requests.get(f"{url}/_described", timeout=20).json()
    media = "application/vnd.api+json is not described"
    # Of an answer that was made up on purpose only the call is judged.
    assert report["found"] == {
        f"GET /api/accounts: answer 200, content type: {media}": 1,
        "GET /api/accounts: call, query nothing: not described": 1,
    }
    assert report["not_described"] == {"GET /api/lists -> 200": 1}


@pytest.mark.parametrize(("found", "status"), [({}, 0), ({"GET /people: answer 200 (whole): type": 2}, 1)])
def test_a_report_ends_in_a_status(capsys: pytest.CaptureFixture[str], found: dict[str, int], status: int) -> None:
    report = {"judged": {"GET /people": 3}, "not_described": {}, "allowed": {"answer 404: not described": 1}}
    assert told({**report, "found": found}) == status
    printed = capsys.readouterr().out
    assert "3 calls of 1 operations were judged." in printed
    assert ("Nothing was against" in printed) == (status == 0)
    assert ("Against the description: GET /people: answer 200 (whole): type (2 times)" in printed) == (status == 1)
