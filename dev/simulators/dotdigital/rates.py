"""What an account may call, and the headers that tell of it (contract section 9)."""

from __future__ import annotations

import math
from email.utils import formatdate

from dev.simulators.common.clock import Clock
from dev.simulators.common.vendor import Answer
from dev.simulators.common.windows import Rate, Windows
from dev.simulators.dotdigital import answers
from dev.simulators.dotdigital.settings import Settings

_OTHER = "medium"
_FLAT = "flat"
_HOUR = 3600.0


class Meter:
    """Counts the calls of each account: by tier and minute, or in the flat scheme by hour."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._windows = Windows(clock)

    def take(self, account: str, endpoint: str, settings: Settings) -> Answer | None:
        """Count a call; the refusal, where it goes over."""
        name, rate = _limit(endpoint, settings)
        wait = self._windows.take(account, [(name, rate)]) if rate else 0.0
        if wait == 0:
            return None
        if name == _FLAT:
            return answers.capped(settings.flat_cap_text)
        refusal = self.refusal(account, endpoint, settings)
        match settings.retry_after:
            case "seconds":
                return refusal.with_header("retry-after", str(math.ceil(wait)))
            case "http_date":
                at = self._clock.epoch() + math.ceil(wait)
                return refusal.with_header("retry-after", formatdate(at, usegmt=True))
            case _:
                return refusal

    def refusal(self, account: str, endpoint: str, settings: Settings) -> Answer:
        """The tiered scheme's 429: its body is UNCONFIRMED, so nothing can be read from it."""
        return self.told(answers.empty(429), account, endpoint, settings, refused=True)

    def told(self, answer: Answer, account: str, endpoint: str, settings: Settings, refused: bool = False) -> Answer:
        """`answer` with the headers of the tiered scheme, where the endpoint has a limit."""
        name, rate = _limit(endpoint, settings)
        if rate is None or name == _FLAT:
            return answer
        left, seconds = self._windows.left(account, name, rate)
        headers = {
            "x-ratelimit-limit": str(rate.calls),
            "x-ratelimit-remaining": "0" if refused else str(left),
            "x-ratelimit-reset": self._reset(max(1, math.ceil(seconds)), settings),
            "x-ratelimit-scope": f"{name}CallRate",
        }
        for header, value in headers.items():
            answer = answer.with_header(header, value)
        return answer

    def clear(self) -> None:
        self._windows.clear()

    def in_last_hour(self, account: str, settings: Settings) -> tuple[int, int]:
        """Calls made and calls remaining, as the flat scheme counts them."""
        left, _ = self._windows.left(account, _FLAT, _flat_rate(settings))
        return settings.flat_calls - left, left

    def _reset(self, seconds: int, settings: Settings) -> str:
        match settings.rate_reset:
            case "delta":
                return str(seconds)
            case "epoch":
                return str(math.ceil(self._clock.epoch()) + seconds)
            case "epoch_ms":
                return str((math.ceil(self._clock.epoch()) + seconds) * 1000)


def _limit(endpoint: str, settings: Settings) -> tuple[str, Rate | None]:
    if settings.rate_scheme == "flat":
        return _FLAT, _flat_rate(settings)
    tier = settings.endpoint_tiers.get(endpoint, _OTHER)
    return tier, settings.tiers.get(tier)


def _flat_rate(settings: Settings) -> Rate:
    return Rate(calls=settings.flat_calls, seconds=_HOUR)
