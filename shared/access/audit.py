"""The audit trail: who changed what and when, before and after.

A row is written *before* the change, as `begun`, and completed after it. So no change is without a row, whenever the
app dies; the one row that a crash leaves `begun` says that this change, of this thing, may or may not have been made.
Nothing is ever taken off the trail. It holds names of secrets and never a secret, and nobody's address.
"""

from __future__ import annotations

import hashlib
import json
import logging
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from itertools import islice
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from shared.access.actions import Action
from shared.access.person import Person
from shared.cloud.tables import Entity, Rows
from shared.errors import ExportError, Unprocessable
from shared.wording import say

PARTITION = "audit"
LONGEST = 24_000
"""Characters of a row's details: 48 KB in UTF-16, of the 64 KB that a table property holds."""
_END = 10**20

_log = logging.getLogger(__name__)

Fields = Mapping[str, Any]


class ChangeOutcome(StrEnum):
    """`begun` and long ago: the app died in between, and the change may have been made."""

    BEGUN = "begun"
    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"


Noted = Annotated[dict[str, Any], BeforeValidator(lambda text: json.loads(text) if isinstance(text, str) else text)]


class ChangeView(BaseModel):
    """One change: who, when, what, before and after."""

    model_config = ConfigDict(frozen=True)

    id: str
    at: datetime
    who: str
    who_id: str = Field(description="Entra's object id, which stays when a name changes.")
    how: str = Field(description="session, bearer, key or local.")
    action: str
    subject: str = Field(description="Kind and name of what was changed.")
    outcome: ChangeOutcome = Field(description="`begun` of long ago: the app died in between, look at the subject.")
    changes: Noted = Field(description="Property -> [before, after].")
    details: Noted


@dataclass(slots=True)
class Change:
    """A change that is under way. `look` reads its subject, before and after; None where it is not there."""

    subject: str
    look: Callable[[], Fields | None] = lambda: None
    details: dict[str, Any] = field(default_factory=dict)
    refused: bool = False
    """The answer says no, though nothing was raised."""
    before: Fields = field(init=False)

    def __post_init__(self) -> None:
        self.before = _plain(self.look())

    def about(self, subject: str, look: Callable[[], Fields | None] = lambda: None) -> None:
        """What it is about, where the address of the request does not say; with a `look`, before it is changed."""
        self.subject, self.look, self.before = subject, look, _plain(look())

    def note(self, **details: Any) -> None:
        """Something to be kept with it: no secret, no address."""
        self.details.update(details)

    def seen(self) -> Fields:
        """Property -> [before, now]."""
        now = _plain(self.look())
        names = sorted(self.before.keys() | now.keys())
        pairs = {name: [self.before.get(name), now.get(name)] for name in names}
        return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


class Trail:
    """The table `audit`, newest first."""

    def __init__(self, table: Rows, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._table = table
        self._clock = clock

    @contextmanager
    def change(
        self,
        person: Person | None,
        action: Action,
        change: Change,
        refusals: tuple[type[Exception], ...] = (ExportError,),
    ) -> Iterator[Change]:
        """Around a change. It is not made where its beginning cannot be written. Errors that are no `refusals` leave
        open what was done before them."""
        entity = self._entity(person, action, change)
        etag = self._table.insert(entity)
        try:
            yield change
        except refusals:
            self._complete(entity, etag, change, ChangeOutcome.REFUSED, {})
            raise
        except Exception:
            self._complete(entity, etag, change, ChangeOutcome.FAILED, change.seen())
            raise
        outcome = ChangeOutcome.REFUSED if change.refused else ChangeOutcome.DONE
        self._complete(entity, etag, change, outcome, change.seen())

    def page(self, top: int, continuation: str | None) -> tuple[list[ChangeView], str | None]:
        """The newest, or those from a token on, and the token of the next page. Raises Unprocessable."""
        if continuation is not None and not continuation.replace("-", "").isalnum():
            raise Unprocessable("bad_token", say("This page does not exist: start again without `continue`."))
        found = list(islice(self._table.query(PARTITION, first=continuation or ""), top + 1))
        following = found[top].entity["RowKey"] if len(found) > top else None
        return [_view(stored.entity) for stored in found[:top]], following

    def _entity(self, person: Person | None, action: Action, change: Change) -> Entity:
        now = self._clock()
        return {
            "PartitionKey": PARTITION,
            "RowKey": f"{_END - int(now.timestamp() * 1e6):021d}-{secrets.token_hex(4)}",
            "at": now,
            "who": person.name if person else "",
            "who_id": person.id if person else "",
            "how": str(person.how) if person else "",
            "action": str(action),
            "subject": change.subject[:200],
            "outcome": str(ChangeOutcome.BEGUN),
        }

    def _complete(self, entity: Entity, etag: str, change: Change, outcome: ChangeOutcome, changes: Fields) -> None:
        """The change is made by now: a row that cannot be completed stays `begun`, and the answer stays what it is."""
        content = {"changes": _short(changes), "details": _short(change.details)}
        try:
            self._table.replace({**entity, "subject": change.subject[:200], "outcome": str(outcome), **content}, etag)
        except Exception as error:  # noqa: BLE001  # see above
            _log.error("An entry of the audit trail could not be completed: %s.", type(error).__name__)


def salted(address: str) -> str:
    """What stands for a person who is forgotten: it proves afterwards that it was they, and tells nobody who."""
    salt = secrets.token_hex(16)
    return f"{salt}:{hashlib.sha256(f'{salt}:{address.strip().lower()}'.encode()).hexdigest()}"


def _plain(values: Fields | None) -> Fields:
    """As JSON has it."""
    found: Fields = json.loads(json.dumps(values or {}, default=str))
    return found


def _short(content: Fields) -> str:
    text = json.dumps(content, default=str)
    return text if len(text) <= LONGEST else json.dumps({"too_long": sorted(content)[:200]})


def _view(entity: Entity) -> ChangeView:
    """As the row says; one that is not completed has neither changes nor details."""
    return ChangeView.model_validate({"changes": {}, "details": {}, **entity, "id": entity["RowKey"]})
