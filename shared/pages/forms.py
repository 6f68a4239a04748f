"""Forms: the pairs that a browser sends -> nested values. `targets.0.segments[]` is a list in an entry of a list."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Any, TypeVar
from urllib.parse import parse_qsl

from fastapi import Depends, Request

from shared.catalog.issues import Invalid, Issue
from shared.wording import say

MOST_FIELDS = 5000
MOST_LEVELS = 9
"""Dots in a name that mean something; no form of ours has more."""
_NUMBER = re.compile(r"[0-9]{1,4}")

Values = dict[str, Any]
Choice = TypeVar("Choice", bound=StrEnum)


async def _form(request: Request) -> Values:
    body = (await request.body()).decode("utf-8", "replace")
    try:
        pairs = parse_qsl(body, keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError:
        raise Invalid([Issue("", say("A form has at most %(most)s fields.", most=MOST_FIELDS))]) from None
    return nested(pairs)


Form = Annotated[Values, Depends(_form)]
"""What a form sent."""


def nested(pairs: list[tuple[str, str]]) -> Values:
    """Names with dots are nested; numbered ones become lists, in the order of their numbers, gaps closed."""
    tree: Values = {}
    for name, value in pairs:
        *path, last = name.removesuffix("[]").split(".", MOST_LEVELS)
        place = tree
        for part in path:
            inner = place.setdefault(part, {})
            place = inner if isinstance(inner, dict) else {}
        if name.endswith("[]"):
            listed = place.setdefault(last, [])
            if isinstance(listed, list):  # else the name was sent as something else before
                listed.append(value)
        else:
            place[last] = value
    return {name: _lists(value) for name, value in tree.items()}


def _lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if value and all(_NUMBER.fullmatch(name) for name in value):
        return [_lists(value[name]) for name in sorted(value, key=int)]
    return {name: _lists(inner) for name, inner in value.items()}


def group(values: Values, name: str) -> Values:
    """A group of fields; empty where it was not sent."""
    found = values.get(name)
    return found if isinstance(found, dict) else {}


def dicts(values: Values, name: str) -> Iterator[Values]:
    """The entries of a list of groups; none where it was not sent."""
    found = values.get(name)
    return (each for each in (found if isinstance(found, list) else []) if isinstance(each, dict))


def text(values: Values, name: str) -> str:
    """A text field, blanks around it removed; "" where it was not sent."""
    found = values.get(name, "")
    return found.strip() if isinstance(found, str) else ""


def texts(values: Values, name: str) -> tuple[str, ...]:
    """The boxes of one name that were ticked, or what was chosen; empty where nothing was."""
    found = values.get(name)
    return tuple(each for each in found if isinstance(each, str)) if isinstance(found, list) else ()


def one_of(choices: type[Choice], chosen: str, pointer: str) -> Choice:
    """What a button or a list of choices says. Raises Invalid for anything that no page of ours sends."""
    try:
        return choices(chosen)
    except ValueError:
        raise Invalid([Issue(pointer, say("Choose one of %(choices)s.", choices=", ".join(choices)))]) from None
