"""How long a vendor's answers take, by endpoint, as the latest requests to an account saw it."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

FADES = 0.5
"""What earlier slices saw counts for so much less in each that follows."""


class AnswerTimes:
    """Means, in which an answer counts as much as it and its request are large: a batch of ten thousand people tells
    more about the next one than a hundred small questions do. Thread safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: dict[str, tuple[float, float]] = {}
        """Endpoint -> bytes, and the mean of its seconds."""

    def note(self, endpoint: str, size: int, seconds: float) -> None:
        """An answer that, with its request, had so many bytes."""
        with self._lock:
            before, mean = self._seen.get(endpoint, (0.0, 0.0))
            weight = before + size + 1
            self._seen[endpoint] = (weight, mean + (seconds - mean) * (size + 1) / weight)

    def seconds(self, endpoint: str, otherwise: float) -> float:
        """How long an answer of this endpoint takes; `otherwise` where none was seen."""
        with self._lock:
            return self._seen.get(endpoint, (0.0, otherwise))[1]

    def state(self) -> dict[str, Any]:
        """As JSON, for the next slice."""
        with self._lock:
            return {endpoint: [round(size, 1), round(mean, 3)] for endpoint, (size, mean) in self._seen.items()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on with what earlier slices saw."""
        with self._lock:
            for endpoint, (size, mean) in state.items():
                self._seen[endpoint] = (float(size) * FADES, float(mean))
