"""Answers to facts; nothing here talks to anyone. Facts: Dotdigital contract, sections 1 to 8.

All raise UnexpectedAnswer for an answer that the contract does not describe.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeGuard

import orjson

from shared.errors import UserMustAct
from shared.mailbox import normalised
from shared.vendors.answers import Answer, UnexpectedAnswer
from shared.vendors.contract import FieldType
from shared.vendors.dotdigital.definition import DEFINITION
from shared.vendors.dotdigital.errors import error_code, error_words
from shared.vendors.lists import Listed
from shared.wording import say

FIELD_TYPES: Mapping[str, FieldType] = {
    "String": FieldType.STRING,
    "Numeric": FieldType.NUMBER,
    "Date": FieldType.DATE,
    "Boolean": FieldType.BOOLEAN,
}

LIST_UNKNOWN = "error_addressbook_not_found"
NOBODY = frozenset({"contacts:contactnotfound", "contacts:invalidid"})
_JOB_GONE = frozenset({400, 404})


@dataclass(frozen=True, slots=True)
class Account:
    """`endpoint` is the address of the account's region, as Dotdigital tells it."""

    id: int
    endpoint: str
    calls_remaining: str


@dataclass(frozen=True, slots=True)
class Members:
    """Some of a list's members, and the marker of the next page."""

    addresses: list[str]
    marker: str | None
    values: Sequence[str] = ()
    """Of each of them, where they were asked for, as JSON."""


@dataclass(frozen=True, slots=True)
class Opposed:
    """A person who unsubscribed from a list: their address in lower case and their contact id, as far as they are told,
    and when it was."""

    names: frozenset[str]
    when: str


def account(answer: Answer) -> Account:
    body = answer.expect(DEFINITION.label, 200, 201).object()
    entries = body.get("properties")
    if not _is_id(body.get("id")) or not isinstance(entries, list):
        raise UnexpectedAnswer(say("Dotdigital's answer about the account has no id or no properties."))
    told = {str(each.get("name")).lower(): str(each.get("value")) for each in entries if isinstance(each, dict)}
    if "apiendpoint" not in told:
        raise UnexpectedAnswer(say("Dotdigital's answer about the account does not tell its region."))
    return Account(body["id"], told["apiendpoint"], told.get("apicallsremaining", ""))


def probed(answer: Answer) -> Answer:
    """Raises UserMustAct where the account lacks the contacts API."""
    if 400 <= answer.status < 500:
        raise UserMustAct(
            "not_migrated",
            say(
                "This Dotdigital account does not have the current contacts API (v3) yet: ask Dotdigital "
                "support to migrate it to unified contacts."
            ),
        )
    if not isinstance(answer.expect(DEFINITION.label, 200, 201).object().get("_items"), list):
        raise UnexpectedAnswer(say("Dotdigital's answer about contacts has no contacts."))
    return answer


def lists(answer: Answer) -> list[Listed]:
    return [_listed(entry) for entry in _array(answer)]


def list_by_id(answer: Answer) -> Listed | None:
    """None where there is no such list."""
    if error_code(answer) == LIST_UNKNOWN:
        return None
    return _listed(answer.expect(DEFINITION.label, 200, 201).object())


def refuse_vanished(answer: Answer) -> None:
    """Raises UserMustAct `target_vanished` where the answer says that there is no such list."""
    if error_code(answer) == LIST_UNKNOWN:
        raise UserMustAct("target_vanished", say("The list does not exist in Dotdigital any more."))


def created_list(answer: Answer) -> Listed | None:
    """None where the name is taken. Raises UserMustAct when Dotdigital refuses to make the list."""
    code = error_code(answer)
    if code == "error_addressbook_duplicate":
        return None
    if code == "error_addressbook_limitexceeded":
        raise UserMustAct(
            "target_refused",
            say(
                "The Dotdigital account has as many lists as it may have: delete one there, or give the "
                "export the id of a list that exists."
            ),
        )
    if 400 <= answer.status < 500:
        raise UserMustAct(
            "target_refused", say("Dotdigital refuses to make the list: %(why)s", why=error_words(answer))
        )
    return _listed(answer.expect(DEFINITION.label, 200, 201).object())


def fields(answer: Answer) -> dict[str, str]:
    """Name -> type, as Dotdigital spells them."""
    found = {}
    for entry in _array(answer):
        name, kind = (entry.get("name"), entry.get("type")) if isinstance(entry, dict) else (None, None)
        if not isinstance(name, str) or not isinstance(kind, str):
            raise UnexpectedAnswer(say("Dotdigital's answer describes a data field in an unknown way."))
        found[name] = kind
    return found


def created_field(answer: Answer) -> None:
    """Raises UserMustAct when Dotdigital refuses to make the field; one that is there already is fine."""
    if error_code(answer) == "error_non_unique_datafield":
        return
    if 400 <= answer.status < 500:
        raise UserMustAct(
            "field_refused", say("Dotdigital refuses to make a data field: %(why)s", why=error_words(answer))
        )
    answer.expect(DEFINITION.label, 200, 201)


def unsubscribed(answer: Answer) -> list[Opposed]:
    """People who unsubscribed, as they came. Raises what `suppressions` raises."""
    return [_opposed(entry) for entry in suppressions(answer)]


def suppressions(answer: Answer) -> list[Any]:
    """Entries of people who said no.

    Raises UserMustAct where the list is gone, or where Dotdigital does not answer this any more.
    """
    refuse_vanished(answer)
    if 400 <= answer.status < 500:
        raise UserMustAct(
            "unsubscribed_unreadable",
            say(
                "Dotdigital does not tell who unsubscribed from the list (%(why)s), so nobody is added "
                "to it or taken off: ask Dotdigital support.",
                why=error_words(answer),
            ),
        )
    return _array(answer)


def _opposed(entry: Any) -> Opposed:
    person = entry.get("suppressedContact") if isinstance(entry, dict) else None
    if not isinstance(person, dict):
        raise UnexpectedAnswer(say("Dotdigital's answer describes an unsubscribed person in an unknown way."))
    names = {normalised(person["email"])} if isinstance(person.get("email"), str) else set[str]()
    names |= {str(person["id"])} if _is_id(person.get("id")) else set[str]()
    return Opposed(frozenset(names), str(entry.get("dateRemoved") or ""))


def members(answer: Answer) -> Members:
    body = answer.expect(DEFINITION.label, 200, 201).object()
    items, links = body.get("_items"), body.get("_links")
    if not isinstance(items, list) or not isinstance(links, dict):
        raise UnexpectedAnswer(say("Dotdigital's answer about members has no members or no links."))
    following = links.get("next")
    marker = following.get("marker") if isinstance(following, dict) else None
    return Members([found for item in items if (found := address_of(item))], marker or None)


def members_with_values(answer: Answer) -> Members:
    """Raises UnexpectedAnswer as `members` does."""
    found = members(answer)
    shown = (item.get("dataFields") or {} for item in answer.object()["_items"] if address_of(item))
    return replace(found, values=[orjson.dumps(each).decode() for each in shown])


def contact_id(answer: Answer) -> int | None:
    """None where Dotdigital has nobody of this address, in its own words: no other 404 will do."""
    if error_code(answer) in NOBODY:
        return None
    found = answer.expect(DEFINITION.label, 200, 201).object().get("contactId")
    if not _is_id(found):
        raise UnexpectedAnswer(say("Dotdigital's answer about a contact has no id."))
    return found


def started(answer: Answer) -> str:
    """The id of an import or a removal that was taken on."""
    body = _lower_keys(answer.expect(DEFINITION.label, 202))
    found = body.get("importid") or body.get("id")
    if not isinstance(found, str) or not found.isprintable() or len(found) > 100:
        raise UnexpectedAnswer(say("Dotdigital's answer about a job has no id."))
    return found


def refused(answer: Answer) -> str:
    """Why a request was refused as a whole, so that nothing of it was done; empty where it was not."""
    if too_large(answer):
        return say("it is too large.")
    return error_words(answer) if 400 <= answer.status < 500 else ""


def too_large(answer: Answer) -> bool:
    """The status of a body that is too large is not documented (contract, section 4): by the usual one, or in words."""
    return answer.status == 413 or (answer.status == 400 and "too large" in error_words(answer).lower())


def progress(answer: Answer) -> dict[str, Any] | None:
    """How far a job is, with keys in lower case and at least a `status`; None where Dotdigital no longer knows it."""
    if answer.status in _JOB_GONE and error_code(answer):
        return None
    body = _lower_keys(answer.expect(DEFINITION.label, 200, 201))
    if not isinstance(body.get("status"), str):
        raise UnexpectedAnswer(say("Dotdigital's answer about a job has no status."))
    return body


def address_of(entry: Any) -> str | None:
    """The e-mail address of a contact; contacts may have none."""
    identifiers = entry.get("identifiers") if isinstance(entry, dict) else None
    address = identifiers.get("email") if isinstance(identifiers, dict) else None
    return address if isinstance(address, str) and address else None


def _lower_keys(answer: Answer) -> dict[str, Any]:
    return {key.lower(): value for key, value in answer.object().items()}


def _array(answer: Answer) -> list[Any]:
    found = answer.expect(DEFINITION.label, 200, 201).json()
    if not isinstance(found, list):
        raise UnexpectedAnswer(say("Dotdigital's answer is not a list."))
    return found


def _listed(entry: Any) -> Listed:
    number, name = (entry.get("id"), entry.get("name")) if isinstance(entry, dict) else (None, None)
    if not _is_id(number) or not isinstance(name, str):
        raise UnexpectedAnswer(say("Dotdigital's answer describes a list in an unknown way."))
    return Listed(str(number), name)


def _is_id(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0
