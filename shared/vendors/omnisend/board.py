"""What Omnisend says of many batches at once, kept for a moment. Facts: Omnisend contract, section 4."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from shared.vendors.http import Client
from shared.vendors.omnisend import requests, responses
from shared.vendors.omnisend.responses import BatchState

FRESH_SECONDS = 2.0
"""So long a batch that is not over may be thought to be as it was."""

# In which order Omnisend lists batches is not published. With the newest first, a page or two tell all that is asked;
# with the oldest first those under way are found by their status, and each of the rest costs one request of its own.
_LISTINGS: tuple[tuple[str | None, int], ...] = ((None, 4), ("pending", 10), ("inProgress", 10))
"""(status, most pages), read only as far as it takes."""


class Board:
    """Asks for lists of batches, and for a single one only where it is in none of them. For one thread at a time."""

    def __init__(self, client: Client, clock: Callable[[], float]) -> None:
        self._client = client
        self._clock = clock
        self._known: dict[str, BatchState] = {}
        self._pages: Iterator[responses.BatchesPage] = iter(())
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

    def _listed(self) -> Iterator[responses.BatchesPage]:
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
