"""The job of a staged batch, as text that the engine keeps and gives back.

A batch is one import or one removal at Dotdigital, and only where it is too large for that, several one after the
other; so at any time it has one job open there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import orjson


@dataclass(frozen=True, slots=True)
class Part:
    """The rows up to `stop`. `id` is their job at Dotdigital, None where nothing was left to ask of it.

    `refusal` says why Dotdigital refused the request as a whole.
    """

    stop: int
    id: str | None = None
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class Job:
    """Parts of a batch so far. `started` is when the last one was (seconds since 1970)."""

    started: float
    parts: tuple[Part, ...] = ()
    left_alone: tuple[int, ...] = ()
    """Rows that were not sent, since the person unsubscribed from the list."""

    @property
    def stop(self) -> int:
        """The first row that is in no part yet."""
        return self.parts[-1].stop if self.parts else 0

    def then(self, part: Part, left_alone: Sequence[int], started: float) -> Job:
        return Job(started, (*self.parts, part), (*self.left_alone, *left_alone))

    def spans(self) -> Iterator[tuple[Part, list[int]]]:
        """Each part with the rows that were sent in it."""
        start, skipped = 0, set(self.left_alone)
        for part in self.parts:
            yield part, [index for index in range(start, part.stop) if index not in skipped]
            start = part.stop

    def text(self) -> str:
        parts = [[part.stop, part.id, part.refusal] for part in self.parts]
        kept = {"started": self.started, "parts": parts, "left_alone": self.left_alone}
        return orjson.dumps(kept).decode()

    @classmethod
    def parse(cls, text: str) -> Self:
        kept = orjson.loads(text)
        return cls(kept["started"], tuple(Part(*part) for part in kept["parts"]), tuple(kept["left_alone"]))
