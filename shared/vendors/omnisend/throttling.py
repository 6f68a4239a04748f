"""Omnisend says in the body of a 429 how long to wait; the shared client reads the header. Facts: section 6."""

from __future__ import annotations

import random
from collections.abc import Mapping

from shared.transport import Failure, Transport
from shared.vendors.answers import Answer, UnexpectedAnswer

FIRST_SECONDS, LONGEST_SECONDS = 5.0, 60.0
"""To wait where a 429 does not say: doubled each time, up to one whole window of the limits."""


class Telling:
    """The same transport, whose 429 answers all have a `retry-after`."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._untold = 0
        """Answers in a row that did not say how long to wait."""

    def __call__(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, seconds: float
    ) -> Answer | Failure:
        outcome = self._transport(method, url, headers, body, seconds)
        if isinstance(outcome, Failure) or outcome.status != 429:
            self._untold = 0
            return outcome
        asked = _in_body(outcome)
        if asked is None and "retry-after" in outcome.headers:
            return outcome
        wait = self._guess() if asked is None else asked
        return Answer(outcome.status, {**outcome.headers, "retry-after": f"{wait:.1f}"}, outcome.body)

    def _guess(self) -> float:
        wait = min(FIRST_SECONDS * 2.0**self._untold, LONGEST_SECONDS)
        self._untold = min(self._untold + 1, 10)
        return wait * random.uniform(1.0, 1.1)


def _in_body(answer: Answer) -> float | None:
    try:
        seconds = answer.object().get("retryAfter")
    except UnexpectedAnswer:
        return None
    return max(float(seconds), 0.0) if isinstance(seconds, int | float) and not isinstance(seconds, bool) else None
