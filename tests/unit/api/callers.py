"""Knows whoever the header `x-test-caller` names; ann is asking where there is none."""

from __future__ import annotations

from starlette.requests import Request

from shared.access.person import How, Person, Role
from shared.access.visitors import Visitor

ROLES = {
    "ann": frozenset({Role.ADMINISTRATOR}),
    "carl": frozenset({Role.CONTRIBUTOR}),
    "vera": frozenset({Role.VIEWER}),
    "nora": frozenset[Role](),
}


class KnownCallers:
    """Implements shared.access.visitors.Access."""

    origin = issuer = ""

    def admit(self, request: Request) -> Visitor:
        name = request.headers.get("x-test-caller", "ann")
        return Visitor(Person(name, name, ROLES[name], How.BEARER)) if name in ROLES else Visitor()
