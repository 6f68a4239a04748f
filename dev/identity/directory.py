"""Who can sign in, the app that they sign in to, and the claims of their tokens.

Claims as in Entra's v2.0 tokens: learn.microsoft.com/entra/identity-platform, id-token-claims-reference and
access-token-claims-reference.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

ROLES = ("Administrator", "Contributor", "Viewer")
LIFETIME = 3600


@dataclass(frozen=True)
class Member:
    """Somebody, with the app roles that are ticked for them at first."""

    name: str
    roles: tuple[str, ...]

    @property
    def object_id(self) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_DNS, self.name))


@dataclass
class Registration:
    """The app: `redirects` are the addresses that codes may be sent to."""

    client_id: str = "5e9e7c1a-0000-4000-8000-0000000000aa"
    client_secret: str = "local-client-secret"  # noqa: S105 - opens this provider alone
    redirects: set[str] = field(default_factory=set)
    members: tuple[Member, ...] = (
        Member("Ada Administrator", ("Administrator",)),
        Member("Carl Contributor", ("Contributor",)),
        Member("Vera Viewer", ("Viewer",)),
        Member("Nora Nobody", ()),
    )

    def member(self, name: str) -> Member | None:
        return next((each for each in self.members if each.name == name), None)


def claims(issuer: str, audience: str, who: Member, roles: Iterable[str], **more: Any) -> dict[str, Any]:
    """What every token says; `more` adds and replaces, and None takes away."""
    now = int(time.time())
    said: dict[str, Any] = {
        "iss": issuer,
        "aud": audience,
        "iat": now,
        "nbf": now,
        "exp": now + LIFETIME,
        "sub": str(uuid.uuid5(uuid.NAMESPACE_URL, who.name)),
        "oid": who.object_id,
        "tid": issuer.split("/")[-2],
        "name": who.name,
        "preferred_username": f"{who.name.split()[0].lower()}@tenant.example",
        "roles": list(roles) or None,
        "ver": "2.0",
        **more,
    }
    return {name: value for name, value in said.items() if value is not None}
