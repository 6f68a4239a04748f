"""The help: first steps by role, the words, and where the documentation goes on."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request, Response

from shared.access.actions import Action
from shared.pages.errors import PageRoute
from shared.pages.labels import DOCUMENTS, WORDS
from shared.pages.rendering import page
from shared.web.wiring import TheService, allowed

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/help", dependencies=[Depends(allowed(Action.SEE_SELF))])
def show_help(request: Request, service: TheService) -> Response:
    """What everybody can read, with the steps of the reader's own role first."""
    return page(request, "help.html", glossary=WORDS, documents=DOCUMENTS, version=service.version)
