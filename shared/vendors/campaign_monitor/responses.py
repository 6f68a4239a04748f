"""Answers to facts; nothing here talks to anyone. Contract, sections 1 to 3 and 6."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from shared.errors import UserMustAct
from shared.vendors.answers import Answer, UnexpectedAnswer
from shared.vendors.campaign_monitor.definition import DEFINITION
from shared.vendors.campaign_monitor.errors import (
    FIELD_EXISTS,
    NAME_TAKEN,
    NO_SUCH_PAGE,
    envelope,
    number,
    require_known_id,
)
from shared.vendors.lists import Listed
from shared.wording import Message, say


@dataclass(frozen=True, slots=True)
class ListField:
    """A custom field as a list has it. `key` is without its brackets, as imports want it."""

    name: str
    key: str
    type: str
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Details:
    """A list's own settings, as far as they matter here."""

    title: str
    confirmed_opt_in: bool
    ignores_suppression: bool
    """Its `UnsubscribeSetting` is OnlyThisList: the client's suppression list does not hold there."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page of people: (address, date) as they came. `total` and `pages` are of the whole list; `newest_first` says
    that Campaign Monitor put them in that order."""

    people: Sequence[tuple[str, str]]
    total: int
    pages: int
    newest_first: bool = False
    past_end: bool = False
    """There is no such page any more: the list is shorter than it was."""
    values: Sequence[str] = ()
    """Their entries as JSON, where they were asked for."""
    shrank: bool = False
    """It is shorter than at the page before, so people may have moved to pages that were read."""
    reasons: Sequence[str] = ()
    """Of a page of the suppression list: why each of the people is on it."""

    def all_before(self, day: str) -> bool:
        """Is whoever comes after this page from before this day?"""
        return self.newest_first and bool(self.people) and self.people[-1][1] < day


def clients(answer: Answer) -> list[Listed]:
    """Clients that the key can reach. Raises UnexpectedAnswer."""
    return [Listed(_text(each, "ClientID"), _text(each, "Name")) for each in _array(answer)]


def lists(answer: Answer) -> list[Listed]:
    """A client's lists. Raises UnexpectedAnswer, and UserMustAct `unknown_id`, as all below that ask with an id."""
    return [Listed(_text(each, "ListID"), _text(each, "Name")) for each in _array(answer)]


def details(answer: Answer) -> Details:
    body = _body(answer, 200)
    confirmed = body.get("ConfirmedOptIn") if isinstance(body, dict) else None
    if not isinstance(confirmed, bool):
        raise UnexpectedAnswer(say("Campaign Monitor's answer describes a list in an unknown way."))
    return Details(_text(body, "Title"), confirmed, body.get("UnsubscribeSetting") == "OnlyThisList")


def created_list(answer: Answer) -> str | None:
    """The id of a list just made, None where there is one of that name. Raises UserMustAct `target_refused`."""
    return _created(answer, NAME_TAKEN, "target_refused", say("the list"))


def fields(answer: Answer) -> list[ListField]:
    return [
        ListField(_text(each, "FieldName"), plain_key(_text(each, "Key")), _text(each, "DataType"), _options(each))
        for each in _array(answer)
    ]


def _options(field: Mapping[str, Any]) -> tuple[str, ...]:
    found = field.get("FieldOptions")
    return tuple(each for each in found if isinstance(each, str)) if isinstance(found, list) else ()


def created_field(answer: Answer) -> str | None:
    """The key of a field just made, None where there is one of that name. Raises UserMustAct `field_refused`."""
    key = _created(answer, FIELD_EXISTS, "field_refused", say("the custom field"))
    return None if key is None else plain_key(key)


def page(answer: Answer) -> Page:
    if answer.status == 400 and envelope(answer)[0] == NO_SUCH_PAGE:
        return Page((), 0, 0, past_end=True)
    body = _body(answer, 200)
    results = body.get("Results") if isinstance(body, dict) else None
    if not isinstance(results, list):
        raise UnexpectedAnswer(say("Campaign Monitor's answer about people has no people."))
    people = [(_text(each, "EmailAddress"), str(each.get("Date") or "")) for each in results]
    order = (str(body.get("ResultsOrderedBy")).lower(), str(body.get("OrderDirection")).lower())
    total, pages = number(body.get("TotalNumberOfRecords")), number(body.get("NumberOfPages"))
    if total is None or pages is None:
        raise UnexpectedAnswer(say("Campaign Monitor's answer about people does not say how many there are."))
    reasons = [str(each.get("SuppressionReason") or "") for each in results]
    return Page(people, total, pages, newest_first=order == ("date", "desc"), reasons=reasons)


def page_with_values(answer: Answer) -> Page:
    """Raises UnexpectedAnswer as `page` does."""
    found = page(answer)
    if not found.people:
        return found
    return replace(found, values=[orjson.dumps(each).decode() for each in answer.object()["Results"]])


def _created(answer: Answer, taken: int, refused: str, what: Message) -> str | None:
    if 400 <= answer.status < 500:
        require_known_id(answer)
        code, message = envelope(answer)
        if code == taken:
            return None
        raise UserMustAct(
            refused,
            say(
                "Campaign Monitor refuses to make %(what)s: %(why)s (code %(code)s).",
                what=what,
                why=Message(message),
                code=str(code),
            ),
        )
    made = _body(answer, 201)
    if not isinstance(made, str) or not made:
        raise UnexpectedAnswer(say("Campaign Monitor made %(what)s, but did not say which it is.", what=what))
    return made


def _array(answer: Answer) -> list[Any]:
    found = _body(answer, 200)
    if not isinstance(found, list):
        raise UnexpectedAnswer(say("Campaign Monitor did not answer with a list."))
    return found


def _body(answer: Answer, expected: int) -> Any:
    require_known_id(answer)
    return answer.expect(DEFINITION.label, expected).json()


def _text(entry: Any, key: str) -> str:
    value = entry.get(key) if isinstance(entry, Mapping) else None
    if not isinstance(value, str):
        raise UnexpectedAnswer(say("Campaign Monitor's answer has an entry without %(key)s.", key=key))
    return value


def plain_key(key: str) -> str:
    """`[Postcode]` -> `Postcode`."""
    return key.strip().removeprefix("[").removesuffix("]")
