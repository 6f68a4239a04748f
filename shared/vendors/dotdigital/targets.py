"""Which list an export writes to, and which data fields it lacks. Facts: Dotdigital contract, sections 2 and 3.

A field that the account lacks would be refused or dropped with the import, which of them is not documented; so it is
found out before anyone is sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from shared.errors import UserMustAct
from shared.vendors import lists, rolls
from shared.vendors.contract import FieldType, TargetFound
from shared.vendors.dotdigital import requests, responses
from shared.vendors.dotdigital.client import Calls
from shared.vendors.dotdigital.definition import DEFINITION, LONGEST_LIST_NAME, MOST_V2_PAGE
from shared.vendors.dotdigital.responses import FIELD_TYPES
from shared.vendors.lists import Listed
from shared.wording import say

RESERVED = frozenset({"all contacts", "test"})
"""Dotdigital's own: Test cannot be written to, and taking somebody off All contacts is deleting them."""

_NAME = re.compile(r"[A-Z0-9_-]{1,20}")
_SPELLED: Mapping[FieldType, str] = {kind: name for name, kind in FIELD_TYPES.items()} | {FieldType.INTEGER: "Numeric"}


def every(calls: Calls) -> list[Listed]:
    """All lists that can be written to, also where one is deleted meanwhile: a list that is missed would be made
    again."""

    def ask(skip: int) -> Sequence[Listed]:
        return calls.ask_page(requests.lists(skip), responses.lists)

    found = rolls.every(DEFINITION.label, ask, MOST_V2_PAGE)
    return [each for each in found if not _is_reserved(each.name)]


def by_id(calls: Calls, list_id: str) -> TargetFound:
    """Raises UserMustAct `target_vanished` or `target_reserved`."""
    found = None
    if list_id.isascii() and list_id.isdecimal():
        found = calls.ask(requests.list_by_id(list_id), responses.list_by_id)
    if found is None:
        raise lists.vanished(DEFINITION.label, list_id)
    _refuse_reserved(found.name)
    return found.target


def by_name(calls: Calls, name: str) -> TargetFound:
    """The list of exactly this name; made, and private, when there is none.

    Raises UserMustAct `target_reserved` or `target_refused`, RetryAfter when it is not known whether it was made.
    """
    _refuse_reserved(name)
    if found := _named(calls, name):
        return found
    if len(name) > LONGEST_LIST_NAME:
        raise UserMustAct(
            "target_refused",
            say(
                "A list's name in Dotdigital has at most %(most)s characters: shorten it.",
                most=LONGEST_LIST_NAME,
            ),
        )

    def create(name: str) -> Listed | None:
        return responses.created_list(calls.call(requests.create_list(name)))

    made = lists.make(DEFINITION.label, name, create, lambda: _named(calls, name))
    if made is None:
        # Dotdigital takes another name for the same.
        raise UserMustAct(
            "target_refused",
            say(
                "Dotdigital has a list whose name is nearly the same: choose another name, or give the "
                "export that list's id."
            ),
        )
    return made


def missing_fields(wanted: Mapping[str, FieldType], known: Mapping[str, str], *, create: bool) -> dict[str, str]:
    """Name -> Dotdigital's type of the fields to make.

    Raises UserMustAct: `fields_missing` where none may be made, `field_type` where a field has another type than the
    data matching has it, `field_name` for a name that no field can have.
    """
    _check_types(wanted, known)
    lacking = [name for name in wanted if name not in known]
    _check_spelling(lacking, known)
    if lacking and not create:
        raise UserMustAct(
            "fields_missing",
            say(
                "The Dotdigital account has no data field %(field)s: make it there, switch on 'Create "
                "missing data fields' for this export, or take it out of the data matching.",
                field=_listed(lacking),
            ),
        )
    if impossible := [name for name in lacking if not _NAME.fullmatch(name)]:
        raise UserMustAct(
            "field_name",
            say(
                "Dotdigital can have no data field %(fields)s: a name has up to 20 capital letters, "
                "digits, hyphens and underscores.",
                fields=_listed(impossible),
            ),
        )
    return {name: _SPELLED[wanted[name]] for name in lacking}


def _check_types(wanted: Mapping[str, FieldType], known: Mapping[str, str]) -> None:
    wrong = [name for name in wanted if known.get(name) in FIELD_TYPES and _SPELLED[wanted[name]] != known[name]]
    if wrong:
        types = _listed(f"{name} ({known[name]})" for name in wrong)
        raise UserMustAct(
            "field_type",
            say(
                "The data matching has another type than the Dotdigital account for %(types)s: leave the "
                "type out of the data matching.",
                types=types,
            ),
        )


def _check_spelling(lacking: Iterable[str], known: Mapping[str, str]) -> None:
    """Dotdigital does not tell fields apart by case, so a second spelling is the same field, not a new one."""
    spelled = {name.casefold(): name for name in known}
    for name in lacking:
        if meant := spelled.get(name.casefold()):
            raise UserMustAct(
                "fields_missing",
                say(
                    "The data field %(name)s is spelled %(meant)s in Dotdigital: change the data matching.",
                    name=name,
                    meant=meant,
                ),
            )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)


def _named(calls: Calls, name: str) -> TargetFound | None:
    return next((each.target for each in lists.named(every(calls), name)), None)


def _refuse_reserved(name: str) -> None:
    if _is_reserved(name):
        raise UserMustAct(
            "target_reserved", say("Dotdigital keeps the list %(name)s for itself: choose another.", name=name.strip())
        )


def _is_reserved(name: str) -> bool:
    return name.strip().lower() in RESERVED
