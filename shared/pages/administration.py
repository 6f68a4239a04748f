"""Pages of the administration: check-up, notifications, audit trail."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from shared.access.actions import Action
from shared.control.deployment import check_up
from shared.control.service import Service
from shared.pages import audited
from shared.pages.errors import PageRoute
from shared.pages.labels import EVENTS
from shared.pages.rendering import not_saved, page
from shared.web.wiring import TheService, allowed
from shared.wording import Message

router = APIRouter(prefix="/administration", route_class=PageRoute, include_in_schema=False)

ENTRIES = 50


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
