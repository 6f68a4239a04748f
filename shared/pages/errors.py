"""Refusals and failures on pages: a page of its own, or a notice where a part of a page was asked for."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from shared.control.credentials import NotAuthorized
from shared.errors import Conflict, ExportError, LeaseLost, OutcomeUnknown, RetryAfter, UserMustAct
from shared.pages.rendering import page
from shared.web.problems import CHANGED, KINDS, kind_of, unexpected
from shared.wording import say


class PageRoute(APIRoute):
    """A route whose refusals are for people; `for_people` of a subclass may except requests."""

    def for_people(self, request: Request) -> bool:
        return True

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        original = super().get_route_handler()

        async def handler(request: Request) -> Response:
            try:
                return await original(request)
            except ExportError as error:
                if not self.for_people(request):
                    raise
                return refusal(request, error)

        return handler


def refusal(request: Request, error: ExportError) -> Response:
    """What stood in the way, in words. An htmx request gets a notice for the page that it came from."""
    kind = KINDS[kind_of(error)]
    if type(error) is ExportError:
        unexpected(error)
    if request.headers.get("hx-request") == "true":
        headers = {"HX-Retarget": "#notices", "HX-Reselect": "#problem", "HX-Reswap": "innerHTML show:window:top"}
        return page(request, "_problem.html", status=kind.status, headers=headers, message=words(error))
    back = error.connection if isinstance(error, NotAuthorized) else None
    return page(request, "problem.html", status=kind.status, title=kind.title, message=words(error), back=back)


def words(error: ExportError) -> str:
    """The message for people."""
    if isinstance(error, UserMustAct):
        return error.message
    if isinstance(error, RetryAfter | OutcomeUnknown):
        return error.reason
    if isinstance(error, Conflict):
        return CHANGED
    if isinstance(error, LeaseLost):
        return say("Another worker has the account: try again in a minute.")
    return say("The request failed for a reason that the log knows.")
