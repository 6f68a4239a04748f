"""Who asks: a person who signed in, or a program with a token or a key; with which roles, and whom those let in."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """The app roles of Microsoft Entra ID; values are as in the `roles` claim."""

    ADMINISTRATOR = "Administrator"
    CONTRIBUTOR = "Contributor"
    VIEWER = "Viewer"


class SharedWith(StrEnum):
    """Who may let exports use a connection; administrators always may."""

    ADMINISTRATORS = "administrators"
    CONTRIBUTORS = "administrators and contributors"


class How(StrEnum):
    """How we know who it is."""

    SESSION = "session"
    BEARER = "bearer"
    KEY = "key"
    LOCAL = "local"


@dataclass(frozen=True, slots=True)
class Person:
    """`id` stays the same when the name changes; `name` is for people to read and kept as `updated_by`."""

    id: str
    name: str
    roles: frozenset[Role]
    how: How

    @property
    def administrator(self) -> bool:
        return Role.ADMINISTRATOR in self.roles


LOCAL = Person("local", "local", frozenset({Role.ADMINISTRATOR}), How.LOCAL)
"""The user of the app on one machine."""

KEY_HOLDER = Person("function-key", "function key", frozenset({Role.ADMINISTRATOR}), How.KEY)
"""The holder of the function key, which opens the on-demand trigger and nothing else."""


def roles_of(claim: object) -> frozenset[Role]:
    """The roles of a `roles` claim; anything else in it is not ours."""
    named = claim if isinstance(claim, list) else []
    return frozenset(role for role in Role if role in named)
