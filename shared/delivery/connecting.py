"""Open a stored connection: its vendor, with secrets from Key Vault and the account's rate windows."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from shared.catalog.models import Connection, Export
from shared.cloud.cloud import Cloud
from shared.cloud.secrets import Secrets
from shared.errors import UserMustAct
from shared.vendors.contract import Definition, Vendor
from shared.vendors.http import Link
from shared.vendors.limits import BATCH_SHARE, Limiter
from shared.vendors.registry import definition, open_vendor


@dataclass(frozen=True, slots=True)
class Named:
    """A connection's credentials: it knows secrets by name only."""

    secrets: Secrets
    names: Mapping[str, str]

    def get(self, name: str, *, fresh: bool = False) -> str:
        if name not in self.names:
            raise UserMustAct("secret_unnamed", f"The connection names no secret for '{name}': edit the connection.")
        return self.secrets.get(self.names[name], fresh=fresh)


@dataclass(frozen=True, slots=True)
class Opened:
    """A vendor ready for calls, and what the engine measures on it."""

    vendor: Vendor
    definition: Definition
    link: Link


def open_connection(
    cloud: Cloud,
    connection: Connection,
    *,
    export: Export | None = None,
    windows: Mapping[str, Any] | None = None,
    share: float = BATCH_SHARE,
    before_request: Callable[[], None] = lambda: None,
    wait: Callable[[float], None] = time.sleep,
) -> Opened:
    """Open a connection, with the settings of an export where there is one. Makes no request.

    `windows` are the rate windows that earlier slices left.
    """
    found = definition(connection.vendor)
    limiter = Limiter(found.rates, budget=connection.rate_budget, share=share, settings=connection.settings, wait=wait)
    limiter.restore(windows or {})
    hosts = cloud.settings.vendor_hosts
    link = Link(limiter=limiter, vendor_hosts=hosts, before_request=before_request, wait=wait)
    credentials = Named(cloud.secrets, connection.secrets)
    settings = connection.settings | (export.settings if export else {})
    vendor = open_vendor(connection.vendor, settings=settings, credentials=credentials, link=link)
    return Opened(vendor, found, link)


def usable(connection: Connection | None, name: str) -> Connection:
    """The connection, if exports may run with it now. Raises UserMustAct."""
    if connection is None:
        raise UserMustAct("connection_missing", f"There is no connection '{name}': create it, or choose another.")
    if connection.disabled:
        raise UserMustAct("connection_disabled", f"The connection '{name}' is disabled: enable it to run its exports.")
    if connection.consent is None:
        raise UserMustAct("consent_missing", f"The connection '{name}' has no consent: an administrator has to agree.")
    return connection
