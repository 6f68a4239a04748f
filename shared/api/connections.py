"""Connections: read, save, delete, check, sign in, probe, and the lists that they offer."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from shared.access.actions import Action, may
from shared.access.person import Person
from shared.catalog.issues import Invalid, Issue
from shared.catalog.models import Connection, ConnectionInput, Probed
from shared.control import clearing, credentials
from shared.control import connections as control
from shared.control.clearing import Clearing, ForAll
from shared.control.connections import CheckView, Fate, Switch
from shared.control.opt_outs import OptOutsView
from shared.control.views import View
from shared.web.problems import responses
from shared.web.wiring import TheCaller, TheChange, TheConditions, TheService, allowed, named, stamp
from shared.wording import Said, say

POLL_SECONDS = "5"

router = APIRouter(prefix="/api/v1/connections", tags=["connections"], generate_unique_id_function=named)


class ConnectionName(View):
    """What people who are not administrators see of a connection."""

    name: str
    display_name: str
    vendor: str
    usable: bool = Field(description="You may put exports on it.")


class AuthorizationView(View):
    """A sign-in at a vendor that was begun."""

    url: str = Field(description="The vendor's page, to open in a browser.")
    expires_at: datetime = Field(description="Until then the person may come back.")


class TargetChoice(View):
    """A list or tag that an export may be given, with what the vendor tells of it that people should know."""

    list_id: str
    name: str
    warnings: tuple[Said, ...] = ()


def _typed(value: SecretStr) -> SecretStr:
    """Without the spaces and line ends that come along when something is copied."""
    text = value.get_secret_value().strip()
    if not text.isprintable():
        raise ValueError(say("Remove the control characters (tabs, line breaks)."))
    if not text:
        raise ValueError(say("Type the credential."))
    return SecretStr(text)


class SecretInput(BaseModel):
    """A credential as a person types it. It goes to Key Vault, and no answer ever holds it."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    value: Annotated[SecretStr, Field(max_length=10_000), AfterValidator(_typed)]


class ProbeInput(BaseModel):
    """Where test contacts come from. It is in the body since addresses of requests are logged, and these are not."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    canary: str = Field(
        min_length=3,
        max_length=200,
        description="Your own e-mail address, of which plus-addresses are made (ann+segment-exports-probe-…@…), or a "
        "domain of yours.",
    )


class CollectInput(BaseModel):
    """How opt-outs are read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    afresh: bool = Field(
        default=False,
        description="Read everybody, and put whoever is found in the place of all who were landed before: so who "
        "subscribed again is gone from the files.",
    )


class RemoveInput(BaseModel):
    """What becomes of the exports on a connection that goes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    exports: dict[str, Fate] = Field(default_factory=dict, description="Export -> detach or remove; name them all.")
    keep_members: bool = Field(default=False, description="Leave people on lists of exports that are removed.")


class ClearInput(BaseModel):
    """One decision for all exports on a connection that goes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    exports: ForAll = Field(
        description="detach: they keep their definitions and do not run. remove: they are removed, and people stay on "
        "the lists. withdraw: people are taken off first, then they are removed."
    )


@router.get(
    "",
    dependencies=[Depends(allowed(Action.SEE_CONNECTIONS))],
    summary="List the connections",
    responses=responses(403),
)
def list_connections(service: TheService, caller: TheCaller) -> list[Connection | ConnectionName]:
    """By name. Only administrators see more than names and types."""
    return [_seen_by(caller, held.item) for held in service.catalog.connections.all()]


@router.get(
    "/{name}",
    dependencies=[Depends(allowed(Action.SEE_CONNECTIONS))],
    summary="Read a connection",
    responses=responses(403, 404),
)
def read_connection(
    name: str, service: TheService, caller: TheCaller, response: Response
) -> Connection | ConnectionName:
    """Its `ETag` is the version to send as If-Match. Only administrators see more than name and type."""
    held = service.catalog.connection(name)
    stamp(response, held.etag)
    return _seen_by(caller, held.item)


@router.put(
    "/{name}",
    dependencies=[Depends(allowed(Action.EDIT_CONNECTION))],
    summary="Create or replace a connection",
    responses={201: {"model": Connection, "description": "Created"}, **responses(400, 403, 409, 412, 422)},
)
def save_connection(
    name: str,
    sent: ConnectionInput,
    service: TheService,
    caller: TheCaller,
    conditions: TheConditions,
    response: Response,
) -> Connection:
    """Nothing is sent to the vendor. What only the server writes is ignored, so an answer may be sent back."""
    catalog = service.catalog
    held = catalog.connections.get(name)
    conditions.require(held.etag if held else None)
    saved = catalog.save_connection(name, sent, caller, held)
    stamp(response, saved.etag, created_at=None if held else f"/api/v1/connections/{name}")
    return saved.item


@router.post(
    "/{name}/validate",
    dependencies=[Depends(allowed(Action.SEE_CONNECTIONS))],
    summary="Check what saving a connection would do",
    responses=responses(400, 403, 409, 412, 422),
)
def validate_connection(
    name: str, sent: ConnectionInput, service: TheService, caller: TheCaller, conditions: TheConditions
) -> Connection:
    """Every check that saving makes, for administrators. Nothing is saved, and the vendor is not asked."""
    held = service.catalog.connections.get(name)
    conditions.require(held.etag if held else None)
    return service.catalog.checked_connection(name, sent, caller, held)


@router.put(
    "/{name}/secrets/{credential}",
    dependencies=[Depends(allowed(Action.SET_SECRETS))],
    summary="Type a credential",
    responses=responses(400, 403, 404, 409, 412, 422, 503),
)
def type_secret(
    name: str,
    credential: str,
    sent: SecretInput,
    service: TheService,
    caller: TheCaller,
    conditions: TheConditions,
    response: Response,
) -> Connection:
    """Writes the value to Key Vault, where nobody is shown it again, and answers the connection. `credential` is one of
    the vendor's credentials. The secret has the name that the connection gives for it in `secrets`; where it gives
    none, the connection names a secret of its own from now on. Typing it again rotates it. Check the connection
    afterwards."""
    held = service.catalog.connection(name)
    conditions.require(held.etag)
    kept = credentials.keep(service, held, credential, sent.value.get_secret_value(), caller)
    stamp(response, kept.etag)
    return kept.item


@router.delete(
    "/{name}",
    dependencies=[Depends(allowed(Action.REMOVE_CONNECTION))],
    summary="Delete a connection",
    status_code=204,
    response_class=Response,
    responses=responses(403, 404, 409, 412),
)
def delete_connection(name: str, service: TheService, caller: TheCaller, conditions: TheConditions) -> None:
    """Refused while exports use it; the answer names them. Secrets stay in Key Vault."""
    held = service.catalog.connection(name)
    conditions.require(held.etag)
    service.catalog.delete_connection(held, caller)


@router.post(
    "/{name}/check",
    dependencies=[Depends(allowed(Action.CHECK_CONNECTION))],
    summary="Check a connection",
    responses=responses(403, 404, 409, 422, 502, 503),
)
def check_connection(
    name: str,
    service: TheService,
    caller: TheCaller,
    same_account: Annotated[
        bool, Query(description="The key was replaced, and leads to the same account as before: keep the account.")
    ] = False,
    other_account: Annotated[
        bool, Query(description="It leads to another account, which is taken over: save each of its exports again.")
    ] = False,
) -> CheckView:
    """Asks the vendor, and keeps the account and what was found. A failed check is an answer, not an error.

    Where exports use the connection, an account that is not theirs is not kept: the check fails with the code
    `account_switched`, and the exports do not run, until `same_account` or `other_account` says which it is. A vendor
    that tells its accounts apart is believed, whatever `same_account` says."""
    if same_account and other_account:
        raise Invalid([Issue("?other_account", say("Give same_account or other_account, not both."))])
    switch = Switch.SAME if same_account else Switch.OTHER if other_account else None
    return control.check(service, service.catalog.connection(name), caller, switch=switch)


@router.post(
    "/{name}/remove",
    dependencies=[Depends(allowed(Action.REMOVE_CONNECTION))],
    summary="Remove a connection and decide about its exports",
    status_code=204,
    response_class=Response,
    responses=responses(400, 403, 404, 409, 412, 422),
)
def remove_connection(
    name: str, sent: RemoveInput, service: TheService, caller: TheCaller, conditions: TheConditions
) -> None:
    """Each export that uses it is detached (it keeps its definition and does not run) or removed."""
    held = service.catalog.connection(name)
    conditions.require(held.etag)
    control.remove(service, held, caller, sent.exports, keep_members=sent.keep_members)


@router.get(
    "/{name}/clear",
    dependencies=[Depends(allowed(Action.REMOVE_CONNECTION))],
    summary="Read what removing a connection would concern",
    responses=responses(403, 404),
)
def read_clearing(name: str, service: TheService) -> Clearing:
    """How many exports are on it, and how many people whom they added are on lists."""
    service.catalog.connection(name)
    return clearing.look(service, name)


@router.post(
    "/{name}/clear",
    dependencies=[Depends(allowed(Action.REMOVE_CONNECTION))],
    summary="Remove a connection, with one decision for all of its exports",
    responses=responses(400, 403, 404, 409, 412, 422),
)
def clear_connection(
    name: str, sent: ClearInput, service: TheService, caller: TheCaller, change: TheChange, conditions: TheConditions
) -> Clearing:
    """Carries the decision a step further, a few exports at a time; ask again while `removed` is false and something is
    left that is not `refused`. The connection goes with the last of them."""
    held = service.catalog.connection(name)
    conditions.require(held.etag)
    change.note(exports=sent.exports)
    return clearing.step(service, held, caller, sent.exports)


@router.get(
    "/{name}/targets",
    dependencies=[Depends(allowed(Action.SEE_TARGETS))],
    summary="List the lists of a connection",
    responses=responses(403, 404, 422, 502, 503),
)
def list_targets(name: str, service: TheService, caller: TheCaller) -> list[TargetChoice]:
    """Asks the vendor: the lists or tags that an export may be given."""
    service.catalog.connection(name)
    return [TargetChoice.model_validate(found) for found in service.connection_targets(name)]


@router.post(
    "/{name}/authorize",
    dependencies=[Depends(allowed(Action.AUTHORIZE_CONNECTION))],
    summary="Begin to sign in at the vendor",
    responses=responses(403, 404, 422),
)
def authorize_connection(name: str, request: Request, service: TheService, caller: TheCaller) -> AuthorizationView:
    """Open `url` in a browser: the vendor asks there, and sends the person back to this app, which keeps the tokens in
    Key Vault, checks the connection and shows it. It works once, for the caller only, and for ten minutes."""
    host = request.headers.get("host", "")
    return AuthorizationView.model_validate(
        credentials.authorize(service, service.catalog.connection(name), caller, host)
    )


@router.post(
    "/{name}/probe",
    dependencies=[Depends(allowed(Action.PROBE_CONNECTION))],
    summary="Probe a connection",
    status_code=202,
    responses=responses(400, 403, 404, 409, 422),
)
def probe_connection(name: str, sent: ProbeInput, service: TheService, caller: TheCaller, response: Response) -> Probed:
    """Finds out, with a few test contacts on a list or tag of its own, what the vendor's documentation leaves open. It
    takes minutes; `probe` of the connection tells how far it is and what it found. Nobody is deleted, unsubscribed or
    suppressed: test contacts are taken off again, and stay at the vendor. While a probe is under way, it is told
    instead of starting another."""
    probed = service.start_probe(name, sent.canary, caller.name)
    response.headers.update({"Location": f"/api/v1/connections/{name}", "Retry-After": POLL_SECONDS})
    return probed


@router.get(
    "/{name}/opt-outs",
    dependencies=[Depends(allowed(Action.SEE_CONNECTION_DETAILS))],
    summary="Read how far opt-outs came back",
    responses=responses(403, 404, 422),
)
def read_opt_outs(name: str, service: TheService) -> OptOutsView:
    """Where people who opted out at the vendor are landed, how many there are, and the latest reading."""
    return service.opt_outs(name)


@router.post(
    "/{name}/opt-outs",
    dependencies=[Depends(allowed(Action.READ_OPT_OUTS))],
    summary="Have opt-outs read now",
    status_code=202,
    responses=responses(400, 403, 404, 422),
)
def collect_opt_outs(
    name: str,
    service: TheService,
    caller: TheCaller,
    change: TheChange,
    response: Response,
    sent: CollectInput | None = None,
) -> OptOutsView:
    """Reads who unsubscribed, bounced, was suppressed or deleted at the vendor, among the people that exports sent, and
    lands who is new. A reading that is under way is told instead of starting another."""
    afresh = sent is not None and sent.afresh
    change.note(afresh=afresh)
    started = service.collect_opt_outs(name, caller.name, afresh=afresh)
    response.headers.update({"Location": f"/api/v1/connections/{name}/opt-outs", "Retry-After": POLL_SECONDS})
    return started


def _seen_by(caller: Person, connection: Connection) -> Connection | ConnectionName:
    if may(caller, Action.SEE_CONNECTION_DETAILS):
        return connection
    named = ("name", "display_name", "vendor")
    usable = may(caller, Action.EDIT_EXPORT, connection)
    return ConnectionName(**{each: getattr(connection, each) for each in named}, usable=usable)
