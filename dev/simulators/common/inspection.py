"""The paths under `/_simulator`: look at a simulator from outside, and change it. They need no key."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from itertools import islice
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from dev.simulators.common.faults import Fault
from dev.simulators.common.simulator import AnyVendor, Simulator

_PREFIX = "/_simulator"  # a path that no vendor uses
_LINES_PER_CHUNK = 1000


class Start(BaseModel):
    """The content of a --faults file: settings that differ from the default, and faults."""

    model_config = ConfigDict(extra="forbid")

    settings: dict[str, Any] = Field(default_factory=dict)
    faults: list[Fault] = Field(default_factory=list)


class _FaultList(BaseModel):
    model_config = ConfigDict(extra="forbid")

    faults: list[Fault]


def with_inspection(simulator: Simulator[AnyVendor]) -> ASGIApp:
    """The vendor, and beside it the paths under `/_simulator`."""
    inspection = _inspection(simulator)

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        chosen = inspection if scope["path"].startswith(f"{_PREFIX}/") else simulator
        await chosen(scope, receive, send)

    return application


def _inspection(simulator: Simulator[AnyVendor]) -> Starlette:
    paths = _Paths(simulator)
    table: list[tuple[str, str, Callable[[Request], Awaitable[Response]]]] = [
        ("GET", "/state", paths.state),
        ("GET", "/lists/{target}/members", paths.members),
        ("GET", "/requests", paths.requests),
        ("GET", "/requests/entries", paths.entries),
        ("GET", "/faults", paths.faults),
        ("POST", "/faults", paths.set_faults),
        ("GET", "/settings", paths.settings),
        ("POST", "/settings", paths.change_settings),
        ("POST", "/reset", paths.reset),
        ("POST", "/people", paths.people),
    ]
    routes = [Route(path, endpoint, methods=[method]) for method, path, endpoint in table]
    return Starlette(routes=[Mount(_PREFIX, routes=routes)], exception_handlers={ValueError: _refused})


async def _refused(_: Request, error: Exception) -> Response:
    # What was sent may hold addresses, so a validation error is told without its input.
    if isinstance(error, ValidationError):
        return _json({"error": error.errors(include_input=False, include_url=False, include_context=False)}, 400)
    return _json({"error": str(error)}, 400)


class _Paths:
    def __init__(self, simulator: Simulator[AnyVendor]) -> None:
        self._simulator = simulator
        self._vendor = simulator.vendor

    async def state(self, request: Request) -> Response:
        return _json(self._vendor.state(request.query_params.get("account")))

    async def members(self, request: Request) -> Response:
        target = request.path_params["target"]
        try:
            members = self._vendor.members(target)
        except KeyError:
            return _json({"error": "no such list"}, 404)
        return _lines(members)

    async def requests(self, _: Request) -> Response:
        return _json(self._simulator.journal.summary())

    async def entries(self, request: Request) -> Response:
        after = int(request.query_params.get("after", "0"))
        return _lines(entry.as_json() for entry in self._simulator.journal.entries if entry.number > after)

    async def faults(self, _: Request) -> Response:
        return _json({"faults": self._simulator.faults.describe()})

    async def set_faults(self, request: Request) -> Response:
        self._simulator.faults.set(_FaultList.model_validate(await _content(request)).faults)
        return await self.faults(request)

    async def settings(self, _: Request) -> Response:
        return _json(self._vendor.settings.model_dump(mode="json"))

    async def change_settings(self, request: Request) -> Response:
        self._simulator.change_settings(await _content(request))
        return await self.settings(request)

    async def reset(self, request: Request) -> Response:
        self._simulator.reset()
        return await self.state(request)

    async def people(self, request: Request) -> Response:
        return _json(self._vendor.load(await _content(request)))


async def _content(request: Request) -> Any:
    content = orjson.loads(await request.body())
    if not isinstance(content, dict):
        raise ValueError("a JSON object is expected")
    return content


def _json(value: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(value), status, media_type="application/json")


def _lines(values: Iterable[Any]) -> Response:
    async def chunks() -> AsyncIterator[bytes]:
        rest = iter(values)
        while some := list(islice(rest, _LINES_PER_CHUNK)):
            yield b"".join(orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE) for value in some)

    return StreamingResponse(chunks(), media_type="application/x-ndjson")
