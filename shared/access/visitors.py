"""What the gate learns about a request, and the refusals at the door."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from starlette.requests import Request

from shared.access.person import LOCAL, Person
from shared.access.settings import LOOPBACK
from shared.errors import Forbidden, UserMustAct
from shared.wording import say

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class SignInNeeded(UserMustAct):
    """Nobody is known to ask."""

    def __init__(self, message: str = "") -> None:
        super().__init__("sign_in_needed", message or say("Sign in, or send a bearer token."))


class TooManyFailures(UserMustAct):
    """Too many failed attempts to sign in from one address; `seconds` until the next one is looked at."""

    def __init__(self, seconds: int) -> None:
        super().__init__("too_many_failures", say("Too many attempts to sign in failed: wait, and try again."))
        self.seconds = seconds


class Closed(UserMustAct):
    """The app has no way to know people, so it answers nobody."""

    def __init__(self) -> None:
        super().__init__(
            "closed", say("Sign-in is not configured: set the app settings SIGN_IN_ISSUER and SIGN_IN_CLIENT_ID.")
        )


@dataclass(frozen=True, slots=True)
class Visitor:
    """The person who asks, None where nobody is known; `cookie` is a Set-Cookie value that keeps the session going."""

    person: Person | None = None
    csrf_token: str = ""
    cookie: str = ""
    local: bool = False


class Access(Protocol):
    """One way of knowing people."""

    origin: str
    """`https://host` that people have in their browser; empty in the local mode."""
    issuer: str
    """Where people sign in; empty where they do not."""

    def admit(self, request: Request) -> Visitor:
        """Raises SignInNeeded, Forbidden, TooManyFailures and Closed."""
        ...


class NoAccess:
    """In Azure, with no sign-in configured."""

    origin = issuer = ""

    def admit(self, request: Request) -> Visitor:
        raise Closed


class LocalAccess:
    """On one machine: whoever reaches the loopback address is Administrator.

    The host's name is looked at, since a foreign page can have a name of its own lead to this machine.
    """

    origin = issuer = ""

    def admit(self, request: Request) -> Visitor:
        host = request.url.hostname
        if host not in LOOPBACK:
            raise Forbidden(say("Without sign-in the app answers on the loopback address only."))
        require_same_origin(request, f"{request.url.scheme}://{request.url.netloc}")
        return Visitor(LOCAL, local=True)


def require_same_origin(request: Request, origin: str) -> None:
    """Refuse what a foreign page had a browser send. Programs send neither of the two headers. Raises Forbidden."""
    if request.method in SAFE:
        return
    if request.headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
        raise Forbidden(say("This was sent by a page of another site."))
    if request.headers.get("origin", origin) != origin:
        raise Forbidden(say("This was sent by a page of another origin."))
