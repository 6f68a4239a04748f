"""What a failed attempt means and how long to wait before the next: data and arithmetic, no I/O."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime

from shared.errors import RetryAfter
from shared.transport import Failure
from shared.vendors.answers import Answer, RateLimited, Unreachable
from shared.wording import Message, say

LONGEST_RETRY_AFTER = 3600.0
_SECONDS = re.compile(r"\d{1,9}(\.\d+)?")


@dataclass(frozen=True, slots=True)
class Disposition:
    """How it goes on after one kind of failure. Times are seconds."""

    words: Message
    attempts: int
    first: float
    longest: float
    """Backoff before attempt n+1 is drawn from 0 to `first` * 2**(n-1), at most `longest`."""
    unsure: bool
    """The request may have been carried out all the same."""
    later: float
    """When to come back after the last attempt, unless the vendor says so itself."""
    error: type[RetryAfter] = RetryAfter


_SERVER_ERROR = Disposition(say("%(what)s failed."), 5, 1.0, 16.0, unsure=True, later=60.0)

DISPOSITIONS: Mapping[Failure | int, Disposition] = {
    Failure.UNREACHABLE: Disposition(
        say("%(what)s could not be reached."), 4, 0.5, 8.0, unsure=False, later=60.0, error=Unreachable
    ),
    Failure.TIMEOUT: Disposition(say("%(what)s did not answer in time."), 3, 1.0, 8.0, unsure=True, later=60.0),
    Failure.DROPPED: Disposition(say("%(what)s broke the connection off."), 4, 0.5, 8.0, unsure=True, later=60.0),
    408: Disposition(say("%(what)s did not get the whole request in time."), 3, 1.0, 8.0, unsure=True, later=60.0),
    429: Disposition(say("%(what)s limits the rate."), 6, 1.0, 60.0, unsure=False, later=30.0, error=RateLimited),
    503: replace(_SERVER_ERROR, words=say("%(what)s is not available.")),
}


def judge(outcome: Answer | Failure) -> Disposition | None:
    """The failure's disposition; None for an answer that is the vendor module's to read."""
    key = outcome if isinstance(outcome, Failure) else outcome.status
    found = DISPOSITIONS.get(key)
    if found is None and isinstance(outcome, Answer) and outcome.status >= 500:
        found = _SERVER_ERROR
    if found and isinstance(outcome, Answer) and outcome.status == 503 and "retry-after" in outcome.headers:
        # Told to come back later: the request was turned away, not attempted.
        found = replace(found, unsure=False)
    return found


def backoff(disposition: Disposition, attempt: int) -> float:
    """Seconds before the attempt after `attempt` (from 1): exponential, with full jitter."""
    return random.uniform(0.0, min(disposition.longest, disposition.first * 2.0 ** (attempt - 1)))


def retry_after(outcome: Answer | Failure) -> float | None:
    """Seconds that `Retry-After` asks for (a number or an HTTP date), at most an hour; None without a usable one."""
    if isinstance(outcome, Failure):
        return None
    text = outcome.headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(text):
        seconds = float(text)
    elif (moment := _timestamp(text)) is not None:
        # Counted from the vendor's own clock where it tells it.
        now = _timestamp(outcome.headers.get("date", ""))
        seconds = moment - (time.time() if now is None else now)
    else:
        return None
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER)


def _timestamp(http_date: str) -> float | None:
    try:
        return parsedate_to_datetime(http_date).timestamp()
    except (TypeError, ValueError, OverflowError):
        return None
