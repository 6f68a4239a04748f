"""Rows to requests; nothing here talks to anyone. Facts: Dotdigital contract, sections 1 to 8.

The v3 calls that delete contacts, and the one that unsubscribes from a list, are not here: no operation needs them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import orjson

from shared.vendors.answers import Request
from shared.vendors.contract import Kind, Row
from shared.vendors.dotdigital.definition import (
    ACCOUNT_INFO,
    CONTACT,
    CONTACTS,
    FIELDS,
    IMPORT,
    IMPORT_STATUS,
    LISTS,
    MOST_PAGE,
    MOST_V2_PAGE,
    OPT_IN,
    OPT_IN_TYPES,
    REMOVAL_STATUS,
    REMOVE,
    SUPPRESSED,
    UNSUBSCRIBED,
)

EVER = "2000-01-01"
_EMPTY = "{}"
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)")


@dataclass(frozen=True, slots=True)
class ContactValues:
    """What a row says: `fields` for dataFields (None: nothing), and the opt-in type.

    `odd` marks an opt-in type that is left out because it is none that may be written.
    """

    fields: Any = None
    opt_in: str | None = None
    odd: bool = False


def told(values: str, dates: Collection[str]) -> ContactValues:
    """`values` is the plan's JSON object, `dates` names the fields of type date."""
    if values == _EMPTY:
        return ContactValues()
    if not dates and f'"{OPT_IN}"' not in values:
        return ContactValues(orjson.Fragment(values))
    fields = orjson.loads(values)
    given = fields.pop(OPT_IN, None)
    for name in dates:
        if isinstance(fields.get(name), str):
            fields[name] = _MOMENT.sub(r"\1T\2Z", fields[name])
    opt_in = given.strip().lower() if isinstance(given, str) else None
    if opt_in is not None and opt_in not in OPT_IN_TYPES:
        return ContactValues(fields or None, odd=True)
    return ContactValues(fields or None, opt_in)


def account_info() -> Request:
    return Request("GET", "/v2/account-info", ACCOUNT_INFO)


def probe() -> Request:
    """The cheapest call of v3, which accounts that were never migrated lack (contract, section 13)."""
    return Request("GET", "/contacts/v3", CONTACTS, query={"limit": "1"})


def lists(skip: int) -> Request:
    return Request("GET", "/v2/address-books", LISTS, query=_page(skip))


def list_by_id(list_id: str) -> Request:
    return Request("GET", f"/v2/address-books/{int(list_id)}", LISTS)


def create_list(name: str) -> Request:
    body = orjson.dumps({"name": name, "visibility": "Private"})
    return Request("POST", "/v2/address-books", LISTS, body=body, idempotent=False)


def fields() -> Request:
    return Request("GET", "/v2/data-fields", FIELDS)


def create_field(name: str, kind: str) -> Request:
    """Idempotent, since a field that is there already is as good as made."""
    body = orjson.dumps({"name": name, "type": kind, "visibility": "Private"})
    return Request("POST", "/v2/data-fields", FIELDS, body=body)


def unsubscribed(list_id: str, skip: int, since: str = EVER) -> Request:
    """Everyone who unsubscribed from the list since that day (not deprecated: vendor's description of lists, 2.0.2)."""
    path = f"/v2/address-books/{int(list_id)}/contacts/unsubscribed-since/{since}"
    return Request("GET", path, UNSUBSCRIBED, query=_page(skip))


def suppressed(skip: int, since: str) -> Request:
    """Everyone to whom the account sends nothing any more since that day, for whatever reason."""
    return Request("GET", f"/v2/contacts/suppressed-since/{since}", SUPPRESSED, query=_page(skip))


def members(list_id: str, marker: str | None, *, values: bool = False) -> Request:
    """A page of a list's contacts, with the values of all their fields where they are wanted."""
    query = {"~listId": str(int(list_id)), "limit": str(MOST_PAGE)}
    query |= {"data-fields": "[[ALL]]"} if values else {}
    return Request("GET", "/contacts/v3", CONTACTS, query=query | ({"marker": marker} if marker else {}))


def contact(address: str) -> Request:
    return Request("GET", f"/contacts/v3/email/{quote(address, safe='')}", CONTACT)


def person(kind: Kind, list_id: str, row: Row, said: ContactValues) -> bytes:
    """One contact of an import.

    A change finds its contact by the id that Dotdigital told, where there is one: an id matches and never makes a
    contact (contract, section 4), so nobody who was deleted there is made anew, and a new address there stays.

    Only an addition names the list: a change must not put back somebody whom the organisation took off by hand, or
    who unsubscribed from this list (whether naming it would resubscribe them is not documented). The subscription
    status is never named, so it stays as it is.
    """
    entry: dict[str, Any] = {"matchIdentifier": "email", "identifiers": {"email": row.address}}
    if kind is Kind.CHANGE and row.vendor_id and row.vendor_id.isdecimal():
        entry = {"matchIdentifier": "contactId", "identifiers": {"contactId": int(row.vendor_id)}}
    if said.fields is not None:
        entry["dataFields"] = said.fields
    if said.opt_in is not None:
        entry["channelProperties"] = {"email": {"optInType": said.opt_in}}
    if kind is Kind.ADD:
        entry["lists"] = [int(list_id)]
    return orjson.dumps(entry)


def import_people(people: Sequence[bytes]) -> Request:
    """An upsert: sending it twice leaves the same."""
    body = b'{"mergeOption":"overwrite","contacts":[' + b",".join(people) + b"]}"
    return Request("PUT", "/contacts/v3/import", IMPORT, body=body)


def import_status(import_id: str) -> Request:
    return Request("GET", f"/contacts/v3/import/{quote(import_id, safe='')}", IMPORT_STATUS)


def remove(list_id: str, contact_ids: Sequence[int]) -> Request:
    """Takes contacts off this list only, by their ids."""
    path = f"/v2/address-books/{int(list_id)}/contacts/delete"
    return Request("POST", path, REMOVE, body=orjson.dumps(list(contact_ids)))


def removal_status(removal_id: str) -> Request:
    return Request("GET", f"/v2/contacts/deletion/{quote(removal_id, safe='')}", REMOVAL_STATUS)


def _page(skip: int) -> dict[str, str]:
    return {"select": str(MOST_V2_PAGE), "skip": str(skip)}
