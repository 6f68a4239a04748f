"""Pages of the administration: check-up, notifications, audit trail, and forgetting a person."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from shared.access.actions import Action
from shared.access.audit import salted
from shared.catalog.issues import Invalid, Issue
from shared.control.deployment import check_up
from shared.control.service import Service
from shared.pages import audited
from shared.pages.errors import PageRoute
from shared.pages.forms import Form, Values, text
from shared.pages.labels import EVENTS
from shared.pages.rendering import not_saved, page
from shared.web.wiring import TheCaller, TheChange, TheService, allowed
from shared.wording import Message, say

router = APIRouter(prefix="/administration", route_class=PageRoute, include_in_schema=False)

ENTRIES = 50
LONGEST_ADDRESS = 320


@router.get("", dependencies=[Depends(allowed(Action.SEE_ADMINISTRATION))])
def administration(request: Request) -> Response:
    """What administrators find here."""
    return page(request, "administration.html")


@router.get("/check-up", dependencies=[Depends(allowed(Action.SEE_ADMINISTRATION))])
def show_check_up(request: Request, service: TheService) -> Response:
    """What of the deployment works, and what does not."""
    return page(request, "check_up.html", areas=check_up(service), version=service.version, at=service.catalog.now())


@router.get("/notifications", dependencies=[Depends(allowed(Action.SEE_ADMINISTRATION))])
def show_notifications(request: Request, service: TheService) -> Response:
    """Where notifications go, and of what."""
    return _notifications(request, service)


@router.post("/notifications/test", dependencies=[Depends(allowed(Action.TEST_NOTIFICATIONS))])
def test_notification(request: Request, service: TheService) -> Response:
    """Send a test notification, and say what came of it."""
    problem = service.test_notification()
    if problem:
        not_saved(request)
    return _notifications(request, service, problem=problem, tested=True)


def _notifications(
    request: Request, service: Service, *, problem: Message | str = "", tested: bool = False
) -> Response:
    found, told = service.notifications(), EVENTS.values()
    return page(request, "notifications.html", found=found, told=told, problem=problem, tested=tested)


@router.get("/audit", dependencies=[Depends(allowed(Action.SEE_AUDIT))])
def show_audit(
    request: Request, service: TheService, after: Annotated[str | None, Query(max_length=100)] = None
) -> Response:
    """Who changed what, newest first."""
    changes, following = service.trail.page(ENTRIES, after or None)
    entries = [audited.entry(change, service.catalog.now()) for change in changes]
    return page(request, "audit.html", entries=entries, following=following, first=not after)


@router.get("/forget", dependencies=[Depends(allowed(Action.FIND_PERSON))])
def ask_whom_to_forget(request: Request) -> Response:
    """Ask for the address."""
    return page(request, "forget.html", step="ask")


@router.post("/forget/look", dependencies=[Depends(allowed(Action.FIND_PERSON))])
def look_for_person(request: Request, service: TheService, form: Form) -> Response:
    """Show what would be erased, and ask once more."""
    address = _address(form)
    return page(request, "forget.html", step="sure", kept=service.kept(address), address=address)


@router.post("/forget", dependencies=[Depends(allowed(Action.FORGET_PERSON))])
def forget_person(request: Request, service: TheService, caller: TheCaller, change: TheChange, form: Form) -> Response:
    """Erase the person, and show what was erased."""
    address = _address(form)
    change.note(person=salted(address))
    return page(request, "forget.html", step="done", kept=service.forget(address, caller.name))


def _address(form: Values) -> str:
    """Raises Invalid, without quoting what was typed."""
    found = text(form, "address")
    if not 0 < len(found) <= LONGEST_ADDRESS:
        raise Invalid([Issue("/address", say("Write the e-mail address of the person."))])
    return found
