"""Adding and editing a connection, its credentials and the agreement to send data to its vendor."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from fastapi import APIRouter, Depends, Request, Response
from pydantic import ValidationError

from shared.access.actions import Action
from shared.access.person import Person
from shared.catalog.copying import slug
from shared.catalog.issues import Invalid, Issue, issues_of
from shared.catalog.models import Connection, ConnectionInput
from shared.catalog.store import Held
from shared.control import connections as control
from shared.control import credentials
from shared.control.service import Service
from shared.errors import ExportError
from shared.pages.connection_draft import (
    ConnectionDraft,
    CredentialDraft,
    defaults,
    draft_from,
    draft_of,
    input_of,
    missing,
    typable,
    without_values,
)
from shared.pages.connections import agreement, overview
from shared.pages.errors import PageRoute, words
from shared.pages.forms import Form, text
from shared.pages.labels import AGREEMENT, RESTORED
from shared.pages.overtaken import Overtaken, differences
from shared.pages.plain_words import in_page_words
from shared.pages.rendering import make_known, not_saved, page
from shared.vendors.contract import Definition
from shared.web.conditions import etag
from shared.web.wiring import TheCaller, TheService, allowed
from shared.wording import reader, translations

router = APIRouter(route_class=PageRoute, include_in_schema=False)

NEW = "new"


@router.get("/connections/new", dependencies=[Depends(allowed(Action.EDIT_CONNECTION))])
def new_connection(request: Request, service: TheService) -> Response:
    """An empty form."""
    return _form(request, service, NEW, ConnectionDraft())


@router.post("/connections/new/form", dependencies=[Depends(allowed(Action.SEE_CONNECTION_DETAILS))])
def choose_vendor(request: Request, service: TheService, form: Form) -> Response:
    """The form for the vendor that was chosen. Nothing is saved."""
    draft = draft_from(form)
    if text(form, "do") == "restore":
        return _form(request, service, NEW, draft, told=(RESTORED,))
    definition = service.catalog.definitions.get(draft.vendor)
    settings = defaults(definition) if definition else {}
    return _form(request, service, NEW, replace(draft, settings=settings, credentials={}, agreed=False))


@router.post("/connections/{name}/form", dependencies=[Depends(allowed(Action.SEE_CONNECTION_DETAILS))])
def restore_form(name: str, request: Request, service: TheService, form: Form) -> Response:
    """The form of a connection as it was typed before the session ended, but for credentials. Nothing is saved."""
    service.catalog.connection(name)
    return _form(request, service, name, draft_from(form), told=(RESTORED,))


@router.get("/connections/{name}/edit", dependencies=[Depends(allowed(Action.EDIT_CONNECTION))])
def edit_connection(name: str, request: Request, service: TheService) -> Response:
    """The form of a connection. Credentials are not in it."""
    held = service.catalog.connection(name)
    return _form(request, service, name, draft_of(held.item, etag(held.etag)))


@router.post("/connections/new", dependencies=[Depends(allowed(Action.EDIT_CONNECTION))])
@router.post("/connections/{name}", dependencies=[Depends(allowed(Action.EDIT_CONNECTION))])
def save_connection(request: Request, service: TheService, caller: TheCaller, form: Form, name: str = NEW) -> Response:
    """Save it, write what was typed to Key Vault, and ask the vendor whether it works."""
    draft = draft_from(form)
    held = None if name == NEW else service.catalog.connection(name)
    definition = service.catalog.definitions.get(draft.vendor)
    sent, issues = _validated(request, draft, definition, held, caller)
    if sent is None or issues:
        return _refused(request, service, name, draft, issues)
    if held and draft.version != etag(held.etag):
        return _overtaken(request, service, held, sent, draft)
    if held is None:
        name = slug(sent.display_name, {each.item.name for each in service.catalog.connections.all()})
        make_known(request, f"connection {name}", partial(service.catalog.connections.values, name))
    try:
        saved = service.catalog.save_connection(name, sent, caller, held)
    except Invalid as error:
        return _refused(request, service, NEW if held is None else name, draft, list(error.issues))
    return _connect(request, service, caller, saved, draft)


def _connect(
    request: Request, service: Service, caller: Person, saved: Held[Connection], draft: ConnectionDraft
) -> Response:
    """After saving: credentials, then the live check, where there is something to check with."""
    name = saved.item.name
    try:
        for credential, value in draft.typed.items():
            saved = credentials.keep(service, saved, credential, value, caller)
        found = control.check(service, saved, caller) if saved.item.secrets else None
    except ExportError as error:
        return overview(request, service, name, problem=words(error), saved=True)
    return overview(request, service, name, check=found, saved=True)


def _form(
    request: Request,
    service: Service,
    name: str,
    draft: ConnectionDraft,
    errors: dict[str, str] | None = None,
    *,
    status: int = 200,
    told: tuple[str, ...] = (),
    overtaken: Overtaken | None = None,
) -> Response:
    definition = service.catalog.definitions.get(draft.vendor)
    fresh = {each.name: CredentialDraft() for each in typable(definition)} if definition else {}
    return page(
        request,
        "connection_form.html",
        status=422 if errors else status,
        name=name,
        draft=without_values(replace(draft, credentials=fresh | dict(draft.credentials))),
        definitions=service.catalog.definitions,
        definition=definition,
        credentials=typable(definition) if definition else [],
        agreement=_agreement(request, definition),
        consent=service.catalog.connection(name).item.consent if name != NEW else None,
        decisions=service.catalog.connection(name).item.decisions if name != NEW else {},
        errors=errors or {},
        told=told,
        overtaken=overtaken,
    )


def _overtaken(
    request: Request, service: Service, held: Held[Connection], sent: ConnectionInput, draft: ConnectionDraft
) -> Response:
    """Somebody saved it since the form was opened: both versions, and this person's to save over the other."""
    not_saved(request)
    theirs, mine = held.item.model_dump(mode="json"), sent.model_dump(mode="json")
    found = Overtaken(held.item.updated_by, held.item.updated_at, differences(theirs, mine))
    draft = replace(draft, version=etag(held.etag))
    return _form(request, service, held.item.name, draft, overtaken=found, status=409)


def _refused(request: Request, service: Service, name: str, draft: ConnectionDraft, issues: list[Issue]) -> Response:
    not_saved(request)
    found = in_page_words(issues, service.catalog.definitions.get(draft.vendor))
    return _form(request, service, name, draft, {issue.pointer: issue.message for issue in reversed(found)})


def _validated(
    request: Request,
    draft: ConnectionDraft,
    definition: Definition | None,
    held: Held[Connection] | None,
    caller: Person,
) -> tuple[ConnectionInput | None, list[Issue]]:
    before = held.item if held else None
    consent = before.consent.model_dump() if before and before.consent else None
    values = input_of(draft, definition, before, consent or agreement(_agreement(request, definition), caller))
    try:
        sent = ConnectionInput.model_validate(values)
    except ValidationError as error:
        return None, issues_of(error.errors())
    return sent, missing(draft, sent, definition) if definition else []


def _agreement(request: Request, definition: Definition | None) -> str:
    """The data-privacy text, in the language in which the person reads it."""
    text = translations(reader()).gettext(AGREEMENT)
    return text % {"vendor": definition.label if definition else ""}
