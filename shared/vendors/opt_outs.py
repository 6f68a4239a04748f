"""People who said no at a vendor, or to whom it sends nothing any more, as its rolls of them tell."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import NamedTuple, TypeVar


class OptOutKind(StrEnum):
    """What became of a person at the vendor."""

    UNSUBSCRIBED = "unsubscribed"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    SUPPRESSED = "suppressed"
    """Nothing is sent to them, for whatever reason."""
    DELETED = "deleted"
    """Somebody took them off the list, or out of the account."""


class OptOut(NamedTuple):
    """One person of a roll. `at` is ISO 8601, with a time zone where the vendor tells one, and empty where it tells no
    time; `reason` is the vendor's own word."""

    address: str
    kind: OptOutKind
    at: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class OptOutPage:
    """Some people of a roll; `after` is where its next page begins, None at its end. It never holds an address."""

    people: Sequence[OptOut]
    after: str | None = None


@dataclass(frozen=True, slots=True)
class OptOutRoll:
    """One roll of a vendor: of the list `list_id`, or of the whole account. `name` tells it from all others of the
    account for good, since it says what is remembered of it.

    `read` gives a page: of everybody since the moment that it is given first (as `OptOut.at`, empty: ever), or of more;
    from the place that it is given second, empty for the beginning. Whoever changed shortly before that moment may be
    told again. It raises what a vendor's calls raise.
    """

    name: str
    read: Callable[[str, str], OptOutPage]
    list_id: str = ""


_KINDS = (
    ("unsub", OptOutKind.UNSUBSCRIBED),
    ("bounce", OptOutKind.BOUNCED),
    ("complain", OptOutKind.COMPLAINED),
    ("spam", OptOutKind.COMPLAINED),
    ("delete", OptOutKind.DELETED),
)
"""Part of a vendor's word in small letters -> what it means."""


def kind_of(reason: str) -> OptOutKind:
    """What a vendor's word for why nothing is sent to somebody means."""
    return next((kind for part, kind in _KINDS if part in reason.lower()), OptOutKind.SUPPRESSED)


def day_before(moment: str) -> str:
    """`2026-11-20 10:28:00` -> `2026-11-19`: the day that reading begins at to miss nobody, whatever time zone a vendor
    tells moments in. Empty where there is none."""
    try:
        return (date.fromisoformat(moment[:10]) - timedelta(days=1)).isoformat()
    except (ValueError, OverflowError):
        return ""


T = TypeVar("T")


def page_at(
    ask: Callable[[int], Sequence[T]], size: int, place: str, name_of: Callable[[T], str]
) -> tuple[Sequence[T], str | None]:
    """A page of a roll that is read by places (so many entries after the first so many) while people come and go, and
    the place of the next one.

    When somebody leaves, all behind move up, and the next page would begin too late. So it begins with the last entry
    of the page before: where another one stands there, the reader goes back until it meets that one, to the beginning
    at worst. `name_of` tells entries apart; a place keeps no more than a hash of it.
    """
    first, _, known = place.partition(":")
    begin, step = int(first or 0), size - 1
    page = ask(begin)
    while known and begin and _place_of(known, page, name_of) is None:
        begin, step = max(0, begin - step), step * 2
        page = ask(begin)
    met = _place_of(known, page, name_of)
    new = page if met is None else page[met + 1 :]
    if len(page) < size:
        return new, None
    return new, f"{begin + len(page) - 1}:{_mark(name_of(page[-1]))}"


def _place_of(known: str, page: Sequence[T], name_of: Callable[[T], str]) -> int | None:
    return next((place for place, each in enumerate(page) if known and _mark(name_of(each)) == known), None)


def _mark(name: str) -> str:
    return hashlib.blake2b(name.encode(), digest_size=8).hexdigest()
