"""What one measurement is asked, and what it gives back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Options:
    """`rows` of the segment; `seconds` that a limit is watched."""

    rows: int = MILLION
    seconds: float = 180.0


@dataclass(frozen=True, slots=True)
class Measured:
    """`metrics` go to `latest.json` under their names; `details` are (what, figure) for people, in order."""

    metrics: Mapping[str, float] = field(default_factory=dict)
    details: Mapping[str, str] = field(default_factory=dict)
