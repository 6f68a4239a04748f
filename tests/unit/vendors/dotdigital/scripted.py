"""A Dotdigital account as far as a test needs one: answers by method and path, under one path for each region."""

from __future__ import annotations

import base64
import contextlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from shared.vendors.contract import Receipt, Row, Vendor
from shared.vendors.dotdigital.definition import DEFINITION, HOSTS
from shared.vendors.dotdigital.vendor import connect
from shared.vendors.http import Link
from shared.vendors.limits import Limiter
from tests.unit.vendors.loopback import Clock, Loopback, Raw, ReadOnly, Reply, Seen, reply, serving

USER, PASSWORD = "apiuser-ab12cd34@apiconnector.com", "p4ss-wörd"
DENIED = reply({"message": "Authorization has been denied for this request."}, 401)
FORBIDDEN = reply({"message": "Forbidden: Access is denied"}, 403)
NO_LIST = reply({"message": "Error: ERROR_ADDRESSBOOK_NOT_FOUND"}, 404)
NOBODY = reply({"errorCode": "contacts:contactNotFound", "description": "Not found", "details": []}, 404)

Answering = Reply | Raw | Callable[[Seen], Reply | Raw]


def error(code: str, status: int = 400) -> Reply:
    return reply({"errorCode": code, "description": "Sorry"}, status)


def token(code: str, status: int = 400) -> Reply:
    return reply({"message": f"Error: {code}"}, status)


def listed(number: int, name: str) -> dict[str, Any]:
    return {"id": number, "name": name, "visibility": "Private", "contacts": 0}


def data_field(name: str, kind: str = "String") -> dict[str, Any]:
    return {"name": name, "type": kind, "visibility": "Public", "defaultValue": None}


class Secrets(ReadOnly):
    """Key Vault with a cache: `stored` is the truth, `kept` what a call without `fresh` sees."""

    def __init__(self, password: str = PASSWORD, stored: str | None = None) -> None:
        self.kept = password
        self.stored = stored or password

    def get(self, name: str, *, fresh: bool = False) -> str:
        if fresh:
            self.kept = self.stored
        return {"api_user": USER, "api_password": self.kept}[name]


@dataclass
class Dot:
    """`other` answers before everything else; keys are `METHOD path`, the path without region and query."""

    region: str = "r2"
    endpoint: str | None = None
    lists: list[dict[str, Any]] = field(default_factory=lambda: [listed(345579, "Loyal customers")])
    fields: list[dict[str, Any]] = field(default_factory=lambda: [data_field("FIRSTNAME")])
    unsubscribed: list[dict[str, Any]] = field(default_factory=list)
    jobs: dict[str, Any] = field(default_factory=dict)
    """Job id -> its progress."""
    ids: dict[str, int] = field(default_factory=dict)
    """Address -> contact id."""
    other: dict[str, Answering] = field(default_factory=dict)

    def __call__(self, seen: Seen) -> Reply | Raw:
        if seen.headers.get("authorization") != f"Basic {base64.b64encode(f'{USER}:{PASSWORD}'.encode()).decode()}":
            return DENIED
        region, _, rest = seen.path.removeprefix("/").partition("/")
        path = f"/{urlsplit(rest).path}"
        query = {name: values[0] for name, values in parse_qs(urlsplit(rest).query).items()}
        if path != "/v2/account-info" and region != self.region:
            return FORBIDDEN
        for known, answering in self.other.items():
            if known == f"{seen.method} {path}":
                return answering if isinstance(answering, Reply) else _called(answering, seen)
        return self.answer(seen, path, query)

    def answer(self, seen: Seen, path: str, query: Mapping[str, str]) -> Reply:
        routes: dict[str, Callable[..., Reply]] = {
            "GET /v2/account-info": self.account,
            "GET /contacts/v3": lambda: reply({"_items": [], "_links": {"self": {}, "first": {}}}),
            "GET /v2/address-books": lambda: reply(_page(self.lists, query)),
            r"GET /v2/address-books/(\d+)": self.list_by_id,
            r"GET /v2/address-books/\d+/contacts/unsubscribed-since/[\d-]+": lambda: reply(
                _page(self.unsubscribed, query)
            ),
            "POST /v2/address-books": lambda: self.make_list(seen.json()["name"]),
            "GET /v2/data-fields": lambda: reply(self.fields),
            "POST /v2/data-fields": lambda: self.make_field(seen.json()),
            "PUT /contacts/v3/import": lambda: reply({"importId": self.take(people(seen))}, 202),
            r"POST /v2/address-books/\d+/contacts/delete": lambda: reply(
                {"id": self.take(None), "status": "Started"}, 202
            ),
            "GET /contacts/v3/import/(.+)": self.job,
            "GET /v2/contacts/deletion/(.+)": self.job,
            "GET /contacts/v3/email/(.+)": self.contact,
        }
        for pattern, route in routes.items():
            if match := re.fullmatch(pattern, f"{seen.method} {path}"):
                return route(*match.groups())
        return Reply(404, b"<html>", {"Content-Type": "text/html"})

    def list_by_id(self, number: str) -> Reply:
        return next((reply(each) for each in self.lists if str(each["id"]) == number), NO_LIST)

    def make_list(self, name: str) -> Reply:
        self.lists.append(listed(700 + len(self.lists), name))
        return reply(self.lists[-1])

    def make_field(self, made: dict[str, Any]) -> Reply:
        self.fields.append(made)
        return reply(made, 201)

    def job(self, job: str) -> Reply:
        return reply(self.jobs[job]) if job in self.jobs else error("contacts:importNotFound", 404)

    def contact(self, address: str) -> Reply:
        found = self.ids.get(unquote(address))
        return reply({"contactId": found, "identifiers": {}}) if found else NOBODY

    def take(self, contacts: list[dict[str, Any]] | None) -> str:
        """A job that has ended at once: everyone imported (ids from 1), or everyone taken off."""
        job = f"job-{len(self.jobs) + 1}"
        if contacts is None:
            self.jobs[job] = {"Id": job, "Status": "Completed"}
            return job
        identifiers = [each["identifiers"] for each in contacts]
        named = [
            {
                "contactId": each.get("contactId") or self.ids.setdefault(each["email"], len(self.ids) + 1),
                "identifiers": each,
            }
            for each in identifiers
        ]
        self.jobs[job] = {"importId": job, "status": "Finished", "updated": named}
        return job

    def account(self) -> Reply:
        endpoint = self.endpoint or f"https://{self.region}-api.dotdigital.com/"
        told = {"Name": "Acme", "ApiCallsRemaining": "1997", "ApiEndpoint": endpoint}
        properties = [{"name": name, "type": "String", "value": value} for name, value in told.items()]
        return reply({"id": 4711, "properties": properties})


def _called(answering: Callable[..., Any], seen: Seen) -> Reply | Raw:
    result: Reply | Raw = answering(seen)
    return result


def _page(entries: list[Any], query: Mapping[str, str]) -> list[Any]:
    skip = int(query["skip"])
    return entries[skip : skip + int(query["select"])]


def people(seen: Seen) -> list[dict[str, Any]]:
    contacts: list[dict[str, Any]] = seen.json()["contacts"]
    return contacts


@dataclass
class World:
    vendor: Vendor
    server: Loopback
    clock: Clock
    link: Link

    def asked(self) -> list[str]:
        """`METHOD path` of every request, with the region and without the query."""
        return [f"{seen.method} {urlsplit(seen.path).path}" for seen in self.server.seen]

    def sent(self, end: str) -> list[Any]:
        """Bodies of the requests whose path ends so."""
        return [seen.json() for seen in self.server.seen if seen.body and seen.path.endswith(end)]


def linked(
    hosts: Mapping[str, str], secrets: Secrets | None = None, settings: dict[str, Any] | None = None, **hooks: Any
) -> tuple[Vendor, Clock, Link]:
    clock = Clock()
    limiter = Limiter(DEFINITION.rates, clock=clock, wait=clock.wait, settings={"calls_per_minute": 1000})
    link = Link(limiter, vendor_hosts=hosts, **{"wait": clock.wait} | hooks)
    complete = {each.name: each.default for each in DEFINITION.settings if each.default is not None} | (settings or {})
    return connect(complete, secrets or Secrets(), link), clock, link


@contextlib.contextmanager
def world(script: Callable[[Seen], Reply | Raw], *, secrets: Secrets | None = None, **settings: Any) -> Iterator[World]:
    with serving(script) as server:
        opened = linked(regions(server.url), secrets, settings)
        yield World(opened[0], server, *opened[1:])
        opened[2].transport.close()  # type: ignore[attr-defined]  # the default transport


def regions(url: str) -> dict[str, str]:
    return {host: f"{url}/{host.partition('-')[0]}" for host in HOSTS}


def rows(count: int, values: str = "{}", *, known: bool = False) -> list[Row]:
    """`known`: with the contact ids that `Dot.take` gives, from 1."""
    return [Row(f"p{n}@example.com", values, str(n + 1) if known else None) for n in range(count)]


def receipts(found: Any, count: int) -> list[Receipt]:
    return [found.others.get(index, found.default) for index in range(count)]


def hang_up(handler: Any) -> None:
    """Close the connection without a word."""
