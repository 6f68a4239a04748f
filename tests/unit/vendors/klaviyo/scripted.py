"""A Klaviyo account as far as a test needs one: answers by method and path, with everything at once where it would take
time, and what a test wants to be different in `other`."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from shared.vendors.contract import BatchResult, Kind, Receipt, Row, TargetFound, Vendor
from shared.vendors.http import Link
from shared.vendors.klaviyo.definition import DEFINITION, HOST, REVISION
from shared.vendors.klaviyo.vendor import Klaviyo
from shared.vendors.limits import Limiter
from tests.unit.vendors.loopback import Clock, Keys, Loopback, Raw, Reply, Seen, finish, reply, serving

KEY = "pk_3f9c0d7e1a"
TARGET = TargetFound("Y6nRLr", "Loyal customers")
IMPORTS, REMOVALS = "POST /api/profile-bulk-import-jobs", "DELETE /api/lists/Y6nRLr/relationships/profiles"
JOBS = "GET /api/profile-bulk-import-jobs"

Answering = Reply | Raw | Callable[[Seen], Reply | Raw]


def error(code: str, detail: str = "Sorry", pointer: str = "/data", title: str = "Invalid input.") -> dict[str, Any]:
    told = {"id": "e1", "status": 400, "code": code, "title": title, "detail": detail}
    return {"errors": [{**told, "source": {"pointer": pointer}, "links": {}, "meta": {}}]}


def refused_row(pointer: str) -> dict[str, Any]:
    return error("invalid", "Invalid email address: p1@x.example", pointer)


def refused_at(*places: tuple[int, str]) -> Reply:
    pointers = [f"/data/attributes/profiles/data/{row}/attributes/{name}" for row, name in places]
    return reply({"errors": [refused_row(each)["errors"][0] for each in pointers]}, 400)


def listed(list_id: str, name: str, created: str = "2026-11-28T10:00:00+00:00", **more: Any) -> dict[str, Any]:
    return {"type": "list", "id": list_id, "attributes": {"name": name, "created": created, **more}}


@dataclass
class Person:
    """`said_no` are lists that the person unsubscribed from."""

    id: str
    email: str
    attributes: dict[str, Any] = field(default_factory=dict)
    said_no: tuple[str, ...] = ()
    suppressed: tuple[str, ...] = ()

    def entry(self) -> dict[str, Any]:
        marketing: dict[str, Any] = {
            "consent": "NEVER_SUBSCRIBED",
            "can_receive_email_marketing": not self.suppressed,
            "suppression": [{"reason": each} for each in self.suppressed],
            "list_suppressions": [{"list_id": each} for each in self.said_no],
        }
        told = {**self.attributes, "email": self.email, "subscriptions": {"email": {"marketing": marketing}}}
        return {"type": "profile", "id": self.id, "attributes": told}


@dataclass
class Account:
    """`other` answers before everything else; keys are `METHOD path`, without the query."""

    lists: list[dict[str, Any]] = field(default_factory=lambda: [listed("Y6nRLr", "Loyal customers")])
    people: dict[str, Person] = field(default_factory=dict)
    on_list: set[str] = field(default_factory=set)
    """Ids of the members."""
    jobs: list[dict[str, Any]] = field(default_factory=list)
    """The oldest first."""
    failed: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """Job id -> its import errors."""
    flows: list[dict[str, Any]] = field(default_factory=list)
    fails: Callable[[dict[str, Any]], Any] = lambda attributes: None
    """Attributes of a person -> `original_payload` of their import error."""
    other: dict[str, Answering] = field(default_factory=dict)
    page: int = 100

    def __call__(self, seen: Seen) -> Reply | Raw:
        if seen.headers.get("authorization") != f"Klaviyo-API-Key {KEY}":
            return reply(error("not_authenticated"), 401)
        assert seen.headers["revision"] == REVISION
        assert "application/vnd.api+json" in (seen.headers["accept"], seen.headers["content-type"])
        path = urlsplit(seen.path).path
        known = self.other.get(f"{seen.method} {path}")
        if known is not None:
            return known if isinstance(known, Reply) else _called(known, seen)
        query = {name: values[0] for name, values in parse_qs(urlsplit(seen.path).query).items()}
        found = self.answer(seen, path, query)
        return Reply(found.status, found.body, {**found.headers, "cid": "AbC123", "x-klaviyo-api-revision": REVISION})

    def answer(self, seen: Seen, path: str, query: Mapping[str, str]) -> Reply:
        routes: dict[str, Callable[..., Reply]] = {
            "GET /api/accounts": lambda: self.paged([self.account()], {}),
            "GET /api/lists": lambda: self.paged(self.named(query), query),
            "POST /api/lists": lambda: self.make(seen.json()),
            "GET /api/lists/([^/]+)": lambda list_id: self.one_list(list_id, query),
            "GET /api/lists/[^/]+/flow-triggers": lambda: self.paged(self.flows, {}),
            "GET /api/lists/[^/]+/profiles": lambda: self.paged(self.chosen(self.members(), query), query),
            "GET /api/profiles": lambda: self.paged(self.chosen([*self.people.values()], query), query),
            "DELETE /api/lists/[^/]+/relationships/profiles": lambda: self.take_off(seen.json()),
            "POST /api/profile-bulk-import-jobs": lambda: self.take(seen.json()),
            "GET /api/profile-bulk-import-jobs": lambda: self.paged([*reversed(self.jobs)], query),
            "GET /api/profile-bulk-import-jobs/([^/]+)": self.job,
            "GET /api/profile-bulk-import-jobs/([^/]+)/import-errors": lambda job: self.paged(self.failed[job], query),
        }
        for pattern, route in routes.items():
            if match := re.fullmatch(pattern, f"{seen.method} {path}"):
                return route(*map(unquote, match.groups()))
        raise AssertionError("no export needs this call")

    def account(self) -> dict[str, Any]:
        contact = {"organization_name": "Acme", "default_sender_email": "hi@acme.example"}
        return {"type": "account", "id": "AbC123", "attributes": {"contact_information": contact}}

    def paged(self, entries: list[Any], query: Mapping[str, str]) -> Reply:
        start = int(query.get("page[cursor]", "0"))
        size = min(int(query.get("page[size]", "20")), self.page)
        more = start + size < len(entries)
        # To another host, where nobody may be led.
        following = f"https://elsewhere.example/api/x?page%5Bcursor%5D={start + size}" if more else None
        return reply({"data": entries[start : start + size], "links": {"self": "x", "next": following, "prev": None}})

    def named(self, query: Mapping[str, str]) -> list[dict[str, Any]]:
        wanted = re.fullmatch(r'any\(name,\["(.*)"\]\)', query.get("filter", ""))
        return [each for each in self.lists if not wanted or each["attributes"]["name"] == wanted[1]]

    def chosen(self, people: list[Person], query: Mapping[str, str]) -> list[dict[str, Any]]:
        text = query.get("filter")
        if text is None:
            return [each.entry() for each in people]
        field_, values = re.findall(r"[(]([a-z_.]+)", text)[0], set(re.findall('"([^"]*)"', text))
        if field_.endswith("list_id"):
            return [each.entry() for each in people if values & {*each.said_no}]
        return [each.entry() for each in people if getattr(each, field_).lower() in {v.lower() for v in values}]

    def members(self) -> list[Person]:
        return [each for each in self.people.values() if each.id in self.on_list]

    def make(self, body: Any) -> Reply:
        self.lists.append(listed(f"new{len(self.lists)}", body["data"]["attributes"]["name"]))
        return reply({"data": self.lists[-1]}, 201)

    def one_list(self, list_id: str, query: Mapping[str, str]) -> Reply:
        found = next((each for each in self.lists if each["id"] == list_id), None)
        if found is None:
            return reply(error("not_found"), 404)
        counted = "additional-fields[list]" in query
        return reply({"data": listed(list_id, "x", profile_count=len(self.on_list)) if counted else found})

    def take(self, body: Any) -> Reply:
        """A job that has ended at once."""
        lists = body["data"].get("relationships", {}).get("lists", {}).get("data", [])
        sent = [each["attributes"] for each in body["data"]["attributes"]["profiles"]["data"]]
        job = f"job-{len(self.jobs) + 1}"
        self.failed[job] = []
        for attributes in sent:
            if (payload := self.fails(attributes)) is not None:
                wrong = {"code": "invalid", "title": "Invalid input", "detail": "", "source": {"pointer": "/data"}}
                entry = {
                    "type": "import-error",
                    "id": "e",
                    "attributes": {**wrong, "original_payload": payload or None},
                }
                self.failed[job].append(entry)
                continue
            person = self.person(attributes["email"])
            person.attributes |= attributes
            self.on_list |= {person.id} if lists else set()
        told: dict[str, Any] = {"status": "complete", "total_count": len(sent), "failed_count": len(self.failed[job])}
        made = {"type": "profile-bulk-import-job", "id": job, "attributes": told}
        self.jobs.append({**made, "relationships": {"lists": {"data": lists}}})
        return reply({"data": {**made, "attributes": {**told, "status": "queued", "failed_count": 0}}}, 202)

    def person(self, email: str) -> Person:
        found = next((each for each in self.people.values() if each.email.lower() == email.lower()), None)
        if found is None:
            found = Person(f"01P{len(self.people)}", email)
            self.people[found.id] = found
        return found

    def take_off(self, body: Any) -> Reply:
        ids = [each["id"] for each in body["data"]]
        unknown = [each for each in ids if each not in self.people]
        if unknown:
            return reply(error("invalid", f"Invalid profile IDs: {', '.join(unknown)}", "/data/"), 400)
        self.on_list -= {*ids}
        return Reply(204, b"")

    def job(self, job: str) -> Reply:
        found = next((each for each in self.jobs if each["id"] == job), None)
        return reply({"data": found}) if found else reply(error("not_found"), 404)


def _called(answering: Callable[..., Any], seen: Seen) -> Reply | Raw:
    result: Reply | Raw = answering(seen)
    return result


def account_with(*addresses: str, on_list: bool = True) -> Account:
    """An account with these people, whose ids are 01P0, 01P1 and so on."""
    made = Account()
    for address in addresses:
        person = made.person(address)
        made.on_list |= {person.id} if on_list else set()
    return made


@dataclass
class World:
    vendor: Vendor
    account: Account
    server: Loopback
    clock: Clock

    def asked(self) -> list[str]:
        """`METHOD path` of every request, without the query."""
        return [f"{seen.method} {urlsplit(seen.path).path}" for seen in self.server.seen]

    def finish(self, kind: Kind, rows: list[Row]) -> BatchResult:
        """Deliver, and settle until there are receipts, as the engine does."""
        return finish(self.vendor, TARGET, kind, rows, self.clock)


@contextlib.contextmanager
def world(account: Account | None = None, *, key: str = KEY, **hooks: Any) -> Iterator[World]:
    account = account or Account()
    clock = Clock()
    limiter = Limiter(DEFINITION.rates, clock=clock, wait=clock.wait)
    with serving(account) as server:
        link = Link(limiter, vendor_hosts={HOST: server.url}, **{"wait": clock.wait} | hooks)
        yield World(Klaviyo(Keys(key), link, clock), account, server, clock)
        link.transport.close()  # type: ignore[attr-defined]  # the default transport


def rows(count: int, values: str = "{}", *, known: bool = False) -> list[Row]:
    """`known`: with the ids that `account_with` gives these people."""
    return [Row(f"p{n}@x.example", values, f"01P{n}" if known else None) for n in range(count)]


def receipts(found: BatchResult, count: int) -> list[Receipt]:
    return [found.others.get(index, found.default) for index in range(count)]


def codes(found: BatchResult, count: int) -> list[str]:
    """Code of each receipt; the outcome where it has none."""
    return [each.code or str(each.outcome) for each in receipts(found, count)]


def hang_up(handler: Any) -> None:
    """Close the connection without a word."""
