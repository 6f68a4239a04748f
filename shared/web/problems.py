"""Errors -> application/problem+json. No answer and no log line holds an address, a secret or a stack."""

from __future__ import annotations

import logging
import secrets
import traceback
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import Field
from starlette.exceptions import HTTPException

from shared.access.visitors import Closed, SignInNeeded, TooManyFailures
from shared.catalog.issues import Invalid, Issue, NotFound, NotNow, issues_of
from shared.cloud import trouble
from shared.control.views import IssueView, View
from shared.errors import (
    Blocked,
    Conflict,
    ExportError,
    Forbidden,
    LeaseLost,
    OutcomeUnknown,
    RetryAfter,
    UserMustAct,
)
from shared.web.conditions import PreconditionFailed
from shared.wording import Said, say

MEDIA_TYPE = "application/problem+json"
DOCS = "/api/docs"
MOST_BODY = 1 << 20
"""Bytes of a request's body; definitions and forms have thousands."""
TOO_LARGE = "too_large"

_log = logging.getLogger(__name__)


class Problem(View):
    """Every refusal and failure (RFC 9457), as `application/problem+json`."""

    type: str = Field(description="Address of the kind of problem, explained on the documentation page.")
    title: Said
    status: int
    detail: Said
    code: str = Field(description="A stable word for programs.")
    errors: list[IssueView] = Field(default_factory=list)
    incident: str | None = Field(default=None, description="Unexpected failures: look for it in the log.")


@dataclass(frozen=True, slots=True)
class ProblemKind:
    """A kind of problem, as the documentation page explains it."""

    status: int
    title: str
    meaning: str


KINDS = {
    "malformed": ProblemKind(400, "Not understood", "The body is not JSON."),
    "sign_in_needed": ProblemKind(401, "Not signed in", "Sign in, or send a bearer token of Microsoft Entra ID."),
    "forbidden": ProblemKind(403, "Not allowed", "The caller may not do this; detail says who may."),
    "not_found": ProblemKind(404, "Not found", say("There is no such address, or nothing of that name.")),
    "method_not_allowed": ProblemKind(405, "Method not allowed", say("The address exists, for other methods.")),
    "conflict": ProblemKind(
        409, "Not now", "The state of things forbids it, or somebody was faster; detail says which."
    ),
    "precondition_failed": ProblemKind(412, "Precondition failed", "If-Match or If-None-Match does not hold."),
    TOO_LARGE: ProblemKind(413, "Too large", say("The body of a request has at most %(most)s bytes.", most=MOST_BODY)),
    "invalid": ProblemKind(
        422, "Cannot be saved", "`errors` says all that is wrong, each with a pointer to the place."
    ),
    "act_first": ProblemKind(
        422, "Something has to be done first", "`detail` says what; `code` is a word for programs."
    ),
    "too_many_failures": ProblemKind(
        429, "Too many failures", "Sign-in failed too often; `Retry-After` says how long to wait."
    ),
    "unexpected": ProblemKind(500, "Unexpected failure", "Nothing is known; `incident` finds it in the log."),
    "unclear": ProblemKind(502, "No clear answer", "The vendor's answer did not come, or made no sense."),
    "try_later": ProblemKind(503, "Try again later", "`Retry-After` says in how many seconds."),
    "closed": ProblemKind(503, "Closed", "The app runs in Azure and sign-in is not configured, so it answers nobody."),
}

_KIND_OF: dict[type[Exception], str] = {
    NotFound: "not_found",
    NotNow: "conflict",
    Forbidden: "forbidden",
    SignInNeeded: "sign_in_needed",
    TooManyFailures: "too_many_failures",
    Closed: "closed",
    PreconditionFailed: "precondition_failed",
    Invalid: "invalid",
    Blocked: "conflict",
    UserMustAct: "act_first",
    Conflict: "conflict",
    RetryAfter: "try_later",
    LeaseLost: "try_later",
    OutcomeUnknown: "unclear",
    ExportError: "unexpected",
}

_STATUS_KIND = {404: "not_found", 405: "method_not_allowed", 413: TOO_LARGE}
_NO_STORAGE = say("The app's storage is busy or out of reach. What was begun is safe to repeat.")
CHANGED = say("Somebody changed it at the same time: read it again and repeat the change.")


def responses(*statuses: int, signed_in: bool = True) -> dict[int | str, dict[str, Any]]:
    """The documented error answers of an operation; every one may fail unexpectedly, and most want to know people."""
    schema = {"schema": {"$ref": "#/components/schemas/Problem"}}
    titles = {kind.status: kind.title for kind in reversed(KINDS.values())}
    return {
        status: {"description": titles[status], "content": {MEDIA_TYPE: schema}}
        for status in sorted({*statuses, 500, *({401, 429, 503} if signed_in else ())})
    }


def answer(
    kind: str,
    detail: str,
    *,
    code: str | None = None,
    issues: Iterable[Issue] = (),
    headers: Mapping[str, str] | None = None,
    incident: str | None = None,
    status: int | None = None,
) -> Response:
    """One problem."""
    of = KINDS[kind]
    problem = Problem(
        type=f"{DOCS}#{kind}",
        title=of.title,
        status=status or of.status,
        detail=detail,
        code=code or kind,
        errors=[IssueView.model_validate(issue) for issue in issues],
        incident=incident,
    )
    body = problem.model_dump_json(exclude_none=True)
    return Response(body, problem.status, dict(headers or {}), media_type=MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Make every error of the app a problem."""
    app.add_exception_handler(ExportError, _export_error)
    app.add_exception_handler(RequestValidationError, _bad_request)
    app.add_exception_handler(HTTPException, _http_error)


async def _export_error(request: Request, error: Exception) -> Response:
    conditional = "if-match" in request.headers or "if-none-match" in request.headers
    return refusal(error, conditional=conditional)


def kind_of(error: Exception) -> str:
    """The name of the kind of problem that an ExportError is."""
    return next(_KIND_OF[cls] for cls in type(error).__mro__ if cls in _KIND_OF)


def refusal(error: Exception, *, conditional: bool = False) -> Response:
    """The problem that an ExportError is; `conditional` when the request named a version."""
    kind = kind_of(error)
    if isinstance(error, Invalid):
        return answer(kind, say("Put right what `errors` lists."), issues=error.issues)
    if isinstance(error, UserMustAct):
        return answer(kind, error.message, code=error.code, headers=_headers(error))
    if isinstance(error, RetryAfter):
        seconds = max(1, round(error.seconds))
        return answer(kind, error.reason, headers={"Retry-After": str(seconds)})
    if isinstance(error, OutcomeUnknown):
        return answer(kind, error.reason)
    if isinstance(error, Conflict):
        return answer("precondition_failed" if conditional else kind, CHANGED)
    if isinstance(error, LeaseLost):
        return answer(kind, say("Another worker has the account."), headers={"Retry-After": "60"})
    return unexpected(error)


def _headers(error: UserMustAct) -> dict[str, str]:
    if isinstance(error, SignInNeeded):
        return {"WWW-Authenticate": "Bearer"}
    return {"Retry-After": str(error.seconds)} if isinstance(error, TooManyFailures) else {}


async def _bad_request(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return await bad_request(error)


async def bad_request(error: RequestValidationError) -> Response:
    """What was sent is not what the operation takes."""
    errors = error.errors()
    issues = [Issue(_place(each.pointer), each.message) for each in issues_of(errors)]
    if any(each["type"] == "json_invalid" for each in errors):
        return answer("malformed", say("The body is not JSON."), issues=[Issue("", issues[0].message)])
    return answer("invalid", say("Put right what `errors` lists."), issues=issues)


def _place(pointer: str) -> str:
    """FastAPI puts the part of the request first: body, query, path, header."""
    _, part, *rest = pointer.split("/", 2)
    inner = rest[0] if rest else ""
    return (f"/{inner}" if inner else "") if part == "body" else f"?{inner}"


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return await http_error(error)


async def http_error(error: HTTPException) -> Response:
    """No route answers this."""
    kind = _STATUS_KIND.get(error.status_code, "malformed")
    detail = KINDS[kind].meaning if kind in _STATUS_KIND.values() else HTTPStatus(error.status_code).phrase
    return answer(kind, detail, headers=error.headers, status=error.status_code)


def unnamed(error: BaseException) -> Response:
    """The answer to an error without a name of ours."""
    if trouble.passes(error):
        _log.warning("A request was turned away, as an Azure service did not answer well: %s", type(error).__name__)
        return answer("try_later", _NO_STORAGE, headers={"Retry-After": str(trouble.SECONDS)})
    return unexpected(error)


def unexpected(error: BaseException) -> Response:
    """Log where it happened, never what was said: messages and values may hold addresses."""
    incident = secrets.token_hex(6)
    frames = traceback.extract_tb(error.__traceback__)
    where = " < ".join(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in reversed(frames))
    what = " ".join(filter(None, (type(error).__name__, trouble.code(error))))
    _log.error("incident %s: %s at %s", incident, what, where)
    return answer("unexpected", say("The request failed for a reason that the log knows."), incident=incident)
