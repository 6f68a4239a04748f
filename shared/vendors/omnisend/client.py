"""Calls to Omnisend, and what it says of many batches at once. Facts: Omnisend contract, sections 1, 4 and 6."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from shared.transport import Failure, Transport
from shared.vendors.answers import Answer
from shared.vendors.http import Client, Credentials, Link
from shared.vendors.keys import key_in
from shared.vendors.omnisend import errors, requests, responses
from shared.vendors.omnisend.definition import DEFINITION, HOST, VERSION
from shared.vendors.omnisend.responses import BatchesPage, BatchState

FIRST_SECONDS, LONGEST_SECONDS = 5.0, 60.0
"""To wait where a 429 does not say: doubled each time, up to one whole window of the limits."""

FRESH_SECONDS = 2.0
"""So long a batch that is not over may be thought to be as it was."""

# In which order Omnisend lists batches is not published. With the newest first, a page or two tell all that is asked;
# with the oldest first those under way are found by their status, and each of the rest costs one request of its own.
_LISTINGS: tuple[tuple[str | None, int], ...] = ((None, 4), ("pending", 10), ("inProgress", 10))
"""(status, most pages), read only as far as it takes."""

_VERSION = {"Omnisend-Version": VERSION}


def client_of(credentials: Credentials, link: Link, headers: Mapping[str, str] = _VERSION) -> Client:
    """A client that sends these headers with every request, and waits as long as a 429 asks for in its body."""
    authorize = key_in("Authorization", credentials, scheme="Omnisend-API-Key", others=headers)
    return Client(DEFINITION, HOST, replace(link, transport=Telling(link.transport)), authorize, refusal=errors.refusal)


class Telling:
    """The same transport, whose 429 answers all have a `retry-after`, which is what the shared client reads."""

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
    seconds = answer.object_or_empty().get("retryAfter")
    return max(float(seconds), 0.0) if isinstance(seconds, int | float) and not isinstance(seconds, bool) else None


class Board:
    """Asks for lists of batches, and for a single one only where it is in none of them. For one thread at a time."""

    def __init__(self, client: Client, clock: Callable[[], float]) -> None:
        self._client = client
        self._clock = clock
        self._known: dict[str, BatchState] = {}
        self._pages: Iterator[BatchesPage] = iter(())
        self._read_at = float("-inf")

    def state(self, batch_id: str) -> BatchState | None:
        """How the batch stands, at most `FRESH_SECONDS` ago; None when Omnisend does not know it.

        Raises what `Client.ask` raises.
        """
        known = self._known.get(batch_id)
        if known is not None and known.over:
            return known
        # A clock that was set back makes nothing fresh.
        if not 0 <= self._clock() - self._read_at <= FRESH_SECONDS:
            self._known, self._pages, self._read_at = {}, self._listed(), self._clock()
        while batch_id not in self._known and (page := next(self._pages, None)) is not None:
            self._note(page.batches)
        if batch_id not in self._known:
            alone = self._client.ask(requests.batch(batch_id), responses.one_batch)
            self._note([alone] if alone else [])
        return self._known.get(batch_id)

    def _listed(self) -> Iterator[BatchesPage]:
        for status, most in _LISTINGS:
            offset = 0
            for _ in range(most):
                page = self._client.ask(requests.batches(status, offset), responses.batches)
                yield page
                offset += len(page.batches)
                if not page.more or not page.batches:
                    break

    def _note(self, states: Iterable[BatchState]) -> None:
        self._known |= {each.id: each for each in states}
