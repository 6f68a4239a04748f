"""Removing a connection with one decision for all of its exports: asks once more with numbers, and shows progress."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request, Response

from shared.access.actions import Action
from shared.control import clearing as control
from shared.control.clearing import Clearing, ForAll
from shared.pages.errors import PageRoute
from shared.pages.forms import Form, one_of, text
from shared.pages.labels import CLEARINGS
from shared.pages.rendering import go, not_saved, page
from shared.web.conditions import Preconditions
from shared.web.wiring import TheCaller, TheChange, TheService, allowed

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.post("/connections/{name}/clear", dependencies=[Depends(allowed(Action.REMOVE_CONNECTION))])
def clear_connection(
    name: str, request: Request, service: TheService, caller: TheCaller, change: TheChange, form: Form
) -> Response:
    """Ask once more; then carry the decision a step further, and go on by itself while there is something to do."""
    held = service.catalog.connection(name)
    decision = one_of(ForAll, text(form, "decision"), "/decision")
    version = text(form, "version")
    if "sure" not in form:
        not_saved(request)
        found = control.look(service, name)
        return _page(request, held.item.display_name, name, version, decision, found, total=found.left)
    Preconditions(if_match=version or None).require(held.etag)
    change.note(exports=decision)
    found = control.step(service, held, caller, decision)
    if found.removed:
        return go(f"/connections?removed={name}")
    given = text(form, "total")
    total = max(int(given) if given.isdecimal() and len(given) < 7 else 0, found.left)
    return _page(request, held.item.display_name, name, version, decision, found, total=total, sure=True)


def _page(
    request: Request,
    title: str,
    name: str,
    version: str,
    decision: ForAll,
    found: Clearing,
    *,
    total: int,
    sure: bool = False,
) -> Response:
    return page(
        request,
        "clearing.html",
        title=title,
        name=name,
        version=version,
        decision=decision,
        words=CLEARINGS[decision],
        found=found,
        total=total,
        sure=sure,
        goes_on=found.left > len(found.refused),
    )
