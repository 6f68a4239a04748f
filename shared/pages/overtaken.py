"""Two people edited the same thing: what the other saved beside what this person wrote."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.pages.labels import PARTS


@dataclass(frozen=True, slots=True)
class OvertakenField:
    """A part of a definition that is not the same; `part` is the page's word for it."""

    part: str
    theirs: str
    mine: str


@dataclass(frozen=True, slots=True)
class Overtaken:
    """Who saved meanwhile, when, and what is different."""

    who: str
    at: datetime
    differences: tuple[OvertakenField, ...]


def differences(theirs: Mapping[str, Any], mine: Mapping[str, Any]) -> tuple[OvertakenField, ...]:
    """Every part that both have and that is not the same, both in a form that people can compare."""
    return tuple(
        OvertakenField(words, in_words(theirs.get(part)), in_words(mine.get(part)))
        for part, words in PARTS.items()
        if part in mine and theirs.get(part) != mine[part]
    )


def in_words(value: Any) -> str:
    """`a: 1, b: 2` for what has parts; nothing of what is empty."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {in_words(each)}" for name, each in value.items() if each not in (None, "", [], ()))
    if isinstance(value, list | tuple):
        return "; ".join(in_words(each) for each in value)
    return value if isinstance(value, str) else json.dumps(value)
