"""What endpoints are given: the service, the caller, and the check that the caller may do this."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Annotated, Any, cast

from fastapi import Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from shared.access.actions import CHANGES, GONE, TABLE, Action, Right, Shareable, require
from shared.access.audit import Change
from shared.access.person import Person, Role, SharedWith
from shared.access.visitors import SAFE
from shared.catalog.issues import NotFound
from shared.catalog.models import NAME
from shared.control.runs import RunView
from shared.control.service import Service
from shared.errors import ExportError
from shared.web.conditions import Preconditions, etag


async def _service(request: Request) -> Service:
    return cast(Service, request.app.state.service)


TheService = Annotated[Service, Depends(_service)]


async def _caller(request: Request) -> Person:
    return cast(Person, request.state.person)


TheCaller = Annotated[Person, Depends(_caller)]


async def _change(request: Request) -> Change:
    return cast(Change, request.state.change)


TheChange = Annotated[Change, Depends(_change)]
"""The entry in the audit trail; for routes whose action changes something."""
TheConditions = Annotated[Preconditions, Depends(Preconditions)]

REFUSALS = (ExportError, RequestValidationError, HTTPException)
_SUBJECT = re.compile(r"/(?P<kind>connections|exports)/\{name\}")


class Allowed:
    """A dependency: the caller may do `action`, where the route names an export or connection also on that one.

    What changes something gets its entry in the audit trail: `request.state.change`. Raises Forbidden. What a route
    takes from a body it has to ask `require` about by itself.
    """

    def __init__(self, action: Action, *, changes: bool = False) -> None:
        self.action = action
        self._changes = changes

    def __call__(self, request: Request, service: TheService) -> Iterator[None]:
        person = request.state.person
        require(person, self.action)
        if TABLE[self.action][Role.CONTRIBUTOR] is Right.SHARED and not (person and person.administrator):
            require(person, self.action, _connection(request, service))
        if self.action not in CHANGES or (request.method in SAFE and not self._changes):
            yield
            return
        with service.trail.change(person, self.action, subject(request, service), REFUSALS) as change:
            request.state.change = change
            yield


def allowed(action: Action, *, changes: bool = False) -> Allowed:
    """`dependencies=[Depends(allowed(Action.EDIT_EXPORT))]`; every route has exactly one. `changes`: its GET does."""
    return Allowed(action, changes=changes)


def run_scope(service: Service, export: str, run: RunView | None) -> Shareable:
    """The connection that decides who may see and steer a run: the export's connections, and the one that it ran over.

    An export may have another connection by now, or a deleted one's name: then the strictest of all decides.
    """
    held = service.catalog.exports.get(export)
    found = [service.catalog.scope(held.item) if held else GONE]
    found += [_shareable(service, run.connection)] if run and run.connection else []
    return next((each for each in found if each.shared_with is not SharedWith.CONTRIBUTORS), found[0])


def _connection(request: Request, service: Service) -> Shareable | None:
    """The connection that the route is about; None where it names none, or nothing that exists."""
    found = _SUBJECT.search(request.scope["route"].path)
    if found is None:
        return None
    name, catalog = request.path_params["name"], service.catalog
    if found["kind"] == "connections":
        held = catalog.connections.get(name)
        return held.item if held else None
    if "run" in request.path_params:
        return run_scope(service, name, service.runs.view(name, request.path_params["run"]))
    export = catalog.exports.get(name)
    return catalog.scope(export.item) if export else None


def _shareable(service: Service, connection: str) -> Shareable:
    held = service.catalog.connections.get(connection)
    return held.item if held else GONE


def subject(request: Request, service: Service) -> Change:
    """What the route's address says that it is about, and how that is read."""
    given = request.path_params
    found = _SUBJECT.search(request.scope["route"].path)
    if found is None:
        return Change("")
    kind, name = found["kind"].removesuffix("s"), given["name"]
    if "run" in given:
        return Change(f"run {given['run']} of export {name}", partial(_run, service, name, given["run"]))
    store = service.catalog.connections if kind == "connection" else service.catalog.exports
    return Change(f"{kind} {name}", partial(store.values, name))


def _run(service: Service, export: str, run: str) -> Mapping[str, Any] | None:
    view = service.runs.view(export, run)
    return {"state": str(view.state)} if view else None


def stamp(response: Response, version: str, *, created_at: str | None = None) -> None:
    """Tell the version; of something new also 201 and where it is."""
    response.headers["ETag"] = etag(version)
    if created_at is not None:
        response.status_code = 201
        response.headers["Location"] = created_at


def named(route: APIRoute) -> str:
    """Operations are called as the functions that carry them out."""
    return route.name


async def plain_names(request: Request) -> None:
    """Names of exports and runs are slugs; no table or blob is asked for anything else."""
    for kind, given in request.path_params.items():
        if not NAME.fullmatch(given):
            what = "export" if kind == "name" else kind
            raise NotFound(what, given)
