"""A connection's credentials as people give them: typed, or by signing in at the vendor. Values go to Key Vault."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from functools import partial

from shared.access.actions import Action, require
from shared.access.audit import Change
from shared.access.person import Person
from shared.catalog.issues import NotFound
from shared.catalog.models import Connection
from shared.catalog.store import Held
from shared.control import connections
from shared.control.service import Service
from shared.delivery.account.authorizing import Begun
from shared.errors import ExportError, Unprocessable, UserMustAct
from shared.vendors.contract import Definition
from shared.wording import say

PREFIX = "segment-exports"


class NotAuthorized(Unprocessable):
    """A sign-in at the vendor came to nothing; it was begun for `connection`."""

    def __init__(self, why: UserMustAct, connection: str) -> None:
        super().__init__(why.code, why.message)
        self.connection = connection


def keep(service: Service, held: Held[Connection], credential: str, value: str, caller: Person) -> Held[Connection]:
    """Write a typed credential to Key Vault, under the name that the connection has for it or else one of its own.

    Raises Forbidden, NotFound where the vendor has no such credential, Conflict, and what Key Vault raises.
    """
    require(caller, Action.SET_SECRETS, held.item)
    found = service.catalog.definitions[held.item.vendor]
    if credential not in [each.name for each in found.credentials]:
        raise NotFound("credential", credential)
    if found.oauth and credential == found.oauth.credential:
        raise Unprocessable(
            "not_typed", say("This comes from authenticating with %(vendor)s, and is never typed.", vendor=found.label)
        )
    return _keep(service, held, found, credential, value, caller)


def authorize(service: Service, held: Held[Connection], caller: Person, host: str) -> Begun:
    """Begin to sign in at the vendor; `host` is the one that the request named. Raises Forbidden, Unprocessable."""
    require(caller, Action.AUTHORIZE_CONNECTION, held.item)
    found = service.catalog.definitions[held.item.vendor]
    return service.authorizing.begin(found, held.item.name, caller, host)


def authorized(service: Service, caller: Person, told: Mapping[str, str]) -> str:
    """Finish a sign-in with what the vendor sent the person back with; the connection's name.

    The connection is checked too, so that it shows at once whether the sign-in reaches what it should. Raises
    Forbidden, UserMustAct, RetryAfter and Conflict; nothing is changed then, and the person begins again.
    """
    begun = service.authorizing.redeem(told.get("state", ""), caller)
    held = service.catalog.connection(begun.connection)
    require(caller, Action.AUTHORIZE_CONNECTION, held.item)
    look = partial(service.catalog.connections.values, begun.connection)
    # The vendor sends people back with a GET, of which nobody else makes an entry.
    with service.trail.change(caller, Action.AUTHORIZE_CONNECTION, Change(f"connection {begun.connection}", look)):
        try:
            kept = _signed_in(service, held, caller, begun.redirect_uri, told)
        except UserMustAct as error:
            raise NotAuthorized(error, held.item.name) from None
        with suppress(ExportError):  # the tokens are kept all the same, and the check can be repeated
            connections.check(service, kept, caller)
    return held.item.name


def secret_name(connection: str, credential: str) -> str:
    """The Key Vault secret of a credential that nobody named."""
    return f"{PREFIX}-{connection}-{credential.replace('_', '-')}"


def _signed_in(
    service: Service, held: Held[Connection], caller: Person, redirect_uri: str, told: Mapping[str, str]
) -> Held[Connection]:
    found = service.catalog.definitions[held.item.vendor]
    if found.oauth is None or not (code := told.get("code")):
        raise _refused(found, told.get("error", ""))
    secret = service.authorizing.exchange(found, redirect_uri, code)
    return _keep(service, held, found, found.oauth.credential, secret, caller)


def _keep(
    service: Service, held: Held[Connection], found: Definition, credential: str, value: str, caller: Person
) -> Held[Connection]:
    before = held.item.secrets
    name = before.get(credential) or secret_name(held.item.name, credential)
    # The vault first: a name that leads nowhere would stop exports, a secret that nobody names does no harm.
    service.authorizing.write(name, value)
    return service.catalog.name_secrets(held, _beside(found, credential, before) | {credential: name}, caller)


def _beside(found: Definition, credential: str, named: Mapping[str, str]) -> dict[str, str]:
    """The named credentials that stay: a sign-in takes the place of all others, and each of them takes its place."""
    if found.oauth is None:
        return dict(named)
    signing_in = found.oauth.credential
    return {} if credential == signing_in else {each: name for each, name in named.items() if each != signing_in}


def _refused(found: Definition, error: str) -> UserMustAct:
    if error == "access_denied":
        return Unprocessable(
            "access_denied",
            say(
                "Access was denied at %(vendor)s, so nothing was changed. Begin again to allow it.", vendor=found.label
            ),
        )
    return Unprocessable(
        "oauth_refused", say("%(vendor)s sent nothing to sign in with, so nothing was changed.", vendor=found.label)
    )
