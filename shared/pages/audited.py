"""Entries of the audit trail as people read them: what was changed, by its name and with its page."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from shared.access.audit import ChangeOutcome, ChangeView
from shared.pages.labels import PARTS
from shared.pages.overtaken import in_words
from shared.wording import Message, say

_LONG = timedelta(minutes=15)
"""No request takes so long: what is begun since then was never ended."""
_UNSAID = frozenset({"updated_at", "updated_by", "version"})
"""Properties that every change changes."""


@dataclass(frozen=True, slots=True)
class AuditedPart:
    """A property before and after; `part` is the page's word for it where it has one."""

    part: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry. `state` is a key of `labels.AUDITED`, `address` the page of what was changed, if it has one."""

    change: ChangeView
    state: str
    subject: Message | str
    address: str
    parts: tuple[AuditedPart, ...]
    details: tuple[tuple[str, str], ...]


def entry(change: ChangeView, now: datetime) -> Entry:
    """A change of the trail for its page."""
    begun_long_ago = change.outcome is ChangeOutcome.BEGUN and now - change.at > _LONG
    subject, address = _subject(change.subject)
    details = tuple((name, in_words(value)) for name, value in change.details.items())
    state = "open" if begun_long_ago else change.outcome
    return Entry(change, state, subject, address, _parts(change.changes), details)


def _parts(changes: Mapping[str, Any]) -> tuple[AuditedPart, ...]:
    return tuple(
        AuditedPart(PARTS.get(name, name), _shown(pair, 0), _shown(pair, 1))
        for name, pair in changes.items()
        if name not in _UNSAID
    )


def _shown(pair: Any, which: int) -> str:
    value = pair[which] if isinstance(pair, list) and len(pair) == 2 else pair
    return "" if value is None else in_words(value)


_SUBJECTS = (
    (
        re.compile(r"run (?P<run>\S+) of export (?P<name>\S+)"),
        say("run of the export %(name)s"),
        "/exports/{name}/runs/{run}",
    ),
    (re.compile(r"export (?P<name>\S+)"), say("export %(name)s"), "/exports/{name}"),
    (re.compile(r"segment (?P<name>.+)"), say("segment %(name)s"), "/segments/{name}"),
    (re.compile(r"connection (?P<name>\S+)"), say("connection %(name)s"), "/connections/{name}"),
)
"""How subjects are written, what people are told, and where their pages are."""


def _subject(text: str) -> tuple[Message | str, str]:
    for pattern, words, address in _SUBJECTS:
        if found := pattern.fullmatch(text):
            quoted = {key: quote(value) for key, value in found.groupdict().items()}
            return words.filled(name=found["name"]), address.format_map(quoted)
    return text, ""
