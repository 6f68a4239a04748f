"""The pair of tokens that signing in at a vendor gives: forms that ask for one, answers that hold one. Pure.

RFC 6749, sections 4.1.3, 5 and 6; Campaign Monitor contract, section 1.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from shared.cloud.scrubbing import excerpt
from shared.errors import UserMustAct
from shared.vendors.answers import Answer, UnexpectedAnswer
from shared.wording import Message, say

MOST_CHARACTERS = 8000
"""Of one token: both fit a Key Vault secret (25 KB) and a header."""

_GRANT_GONE = frozenset({"invalid_grant"})
_APP_WRONG = frozenset({"invalid_client", "unknown_client", "unauthorized_client", "invalid_redirect_uri"})


class GrantGone(UserMustAct):
    """The code or the refresh token opens nothing any more; a person has to sign in again."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Access token and refresh token ("" of a vendor whose access tokens never run out). They are one secret, so that
    they can never be of two different sign-ins."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)

    def secret(self) -> str:
        """As Key Vault keeps it."""
        return json.dumps({"access_token": self.access, "refresh_token": self.refresh})


def kept(secret: str, label: str, *, refreshes: bool = True) -> Pair:
    """The pair of a Key Vault secret. Raises GrantGone for anything else."""
    try:
        found = json.loads(secret)
    except ValueError:
        found = None
    pair = _pair(found, refreshes) if isinstance(found, dict) else None
    if pair is None:
        raise sign_in_again(label)
    return pair


def exchange_form(client_id: str, client_secret: str, redirect_uri: str, code: str) -> bytes:
    """The body that asks for a pair with the code that a person came back with."""
    return _form(
        grant_type="authorization_code",
        client_id=client_id,
        client_secret=client_secret,
        redirect_uri=redirect_uri,
        code=code,
    )


def refresh_form(refresh_token: str) -> bytes:
    """The body that asks for the next pair."""
    return _form(grant_type="refresh_token", refresh_token=refresh_token)


def told(answer: Answer, label: str, *, refreshes: bool = True) -> Pair:
    """The pair in an answer of the token endpoint; the status says nothing, as which one errors have is not published.

    Raises GrantGone, UserMustAct for another refusal, and UnexpectedAnswer for what is neither.
    """
    found = answer.object()
    error = found.get("error")
    if isinstance(error, str) and error:
        raise _refusal(error, found.get("error_description"), label)
    pair = _pair(found, refreshes) if answer.status == 200 else None
    if pair is None:
        raise UnexpectedAnswer(
            say(
                "%(vendor)s answered %(status)s to the sign-in, with neither tokens nor an error.",
                vendor=label,
                status=str(answer.status),
            )
        )
    return pair


def sign_in_again(label: str) -> GrantGone:
    """Nothing opens the account any more."""
    return GrantGone(
        "authenticate_again",
        say(
            "%(vendor)s no longer accepts the sign-in of this connection: it was revoked there, or "
            "replaced. An administrator has to choose 'Authenticate with %(vendor)s' on the connection; "
            "the next run then goes on.",
            vendor=label,
        ),
    )


def _refusal(error: str, description: object, label: str) -> UserMustAct:
    if error in _GRANT_GONE:
        return sign_in_again(label)
    if error in _APP_WRONG:
        return UserMustAct(
            "oauth_app_refused",
            say(
                "%(vendor)s does not know this app as the settings describe it (%(error)s): compare client "
                "id, client secret and redirect address with what is registered there.",
                vendor=label,
                error=excerpt(error, 40),
            ),
        )
    words = say(": %(words)s", words=Message(excerpt(description))) if isinstance(description, str) else ""
    return UserMustAct(
        "oauth_refused",
        say(
            "%(vendor)s refused the sign-in (%(error)s)%(words)s.", vendor=label, error=excerpt(error, 40), words=words
        ),
    )


def _pair(found: Mapping[str, object], refreshes: bool) -> Pair | None:
    access, refresh = found.get("access_token"), found.get("refresh_token") if refreshes else ""
    if not isinstance(access, str) or not isinstance(refresh, str) or not _usable(access):
        return None
    return Pair(access, refresh) if _usable(refresh) or not refreshes else None


def _usable(token: str) -> bool:
    return 0 < len(token) <= MOST_CHARACTERS and token.isascii() and token.isprintable() and " " not in token


def _form(**values: str) -> bytes:
    return urlencode(values).encode()
