"""Klaviyo's answers: JSON:API documents, links between pages, and refusals (contract sections 1, 2 and 9)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import orjson

from dev.simulators.common.vendor import Answer, Refusal, json_answer

JSON_API = "application/vnd.api+json"
HOST = "https://a.klaviyo.com"  # links name the vendor's own host
_LIMITS_PAGE = "https://developers.klaviyo.com/en/docs/rate_limits_and_error_handling#rate-limits"


class Problem(NamedTuple):
    """One error of a refusal; `source` is {"pointer": ...} or {"parameter": ...}."""

    code: str
    title: str
    detail: str
    source: Mapping[str, str]


def document(body: Any, status: int = 200, rows: int = 0, touched: Sequence[str] = ()) -> Answer:
    return replace(json_answer(body, status, rows, touched), media=JSON_API)


def nothing(rows: int = 0, touched: Sequence[str] = ()) -> Answer:
    """204."""
    return Answer(204, b"", JSON_API, rows=rows, touched=touched)


def refused(status: int, *problems: Problem) -> Answer:
    errors = [
        {
            "id": str(uuid.uuid4()),
            "status": status,
            "code": each.code,
            "title": each.title,
            "detail": each.detail,
            "source": dict(each.source),
            "links": {},
            "meta": {},
        }
        for each in problems
    ]
    return document({"errors": errors}, status)


def invalid(detail: str, pointer: str = "/data/") -> Problem:
    return Problem("invalid", "Invalid input.", detail, {"pointer": pointer})


def refuse(detail: str, pointer: str = "/data/") -> Refusal:
    """400 for something in the body."""
    return Refusal(refused(400, invalid(detail, pointer)))


def refuse_parameter(name: str, detail: str) -> Refusal:
    """400 for something in the query."""
    return Refusal(refused(400, Problem("invalid", "Invalid input.", detail, {"parameter": name})))


def no_scheme() -> Answer:
    detail = "Missing or invalid authorization scheme. Please use Klaviyo-API-Key."
    title = "Authentication credentials were not provided."
    return refused(401, Problem("not_authenticated", title, detail, {"pointer": "/data/"}))


def wrong_key() -> Answer:
    title = "Incorrect authentication credentials."
    return refused(401, Problem("authentication_failed", title, title, {"pointer": "/data/"}))


def no_scope(scope: str) -> Answer:
    title = "You do not have permission to perform this action."
    detail = f"The API key used for this request does not have the required scope {scope}."
    return refused(403, Problem("permission_denied", title, detail, {"pointer": "/data/"}))


def not_found(what: str) -> Answer:
    return refused(404, Problem("not_found", "Not found.", f"{what} does not exist.", {"pointer": "/data/"}))


def conflict(profile_id: str) -> Answer:
    detail = "A profile already exists with one of these identifiers."
    answer = refused(409, Problem("duplicate_profile", "Conflict.", detail, {"pointer": "/data/attributes"}))
    return _changed(answer, "meta", {"duplicate_profile_id": profile_id})


def retired(revision: str) -> Answer:
    detail = f"Revision {revision} is no longer served."
    return refused(410, Problem("gone", "API revision retired.", detail, {"pointer": "/data/"}))


def too_long() -> Answer:
    title = "Request-URI Too Long."
    return refused(414, Problem("uri_too_long", title, title, {"parameter": "filter"}))


def throttled(seconds: int) -> Answer:
    unit = "second" if seconds == 1 else "seconds"
    detail = f"Request was throttled. Expected available in {seconds} {unit}."
    answer = refused(429, Problem("throttled", "Request was throttled.", detail, {"pointer": "/data"}))
    return _changed(answer, "links", {"type": _LIMITS_PAGE})


def own_failure(status: int) -> Answer:
    title = "A server error occurred."
    return refused(status, Problem("error", title, title, {"pointer": "/data/"}))


def _changed(answer: Answer, name: str, value: Mapping[str, str]) -> Answer:
    body = orjson.loads(answer.body)
    body["errors"][0][name] = value
    return replace(answer, body=orjson.dumps(body))


def related(path: str, name: str) -> dict[str, Any]:
    """The links of a relationship."""
    return {
        "links": {
            "self": f"{HOST}{path}/relationships/{name}/",
            "related": f"{HOST}{path}/{name}/",
        }
    }


def with_rows(answer: Answer, rows: int) -> Answer:
    """A refusal of a call that carried so many rows."""
    return replace(answer, rows=rows)
