"""Signing in at a vendor: begin, and the address that the vendor sends people back to."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import RedirectResponse
from fastapi.routing import APIRoute

from shared.access.actions import Action
from shared.api.problems import responses
from shared.api.views import AuthorizationView
from shared.api.wiring import TheCaller, TheChange, TheService, allowed
from shared.control import credentials as control
from shared.delivery.authorizing import CALLBACK
from shared.errors import ExportError
from shared.pages.errors import refusal


class _Route(APIRoute):
    """Refusals are pages for browsers, which the vendor sends here, and problems for programs."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        original = super().get_route_handler()

        async def handler(request: Request) -> Response:
            try:
                return await original(request)
            except ExportError as error:
                if "text/html" not in request.headers.get("accept", ""):
                    raise
                return refusal(request, error)

        return handler


router = APIRouter(tags=["connections"], route_class=_Route)

_AUTHORIZE = Depends(allowed(Action.AUTHORIZE_CONNECTION))
# The address holds a code and a state: it is neither kept nor told to the page that follows.
_UNTOLD = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}

Told = Annotated[str, Query(max_length=4000)]


@router.post(
    "/api/v1/connections/{name}/authorize",
    dependencies=[_AUTHORIZE],
    summary="Begin to sign in at the vendor",
    responses=responses(403, 404, 422),
)
def authorize_connection(name: str, request: Request, service: TheService, caller: TheCaller) -> AuthorizationView:
    """Open `url` in a browser: the vendor asks there, and sends the person back to this app, which keeps the tokens in
    Key Vault, checks the connection and shows it. It works once, for the caller only, and for ten minutes."""
    host = request.headers.get("host", "")
    return AuthorizationView.model_validate(control.authorize(service, service.catalog.connection(name), caller, host))


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
