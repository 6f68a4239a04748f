"""A Campaign Monitor account as far as these tests need one, and a vendor connected to it."""

from __future__ import annotations

import base64
import contextlib
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from shared.vendors.campaign_monitor.definition import DEFINITION, HOST
from shared.vendors.campaign_monitor.vendor import connect
from shared.vendors.contract import Row, TargetFound, Vendor
from shared.vendors.http import Link
from shared.vendors.limits import Limiter
from tests.unit.vendors.loopback import Clock, Keys, Loopback, Raw, Reply, Seen, reply, serving

KEY = "9f1b2c3d4e5f60718293a4b5c6d7e8f9"
CLIENT = "4a397ccaaa55eb4e6aa1221e1e2d7122"
LIST = "e3c5f034d68744f7881fdccf13c2daee"
OTHER = "a58ee1d3039b8bec838e6d1482a8a965"
TARGET = TargetFound(LIST, "Loyal")

BAD_KEY = reply({"Code": 100, "Message": "Invalid API Key"}, 401)
WRONG_ID = reply({"Code": 102, "Message": "Invalid ClientID"}, 401)
FAILED = reply({"Code": 500, "Message": "Sorry, we've run into a problem"}, 500)
EMPTY = Reply(200, b"")
CODES = {"Unsubscribed": 206, "Bounced": 207, "Deleted": 205, "Suppressed": 204, "Unconfirmed": 208}


def hang_up(handler: Any) -> None:
    """Close the connection without a word."""


def error(code: int, message: str = "m", status: int = 400, **more: Any) -> Reply:
    return reply({"Code": code, "Message": message, **more}, status)


def addresses(seen: Seen) -> list[str]:
    return [each["EmailAddress"] for each in seen.json()["Subscribers"]]


@dataclass
class Account:
    """One client with its lists. `people`: address -> state on LIST; `dates`: when they came to that state.

    Any path (without the prefix and the query) may be answered by `other` instead, or by `meddle` when it answers.
    """

    lists: dict[str, str] = field(default_factory=lambda: {LIST: "Loyal"})
    clients: dict[str, str] = field(default_factory=lambda: {CLIENT: "Acme"})
    settings: dict[str, Any] = field(default_factory=dict)
    fields: list[dict[str, Any]] = field(default_factory=list)
    people: dict[str, str] = field(default_factory=dict)
    dates: dict[str, str] = field(default_factory=dict)
    suppressed: list[str] = field(default_factory=list)
    other: dict[str, Reply] = field(default_factory=dict)
    meddle: Callable[[Seen, str], Reply | Raw | None] = lambda seen, path: None
    key: str = KEY

    def __call__(self, seen: Seen) -> Reply | Raw:
        if seen.headers.get("authorization") != "Basic " + base64.b64encode(f"{self.key}:x".encode()).decode():
            return BAD_KEY
        parts = urlsplit(seen.path)
        path = parts.path.removeprefix("/api/v3.3").removesuffix(".json")
        query = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        if path in self.other:
            return self.other[path]
        if meddled := self.meddle(seen, path):
            return meddled
        match seen.method, path.strip("/").split("/"):
            case "GET", ["clients"]:
                return reply([{"ClientID": key, "Name": name} for key, name in self.clients.items()])
            case "GET", ["clients", client, what] if client in self.clients:
                return self._of_client(what, query)
            case "POST", ["lists", client] if client in self.clients:
                return self._make(seen.json()["Title"])
            case method, ["lists", list_id, *what] if list_id in self.lists:
                return self._of_list(seen, method, list_id, what, query)
            case "POST", ["subscribers", list_id, "import"] if list_id in self.lists:
                return self._import(seen)
            case ((("DELETE" | "GET") as method), ["subscribers", list_id]) if list_id in self.lists:
                return self._delete(query["email"]) if method == "DELETE" else self._person(query["email"])
        return WRONG_ID

    def _of_client(self, what: str, query: Mapping[str, str]) -> Reply:
        if what == "lists":
            return reply([{"ListID": key, "Name": name} for key, name in self.lists.items()])
        return self._page(self.suppressed, query)

    def _of_list(self, seen: Seen, method: str, list_id: str, what: list[str], query: Mapping[str, str]) -> Reply:
        if not what:
            plain = {"ConfirmedOptIn": False, "UnsubscribeSetting": "AllClientLists"}
            return reply({"ListID": list_id, "Title": self.lists[list_id], **plain, **self.settings})
        if what == ["customfields"]:
            return self._make_field(seen.json()) if method == "POST" else reply(self.fields)
        return self._page([each for each, state in self.people.items() if state.lower() == what[0]], query)

    def _page(self, people: list[str], query: Mapping[str, str]) -> Reply:
        by_date = query["orderfield"] == "date"
        ordered = sorted(
            people, key=lambda each: (self.dates.get(each, "2026-11-20 10:28:00") if by_date else "", each)
        )
        if query["orderdirection"] == "desc":
            ordered.reverse()
        page, size = int(query["page"]), int(query["pagesize"])
        shown = ordered[(page - 1) * size : page * size]
        return reply(
            {
                "Results": [
                    {"EmailAddress": each, "Date": self.dates.get(each, "2026-11-20 10:28:00")} for each in shown
                ],
                "ResultsOrderedBy": query["orderfield"],
                "OrderDirection": query["orderdirection"],
                "PageNumber": page,
                "TotalNumberOfRecords": len(people),
                "NumberOfPages": math.ceil(len(people) / size),
            }
        )

    def _make(self, title: str) -> Reply:
        if title.lower() in [name.lower() for name in self.lists.values()]:
            return error(250, "List title must be unique")
        made = f"{len(self.lists):032x}"
        self.lists[made] = title
        return reply(made, 201)

    def _make_field(self, body: Mapping[str, Any]) -> Reply:
        if body["FieldName"].lower() in [each["FieldName"].lower() for each in self.fields]:
            return error(255, "Field name already exists")
        key = f"[{body['FieldName'].replace(' ', '')}]"
        self.fields.append({"FieldName": body["FieldName"], "Key": key, "DataType": body["DataType"]})
        return reply(key, 201)

    def _import(self, seen: Seen) -> Reply:
        again, failures, existing, new = seen.json()["Resubscribe"], [], 0, 0
        for address in addresses(seen):
            state = self.people.get(address)
            if not again and (code := CODES.get("Suppressed" if address in self.suppressed else state or "")):
                failures.append({"EmailAddress": address, "Code": code, "Message": "m"})
                continue
            existing, new = existing + (state is not None), new + (state is None)
            self.people[address] = "Active"
        result = {
            "FailureDetails": failures,
            "TotalUniqueEmailsSubmitted": existing + new + len(failures),
            "TotalExistingSubscribers": existing,
            "TotalNewSubscribers": new,
            "DuplicateEmailsInSubmission": [],
        }
        if failures:
            return error(210, "Subscriber Import had some failures", ResultData=result)
        return reply(result, 201)

    def _person(self, address: str) -> Reply:
        if address not in self.people:
            return error(203, "Subscriber not in list")
        return reply({"EmailAddress": address, "State": self.people[address], "CustomFields": []})

    def _delete(self, address: str) -> Reply:
        if self.people.get(address, "Deleted") == "Deleted":
            return error(203, "Subscriber not in list")
        self.people[address] = "Deleted"
        return EMPTY


@dataclass
class World:
    vendor: Vendor
    server: Loopback
    clock: Clock
    link: Link

    def calls(self) -> list[str]:
        """Method and path of every request, without prefix and query."""
        paths = [(each.method, urlsplit(each.path).path.removeprefix("/api/v3.3/")) for each in self.server.seen]
        return [f"{method} {path.removesuffix('.json')}" for method, path in paths]

    def imports(self) -> list[Seen]:
        return [each for each in self.server.seen if each.path.endswith("/import.json")]

    def removed(self) -> list[str]:
        queries = [urlsplit(each.path).query for each in self.server.seen if each.method == "DELETE"]
        return sorted(parse_qs(query)["email"][0] for query in queries)


@contextlib.contextmanager
def world(
    account: Callable[[Seen], Reply | Raw],
    *,
    key: str = KEY,
    hooks: Mapping[str, Any] | None = None,
    **settings: str | float | bool,
) -> Iterator[World]:
    with serving(account) as server:
        opened = linked(server.url, Keys(key), settings, **(hooks or {}))
        yield World(opened[0], server, *opened[1:])
        opened[2].transport.close()  # type: ignore[attr-defined]  # the default transport


def linked(url: str, keys: Any, settings: Mapping[str, str | float | bool], **hooks: Any) -> tuple[Vendor, Clock, Link]:
    given = {"client_id": CLIENT, "batch_rows": 1000, **settings}
    clock = Clock()
    limiter = Limiter(DEFINITION.rates, clock=clock, wait=clock.wait, settings=given)
    link = Link(limiter, vendor_hosts={HOST: url}, **{"wait": clock.wait} | hooks)
    return connect(given, keys, link), clock, link


def rows(count: int, values: str = "{}", *, returning: bool = False) -> list[Row]:
    return [Row(f"p{number}@example.com", values, returning=returning) for number in range(count)]


def receipts(found: Any, count: int) -> list[str]:
    """Outcome and code of every row."""
    each = [found.others.get(index, found.default) for index in range(count)]
    return [" ".join(filter(None, (receipt.outcome, receipt.code))) for receipt in each]
