"""Marks in a target's memory: requests to forget somebody that wait until no delivery to it is half done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_MARKS = "forgetting"


def requests(memory: Mapping[str, Any]) -> list[str]:
    """Requests that wait; one whose blob is gone waits no more."""
    return list(memory.get(_MARKS) or ())


def has(memory: Mapping[str, Any], request: str) -> bool:
    """Whether this one waits."""
    return request in requests(memory)


def with_request(memory: Mapping[str, Any], request: str) -> dict[str, Any]:
    """What the target is to remember so that the request waits; nothing where it does already."""
    known = requests(memory)
    return {} if request in known else {_MARKS: [*known, request]}


def without_request(memory: Mapping[str, Any], request: str) -> dict[str, Any]:
    """What the target is to remember so that the request waits no more; nothing where it does not."""
    known = requests(memory)
    return {_MARKS: [each for each in known if each != request]} if request in known else {}
