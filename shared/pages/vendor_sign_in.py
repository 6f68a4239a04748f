"""The address that a vendor sends people back to when they signed in there: for browsers, and part of the API."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse

from shared.access.actions import Action
from shared.control import credentials as control
from shared.delivery.account.authorizing import CALLBACK
from shared.pages.errors import PageRoute
from shared.web.problems import responses
from shared.web.wiring import TheCaller, TheChange, TheService, allowed, named


class _Route(PageRoute):
    """Refusals are pages for browsers, which the vendor sends here, and problems for programs."""

    def for_people(self, request: Request) -> bool:
        return "text/html" in request.headers.get("accept", "")


router = APIRouter(tags=["connections"], route_class=_Route, generate_unique_id_function=named)

# The address holds a code and a state: it is neither kept nor told to the page that follows.
_UNTOLD = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}

Told = Annotated[str, Query(max_length=4000)]


@router.get(
    CALLBACK,
    dependencies=[Depends(allowed(Action.AUTHORIZE_CONNECTION, changes=True))],
    summary="Where the vendor sends people back to",
    status_code=303,
    response_class=RedirectResponse,
    responses=responses(403, 404, 409, 422, 503),
)
def finish_authorization(
    service: TheService,
    caller: TheCaller,
    change: TheChange,
    state: Annotated[Told, Query(description="As the vendor was given it.")] = "",
    code: Annotated[Told, Query(description="What tokens are had for.")] = "",
    error: Annotated[Told, Query(description="Why there is no code.")] = "",
) -> RedirectResponse:
    """For browsers: goes on to the connection. A state that was not given to this caller, is used or too old is
    refused, and nothing is changed by a refusal."""
    name = control.authorized(service, caller, {"state": state, "code": code, "error": error})
    change.about(f"connection {name}")
    return RedirectResponse(f"/connections/{name}", 303, headers=_UNTOLD)
