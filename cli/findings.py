"""What the doctor finds, and what a check of it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from cli.api import Api

State = Literal["ok", "warning", "failed"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found out about one thing; `numbers` are for programs."""

    check: str
    subject: str
    state: State
    message: str = ""
    numbers: Mapping[str, int | None] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


Check = Callable[[Api], Iterator[Finding]]
