"""What the app says of itself and of the caller: health, who you are, and the description of the API."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any, Literal

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from shared.access.actions import Action, may
from shared.access.person import How, Role
from shared.control.views import View
from shared.errors import RetryAfter
from shared.web.problems import KINDS, responses
from shared.web.wiring import TheCaller, TheService, allowed, named
from shared.wording import say, together

router = APIRouter(prefix="/api", generate_unique_id_function=named)
NOT_READY_SECONDS = 10.0


class Health(View):
    """The app answers."""

    status: Literal["ok"] = "ok"
    version: str


class Ready(View):
    """Everything that a run needs is within reach."""

    status: Literal["ready"] = "ready"
    version: str


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
    found = [
        say("%(part)s: %(problem)s", part=part, problem=problem)
        for part, problem in service.readiness().items()
        if problem
    ]
    if not found:
        return Ready(version=service.version)
    person = request.state.person
    told = found if person and person.administrator else []
    raise RetryAfter(NOT_READY_SECONDS, together([say("Not ready."), *told]))


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
    return HTMLResponse(_page(request.app.openapi()))


@router.get("/docs.css", **_DOCS)
async def style() -> Response:
    return Response(_STYLE, media_type="text/css")


_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
code { background: color-mix(in srgb, currentColor 8%, transparent); padding: .1em .3em; border-radius: .2em; }
dt { margin-top: 1rem; } table { border-collapse: collapse; } td, th { text-align: left; padding: .2rem .8rem .2rem 0; }
:root { color-scheme: light dark; }
"""


def _page(document: dict[str, Any]) -> str:
    """HTML of an OpenAPI document."""
    info = document["info"]
    operations = "\n".join(_operations(document["paths"]))
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(info["title"])} API</title>
<link rel="stylesheet" href="/api/docs.css">
</head>
<body>
<h1>{escape(info["title"])} API {escape(info["version"])}</h1>
<p>{escape(info["description"])} The full description is <a href="/api/openapi.json">openapi.json</a>.</p>
<h2>Operations</h2>
<dl>
{operations}
</dl>
<h2>Problems</h2>
<table>
<tr><th scope="col">type</th><th scope="col">status</th><th scope="col">title</th><th scope="col">meaning</th></tr>
{_problems()}
</table>
</body>
</html>
"""


def _operations(paths: dict[str, Any]) -> Iterator[str]:
    for path, methods in paths.items():
        for method, operation in methods.items():
            statuses = ", ".join(sorted(operation["responses"]))
            yield (
                f"<dt><code>{method.upper()} {escape(path)}</code> <strong>{escape(operation['summary'])}</strong></dt>"
                f"<dd>{escape(operation.get('description', ''))} Answers {statuses}.{_parameters(operation)}</dd>"
            )


def _parameters(operation: dict[str, Any]) -> str:
    described = [
        f"<li><code>{escape(each['name'])}</code> ({escape(each['in'])}) {escape(each['description'])}</li>"
        for each in operation.get("parameters", [])
        if each.get("description")
    ]
    return f"<ul>{''.join(described)}</ul>" if described else ""


def _problems() -> str:
    return "\n".join(
        f'<tr id="{name}"><td><code>{name}</code></td><td>{kind.status}</td>'
        f"<td>{escape(kind.title)}</td><td>{escape(kind.meaning)}</td></tr>"
        for name, kind in KINDS.items()
    )
