"""How long a run waits between two looks at the vendor's jobs: longer and longer, while none of them ends."""

from __future__ import annotations

LONGEST_PAUSE = 60.0


def pause(first: float, waits: int) -> float:
    """Seconds to wait after so many waits in which no batch was answered."""
    return min(first * 2.0 ** min(waits, 20), LONGEST_PAUSE)
