"""Rows to requests; nothing here talks to anyone. Facts: Iterable contract, sections 3 to 6."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import orjson

from shared.vendors.answers import Request
from shared.vendors.batches import body_of
from shared.vendors.contract import Kind, Row
from shared.vendors.forms import Address, AllValues, Form
from shared.vendors.iterable.definition import (
    BULK_UPDATE,
    CREATE_LIST,
    EVENTS,
    GET_FIELDS,
    LISTS,
    MEMBERS,
    PROFILE,
    SIZE,
    SUBSCRIBE,
    UNSUBSCRIBE,
)

_EMPTY = "{}"


def lists() -> Request:
    return Request("GET", "/api/lists", LISTS)


def members(list_id: str) -> Request:
    return Request("GET", "/api/lists/getUsers", MEMBERS, query={"listId": list_id})


def size(list_id: str) -> Request:
    return Request("GET", f"/api/lists/{int(list_id)}/size", SIZE)


def profile(address: str) -> Request:
    return Request("GET", "/api/users/getByEmail", PROFILE, query={"email": address})


def fields() -> Request:
    return Request("GET", "/api/users/getFields", GET_FIELDS)


def events(kind: str, begin: date, end: date) -> Request:
    """Events of one type, from one day up to another."""
    window = {"startDateTime": f"{begin} 00:00:00", "endDateTime": f"{end} 00:00:00"}
    return Request("GET", "/api/export/data.json", EVENTS, query={"dataTypeName": kind, **window})


def create_list(name: str) -> Request:
    """Not idempotent: Iterable accepts a second list of the same name."""
    return Request("POST", "/api/lists", CREATE_LIST, body=orjson.dumps({"name": name}), idempotent=False)


_EMAIL = ('{"email":', Address())
FORMS: Mapping[Kind, Form] = {
    Kind.ADD: Form((*_EMAIL, AllValues(',"dataFields":'), "}")),
    Kind.CHANGE: Form((*_EMAIL, AllValues(',"dataFields":'), "}")),
    Kind.REMOVE: Form((*_EMAIL, "}")),
}
"""What `person` writes."""


def person(kind: Kind, row: Row) -> bytes:
    """One entry of a bulk request. The plan's JSON goes in as it is."""
    if row.entry is not None:
        return row.entry
    email = orjson.dumps(row.address)
    if kind is Kind.REMOVE or row.values == _EMPTY:
        return b'{"email":%b}' % email
    return b'{"email":%b,"dataFields":%b}' % (email, row.values.encode())


def bulk(kind: Kind, list_id: str, people: Sequence[bytes]) -> Request:
    """One request for all of `people`, entries made by `person` for the same kind.

    An addition writes the profile and the membership in one call; a change writes the profile only, so that it does
    not put back somebody whom the organisation took off the list by hand.
    """
    return _BULK[kind](int(list_id), people)


def profiles(people: Sequence[tuple[Row, Mapping[str, Any]]]) -> Request:
    """Some values of profiles; whether a field is made that the project lacks is the project's own setting."""
    users = [{"email": row.address, "dataFields": values} for row, values in people]
    return Request("POST", "/api/users/bulkUpdate", BULK_UPDATE, body=orjson.dumps({"users": users}))


def _subscribe(list_id: int, people: Sequence[bytes]) -> Request:
    body = body_of(b'{"listId":%d,"updateExistingUsersOnly":false,"subscribers":[' % list_id, people, b"]}")
    return Request("POST", "/api/lists/subscribe", SUBSCRIBE, body=body)


def _update(list_id: int, people: Sequence[bytes]) -> Request:
    body = body_of(b'{"createNewFields":true,"users":[', people, b"]}")
    return Request("POST", "/api/users/bulkUpdate", BULK_UPDATE, body=body)


def _unsubscribe(list_id: int, people: Sequence[bytes]) -> Request:
    # Without the explicit false a removal might unsubscribe people from the whole channel: sources disagree on the
    # default, and a removal must never touch anyone's consent.
    body = body_of(b'{"listId":%d,"channelUnsubscribe":false,"subscribers":[' % list_id, people, b"]}")
    return Request("POST", "/api/lists/unsubscribe", UNSUBSCRIBE, body=body)


_BULK = {Kind.ADD: _subscribe, Kind.CHANGE: _update, Kind.REMOVE: _unsubscribe}
