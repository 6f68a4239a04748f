"""Sign-ins at a vendor that are under way: what stands behind the `state` that goes there and comes back.

Kept in a table and not in a signed token, because a state is good once, which a token alone cannot know, and because a
table needs no key that would have to be kept and rotated. A row's key is the hash of its state, so that reading the
table is not enough to use one. It is bound to the connection, to who began it, and to the address that the vendor
sends them back to.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from shared.access.person import Person
from shared.cloud.tables import Rows, Stored
from shared.errors import Conflict, Forbidden, Unprocessable
from shared.wording import say

PARTITION = "authorizations"
LASTS = timedelta(minutes=10)
"""Long enough to sign in at the vendor with a second factor."""


@dataclass(frozen=True, slots=True)
class Authorization:
    """A sign-in that somebody began."""

    connection: str
    redirect_uri: str
    expires_at: datetime


class Authorizations:
    """Begins sign-ins, and recognises each once."""

    def __init__(self, table: Rows, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._table = table
        self._clock = clock

    def begin(self, connection: str, caller: Person, redirect_uri: str) -> tuple[str, Authorization]:
        """A state that nobody can guess, and what it stands for."""
        self._sweep()
        state = secrets.token_urlsafe(32)
        begun = Authorization(connection, redirect_uri, self._clock() + LASTS)
        self._table.insert(
            {
                "PartitionKey": PARTITION,
                "RowKey": _key(state),
                "connection": connection,
                "caller": caller.id,
                "redirect_uri": redirect_uri,
                "expires_at": begun.expires_at,
                "used": False,
            }
        )
        return state, begun

    def redeem(self, state: str, caller: Person) -> Authorization:
        """What a state stands for; it is used up by this. Raises Unprocessable, and Forbidden for another caller."""
        stored = self._table.get(PARTITION, _key(state))
        if stored is None:
            raise Unprocessable(
                "state_unknown",
                say(
                    "This sign-in at the vendor was not begun here, or too long ago. Begin it again from the "
                    "connection."
                ),
            )
        self._use_up(stored)
        entity = stored.entity
        if self._clock() >= entity["expires_at"]:
            raise Unprocessable(
                "state_expired", say("This sign-in at the vendor took too long. Begin it again from the connection.")
            )
        if entity["caller"] != caller.id:
            raise Forbidden(
                say("Somebody else began this sign-in at the vendor. Begin it yourself, from the connection.")
            )
        return Authorization(entity["connection"], entity["redirect_uri"], entity["expires_at"])

    def _use_up(self, stored: Stored) -> None:
        """Written conditionally, so that of two callbacks at the same time only one goes on."""
        again = Unprocessable(
            "state_used", say("This sign-in at the vendor was finished already. Begin it again from the connection.")
        )
        if stored.entity["used"]:
            raise again
        try:
            self._table.replace(stored.entity | {"used": True}, stored.etag)
        except Conflict:
            raise again from None

    def _sweep(self) -> None:
        now = self._clock()
        for stored in list(self._table.query(PARTITION)):
            if now >= stored.entity["expires_at"]:
                self._table.delete(PARTITION, stored.entity["RowKey"])


def _key(state: str) -> str:
    return hashlib.sha256(state.encode()).hexdigest()
