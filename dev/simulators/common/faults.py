"""Faults on demand: which call of which endpoint goes wrong, and how."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

ANY = "any"

Kind = Literal["rate_limited", "error", "html", "unknown_json", "drop", "hang", "truncate"]


class Fault(BaseModel):
    """One thing that goes wrong.

    `endpoint` is "METHOD /template" as in the journal, or "any". Which of its calls are struck, counted
    from 1 since the fault was set: number `call`, every `every`-th, each with probability `chance` (drawn
    from `seed`), or all of them when none of the three is given; never more than `times` calls.

    | kind | what the client sees |
    | --- | --- |
    | `rate_limited` | the vendor's 429, with `Retry-After: retry_after` where given |
    | `error` | the vendor's body for `status` (default 500) |
    | `html` | an HTML page with `status` (default 502) |
    | `unknown_json` | `body`, or JSON of a shape that no vendor uses, with `status` (default 200) |
    | `drop` | the connection closes without an answer |
    | `hang` | silence for `seconds` (default: until the client leaves), then the answer if `work`, else a drop |
    | `truncate` | the real answer, cut in the middle |

    `work` says whether the vendor does what was asked before things go wrong: true is the case where the
    client cannot know the outcome. A truncated answer always follows the work.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    endpoint: str = ANY
    kind: Kind
    work: bool = False
    call: int | None = Field(default=None, ge=1)
    every: int | None = Field(default=None, ge=1)
    chance: float | None = Field(default=None, ge=0, le=1)
    seed: int = 0
    times: int | None = Field(default=None, ge=1)
    status: int | None = Field(default=None, ge=200, le=599)
    retry_after: int | None = Field(default=None, ge=0)
    seconds: float | None = Field(default=None, ge=0)
    body: Any = None

    @model_validator(mode="after")
    def _one_rule(self) -> Self:
        if sum(rule is not None for rule in (self.call, self.every, self.chance)) > 1:
            raise ValueError("give at most one of call, every and chance")
        return self

    @property
    def works(self) -> bool:
        return self.work or self.kind == "truncate"


class _Armed:
    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.seen = 0
        self.fired = 0
        self._random = random.Random(fault.seed)

    def due(self, endpoint: str) -> bool:
        fault = self.fault
        if fault.endpoint not in (ANY, endpoint):
            return False
        self.seen += 1
        if fault.call is not None:
            chosen = self.seen == fault.call
        elif fault.chance is not None:
            chosen = self._random.random() < fault.chance
        else:
            chosen = self.seen % (fault.every or 1) == 0
        return chosen and (fault.times is None or self.fired < fault.times)


class Faults:
    """The faults that are set; where several are due on one call, the first in order strikes."""

    def __init__(self, endpoints: Iterable[str], faults: Iterable[Fault] = ()) -> None:
        self._names = {ANY, *endpoints}
        self.set(faults)

    def set(self, faults: Iterable[Fault]) -> None:
        """Replace all faults; their counts start at nought. Raises `ValueError` for an unknown endpoint."""
        armed = [_Armed(fault) for fault in faults]
        if strangers := {each.fault.endpoint for each in armed} - self._names:
            raise ValueError(f"no such endpoint: {', '.join(sorted(strangers))}")
        self._armed = armed

    def next(self, endpoint: str) -> Fault | None:
        """Count one call of `endpoint`, and return the fault that strikes it."""
        due = [armed for armed in self._armed if armed.due(endpoint)]
        if not due:
            return None
        due[0].fired += 1
        return due[0].fault

    def describe(self) -> list[dict[str, Any]]:
        """Each fault with the calls it has `seen` and those where it `fired`."""
        return [
            {**armed.fault.model_dump(exclude_defaults=True), "seen": armed.seen, "fired": armed.fired}
            for armed in self._armed
        ]
