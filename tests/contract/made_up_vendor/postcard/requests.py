"""Rows to requests; nothing here talks to anyone."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from shared.vendors.answers import Request
from shared.vendors.contract import Kind, Row
from tests.contract.made_up_vendor.postcard.definition import ACCOUNT, LISTS, LOOKS, PEOPLE


def account() -> Request:
    return Request("GET", "/account", ACCOUNT)


def lists() -> Request:
    return Request("GET", "/lists", LISTS)


def make(name: str) -> Request:
    """Idempotent, since a name that is taken is refused."""
    return Request("POST", "/lists", LISTS, body=orjson.dumps({"name": name}))


def count(list_id: str) -> Request:
    return Request("GET", f"/lists/{int(list_id)}", LISTS)


def show(address: str) -> Request:
    return Request("GET", "/people", LOOKS, query={"email": address})


def members(list_id: str) -> Request:
    return Request("GET", f"/lists/{int(list_id)}/people", PEOPLE)


def person(row: Row) -> bytes:
    fields = {"fields": orjson.Fragment(row.values)} if row.values != "{}" else {}
    return orjson.dumps({"email": row.address, **fields})


def bulk(kind: Kind, list_id: str, people: Sequence[bytes]) -> Request:
    """All three may be sent twice."""
    method, path = {
        Kind.ADD: ("POST", f"/lists/{int(list_id)}/people"),
        Kind.CHANGE: ("PUT", "/people"),
        Kind.REMOVE: ("POST", f"/lists/{int(list_id)}/take-off"),
    }[kind]
    return Request(method, path, PEOPLE, body=b'{"people":[' + b",".join(people) + b"]}")
