"""What a sign-in at a vendor needs of the deployment: its registration there, its own address, and Key Vault."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from shared.access.person import Person
from shared.catalog.authorizations import Authorization, Authorizations
from shared.cloud.cloud import Cloud
from shared.cloud.settings import OAuthApp
from shared.errors import Unprocessable
from shared.vendors import oauth
from shared.vendors.contract import Definition
from shared.vendors.http import Link
from shared.vendors.limits import Limiter
from shared.wording import say

CALLBACK = "/oauth/callback"
_THIS_MACHINE = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?")


@dataclass(frozen=True, slots=True)
class Begun:
    """Where the person goes now, and until when they may come back."""

    url: str
    expires_at: datetime


class Authorizing:
    """Sign-ins at vendors, and credentials that people type."""

    def __init__(self, cloud: Cloud, clock: Callable[[], datetime]) -> None:
        self._cloud = cloud
        self._states = Authorizations(cloud.authorizations, clock)

    def begin(self, found: Definition, connection: str, caller: Person, host: str) -> Begun:
        """The vendor's address for a connection; `host` is the one that the request named.

        Raises Unprocessable where the vendor has no such thing or the deployment is not set up for it.
        """
        if found.oauth is None:
            raise Unprocessable(
                "oauth_not_offered", say("%(vendor)s has no sign-in of this kind: give it a key.", vendor=found.label)
            )
        redirect_uri = self._own_address(host) + CALLBACK
        app = self._app(found, redirect_uri)
        state, begun = self._states.begin(connection, caller, redirect_uri)
        hosts = self._cloud.settings.vendor_hosts
        url = oauth.address(found, hosts, client_id=app.client_id, redirect_uri=redirect_uri, state=state)
        return Begun(url, begun.expires_at)

    def redeem(self, state: str, caller: Person) -> Authorization:
        """What the state stands for, once. Raises Unprocessable and Forbidden."""
        return self._states.redeem(state, caller)

    def exchange(self, found: Definition, redirect_uri: str, code: str) -> str:
        """The secret to keep for the code that a person came back with. Raises UserMustAct and RetryAfter."""
        app = self._app(found, redirect_uri)
        link = Link(Limiter(()), vendor_hosts=self._cloud.settings.vendor_hosts)
        client_secret = self._cloud.secrets.get(app.secret)
        sent = {"client_id": app.client_id, "client_secret": client_secret, "redirect_uri": redirect_uri}
        return oauth.exchange(found, link, code=code, **sent).secret()

    def write(self, secret: str, value: str) -> None:
        """Put a value into Key Vault. Raises RetryAfter, and UserMustAct: also for a secret of the app itself."""
        if self._cloud.settings.owns(secret):
            raise Unprocessable(
                "secret_reserved",
                say("The secret '%(secret)s' belongs to the app itself: choose another name.", secret=secret),
            )
        self._cloud.secrets.put(secret, value)

    def _own_address(self, host: str) -> str:
        """Never what the request says, except on this machine: the code would go wherever a forged Host leads."""
        if known := self._cloud.settings.public_url:
            return known
        if _THIS_MACHINE.fullmatch(host):
            return f"http://{host}"
        raise Unprocessable(
            "public_url_missing", say("The app setting PUBLIC_URL is missing: set the app's own address.")
        )

    def _app(self, found: Definition, redirect_uri: str) -> OAuthApp:
        app = self._cloud.settings.oauth_apps.get(found.name)
        if app is None:
            raise Unprocessable(
                "oauth_app_missing",
                say(
                    "This app is not registered at %(vendor)s yet: an engineer registers it there with the "
                    "redirect address %(redirect_uri)s and names it in the app setting OAUTH_APPS.",
                    vendor=found.label,
                    redirect_uri=redirect_uri,
                ),
            )
        return app
