"""The headers that show who is calling, made of a connection's secrets."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping

from shared.vendors.http import Credentials

Authorize = Callable[[bool], Mapping[str, str]]
"""Gives the headers; true asks for secrets past every cache."""


def secret(credentials: Credentials, name: str, fresh: bool) -> str:
    """A secret without the spaces and line ends that come with copying it."""
    return credentials.get(name, fresh=fresh).strip()


def key_in(
    header: str, credentials: Credentials, *, scheme: str = "", others: Mapping[str, str] | None = None
) -> Authorize:
    """Send the credential `api_key` in this header, behind its scheme, and the headers `others` with it."""

    def authorize(fresh: bool) -> Mapping[str, str]:
        key = secret(credentials, "api_key", fresh)
        # The client refuses an empty key; behind a scheme it would look like any other.
        return {header: f"{scheme} {key}".lstrip() if key else "", **(others or {})}

    return authorize


def basic(user: str, password: str) -> Mapping[str, str]:
    """The header of HTTP's basic authentication."""
    return {"Authorization": f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"}
