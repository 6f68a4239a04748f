"""The bodies that Omnisend answers with when it refuses (contract sections 1, 6 and 7)."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Any, NamedTuple

import orjson

from dev.simulators.common.vendor import Answer, json_answer

PROBLEM = "application/problem+json"
_TYPES = "https://problems.omnisend.com/"


class FieldError(NamedTuple):
    """One row of a refusal's `errors`; `field` is a path with dots, as in `identifiers.0.id`."""

    field: str
    code: str
    message: str


# Only unauthorized, validation-failed, rate-limit-exceeded and not-found are known, the others are inferred.
_KINDS: Mapping[int, tuple[str, str]] = {
    400: ("validation-failed", "Validation failed"),
    401: ("unauthorized", "Unauthorized"),
    403: ("forbidden", "Forbidden"),
    404: ("not-found", "Not found"),
    409: ("conflict", "Conflict"),
    410: ("version-retired", "API version retired"),
    413: ("payload-too-large", "Payload too large"),
    429: ("rate-limit-exceeded", "Rate limit exceeded"),
    500: ("internal-server-error", "Internal server error"),
}


def problem(status: int, detail: str = "", errors: Sequence[FieldError] = ()) -> Answer:
    """RFC 9457, with the vendor's types."""
    body = problem_body(status, detail, errors)
    return replace(json_answer(body, status), media=PROBLEM)


def problem_body(status: int, detail: str = "", errors: Sequence[FieldError] = ()) -> dict[str, Any]:
    kind, title = _KINDS.get(status) or ("problem", _phrase(status))
    body: dict[str, Any] = {"type": _TYPES + kind, "title": title, "status": status}
    if status in _TERSE:
        return body
    body |= {"detail": detail or title, "instance": f"urn:omnisend:request:{uuid.uuid4()}"}
    if errors:
        body["errors"] = [error._asdict() for error in errors]
    return body


_TERSE = (401, 429)  # as measured, and as documented: type, title and status only


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unexpected error occurred"


def invalid(*errors: FieldError) -> Answer:
    return problem(400, "One or more fields are invalid.", errors)


def waiting(limited: Answer, seconds: int) -> Answer:
    """The 429 with `retryAfter` in its body: this version has no header for it."""
    return replace(limited, body=orjson.dumps({**orjson.loads(limited.body), "retryAfter": seconds}))


_NUMBER = re.compile(r"\.(\d+)")


def legacy_errors(errors: Sequence[FieldError]) -> dict[str, Any]:
    """How v3 and v5 refuse, and how a batch tells of an item (contract section 4)."""
    paths = [_NUMBER.sub(r"[\1]", error.field) for error in errors]
    return {
        "error": f"{len(errors)} error(s) found. Check 'fields' array for details.",
        "fields": {
            str(number): [f"{path}: {error.message}"]
            for number, (path, error) in enumerate(zip(paths, errors, strict=True))
        },
    }
