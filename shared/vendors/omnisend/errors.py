"""Omnisend's errors, in its own two shapes: RFC 9457 problems, and the older `error` with `fields`.

Facts: Omnisend contract, sections 4 and 7.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from shared.cloud.scrubbing import excerpt
from shared.errors import UserMustAct
from shared.vendors.answers import Answer, UnexpectedAnswer
from shared.vendors.omnisend.definition import SCOPES, VERSION
from shared.wording import Message, say, together

_PLACE = re.compile(r"^(?:items|emails)(?:\.\d+|\[\d+\])\.?")
"""Where in a request the entry was: of no use to anybody who did not see the request."""


@dataclass(frozen=True, slots=True)
class Complaint:
    """What is wrong, and with which field ("" where that is not said). May hold an address."""

    field: str
    message: str


def complaints(body: Any) -> list[Complaint]:
    """Everything that an error says, in both shapes; empty when it is no error that we know."""
    if not isinstance(body, dict):
        return []
    found = [*_errors(body.get("errors")), *_fields(body.get("fields"))]
    general = next((body[key] for key in ("detail", "error", "title") if isinstance(body.get(key), str)), None)
    return found or ([Complaint("", general)] if general else [])


def problem(answer: Answer) -> list[Complaint]:
    """What a refused request was refused for. Raises UnexpectedAnswer when the answer is no error of Omnisend's."""
    found = complaints(answer.object())
    if not found:
        raise UnexpectedAnswer(
            say("Omnisend answered %(status)s without saying what is wrong.", status=str(answer.status))
        )
    return found


def words(found: Sequence[Complaint]) -> str:
    """The first complaint as a sentence fit for people."""
    first = found[0]
    field = _PLACE.sub("", first.field)
    return Message(excerpt(f"{field}: {first.message}" if field else first.message).rstrip(".") + ".")


def refusal(answer: Answer) -> UserMustAct:
    """A 401 or 403, for people."""
    if answer.status == 401:
        return UserMustAct(
            "bad_credentials",
            say(
                "Omnisend does not know this API key: check that it is complete, and that nobody deleted "
                "it in Omnisend."
            ),
        )
    said = _said(answer)
    return UserMustAct(
        "missing_scope", together([lacking(), say("Omnisend says: %(words)s", words=Message(said)) if said else ""])
    )


def lacking(scopes: Sequence[str] = (say("a permission"),)) -> str:
    """What to do about a key that may not do everything."""
    needed = say("%(some)s and %(last)s", some=", ".join(SCOPES[:-1]), last=SCOPES[-1])
    return say(
        "The API key lacks %(lacking)s: make a key in Omnisend with %(needed)s, and give the connection that.",
        lacking=together(scopes, ", "),
        needed=needed,
    )


def check_version(answer: Answer) -> None:
    """Raises UserMustAct when Omnisend no longer takes the version that this service speaks."""
    if answer.status == 410 or (answer.status == 400 and "omnisend-version" in _said(answer).casefold()):
        raise UserMustAct(
            "version_retired",
            say(
                "Omnisend no longer takes version %(version)s of its API: install a newer release of this service.",
                version=VERSION,
            ),
        )


def _said(answer: Answer) -> str:
    found = complaints(answer.object_or_empty())
    return words(found) if found else ""


def _errors(entries: Any) -> Iterator[Complaint]:
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, dict):
            yield Complaint(str(entry.get("field") or ""), str(entry.get("message") or entry.get("code") or "refused"))


def _fields(fields: Any) -> Iterator[Complaint]:
    for messages in fields.values() if isinstance(fields, dict) else ():
        for message in messages if isinstance(messages, list) else ():
            field, colon, rest = str(message).partition(": ")
            yield Complaint(field, rest) if colon else Complaint("", field)
