"""How two definitions differ, place by place. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


class Nothing:
    """Stands for a value that is not there."""


NOTHING = Nothing()


@dataclass(frozen=True, slots=True)
class Difference:
    """`pointer` is a JSON pointer; `before` or `after` is NOTHING where it is not there."""

    pointer: str
    before: Any
    after: Any

    def as_json(self) -> dict[str, Any]:
        told = {"before": self.before, "after": self.after}
        return {"pointer": self.pointer, **{key: each for key, each in told.items() if each is not NOTHING}}

    def __str__(self) -> str:
        if self.before is NOTHING:
            return f"+ {self.pointer}: {_text(self.after)}"
        if self.after is NOTHING:
            return f"- {self.pointer}: {_text(self.before)}"
        return f"~ {self.pointer}: {_text(self.before)} -> {_text(self.after)}"


def differences(before: Any, after: Any, at: str = "") -> Iterator[Difference]:
    """Nothing where they are equal; `true` is not 1."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in [*before, *(key for key in after if key not in before)]:
            place = f"{at}/{str(key).replace('~', '~0').replace('/', '~1')}"
            yield from differences(before.get(key, NOTHING), after.get(key, NOTHING), place)
    elif isinstance(before, list) and isinstance(after, list):
        for index in range(max(len(before), len(after))):
            yield from differences(_at(before, index), _at(after, index), f"{at}/{index}")
    elif before != after or isinstance(before, bool) is not isinstance(after, bool):
        yield Difference(at, before, after)


def _at(values: list[Any], index: int) -> Any:
    return values[index] if index < len(values) else NOTHING


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
