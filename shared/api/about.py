"""What the app says of itself and of the caller: health, who you are, and the description of the API."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from shared.access.actions import Action, may
from shared.access.person import How, Role
from shared.api import docs
from shared.api.views import Health, Ready
from shared.control.views import View
from shared.errors import RetryAfter
from shared.web.problems import responses
from shared.web.wiring import TheCaller, TheService, allowed

router = APIRouter(prefix="/api")
NOT_READY_SECONDS = 10.0


class Me(View):
    """Who asks, and what they may do on connections that are shared with them."""

    id: str
    name: str
    roles: tuple[Role, ...]
    how: How
    may: tuple[Action, ...]


@router.get(
    "/health",
    dependencies=[Depends(allowed(Action.SEE_HEALTH))],
    tags=["about"],
    summary="Is it up?",
    responses=responses(signed_in=False),
    openapi_extra={"security": []},
)
async def health(service: TheService) -> Health:
    """Says so, and which version; needs nobody's permission."""
    return Health(version=service.version)


@router.get(
    "/ready",
    dependencies=[Depends(allowed(Action.SEE_HEALTH))],
    tags=["about"],
    summary="Can it run exports?",
    responses=responses(503, signed_in=False),
    openapi_extra={"security": []},
)
def ready(request: Request, service: TheService) -> Ready:
    """Says whether storage, queue, tables and Key Vault are within reach, within seconds. Needs nobody's permission;
    what is wrong is told to administrators only."""
    found = [f"{part}: {problem}" for part, problem in service.readiness().items() if problem]
    if not found:
        return Ready(version=service.version)
    person = request.state.person
    told = found if person and person.administrator else []
    raise RetryAfter(NOT_READY_SECONDS, " ".join(["Not ready.", *told]))


@router.get(
    "/v1/me",
    dependencies=[Depends(allowed(Action.SEE_SELF))],
    tags=["about"],
    summary="Read who you are",
    responses=responses(403),
)
async def read_me(caller: TheCaller) -> Me:
    """Name, roles, and what they let you do."""
    can = tuple(action for action in Action if may(caller, action))
    return Me(id=caller.id, name=caller.name, roles=tuple(sorted(caller.roles)), how=caller.how, may=can)


_DOCS: dict[str, Any] = {"dependencies": [Depends(allowed(Action.SEE_DOCS))], "include_in_schema": False}


@router.get("/openapi.json", **_DOCS)
async def description(request: Request) -> JSONResponse:
    return JSONResponse(request.app.openapi())


@router.get("/docs", **_DOCS)
async def documentation(request: Request) -> HTMLResponse:
    return HTMLResponse(docs.page(request.app.openapi()))


@router.get("/docs.css", **_DOCS)
async def style() -> Response:
    return Response(docs.STYLE, media_type="text/css")
