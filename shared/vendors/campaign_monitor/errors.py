"""Answers that say what went wrong: `{"Code": 100, "Message": "Invalid API Key"}`. Pure. Contract, sections 1, 2, 8."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.cloud.scrubbing import excerpt
from shared.errors import UserMustAct
from shared.vendors.answers import Answer, UnexpectedAnswer
from shared.vendors.tokens import sign_in_again
from shared.wording import say

TOO_MANY_ROWS = 209
SOME_FAILED = 210
NAME_TAKEN = 250
FIELD_EXISTS = 255
NO_SUCH_PAGE = 800
TOKEN_REFUSED = frozenset({120, 121, 122})
"""An access token that is not known, ran out or was revoked; another worker's refresh may be the reason."""
UNKNOWN_IDS = frozenset({101, 102})
"""A list or client that the account does not have; they come with the status of a bad key."""

UNKNOWN_ID = "unknown_id"
"""Code of the UserMustAct for an id that Campaign Monitor does not know; the caller knows of what."""

_REFUSALS: Mapping[int, tuple[str, str]] = {
    100: (
        "bad_credentials",
        say("Campaign Monitor does not know this API key: copy it again from Account settings, API keys."),
    ),
    60: (
        "forbidden",
        say(
            "Campaign Monitor does not allow this connection to do that: use an API key, or sign in as "
            "somebody, that may manage lists and subscribers."
        ),
    ),
    403: (
        "forbidden",
        say("Campaign Monitor keeps this for agency accounts: use a key of the client whose lists are written."),
    ),
    **dict.fromkeys(UNKNOWN_IDS, (UNKNOWN_ID, say("Campaign Monitor does not know this list or client."))),
}
"""Code of a 401 or 403 -> our code and words. The status says nothing: a wrong id has that of a wrong key."""


def envelope(answer: Answer) -> tuple[int, str]:
    """Code and scrubbed message of an error. Raises UnexpectedAnswer when it is not one."""
    body = answer.object()
    code, message = number(body.get("Code")), body.get("Message")
    if code is None or not isinstance(message, str):
        raise UnexpectedAnswer(say("Campaign Monitor's answer is neither a result nor an error that it describes."))
    return code, excerpt(message.strip().rstrip("."))


def require_known_id(answer: Answer) -> None:
    """Raises UserMustAct `unknown_id` where the answer means that there is no such list or client."""
    if answer.status == 404 or (answer.status == 400 and _code(answer) in UNKNOWN_IDS):
        raise UserMustAct(*_REFUSALS[102])


def refusal(answer: Answer) -> UserMustAct:
    """A 401 or 403, for people."""
    code = _code(answer)
    if renewable(answer):
        return sign_in_again("Campaign Monitor")
    if code is not None and code in _REFUSALS:
        return UserMustAct(*_REFUSALS[code])
    words = (
        say("code %(code)s", code=str(code))
        if code is not None
        else say("status %(status)s", status=str(answer.status))
    )
    return UserMustAct(
        "forbidden",
        say(
            "Campaign Monitor refuses this connection (%(words)s): check its key or sign-in and what that may do.",
            words=words,
        ),
    )


def renewable(answer: Answer) -> bool:
    """The access token is expired, revoked or unknown, and not what it may do: a newer one may be taken."""
    return _code(answer) in TOKEN_REFUSED


def broken(answer: Answer) -> bool:
    """Campaign Monitor itself says that it failed, which one single row can cause; a gateway says it differently."""
    return answer.status == 500 and _code(answer) is not None


def _code(answer: Answer) -> int | None:
    return number(answer.object_or_empty().get("Code"))


def vanished() -> UserMustAct:
    return UserMustAct(
        "target_vanished",
        say("The client has no such list in Campaign Monitor: it was deleted, or belongs to another client."),
    )


def number(value: Any) -> int | None:
    """A code or count, which may come as a number or as text; None for anything else."""
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
