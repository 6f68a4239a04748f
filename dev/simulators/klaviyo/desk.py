"""What every group of endpoints works with."""

from __future__ import annotations

from typing import Protocol

from dev.simulators.common.clock import Clock
from dev.simulators.common.vendor import Call
from dev.simulators.klaviyo.account import Account
from dev.simulators.klaviyo.settings import Settings


class Desk(Protocol):
    """`settings` may be replaced between calls, so nobody keeps them."""

    settings: Settings
    clock: Clock

    def of(self, call: Call) -> Account:
        """The account that the call's key belongs to, with everything done that is due."""
        ...
