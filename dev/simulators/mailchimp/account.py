"""An account, and what every group of endpoints works with."""

from __future__ import annotations

from itertools import count
from typing import Protocol

from dev.simulators.common.clock import Clock
from dev.simulators.common.vendor import Answer, Call, Refusal
from dev.simulators.mailchimp.answers import not_found
from dev.simulators.mailchimp.audience import Audience, Counts
from dev.simulators.mailchimp.jobs import Batch
from dev.simulators.mailchimp.settings import AUDIENCE, Settings

_FIRST_SEGMENT = 10297
_SEGMENTS_PER_ACCOUNT = 1_000_000


class Account:
    """One audience is there from the start; in another account than the first one, under another id."""

    def __init__(self, account_id: str, number: int, now: float) -> None:
        """`number` is another one for each account, so that no two have an audience or a tag of the same id."""
        self.id = account_id
        self.login_id = 7654321 + number
        self.name = f"Contoso {number}" if number else "Contoso Coffee"
        self.audiences: dict[str, Audience] = {}
        self.batches: dict[str, Batch] = {}
        self.counts = Counts()
        self._numbers = count(_FIRST_SEGMENT + number * _SEGMENTS_PER_ACCOUNT, 4)
        self.create(f"{int(AUDIENCE, 16) + number:010x}", "Contoso Coffee customers", now)

    def create(self, audience_id: str, name: str, now: float) -> Audience:
        made = self.audiences[audience_id] = Audience(audience_id, name, now, self._numbers)
        return made

    @property
    def first(self) -> Audience:
        return next(iter(self.audiences.values()))


class Desk(Protocol):
    """`settings` may be replaced between calls, so nobody keeps them."""

    settings: Settings
    clock: Clock

    def of(self, call: Call) -> Account:
        """The account that the call's key belongs to, with everything done that is due."""
        ...

    def perform(self, call: Call) -> Answer:
        """An operation of a batch, as if it had been called by itself."""
        ...


def audience_of(desk: Desk, call: Call) -> Audience:
    """Raises `Refusal` (404)."""
    found = desk.of(call).audiences.get(call.parameters["list_id"])
    if found is None:
        raise Refusal(not_found())
    return found
