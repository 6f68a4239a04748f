"""Addresses that lead nowhere: a page for people, wherever programs are not meant."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from shared.pages.rendering import page
from shared.web.problems import KINDS, bad_request, http_error
from shared.wording import say

_FOR_PROGRAMS = ("/api/", "/static/")
_NOWHERE = say("There is no such page. It may have been removed, or its address is not written as it should be.")


def install(app: FastAPI) -> None:
    """Answer people with a page where no route, or none of this method, is at an address, or the address is wrong."""
    app.add_exception_handler(HTTPException, _unknown)
    app.add_exception_handler(RequestValidationError, _wrong)


async def _unknown(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return _page(request) if _for_people(request) and error.status_code in (404, 405) else await http_error(error)


async def _wrong(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return _page(request) if _for_people(request) else await bad_request(error)


def _for_people(request: Request) -> bool:
    """A browser that wants a whole page."""
    accepted = request.headers.get("accept", "")
    return request.method == "GET" and "text/html" in accepted and not request.url.path.startswith(_FOR_PROGRAMS)


def _page(request: Request) -> Response:
    return page(request, "problem.html", status=404, title=KINDS["not_found"].title, message=_NOWHERE, back=None)
