"""Open a stored connection: its vendor, with secrets from Key Vault and the account's rate windows."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any

from shared.catalog.models import Connection, Export
from shared.catalog.store import connection_store
from shared.cloud.blobs import Blobs
from shared.cloud.cloud import Cloud
from shared.cloud.secrets import Secrets
from shared.delivery.account.lease import AccountLease
from shared.delivery.state import layout
from shared.errors import LeaseLost, RetryAfter, UserMustAct
from shared.transport import Wire
from shared.vendors.contract import SWITCHED, Definition, Vendor
from shared.vendors.http import Counters, Link
from shared.vendors.limits import BATCH_SHARE, Limiter
from shared.vendors.registry import definition, open_vendor, understudy_of
from shared.vendors.rehearsing import Rehearsing
from shared.vendors.tracing import traced
from shared.wording import Message, say

LOCK_SECONDS = 60
"""More than one request to a vendor's token endpoint and one to Key Vault take."""
LOCK_PATIENCE, LOCK_PAUSE = 30.0, 0.5


@dataclass(frozen=True, slots=True)
class Named:
    """A connection's credentials: it knows secrets by name only."""

    secrets: Secrets
    names: Mapping[str, str]
    blobs: Blobs
    wait: Callable[[float], None] = time.sleep
    is_reserved: Callable[[str], bool] = lambda secret: False
    """Whether a secret is the app's own: it is sent to no vendor, whoever names it."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """Credentials as forms name them."""

    def has(self, name: str) -> bool:
        return name in self.names

    def get(self, name: str, *, fresh: bool = False) -> str:
        return self.secrets.get(self._secret(name), fresh=fresh)

    def put(self, name: str, value: str) -> None:
        self.secrets.put(self._secret(name), value)

    @contextmanager
    def alone(self, name: str) -> Iterator[None]:
        """By the lease of a blob, since Key Vault has no conditional write, and connection checks hold no account."""
        blob = layout.lock(self._secret(name))
        lease = self._lock(blob)
        try:
            yield
        finally:
            with suppress(LeaseLost):
                self.blobs.release(blob, lease)

    def _lock(self, blob: str) -> str:
        waited = 0.0
        while (lease := self.blobs.acquire(blob, LOCK_SECONDS)) is None:
            if waited >= LOCK_PATIENCE:
                raise RetryAfter(LOCK_PATIENCE, say("Another worker renews this connection's sign-in."))
            self.wait(LOCK_PAUSE)
            waited += LOCK_PAUSE
        return lease

    def _secret(self, name: str) -> str:
        if name not in self.names:
            raise UserMustAct(
                "secret_unnamed",
                say(
                    "The connection has no credential yet (%(credential)s): an administrator types it in, names the "
                    "Key Vault secret that holds it, or signs in at the vendor where it offers that.",
                    credential=Message(self.labels.get(name, name)),
                ),
            )
        secret = self.names[name]
        if self.is_reserved(secret):
            raise UserMustAct(
                "secret_reserved",
                say("The secret '%(secret)s' belongs to the app itself: name another.", secret=secret),
            )
        return secret


@dataclass(frozen=True, slots=True)
class Opened:
    """A vendor ready for calls, and what the engine measures on it."""

    vendor: Vendor
    definition: Definition
    link: Link
    credentials: Named
    stage: Rehearsing | None = None
    """Where the vendor only rehearses."""
    real: Vendor | None = None
    """The same without rehearsing, to read with."""

    @property
    def outside(self) -> Link:
        """What leads out to the vendor."""
        return self.stage.outside if self.stage else self.link

    @property
    def sent(self) -> Counters:
        """What went out to the vendor."""
        return self.outside.counters

    def carried(self) -> dict[str, Any]:
        """What the account's lease carries on of it: rate windows, and how long answers take."""
        return {"windows": self.outside.limiter.state(), "answers": self.outside.answer_times.state()}


def open_connection(
    cloud: Cloud,
    connection: Connection,
    *,
    export: Export | None = None,
    carried: Mapping[str, Any] | None = None,
    share: float = BATCH_SHARE,
    before_request: Callable[[], None] = lambda: None,
    wait: Callable[[float], None] = time.sleep,
) -> Opened:
    """Open a connection, with the settings of an export where there is one. Makes no request.

    `carried` are the rate windows that earlier slices left, and how long answers took.
    """
    found = definition(connection.vendor)
    limiter = Limiter(found.rates, budget=connection.rate_budget, share=share, settings=connection.settings, wait=wait)
    limiter.restore((carried or {}).get("windows") or {})
    hosts = cloud.settings.vendor_hosts
    link = Link(limiter=limiter, vendor_hosts=hosts, before_request=before_request, wait=wait, transport=traced(Wire()))
    labels = {each.name: each.label for each in found.credentials}
    link.answer_times.restore((carried or {}).get("answers") or {})
    credentials = Named(cloud.secrets, connection.secrets, cloud.blobs, wait, cloud.settings.owns, labels)
    settings = connection.settings | (export.settings if export else {})
    vendor = open_vendor(connection.vendor, settings=settings, credentials=credentials, link=link)
    return Opened(vendor, found, link, credentials)


def open_leased(
    cloud: Cloud,
    connection: Connection,
    lease: AccountLease,
    *,
    export: Export | None = None,
    share: float = BATCH_SHARE,
) -> Opened:
    """Open a connection whose account's lease is held: within the rate windows that it carries, and carries on."""
    opened = open_connection(
        cloud,
        connection,
        export=export,
        carried=lease.carried,
        share=share,
        before_request=lease.check,
        wait=lease.wait,
    )
    lease.state = lambda: {**lease.carried, **opened.carried()}
    return opened


def rehearsing(opened: Opened, connection: Connection, export: Export) -> Opened:
    """The same connection, whose vendor goes through all that it would do and writes nothing. Its link counts what
    would be requested."""
    settings = connection.settings | export.settings
    stage = Rehearsing(opened.definition, understudy_of(connection.vendor, settings), opened.link)
    vendor, real = (
        open_vendor(connection.vendor, settings=settings, credentials=opened.credentials, link=link)
        for link in (stage.link, stage.outside)
    )
    return replace(opened, vendor=vendor, link=stage.link, stage=stage, real=real)


def usable_connection(cloud: Cloud, name: str) -> Connection:
    """The connection of this name. Raises UserMustAct as `usable` does."""
    stored = connection_store(cloud.connections).get(name)
    return usable(stored.item if stored else None, name)


def usable(connection: Connection | None, name: str) -> Connection:
    """The connection, if exports may run with it now. Raises UserMustAct."""
    if not name:
        raise UserMustAct("detached", say("The export has no connection: give it one to run it."))
    if connection is None:
        raise UserMustAct(
            "connection_missing", say("There is no connection '%(name)s': create it, or choose another.", name=name)
        )
    if connection.disabled:
        raise UserMustAct(
            "connection_disabled",
            say("The connection '%(name)s' is disabled: enable it to run its exports.", name=name),
        )
    if connection.consent is None:
        raise UserMustAct(
            "consent_missing",
            say("The connection '%(name)s' has no consent: an administrator has to agree.", name=name),
        )
    if connection.check_code == SWITCHED:
        raise UserMustAct(
            SWITCHED,
            say(
                "The connection '%(name)s' leads to another account, or has a new key: an administrator says "
                "which on its page.",
                name=name,
            ),
        )
    return connection
