"""What goes out to Omnisend; nothing here talks to anyone. Facts: Omnisend contract, sections 1 to 5."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from shared.vendors.answers import Request
from shared.vendors.contract import Kind
from shared.vendors.omnisend.definition import BATCHES, BRAND, CONTACTS, PAGE, TAGS


def brand() -> Request:
    return Request("GET", "/api/brands/current", BRAND)


def any_contact() -> Request:
    return Request("GET", "/api/contacts", CONTACTS, query={"limit": "1"})


def tagged(tag: str, after: str | None = None, limit: int = PAGE) -> Request:
    """A page of the contacts with a tag, oldest first, so that new ones never shift the pages."""
    query = {"tag": tag, "limit": str(limit), "sort": "createdAt", "direction": "asc"}
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
    """Contacts to write, entries made by `people.person`. Creates or updates, so twice is the same as once."""
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
