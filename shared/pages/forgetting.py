"""Pages to forget a person: look what is kept, ask for it, see how far it is, and its certificate."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from shared.access.actions import Action
from shared.access.audit import salted
from shared.catalog.issues import Invalid, Issue, NotFound
from shared.control.forgetting import ForgettingView
from shared.control.service import Service
from shared.pages.errors import PageRoute
from shared.pages.forms import Form, Values, text
from shared.pages.labels import FORGETTING_STATES, PLACES
from shared.pages.rendering import go, page
from shared.pages.runs import next_look
from shared.web.wiring import TheCaller, TheChange, TheService, allowed
from shared.wording import say

router = APIRouter(prefix="/administration/forget", route_class=PageRoute, include_in_schema=False)

LONGEST_ADDRESS = 320


@router.get("", dependencies=[Depends(allowed(Action.FIND_PERSON))])
def ask_whom_to_forget(request: Request, service: TheService) -> Response:
    """Ask for the address, and show who was forgotten, as far as that can be told."""
    return page(request, "forget.html", step="ask", requests=service.forgettings(), forgetting_states=FORGETTING_STATES)


@router.post("/look", dependencies=[Depends(allowed(Action.FIND_PERSON))])
def look_for_person(request: Request, service: TheService, form: Form) -> Response:
    """Show what would be erased, and ask once more."""
    address = _address(form)
    return page(request, "forget.html", step="sure", kept=service.kept(address), address=address, requests=())


@router.post("", dependencies=[Depends(allowed(Action.FORGET_PERSON))])
def forget_person(service: TheService, caller: TheCaller, change: TheChange, form: Form) -> Response:
    """Begin to erase the person, and show how far that is."""
    address = _address(form)
    change.note(person=salted(address))
    return go(f"/administration/forget/{service.forget(address, caller.name).id}")


@router.get("/{asked}", dependencies=[Depends(allowed(Action.FIND_PERSON))])
def show_request(request: Request, service: TheService, asked: str, looks: Annotated[int, Query(ge=0)] = 0) -> Response:
    """How far a request is, or its certificate."""
    found = _request(service, asked)
    return page(
        request,
        "forgetting.html",
        found=found,
        places=[(words, found.erased[place]) for place, words in PLACES if found.erased.get(place)],
        place_words=dict(PLACES),
        forgetting_states=FORGETTING_STATES,
        looks=looks,
        next_look=next_look,
    )


def _request(service: Service, asked: str) -> ForgettingView:
    found = service.forgetting(asked)
    if found is None:
        raise NotFound("request", asked)
    return found


def _address(form: Values) -> str:
    """Raises Invalid, without quoting what was typed."""
    found = text(form, "address")
    if not 0 < len(found) <= LONGEST_ADDRESS:
        raise Invalid([Issue("/address", say("Write the e-mail address of the person."))])
    return found
