"""Rate limits: at most so many calls in any window of so many seconds."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict, Field

from dev.simulators.common.clock import Clock


class Rate(BaseModel):
    """`calls` in any `seconds`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    calls: int = Field(ge=1)
    seconds: float = Field(gt=0)


class Windows:
    """The calls let through lately, by account and name of the limit.

    The window slides, the strictest reading of a published rate: who keeps to it
    also keeps to fixed windows and to token buckets. A refused call does not count.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._calls: defaultdict[tuple[str, str], deque[float]] = defaultdict(deque)

    def take(self, account: str, rates: Iterable[tuple[str, Rate]]) -> float:
        """0.0 when the call fits all `rates` and was counted; else the seconds until it would fit."""
        now = self._clock.monotonic()
        wanted = [(self._calls[account, name], rate) for name, rate in rates]
        wait = max((_wait(calls, rate, now) for calls, rate in wanted), default=0.0)
        if wait == 0.0:
            for calls, _ in wanted:
                calls.append(now)
        return wait

    def left(self, account: str, name: str, rate: Rate) -> tuple[int, float]:
        """How many calls fit `rate` now, and the seconds until all of them would."""
        now = self._clock.monotonic()
        lately = [at for at in self._calls[account, name] if at > now - rate.seconds]
        return max(0, rate.calls - len(lately)), lately[-1] + rate.seconds - now if lately else 0.0

    def clear(self) -> None:
        self._calls.clear()


def _wait(calls: deque[float], rate: Rate, now: float) -> float:
    while calls and calls[0] <= now - rate.seconds:
        calls.popleft()
    if len(calls) < rate.calls:
        return 0.0
    return calls[-rate.calls] + rate.seconds - now
