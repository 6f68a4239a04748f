"""Rows to requests; nothing here talks to anyone. Facts: Klaviyo contract, sections 1 to 7.

The calls that subscribe, unsubscribe, suppress, unsuppress, merge or delete people are not here, nor those that rename
or delete a list: no operation needs them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

import orjson

from shared.vendors.answers import Request
from shared.vendors.contract import Kind, Row
from shared.vendors.klaviyo.definition import (
    ACCOUNTS,
    COUNT,
    ERRORS,
    FLOWS,
    IMPORT,
    JOB,
    JOBS,
    LIST,
    LISTS,
    LOCATION,
    MAKE_LIST,
    MEMBERS,
    MOST_FILTER,
    MOST_LISTS_PAGE,
    MOST_LOOKED_UP,
    MOST_PAGE,
    PROFILES,
    REMOVE,
    STANDARD,
)

_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)")
_UNSAYABLE = re.compile(r'["\\\x00-\x1f]')
"""How these are written inside a filter's text is not published."""
_EMPTY = "{}"


def accounts() -> Request:
    return Request("GET", "/api/accounts", ACCOUNTS)


def a_list() -> Request:
    """The smallest question about lists. Its answer's header tells the account, as every answer's does."""
    return Request("GET", "/api/lists", LISTS, query={"page[size]": "1"})


def a_profile() -> Request:
    return Request("GET", "/api/profiles", PROFILES, query={"fields[profile]": "email", "page[size]": "1"})


def lists(name: str | None = None) -> Request:
    """The lists of this name, or all of them; all too where the name cannot be said in a filter."""
    query = {"page[size]": str(MOST_LISTS_PAGE)}
    if name is not None and is_sayable(name):
        query["filter"] = _any("name", [name])
    return Request("GET", "/api/lists", LISTS, query=query)


def list_by_id(list_id: str) -> Request:
    return Request("GET", f"/api/lists/{quote(list_id, safe='')}", LIST)


def list_count(list_id: str) -> Request:
    query = {"additional-fields[list]": "profile_count", "fields[list]": "name,profile_count"}
    return Request("GET", f"/api/lists/{quote(list_id, safe='')}", COUNT, query=query)


def create_list(name: str) -> Request:
    body = {"data": {"type": "list", "attributes": {"name": name}}}
    return Request("POST", "/api/lists", MAKE_LIST, body=orjson.dumps(body), idempotent=False)


def flows(list_id: str) -> Request:
    return Request("GET", f"/api/lists/{quote(list_id, safe='')}/flow-triggers", FLOWS)


def members(list_id: str) -> Request:
    return Request("GET", _members_path(list_id), MEMBERS, query=_page_of_people())


def members_with_values(list_id: str) -> Request:
    """Who is on the list, with all that Klaviyo has of them."""
    return Request("GET", _members_path(list_id), MEMBERS, query={"page[size]": str(MOST_PAGE)})


def members_named(list_id: str, addresses: Sequence[str]) -> Request:
    """Who of these is on the list."""
    return Request(
        "GET", _members_path(list_id), MEMBERS, query={**_page_of_people(), "filter": _any("email", addresses)}
    )


def members_with_consent(list_id: str, addresses: Sequence[str]) -> Request:
    """Who of these is on the list, with what Klaviyo has of them and what they agreed to."""
    query = {"additional-fields[profile]": "subscriptions", "page[size]": str(MOST_PAGE)}
    return Request("GET", _members_path(list_id), MEMBERS, query={**query, "filter": _any("email", addresses)})


def profiles_with_consent(addresses: Sequence[str]) -> Request:
    query = {"additional-fields[profile]": "subscriptions", "page[size]": str(MOST_PAGE)}
    return Request("GET", "/api/profiles", PROFILES, query={**query, "filter": _any("email", addresses)})


def profiles(field: str, values: Sequence[str]) -> Request:
    """Those of the people with these values of `email` or `id` whom Klaviyo has."""
    return Request("GET", "/api/profiles", PROFILES, query={**_page_of_people(), "filter": _any(field, values)})


def unsubscribed(list_id: str) -> Request:
    """Everybody who said no to this list."""
    wanted = f'equals(subscriptions.email.marketing.list_suppressions.list_id,"{list_id}")'
    return Request("GET", "/api/profiles", PROFILES, query={**_page_of_people(), "filter": wanted})


def opposed(list_id: str) -> Request:
    """Everybody who said no to this list, with when it was."""
    asked = unsubscribed(list_id)
    return Request(asked.method, asked.path, asked.endpoint, query=_with_consent(asked.query["filter"]))


def suppressed(reason: str) -> Request:
    """Everybody to whom the account sends nothing for this reason, with since when."""
    wanted = f'equals(subscriptions.email.marketing.suppression.reason,"{reason}")'
    return Request("GET", "/api/profiles", PROFILES, query=_with_consent(wanted))


def _with_consent(wanted: str) -> dict[str, str]:
    return {"additional-fields[profile]": "subscriptions", **_page_of_people(), "filter": wanted}


def next_page(request: Request, cursor: str) -> Request:
    """The same question, from the cursor on. What the vendor's link says besides is not followed: it could lead
    elsewhere, and the key would go with it."""
    query = {**request.query, "page[cursor]": cursor}
    return Request(request.method, request.path, request.endpoint, query=query)


def person(row: Row, email: str, dates: Collection[str] = (), without: Collection[str] = ()) -> bytes:
    """One person of an import. `email` is the address under which Klaviyo has them; `dates` are the fields of type
    date, `without` fields whose values Klaviyo did not take. No field is ever sent as null, and nothing is said of what
    the person agreed to."""
    attributes: dict[str, Any] = {"email": email}
    location: dict[str, Any] = {}
    properties: dict[str, Any] = {}
    for name, value in _told(row.values, dates, without):
        if name in STANDARD:
            attributes[name] = value
        elif name.startswith(LOCATION):
            location[name.removeprefix(LOCATION)] = value
        else:
            properties[name] = value
    attributes |= {"location": location} if location else {}
    attributes |= {"properties": properties} if properties else {}
    return orjson.dumps({"type": "profile", "attributes": attributes})


def import_people(kind: Kind, list_id: str, people: Sequence[bytes]) -> Request:
    """An upsert. Only additions name the list: a change would put people back on it who left it by themselves.

    Not repeated blindly: two jobs with the same people may drop each other's rows (contract, section 3).
    """
    lists = b""
    if kind is Kind.ADD:
        named = {"lists": {"data": [{"type": "list", "id": list_id}]}}
        lists = b',"relationships":' + orjson.dumps(named)
    head = b'{"data":{"type":"profile-bulk-import-job","attributes":{"profiles":{"data":['
    body = head + b",".join(people) + b"]}}" + lists + b"}}"
    return Request("POST", "/api/profile-bulk-import-jobs", IMPORT, body=body, idempotent=False)


def import_nobody() -> Request:
    """Changes nothing; a key that may not write is told so."""
    return import_people(Kind.CHANGE, "", ())


def jobs() -> Request:
    """The newest jobs of the account, also other tools'."""
    query = {"sort": "-created_at", "page[size]": str(MOST_PAGE)}
    return Request("GET", "/api/profile-bulk-import-jobs", JOBS, query=query)


def job(job_id: str) -> Request:
    return Request("GET", f"/api/profile-bulk-import-jobs/{quote(job_id, safe='')}", JOB)


def import_errors(job_id: str) -> Request:
    path = f"/api/profile-bulk-import-jobs/{quote(job_id, safe='')}/import-errors"
    return Request("GET", path, ERRORS, query={"page[size]": str(MOST_PAGE)})


def remove(list_id: str, profile_ids: Sequence[str]) -> Request:
    """Takes people off this list only; what they agreed to stays. Whoever is off already stays off."""
    body = {"data": [{"type": "profile", "id": each} for each in profile_ids]}
    path = f"/api/lists/{quote(list_id, safe='')}/relationships/profiles"
    return Request("DELETE", path, REMOVE, body=orjson.dumps(body))


def fields(values: str) -> dict[str, Any]:
    """The plan's JSON object of one person; its numbers stay digit by digit as they are."""
    if values == _EMPTY:
        return {}
    found: dict[str, Any] = json.loads(values, parse_int=_as_it_is, parse_float=_as_it_is)
    return found


def is_sayable(text: str) -> bool:
    """Whether a filter can hold this text."""
    return not _UNSAYABLE.search(text)


def in_filters(values: Iterable[str]) -> Iterator[list[str]]:
    """The values in groups of which each fits into one filter."""
    group: list[str] = []
    size = 0
    for value in values:
        length = len(quote(f'"{value}",', safe=""))
        if group and (len(group) == MOST_LOOKED_UP or size + length > MOST_FILTER):
            yield group
            group, size = [], 0
        group.append(value)
        size += length
    if group:
        yield group


def _any(field: str, values: Sequence[str]) -> str:
    quoted = ",".join(f'"{value}"' for value in values)
    return f"any({field},[{quoted}])"


def _as_it_is(number: str) -> orjson.Fragment:
    return orjson.Fragment(number)


def _page_of_people() -> Mapping[str, str]:
    return {"fields[profile]": "email", "page[size]": str(MOST_PAGE)}


def _members_path(list_id: str) -> str:
    return f"/api/lists/{quote(list_id, safe='')}/profiles"


def _told(values: str, dates: Collection[str], without: Collection[str]) -> Iterator[tuple[str, Any]]:
    """`values` is the plan's JSON object. Klaviyo wants moments in the form of ISO 8601."""
    for name, value in fields(values).items():
        if value is not None and name not in without:
            is_moment = name in dates and isinstance(value, str)
            yield name, _MOMENT.sub(r"\1T\2Z", value) if is_moment else value
