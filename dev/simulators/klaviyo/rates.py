"""What an account may call, endpoint by endpoint, and the headers that tell of it (contract section 8)."""

from __future__ import annotations

import math
from email.utils import formatdate

from dev.simulators.common.clock import Clock
from dev.simulators.common.vendor import Answer, Call
from dev.simulators.common.windows import Rate, Windows
from dev.simulators.klaviyo import answers
from dev.simulators.klaviyo.settings import COUNTED_LIST, Settings

_DAY = 86_400


class Meter:
    """Counts the calls of each account: burst, steady, and for new lists by day."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._windows = Windows(clock)

    def take(self, call: Call, settings: Settings) -> Answer | None:
        """Count a call; the refusal, where it goes over."""
        limited = _limited(call)
        rates = [(_name(limited, rate, settings), rate) for rate in settings.limits.get(limited, ())]
        wait = self._windows.take(call.account, rates)
        if wait == 0:
            return None
        seconds = math.ceil(wait)
        refusal = answers.throttled(seconds)
        match settings.retry_after:
            case "seconds":
                return refusal.with_header("retry-after", str(seconds))
            case "http_date":
                return refusal.with_header("retry-after", formatdate(self._clock.epoch() + seconds, usegmt=True))
            case _:
                return refusal

    def told(self, answer: Answer, call: Call, settings: Settings) -> Answer:
        """`answer` with the headers of the burst window, which a 429 does not have."""
        limited = _limited(call)
        rates = settings.limits.get(limited, ())
        if not rates or answer.status == 429:
            return answer
        burst = rates[0]
        left, _ = self._windows.left(call.account, _name(limited, burst, settings), burst)
        windows = ", ".join(f"{rate.calls};w={rate.seconds:.0f}" for rate in rates)
        headers = {
            "RateLimit-Limit": f"{burst.calls}, {windows}",
            "RateLimit-Remaining": str(left),
            "RateLimit-Reset": "0",
        }
        for name, value in headers.items():
            answer = answer.with_header(name, value)
        return answer

    def clear(self) -> None:
        self._windows.clear()


def _limited(call: Call) -> str:
    counted = "profile_count" in call.query.get("additional-fields[list]", "")
    return COUNTED_LIST if counted and call.endpoint == "GET /api/lists/{id}" else call.endpoint


def _name(limited: str, rate: Rate, settings: Settings) -> str:
    """Methods of one path count together where they share; a day's calls are always one method's own."""
    path = limited.partition(" ")[2]
    shared = settings.methods_share and rate.seconds < _DAY
    return f"{path if shared else limited} {rate.seconds}"
