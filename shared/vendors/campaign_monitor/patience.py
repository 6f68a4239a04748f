"""When to come back after a 429. Contract, section 7: `Retry-After` is not what Campaign Monitor says it with."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace

from shared.transport import Failure, Transport
from shared.vendors.answers import Answer

SILENT_SECONDS = (30.0, 45.0)
"""Pause, drawn between the two, where a 429 gives none; a rate that is still too high slows down by itself."""


def patient(transport: Transport) -> Transport:
    """The transport, with every 429 saying in `Retry-After` how many seconds to wait."""

    def exchange(
        method: str, url: str, headers: Mapping[str, str], body: bytes | None, seconds: float
    ) -> Answer | Failure:
        outcome = transport(method, url, headers, body, seconds)
        if isinstance(outcome, Failure) or outcome.status != 429 or "retry-after" in outcome.headers:
            return outcome
        pause = outcome.headers.get("x-ratelimit-reset") or f"{random.uniform(*SILENT_SECONDS):.1f}"
        return replace(outcome, headers={**outcome.headers, "retry-after": pause})

    return exchange
