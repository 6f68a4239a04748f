"""Rows to requests; nothing here talks to anyone. Facts: Omnisend contract, sections 1 to 5."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from shared.vendors.answers import Request
from shared.vendors.contract import Kind, Row
from shared.vendors.omnisend.definition import BATCHES, BRAND, CONSENT, CONTACTS, PAGE, TAGS
from shared.wording import say

_CODE = re.compile(r"[A-Za-z]{2}")
_CODES: Mapping[str, str] = {"UK": "GB", "EL": "GR", "USA": "US", "GBR": "GB"}
"""What people write where ISO 3166-1 alpha-2 has another code."""
_NO_COUNTRY_CODE = say("A country code that has not two letters was taken for the country's name.")
_LATER = say("A date of consent that is still to come was left out.")

FieldValues = Mapping[str, Any]


def brand() -> Request:
    return Request("GET", "/api/brands/current", BRAND)


def any_contact() -> Request:
    return Request("GET", "/api/contacts", CONTACTS, query={"limit": "1"})


def tagged(tag: str, after: str | None = None, limit: int = PAGE) -> Request:
    """A page of the contacts with a tag, oldest first, so that new ones never shift the pages."""
    query = {"tag": tag, "limit": str(limit), "sort": "createdAt", "direction": "asc"}
    return Request("GET", "/api/contacts", CONTACTS, query=query | ({"after": after} if after else {}))


def unsubscribed(after: str | None = None) -> Request:
    """A page of the brand's contacts who unsubscribed from e-mail, oldest first."""
    query = {"status": "unsubscribed", "limit": str(PAGE), "sort": "createdAt", "direction": "asc"}
    return Request("GET", "/api/contacts", CONTACTS, query=query | ({"after": after} if after else {}))


def contact(address: str) -> Request:
    return Request("GET", "/api/contacts", CONTACTS, query={"email": address, "limit": "1"})


def any_batch() -> Request:
    return Request("GET", "/api/batches", BATCHES, query={"endpoint": "contacts", "limit": "1"})


def batches(status: str | None, offset: int) -> Request:
    """A page of the brand's contact batches, of one status or of all."""
    query = {"endpoint": "contacts", "limit": str(PAGE), "offset": str(offset)}
    return Request("GET", "/api/batches", BATCHES, query=query | ({"status": status} if status else {}))


def batch(batch_id: str) -> Request:
    return Request("GET", f"/api/batches/{batch_id}", BATCHES)


def items(batch_id: str) -> Request:
    return Request("GET", f"/api/batches/{batch_id}/items", BATCHES)


def create_batch(people: Sequence[bytes]) -> Request:
    """Contacts to write, entries made by `person`. Creates or updates, so twice is the same as once."""
    body = {
        "method": "POST",
        "endpoint": "contacts",
        "origin": "segment-exports",
        "items": [orjson.Fragment(entry) for entry in people],
    }
    return Request("POST", "/api/batches", BATCHES, body=orjson.dumps(body))


def tag(kind: Kind, name: str, addresses: Sequence[str]) -> Request:
    """Take the tag off on removals, else put it on; nothing else about a contact changes."""
    method = "DELETE" if kind is Kind.REMOVE else "POST"
    return Request(method, "/api/contacts/tags", TAGS, body=orjson.dumps({"tags": [name], "emails": list(addresses)}))


@dataclass(frozen=True, slots=True)
class ContactBody:
    """An entry of a batch, as JSON, and what was left out of it, in words for people."""

    entry: bytes
    warnings: tuple[str, ...] = ()


def person(row: Row, now: str, *, consent: bool = True) -> ContactBody:
    """Everything that is matched, and no tags: whether those replace what a contact has is not published.

    Without a date of consent nothing is said about subscriptions. `now` is a UTC timestamp such as
    2026-11-22T10:00:00Z; without `consent` its date is not sent.
    """
    values: FieldValues = orjson.loads(row.values)
    warnings: list[str] = []
    identifier: dict[str, Any] = {"type": "email", "id": row.address, "sendWelcomeMessage": False}
    if consent and not row.returning:
        # Whoever comes back after they left us is never subscribed by it.
        identifier |= _consent(values.get(CONSENT), now, warnings)
    entry = {"identifiers": [identifier], **_country(values, warnings)}
    custom: dict[str, Any] = {}
    for name, value in values.items():
        if name in _WRITERS:
            entry[name] = "" if value is None else value
        elif name in _NOT_CLEARED:
            entry |= {} if value is None else {name: value}
        elif name not in _ELSEWHERE:
            custom[name] = value
    if custom:
        entry["customProperties"] = custom
    return ContactBody(orjson.dumps(entry), tuple(dict.fromkeys(warnings)))


def _country(values: FieldValues, warnings: list[str]) -> FieldValues:
    """Name and code from whichever of both was matched; Omnisend finds the code of a name by itself, and clears
    neither."""
    found = {field: values[field] for field in ("country", "countryCode") if field in values}
    matched = {field: None if value is None else str(value) for field, value in found.items()}
    codes = [code for text in matched.values() if text and (code := _code(text))]
    names = [text for text in matched.values() if text and not _code(text)]
    if matched.get("countryCode") in names:
        warnings.append(_NO_COUNTRY_CODE)
    entry: dict[str, Any] = {}
    if names:
        entry["country"] = names[0]
    if codes:
        entry["countryCode"] = codes[-1]
    return entry


def _code(text: str) -> str | None:
    upper = text.upper()
    return _CODES.get(upper, upper if _CODE.fullmatch(text) else None)


def _consent(since: object, now: str, warnings: list[str]) -> FieldValues:
    """Subscribed since the day of the consent: Omnisend ignores it where the person unsubscribed after that day."""
    if since is None:
        return {}
    since = str(since)
    stamp = f"{since[:10]}T{since[11:] or '00:00:00'}Z"
    if stamp > now:
        warnings.append(_LATER)
        return {}
    return {
        "channels": {"email": {"status": "subscribed", "statusChangedAt": stamp}},
        "consent": {"source": "segment-exports", "createdAt": stamp},
    }


_ELSEWHERE = frozenset({CONSENT, "country", "countryCode"})
_WRITERS = frozenset({"firstName", "lastName", "address", "state", "city", "postalCode"})
"""Texts, which an empty one clears."""
_NOT_CLEARED = frozenset({"gender", "birthdate"})
"""What Omnisend refuses an empty value for, with all else of the person: it stays as it is."""
