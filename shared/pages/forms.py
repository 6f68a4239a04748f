"""Forms: the pairs that a browser sends -> nested values. `targets.0.segments[]` is a list in an entry of a list."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import parse_qsl

from fastapi import Depends, Request

MOST_FIELDS = 5000

Values = dict[str, Any]


async def _form(request: Request) -> Values:
    body = (await request.body()).decode("utf-8", "replace")
    return nested(parse_qsl(body, keep_blank_values=True, max_num_fields=MOST_FIELDS))


Form = Annotated[Values, Depends(_form)]
"""What a form sent."""


def nested(pairs: list[tuple[str, str]]) -> Values:
    """Names with dots are nested; numbered ones become lists, in the order of their numbers, gaps closed."""
    tree: Values = {}
    for name, value in pairs:
        *path, last = name.removesuffix("[]").split(".")
        place = tree
        for part in path:
            inner = place.setdefault(part, {})
            place = inner if isinstance(inner, dict) else {}
        if name.endswith("[]"):
            place.setdefault(last, []).append(value)
        else:
            place[last] = value
    return {name: _lists(value) for name, value in tree.items()}


def _lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if value and all(name.isdigit() for name in value):
        return [_lists(value[name]) for name in sorted(value, key=int)]
    return {name: _lists(inner) for name, inner in value.items()}


def text(values: Values, name: str) -> str:
    """A text field, blanks around it removed; "" where it was not sent."""
    found = values.get(name, "")
    return found.strip() if isinstance(found, str) else ""
