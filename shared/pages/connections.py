"""Pages of connections: all of them, one with its health and what uses it, and what its buttons do."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from shared.access.actions import Action, may
from shared.access.person import Person
from shared.catalog.issues import Invalid
from shared.catalog.models import Connection, ConnectionInput, ProbeState
from shared.control import connections as control
from shared.control import credentials
from shared.control.connections import CheckView, Fate, Switch
from shared.control.listing import cut
from shared.control.service import Service
from shared.pages.asking import TheAsked
from shared.pages.errors import PageRoute
from shared.pages.export_draft import setting_shown
from shared.pages.exports import connections as all_connections
from shared.pages.forms import Form, group, one_of, text
from shared.pages.labels import CLEARINGS
from shared.pages.rendering import go, not_saved, page
from shared.web.conditions import Preconditions, etag
from shared.web.wiring import TheCaller, TheService, allowed

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/connections", dependencies=[Depends(allowed(Action.SEE_CONNECTIONS))])
def list_connections(
    request: Request,
    service: TheService,
    caller: TheCaller,
    asked: TheAsked,
    removed: Annotated[str, Query(max_length=63)] = "",
) -> Response:
    """The connections that the address asks for; to others than administrators only names and types. `removed` is one
    that was removed just now."""
    every = list(all_connections(service).values())
    words = asked.q.casefold().split()
    chosen = [
        each
        for each in every
        if all(word in f"{each.display_name} {each.name} {each.vendor}".casefold() for word in words)
        and asked.vendor in ("", each.vendor)
    ]
    chosen.sort(key=lambda each: each.display_name.casefold(), reverse=asked.sort.startswith("-"))
    found = cut(chosen, asked.page, of=len(every))
    return page(
        request,
        "connections.html",
        connections=found.rows,
        found=found,
        removed=removed if all(each.name != removed for each in every) else "",
        asked=asked,
        vendors=[(name, each.label) for name, each in sorted(service.catalog.definitions.items())],
        definitions=service.catalog.definitions,
        users=Counter(held.item.connection for held in service.catalog.exports.all()),
        identity=service.identity() if may(caller, Action.SEE_CONNECTION_DETAILS) else None,
    )


@router.get("/connections/{name}", dependencies=[Depends(allowed(Action.SEE_CONNECTION_DETAILS))])
def show_connection(name: str, request: Request, service: TheService) -> Response:
    """One connection."""
    return overview(request, service, name)


@router.post("/connections/{name}/check", dependencies=[Depends(allowed(Action.CHECK_CONNECTION))])
def check_connection(name: str, request: Request, service: TheService, caller: TheCaller, form: Form) -> Response:
    """Ask the vendor, and say what it said. The form may say which account it is, where that is not known."""
    held = service.catalog.connection(name)
    said = text(form, "switch")
    found = control.check(service, held, caller, switch=one_of(Switch, said, "/switch") if said else None)
    return overview(request, service, name, check=found)


@router.post("/connections/{name}/client", dependencies=[Depends(allowed(Action.EDIT_CONNECTION))])
def choose_client(name: str, request: Request, service: TheService, caller: TheCaller, form: Form) -> Response:
    """Use one of the clients that the vendor's account has, and ask the vendor again."""
    held = service.catalog.connection(name)
    sent = ConnectionInput.model_validate(
        held.item.model_dump(exclude={"settings"})
        | {"settings": held.item.settings | {"client_id": text(form, "client")}}
    )
    saved = service.catalog.save_connection(name, sent, caller, held)
    return overview(request, service, name, check=control.check(service, saved, caller))


@router.post("/connections/{name}/authorize", dependencies=[Depends(allowed(Action.AUTHORIZE_CONNECTION))])
def authorize_connection(name: str, request: Request, service: TheService, caller: TheCaller) -> Response:
    """Go to the vendor to sign in there."""
    host = request.headers.get("host", "")
    return go(credentials.authorize(service, service.catalog.connection(name), caller, host).url)


@router.post("/connections/{name}/probe", dependencies=[Depends(allowed(Action.PROBE_CONNECTION))])
def probe_connection(name: str, request: Request, service: TheService, caller: TheCaller, form: Form) -> Response:
    """Begin to find out what the vendor's documentation leaves open."""
    service.start_probe(name, text(form, "canary"), caller.name)
    return overview(request, service, name)


@router.post("/connections/{name}/opt-outs", dependencies=[Depends(allowed(Action.READ_OPT_OUTS))])
def collect_opt_outs(name: str, request: Request, service: TheService, caller: TheCaller, form: Form) -> Response:
    """Begin to read who opted out at the vendor."""
    service.collect_opt_outs(name, caller.name, afresh=text(form, "afresh") == "on")
    return overview(request, service, name)


@router.get("/connections/{name}/remove", dependencies=[Depends(allowed(Action.REMOVE_CONNECTION))])
def ask_to_remove(name: str, request: Request, service: TheService) -> Response:
    """What uses it, and what is to become of that."""
    return _ask_to_remove(request, service, name, {})


@router.post("/connections/{name}/remove", dependencies=[Depends(allowed(Action.REMOVE_CONNECTION))])
def remove_connection(name: str, request: Request, service: TheService, caller: TheCaller, form: Form) -> Response:
    """Detach or remove the exports that use it, then remove the connection."""
    held = service.catalog.connection(name)
    Preconditions(if_match=text(form, "version") or None).require(held.etag)
    chosen = {name: one_of(Fate, str(fate), "/exports") for name, fate in group(form, "exports").items()}
    try:
        control.remove(service, held, caller, chosen, keep_members=text(form, "keep_members") == "on")
    except Invalid as error:
        not_saved(request)
        return _ask_to_remove(request, service, name, {issue.pointer: issue.message for issue in error.issues})
    return go(f"/connections?removed={name}")


def overview(
    request: Request,
    service: Service,
    name: str,
    *,
    check: CheckView | None = None,
    problem: str = "",
    saved: bool = False,
) -> Response:
    """The page of a connection, after a check or saving also with what came of that."""
    connection = service.catalog.connection(name).item
    exports = service.catalog.exports_on(name)
    return page(
        request,
        "connection.html",
        headers={"HX-Push-Url": f"/connections/{name}"} if saved else None,
        connection=connection,
        definition=service.catalog.definitions.get(connection.vendor),
        settings={each: setting_shown(value) or "–" for each, value in connection.settings.items()},
        exports=exports,
        identity=service.identity(),
        opt_outs=service.opt_outs(name),
        probing=connection.probe is not None and connection.probe.state is ProbeState.RUNNING,
        check=check,
        clients=_clients(check),
        labels=_labels(service, connection),
        problem=problem,
        saved=saved,
    )


def _labels(service: Service, connection: Connection) -> dict[str, str]:
    """Credentials as the vendor calls them."""
    definition = service.catalog.definitions.get(connection.vendor)
    return {each.name: each.label for each in definition.credentials} if definition else {}


_CLIENT = "client "


def _clients(check: CheckView | None) -> dict[str, str]:
    """The clients that a check found to choose from, where it needs one: id -> name."""
    details = check.details if check and not check.ok else {}
    return {key.removeprefix(_CLIENT): name for key, name in details.items() if key.startswith(_CLIENT)}


def _ask_to_remove(request: Request, service: Service, name: str, errors: dict[str, str]) -> Response:
    held = service.catalog.connection(name)
    exports = service.catalog.exports_on(name)
    return page(
        request,
        "connection_remove.html",
        status=422 if errors else 200,
        connection=held.item,
        version=etag(held.etag),
        exports=exports,
        members={each.name: sum(service.members(each).values()) for each in exports},
        decisions=CLEARINGS,
        errors=errors,
    )


def agreement(words: str, person: Person) -> dict[str, str]:
    """A consent to record: what was agreed to, word for word, and by whom."""
    return {"agreed_by": person.name, "text": words}
