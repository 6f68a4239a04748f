"""Sessions, kept by the browser alone: any instance can read the one cookie, and none remembers anything.

The same cookie carries a sign-in that is under way, so a response never needs to set two.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

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


class Sessions:
    """Cookie values from sessions, and back. `secure`: the origin is https."""

    def __init__(self, seal: Seal, *, secure: bool, clock: Callable[[], float] = time.time) -> None:
        self._seal = seal
        self._secure = secure
        self._clock = clock
        # With this prefix browsers take the cookie from this very host only, over https only.
        self.cookie_name = "__Host-segment-exports" if secure else "segment-exports"

    def begin(self, person: Person) -> str:
        """The cookie of a new session."""
        now, roles = self._clock(), [str(role) for role in sorted(person.roles)]
        return self._session_cookie(Session(person.id, person.name, roles, secrets.token_urlsafe(24), now, now))

    def read(self, cookies: Mapping[str, str]) -> Session | None:
        """The session, if it is neither idle nor over."""
        values = self._open(cookies, "session")
        session = Session(**values) if values else None
        now = self._clock()
        if session is None or now - session.seen > IDLE_SECONDS or now - session.started > LONGEST_SECONDS:
            return None
        return session

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
        values = self._open(cookies, "pending")
        pending = PendingSignIn(**values) if values else None
        return pending if pending and self._clock() - pending.started <= SIGN_IN_SECONDS else None

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

    def _open(self, cookies: Mapping[str, str], kind: str) -> dict[str, Any] | None:
        text = cookies.get(self.cookie_name)
        content = self._seal.open(text) if text else None
        found: dict[str, Any] | None = json.loads(content).get(kind) if content else None
        return found
