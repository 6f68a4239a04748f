"""Sessions, kept by the browser alone: any instance can read the one cookie, and none remembers anything.

The same cookie carries a sign-in that is under way, so a response never needs to set two.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from shared.access.person import How, Person, roles_of
from shared.access.sealing import Seal

IDLE_SECONDS = 30 * 60
LONGEST_SECONDS = 4 * 60 * 60
RENEW_SECONDS = 5 * 60
SIGN_IN_SECONDS = 10 * 60


@dataclass(frozen=True, slots=True)
class Session:
    """`started` and `seen` are seconds since 1970; `seen` moves on while the session is used, `started` never."""

    id: str
    name: str
    roles: list[str]
    csrf: str
    started: float
    seen: float

    @property
    def person(self) -> Person:
        return Person(self.id, self.name, roles_of(self.roles), How.SESSION)


@dataclass(frozen=True, slots=True)
class PendingSignIn:
    """A sign-in that waits for the provider's answer: what msal wants back, and where to go afterwards."""

    flow: dict[str, Any]
    following: str
    started: float


Kept = TypeVar("Kept", Session, PendingSignIn)
_SESSION, _PENDING, _KINDS = TypeAdapter(Session), TypeAdapter(PendingSignIn), TypeAdapter(dict[str, Any])


class Sessions:
    """Cookie values from sessions, and back. `secure`: the origin is https."""

    def __init__(self, seal: Seal, *, secure: bool, clock: Callable[[], float] = time.time) -> None:
        self._seal = seal
        self._secure = secure
        self._clock = clock
        self._ended: dict[str, float] = {}
        # With this prefix browsers take the cookie from this very host only, over https only.
        self.cookie_name = "__Host-segment-exports" if secure else "segment-exports"

    def begin(self, person: Person) -> str:
        """The cookie of a new session."""
        now, roles = self._clock(), [str(role) for role in sorted(person.roles)]
        return self._session_cookie(Session(person.id, person.name, roles, secrets.token_urlsafe(24), now, now))

    def read(self, cookies: Mapping[str, str]) -> Session | None:
        """The session, if it is neither idle nor over."""
        session, now = self._open(cookies, "session", _SESSION), self._clock()
        if session is None or now - session.seen > IDLE_SECONDS or now - session.started > LONGEST_SECONDS:
            return None
        return None if session.csrf in self._ended else session

    def renewal(self, session: Session) -> str:
        """The cookie that keeps a used session going; empty while that is not needed."""
        now = self._clock()
        return self._session_cookie(replace(session, seen=now)) if now - session.seen > RENEW_SECONDS else ""

    def wait(self, flow: dict[str, Any], following: str) -> str:
        """The cookie of a sign-in that begins."""
        pending = PendingSignIn(flow, following, self._clock())
        return self._cookie(self._sealed("pending", asdict(pending)), SIGN_IN_SECONDS)

    def awaited(self, cookies: Mapping[str, str]) -> PendingSignIn | None:
        """The sign-in that is under way, if it is not too old."""
        pending = self._open(cookies, "pending", _PENDING)
        return pending if pending and self._clock() - pending.started <= SIGN_IN_SECONDS else None

    def forget(self, cookies: Mapping[str, str]) -> None:
        """Take the session for ended, should its cookie come back: on this instance, which is all that a session
        without a store of its own allows. Elsewhere a copy of the cookie ends by itself."""
        if session := self.read(cookies):
            self._ended[session.csrf] = session.started
        for mark in [mark for mark, started in self._ended.items() if self._clock() - started > LONGEST_SECONDS]:
            del self._ended[mark]

    def end(self) -> str:
        """The cookie that removes the cookie."""
        return self._cookie("", 0)

    def _session_cookie(self, session: Session) -> str:
        left = min(IDLE_SECONDS, session.started + LONGEST_SECONDS - session.seen)
        return self._cookie(self._sealed("session", asdict(session)), max(0, int(left)))

    def _cookie(self, value: str, seconds: int) -> str:
        secure = "; Secure" if self._secure else ""
        return f"{self.cookie_name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"

    def _sealed(self, kind: str, values: dict[str, Any]) -> str:
        return self._seal.seal(json.dumps({kind: values}).encode())

    def _open(self, cookies: Mapping[str, str], kind: str, shape: TypeAdapter[Kept]) -> Kept | None:
        """What the cookie holds of this kind; another version of the app may have given it another shape."""
        text = cookies.get(self.cookie_name)
        content = self._seal.open(text) if text else None
        try:
            kinds = _KINDS.validate_json(content or b"{}")
            return shape.validate_python(kinds[kind]) if kind in kinds else None
        except ValidationError:
            return None
