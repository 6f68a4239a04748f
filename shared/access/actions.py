"""Who may do what: the one table, and the two questions that are asked of it.

People are in the files of refused people, samples, previews and explanations, so viewers, who read everything else,
do not see those.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Protocol

from shared.access.person import Person, Role, SharedWith
from shared.errors import Forbidden
from shared.wording import Message, say, together


class Action(StrEnum):
    """Everything that can be asked of the app; values complete "Only administrators may …"."""

    SEE_HEALTH = "see whether the app is up"
    LOAD_ASSETS = "load styles and scripts"
    SIGN_IN = "sign in"
    SIGN_OUT = "sign out"
    SEE_SELF = "see who they are"
    SEE_DOCS = "read the description of the API"
    SEE_VENDORS = "read what vendors are"
    SEE_CONNECTIONS = "see names and types of connections"
    SEE_EXPORTS = "see exports"
    SEE_SEGMENTS = "see segments"
    SEE_RUNS = "see runs and their reports"
    SEE_REJECTED = "see who was refused"
    SEE_SAMPLE = "see what a dry run would send"
    SEE_PREVIEW = "see rows of a segment"
    SEE_TARGETS = "see the lists of a connection"
    EXPLAIN_PERSON = "ask about a person"
    SEE_MEMBERS = "see who was on a list"
    EDIT_SEGMENT = "say how segments are written"
    EDIT_EXPORT = "save exports"
    REMOVE_EXPORT = "remove exports"
    START_RUN = "start runs"
    CANCEL_RUN = "cancel runs"
    CHECK_TARGET = "check lists against their vendor"
    DECIDE_RUN = "decide what becomes of blocked runs"
    SEE_CONNECTION_DETAILS = "see settings and health of connections"
    EDIT_CONNECTION = "save connections"
    REMOVE_CONNECTION = "remove connections"
    SET_SECRETS = "write credentials"
    AUTHORIZE_CONNECTION = "connect an account at a vendor"
    CHECK_CONNECTION = "check connections"
    PROBE_CONNECTION = "probe connections"
    READ_OPT_OUTS = "have opt-outs read"
    SEE_ADMINISTRATION = "see the administration"
    TEST_NOTIFICATIONS = "send test notifications"
    FIND_PERSON = "see what is kept of a person"
    FORGET_PERSON = "forget people"
    SEE_AUDIT = "read the audit trail"


class Right(StrEnum):
    """What a cell of the table says."""

    YES = "yes"
    SHARED = "on connections that are shared with contributors"
    NO = "no"


_YES, _SHARED, _NO = Right.YES, Right.SHARED, Right.NO
_COLUMNS = (None, Role.VIEWER, Role.CONTRIBUTOR, Role.ADMINISTRATOR)
_ROWS: dict[Action, tuple[Right, Right, Right, Right]] = {
    # who                          nobody  viewer  contributor  administrator
    Action.SEE_HEALTH: (_YES, _YES, _YES, _YES),
    Action.LOAD_ASSETS: (_YES, _YES, _YES, _YES),
    Action.SIGN_IN: (_YES, _YES, _YES, _YES),
    Action.SIGN_OUT: (_YES, _YES, _YES, _YES),
    Action.SEE_SELF: (_NO, _YES, _YES, _YES),
    Action.SEE_DOCS: (_NO, _YES, _YES, _YES),
    Action.SEE_VENDORS: (_NO, _YES, _YES, _YES),
    Action.SEE_CONNECTIONS: (_NO, _YES, _YES, _YES),
    Action.SEE_EXPORTS: (_NO, _YES, _YES, _YES),
    Action.SEE_SEGMENTS: (_NO, _YES, _YES, _YES),
    Action.SEE_RUNS: (_NO, _YES, _YES, _YES),
    Action.SEE_REJECTED: (_NO, _NO, _SHARED, _YES),
    Action.SEE_SAMPLE: (_NO, _NO, _SHARED, _YES),
    Action.SEE_PREVIEW: (_NO, _NO, _SHARED, _YES),
    Action.SEE_TARGETS: (_NO, _NO, _SHARED, _YES),
    Action.EXPLAIN_PERSON: (_NO, _NO, _SHARED, _YES),
    Action.SEE_MEMBERS: (_NO, _NO, _SHARED, _YES),
    Action.EDIT_EXPORT: (_NO, _NO, _SHARED, _YES),
    Action.REMOVE_EXPORT: (_NO, _NO, _SHARED, _YES),
    Action.START_RUN: (_NO, _NO, _SHARED, _YES),
    Action.CANCEL_RUN: (_NO, _NO, _SHARED, _YES),
    Action.CHECK_TARGET: (_NO, _NO, _SHARED, _YES),
    Action.DECIDE_RUN: (_NO, _NO, _SHARED, _YES),
    Action.EDIT_SEGMENT: (_NO, _NO, _NO, _YES),
    Action.SEE_CONNECTION_DETAILS: (_NO, _NO, _NO, _YES),
    Action.EDIT_CONNECTION: (_NO, _NO, _NO, _YES),
    Action.REMOVE_CONNECTION: (_NO, _NO, _NO, _YES),
    Action.SET_SECRETS: (_NO, _NO, _NO, _YES),
    Action.AUTHORIZE_CONNECTION: (_NO, _NO, _NO, _YES),
    Action.CHECK_CONNECTION: (_NO, _NO, _NO, _YES),
    Action.PROBE_CONNECTION: (_NO, _NO, _NO, _YES),
    Action.READ_OPT_OUTS: (_NO, _NO, _NO, _YES),
    Action.SEE_ADMINISTRATION: (_NO, _NO, _NO, _YES),
    Action.TEST_NOTIFICATIONS: (_NO, _NO, _NO, _YES),
    Action.FIND_PERSON: (_NO, _NO, _NO, _YES),
    Action.FORGET_PERSON: (_NO, _NO, _NO, _YES),
    Action.SEE_AUDIT: (_NO, _NO, _NO, _YES),
}
TABLE: Mapping[Action, Mapping[Role | None, Right]] = {
    action: dict(zip(_COLUMNS, row, strict=True)) for action, row in _ROWS.items()
}
"""Action -> role -> right; the role None is somebody who has not signed in, or has no role."""

CHANGES = frozenset(
    {
        Action.EDIT_SEGMENT,
        Action.EDIT_EXPORT,
        Action.REMOVE_EXPORT,
        Action.START_RUN,
        Action.CANCEL_RUN,
        Action.CHECK_TARGET,
        Action.DECIDE_RUN,
        Action.EDIT_CONNECTION,
        Action.REMOVE_CONNECTION,
        Action.SET_SECRETS,
        Action.AUTHORIZE_CONNECTION,
        Action.CHECK_CONNECTION,
        Action.PROBE_CONNECTION,
        Action.READ_OPT_OUTS,
        Action.TEST_NOTIFICATIONS,
        Action.FORGET_PERSON,
    }
)
"""Actions that leave something changed; the audit trail has each of them."""


class Shareable(Protocol):
    """A connection, as far as this matters."""

    @property
    def shared_with(self) -> SharedWith: ...


class _Gone:
    shared_with = SharedWith.ADMINISTRATORS


GONE: Shareable = _Gone()
"""Stands for a connection that is not there: what was exported over it is for administrators."""


def may(person: Person | None, action: Action, connection: Shareable | None = None) -> bool:
    """Whether the person may do it on this connection; without one, whether on any."""
    return any(_holds(TABLE[action][role], connection) for role in _roles(person))


def require(person: Person | None, action: Action, connection: Shareable | None = None) -> None:
    """Raises Forbidden, saying who may."""
    if may(person, action, connection):
        return
    if may(person, action):
        raise Forbidden(
            say(
                "Only administrators may %(action)s here: the connection is not shared with contributors. Ask an "
                "administrator to share it.",
                action=Message(action),
            )
        )
    raise Forbidden(say("Only %(who)s may %(action)s.", who=_who(action), action=Message(action)))


def _roles(person: Person | None) -> Iterable[Role | None]:
    return (None, *person.roles) if person else (None,)


def _holds(right: Right, connection: Shareable | None) -> bool:
    shared = connection is None or connection.shared_with is SharedWith.CONTRIBUTORS
    return right is Right.YES or (right is Right.SHARED and shared)


_PLURAL = {
    Role.ADMINISTRATOR: say("administrators"),
    Role.CONTRIBUTOR: say("contributors"),
    Role.VIEWER: say("viewers"),
}


def _who(action: Action) -> Message:
    able = [words for role, words in _PLURAL.items() if TABLE[action][role] is not Right.NO]
    return able[0] if len(able) == 1 else say("%(some)s and %(last)s", some=together(able[:-1], ", "), last=able[-1])
