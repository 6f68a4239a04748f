"""Requests to Campaign Monitor; nothing here talks to anyone. Facts: Campaign Monitor contract, sections 1 to 6."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

import orjson

from shared.vendors.answers import Request
from shared.vendors.batches import body_of
from shared.vendors.campaign_monitor.definition import (
    CLIENTS,
    CREATE_LIST,
    DELETE,
    FIELDS,
    IMPORT,
    LIST,
    LISTS,
    MOST_ROWS,
    PEOPLE,
    PERSON,
    STATS,
    SUPPRESSED,
)

_BASE = "/api/v3.3"


def clients() -> Request:
    return Request("GET", f"{_BASE}/clients.json", CLIENTS)


def lists(client_id: str) -> Request:
    return Request("GET", f"{_BASE}/clients/{_in_path(client_id)}/lists.json", LISTS)


def details(list_id: str) -> Request:
    return Request("GET", f"{_BASE}/lists/{_in_path(list_id)}.json", LIST)


def create_list(client_id: str, name: str) -> Request:
    """Not idempotent: made twice, it is refused for its name, and one could not tell whose the first one was."""
    body = {
        "Title": name,
        "UnsubscribePage": "",
        "UnsubscribeSetting": "AllClientLists",
        "ConfirmedOptIn": False,
        "ConfirmationSuccessPage": "",
    }
    path = f"{_BASE}/lists/{_in_path(client_id)}.json"
    return Request("POST", path, CREATE_LIST, body=orjson.dumps(body), idempotent=False)


def fields(list_id: str) -> Request:
    return Request("GET", _fields_path(list_id), FIELDS)


def create_field(list_id: str, name: str, data_type: str) -> Request:
    body = {"FieldName": name, "DataType": data_type, "Options": [], "VisibleInPreferenceCenter": False}
    return Request("POST", _fields_path(list_id), FIELDS, body=orjson.dumps(body))


def imported(list_id: str, people: Sequence[bytes], *, resubscribe: bool) -> Request:
    """One import of entries made by `people.entry`.

    An import is an upsert and could be repeated; it is marked otherwise because one that took too long, or broke
    something, had better be repeated in halves.
    """
    after = b'],"Resubscribe":%b,%b}' % (
        b"true" if resubscribe else b"false",
        b'"QueueSubscriptionBasedAutoResponders":false,"RestartSubscriptionBasedAutoresponders":false',
    )
    path = f"{_BASE}/subscribers/{_in_path(list_id)}/import.json"
    return Request("POST", path, IMPORT, body=body_of(b'{"Subscribers":[', people, after), idempotent=False)


def removed(list_id: str, address: str) -> Request:
    """Takes one person off one list; their state there becomes Deleted. Never `unsubscribe`, which suppresses them."""
    return Request("DELETE", f"{_BASE}/subscribers/{_in_path(list_id)}.json", DELETE, query={"email": address})


def people(list_id: str, state: str, page: int) -> Request:
    """People of a list in one state, `active` or `unconfirmed`, by address."""
    return Request("GET", _people_path(list_id, state), PEOPLE, query={"date": ""} | _paging(page, "email", "asc"))


def stats(list_id: str) -> Request:
    return Request("GET", f"{_BASE}/lists/{_in_path(list_id)}/stats.json", STATS)


def person(list_id: str, address: str) -> Request:
    query = {"email": address, "includetrackingpreference": "true"}
    return Request("GET", f"{_BASE}/subscribers/{_in_path(list_id)}.json", PERSON, query=query)


def newest(list_id: str, state: str, page: int) -> Request:
    """People of a list in one state, `unsubscribed` or `bounced`, those who came to it last first."""
    return Request("GET", _people_path(list_id, state), PEOPLE, query={"date": ""} | _paging(page, "date", "desc"))


def suppressed(client_id: str, page: int) -> Request:
    """People to whom no list of the client may send, the newest first."""
    path = f"{_BASE}/clients/{_in_path(client_id)}/suppressionlist.json"
    return Request("GET", path, SUPPRESSED, query=_paging(page, "date", "desc"))


def _paging(page: int, field: str, direction: str) -> dict[str, str]:
    return {"page": str(page), "pagesize": str(MOST_ROWS), "orderfield": field, "orderdirection": direction}


def _people_path(list_id: str, state: str) -> str:
    return f"{_BASE}/lists/{_in_path(list_id)}/{state}.json"


def _fields_path(list_id: str) -> str:
    return f"{_BASE}/lists/{_in_path(list_id)}/customfields.json"


def _in_path(text: str) -> str:
    return quote(text, safe="")
