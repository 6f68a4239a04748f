"""Finding, making and showing lists. Facts: Dotdigital contract, section 2."""

from __future__ import annotations

from collections.abc import Sequence

from shared.cloud.scrubbing import excerpt
from shared.errors import OutcomeUnknown, RetryAfter, UserMustAct
from shared.vendors.contract import TargetFound
from shared.vendors.dotdigital import requests, responses
from shared.vendors.dotdigital.calls import Calls
from shared.vendors.dotdigital.definition import MOST_V2_PAGE
from shared.vendors.dotdigital.responses import ListDetails

RESERVED = frozenset({"all contacts", "test"})
"""Dotdigital's own: Test cannot be written to, and taking somebody off All contacts is deleting them."""
LONGEST_NAME = 128
_LATER = 30.0


def every(calls: Calls) -> list[ListDetails]:
    """All lists that can be written to."""
    found: list[ListDetails] = []
    skip = 0
    while True:
        page = calls.ask_page(requests.lists(skip), responses.lists)
        found += [each for each in page if not _is_reserved(each.name)]
        skip += len(page)
        if len(page) < MOST_V2_PAGE:
            return found


def by_id(calls: Calls, list_id: str) -> TargetFound:
    """Raises UserMustAct `target_vanished` or `target_reserved`."""
    details = None
    if list_id.isascii() and list_id.isdecimal():
        details = calls.ask(requests.list_by_id(list_id), responses.list_by_id)
    if details is None:
        raise UserMustAct("target_vanished", f"The list {excerpt(list_id, 20)} does not exist in Dotdigital.")
    _refuse_reserved(details.name)
    return _found(details)


def by_name(calls: Calls, name: str) -> TargetFound:
    """The list of exactly this name; made, and private, when there is none.

    Raises UserMustAct `target_reserved` or `target_refused`, RetryAfter when it is not known whether it was made.
    """
    _refuse_reserved(name)
    if found := _named(every(calls), name):
        return _found(found)
    if len(name) > LONGEST_NAME:
        raise UserMustAct(
            "target_refused", f"A list's name in Dotdigital has at most {LONGEST_NAME} characters: shorten it."
        )
    try:
        made = responses.created_list(calls.call(requests.create_list(name)))
    except OutcomeUnknown:
        made = _named(every(calls), name)
        if made is None:
            raise RetryAfter(_LATER, "Dotdigital did not say whether it made the list.") from None
    if made is None:
        # Somebody made it in this moment, or Dotdigital takes another name for the same.
        if found := _named(every(calls), name):
            return _found(found)
        raise UserMustAct(
            "target_refused",
            "Dotdigital has a list whose name is nearly the same: choose another name, or give the export that "
            "list's id.",
        )
    return TargetFound(str(made.id), made.name, created=True)


def for_pickers(calls: Calls) -> list[TargetFound]:
    return [_found(each) for each in sorted(every(calls), key=lambda each: (each.name.lower(), each.id))]


def _named(lists: Sequence[ListDetails], name: str) -> ListDetails | None:
    return min((each for each in lists if each.name == name), key=lambda each: each.id, default=None)


def _refuse_reserved(name: str) -> None:
    if _is_reserved(name):
        raise UserMustAct("target_reserved", f"Dotdigital keeps the list {name.strip()} for itself: choose another.")


def _is_reserved(name: str) -> bool:
    return name.strip().lower() in RESERVED


def _found(details: ListDetails) -> TargetFound:
    return TargetFound(str(details.id), details.name)
