"""A Mailchimp audience as far as a test needs one: answers by method and path, jobs that have ended at once, and what a
test wants to be different in `other`."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import re
import tarfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from shared.vendors.contract import BatchResult, Kind, Receipt, Row, TargetFound, Vendor
from shared.vendors.http import Link
from shared.vendors.limits import Limiter
from shared.vendors.mailchimp.definition import DEFINITION
from shared.vendors.mailchimp.people import place_of
from shared.vendors.mailchimp.vendor import Mailchimp
from tests.unit.vendors.loopback import Clock, Keys, Loopback, Raw, Reply, Seen, finish, reply, serving

KEY = "3f9c0d7e1a-us6"
LIST = "57afe96172"
FIELDS = {"FNAME": ["FNAME", "text"], "AGE": ["AGE", "number"]}
TARGET = TargetFound(f"{LIST}/10297", "Loyal", details={"fields": json.dumps(FIELDS)})
IMPORT, TAGGING, JOBS = f"POST /3.0/lists/{LIST}", f"POST /3.0/lists/{LIST}/segments/10297", "POST /3.0/batches"
ROLL, FIELDS_OF = f"GET /3.0/lists/{LIST}/members", f"GET /3.0/lists/{LIST}/merge-fields"

Answering = Reply | Raw | Callable[[Seen], Reply | Raw]


def problem(title: str, status: int = 400, detail: str = "Sorry", **more: Any) -> Reply:
    return reply({"type": "x", "title": title, "status": status, "detail": detail, "instance": "", **more}, status)


@dataclass
class Person:
    address: str
    status: str = "subscribed"
    fields: dict[str, Any] = field(default_factory=dict)
    tags: set[int] = field(default_factory=set)
    more_tags: int = 0
    changed: str = "2026-11-28T10:00:00+00:00"

    def entry(self) -> dict[str, Any]:
        shown = [{"id": each, "name": "Loyal"} for each in sorted(self.tags)]
        return {
            "id": place_of(self.address),
            "email_address": self.address,
            "status": self.status,
            "last_changed": self.changed,
            "merge_fields": self.fields,
            "tags": [] if self.more_tags else shown,
            "tags_count": len(shown) + self.more_tags,
        }


@dataclass
class Audience:
    """`other` answers before everything else; keys are `METHOD path`, without the query. `refuses` says what is wrong
    with a person's merge fields: tag -> message."""

    people: dict[str, Person] = field(default_factory=dict)
    tags: dict[int, str] = field(default_factory=lambda: {10297: "Loyal"})
    fields: list[dict[str, Any]] = field(default_factory=list)
    flags: dict[str, bool] = field(default_factory=dict)
    jobs: list[dict[str, Any]] = field(default_factory=list)
    results: dict[str, bytes] = field(default_factory=dict)
    refuses: Callable[[Mapping[str, Any]], dict[str, str]] = lambda fields: {}
    operation: Callable[[str], int] = lambda member: 0
    """Member -> status of its operation in a job, 0 where it is carried out."""
    other: dict[str, Answering] = field(default_factory=dict)
    url: str = ""

    def __call__(self, seen: Seen) -> Reply | Raw:
        path = urlsplit(seen.path).path
        if path.startswith("/results/"):
            assert "authorization" not in seen.headers
        else:
            assert seen.headers["authorization"] == f"Bearer {KEY}"
        known = self.other.get(f"{seen.method} {path}")
        if known is not None:
            return known if isinstance(known, Reply) else _called(known, seen)
        query = {name: values[0] for name, values in parse_qs(urlsplit(seen.path).query).items()}
        return self.answer(seen, path, query)

    def answer(self, seen: Seen, path: str, query: Mapping[str, str]) -> Reply:
        here = f"/3.0/lists/{LIST}"
        routes: dict[str, Callable[..., Reply]] = {
            "GET /3.0/": lambda: reply({"account_id": "8d3a", "account_name": "Contoso", "role": "admin"}),
            "GET /3.0/lists": lambda: self.paged("lists", [{"id": LIST, "name": "News"}], query),
            f"GET {here}": lambda: reply({"id": LIST, "name": "News", **self.flags}),
            f"POST {here}": lambda: self.add(seen.json(), query),
            f"GET {here}/segments": lambda: self.paged("segments", [*map(self.tag, self.tags)], query),
            f"POST {here}/segments": lambda: self.make_tag(seen.json()),
            f"GET {here}/segments/(.+)/members": lambda tag: self.paged("members", self.tagged(int(tag), query), query),
            f"GET {here}/segments/(.+)": lambda tag: reply(self.tag(int(tag))) if int(tag) in self.tags else GONE,
            f"POST {here}/segments/(.+)": lambda tag: self.set_tag(int(tag), seen.json()),
            f"GET {here}/members": lambda: self.paged("members", self.standing(query), query),
            f"GET {here}/members/(.+)/tags": lambda member: reply({"tags": self.tags_of(member)}),
            f"POST {here}/members/(.+)/tags": lambda member: self.untag(member, seen.json()),
            f"GET {here}/members/(.+)": lambda member: reply(self.people[member].entry()) if self.has(member) else GONE,
            f"PATCH {here}/members/(.+)": lambda member: self.update(member, seen.json()),
            f"GET {here}/merge-fields": lambda: self.paged("merge_fields", self.fields, query),
            f"POST {here}/merge-fields": lambda: self.make_field(seen.json()),
            "POST /3.0/batches": lambda: self.take_job(seen.json()),
            "GET /3.0/batches": lambda: self.paged("batches", self.jobs, query),
            "GET /3.0/batches/(.+)": self.job,
            "GET /results/(.+)": lambda job: Reply(200, self.results[job], {"Content-Type": "application/x-gzip"}),
        }
        for pattern, route in routes.items():
            if match := re.fullmatch(pattern, f"{seen.method} {path}"):
                return route(*map(unquote, match.groups()))
        raise AssertionError("no export needs this call")

    def has(self, member: str) -> bool:
        return member in self.people

    def tag(self, tag: int) -> dict[str, Any]:
        return {"id": tag, "name": self.tags[tag], "type": "static"}

    def paged(self, name: str, entries: list[Any], query: Mapping[str, str]) -> Reply:
        start = int(query.get("offset", "0"))
        shown = entries[start : start + int(query.get("count", "10"))]
        return reply({name: shown, "total_items": len(entries)})

    def standing(self, query: Mapping[str, str]) -> list[Any]:
        since = query.get("since_last_changed", "")
        chosen = [each for each in self.people.values() if each.status == query["status"] and each.changed > since]
        return [each.entry() for each in sorted(chosen, key=lambda each: each.changed)]

    def tagged(self, tag: int, query: Mapping[str, str]) -> list[Any]:
        shown = {"subscribed"} | ({"transactional"} if "include_transactional" in query else set())
        shown |= {"unsubscribed"} if "include_unsubscribed" in query else set()
        shown |= {"cleaned"} if "include_cleaned" in query else set()
        return [each.entry() for each in self.people.values() if tag in each.tags and each.status in shown]

    def tags_of(self, member: str) -> list[Any]:
        return [{"id": each, "name": "Loyal"} for each in self.people[member].tags]

    def make_tag(self, body: Any) -> Reply:
        assert body["static_segment"] == []
        self.tags[20000 + len(self.tags)] = body["name"]
        return reply(self.tag(20000 + len(self.tags) - 1))

    def make_field(self, body: Any) -> Reply:
        assert (body["public"], body["required"]) == (False, False)
        self.fields.append(merge_field(body["tag"], body["type"], body["name"]))
        return reply(self.fields[-1])

    def add(self, body: Any, query: Mapping[str, str]) -> Reply:
        assert (body["update_existing"], body["sync_tags"]) == (False, False)
        assert query["skip_merge_validation"] == "true"
        made, errors = [], []
        for each in body["members"]:
            address = each["email_address"]
            wrong = self.refuses(each.get("merge_fields", {}))
            known = self.people.get(place_of(address))
            if known is not None and known.status != "archived":
                errors.append({"email_address": address, "error": "known", "error_code": "ERROR_CONTACT_EXISTS"})
            elif wrong:
                [(tag, message), *_] = wrong.items()
                told = {"error": "Your merge fields were invalid.", "field": tag, "field_message": message}
                errors.append({"email_address": address, "error_code": "ERROR_GENERIC", **told})
            else:
                self.people[place_of(address)] = Person(address, each["status"], dict(each.get("merge_fields", {})))
                made.append(self.people[place_of(address)].entry())
        return reply({"new_members": made, "updated_members": [], "errors": errors, "error_count": len(errors)})

    def set_tag(self, tag: int, body: Any) -> Reply:
        """Whoever is not there is ignored, and whoever was as wanted before is not listed."""
        if tag not in self.tags:
            return GONE
        found: dict[str, list[Any]] = {"members_added": [], "members_removed": [], "errors": []}
        for key, shown in (("members_to_add", "members_added"), ("members_to_remove", "members_removed")):
            for address in body.get(key, ()):
                person = self.people.get(place_of(address))
                if person is None or (tag in person.tags) is (key == "members_to_add"):
                    continue
                if person.status not in ("subscribed", "transactional"):
                    found["errors"].append({"email_addresses": [address], "error": "not subscribed"})
                    continue
                person.tags ^= {tag}
                found[shown].append(person.entry())
        return reply({**found, "error_count": len(found["errors"])})

    def untag(self, member: str, body: Any) -> Reply:
        assert [each["status"] for each in body["tags"]] == ["inactive"]
        if not self.has(member):
            return GONE
        names = {each["name"] for each in body["tags"]}
        self.people[member].tags -= {tag for tag, name in self.tags.items() if name in names}
        return Reply(204, b"")

    def update(self, member: str, body: Any) -> Reply:
        assert body.keys() == {"merge_fields"}
        if not self.has(member):
            return GONE
        if wrong := self.refuses(body["merge_fields"]):
            errors = [{"field": tag, "message": message} for tag, message in wrong.items()]
            return problem("Invalid Resource", detail="Your merge fields were invalid.", errors=errors)
        self.people[member].fields |= body["merge_fields"]
        return reply(self.people[member].entry())

    def take_job(self, body: Any) -> Reply:
        """A job that has ended at once, its results in two files."""
        told = []
        for each in body["operations"]:
            assert each["method"] == "PATCH"
            member = each["path"].rpartition("/")[2]
            status = self.operation(member) or self.update(member, json.loads(each["body"])).status
            told.append({"status_code": status, "operation_id": each["operation_id"], "response": "{}"})
        name = f"job{len(self.jobs)}"
        self.results[name] = packed(told[::2], told[1::2])
        self.jobs.append({"id": name, "status": "finished", "response_body_url": f"{self.url}/results/{name}"})
        return reply({**self.jobs[-1], "status": "pending", "response_body_url": ""})

    def job(self, name: str) -> Reply:
        found = next((each for each in self.jobs if each["id"] == name), None)
        return reply(found) if found else GONE


GONE = problem("Resource Not Found", 404)


def packed(*files: list[Any]) -> bytes:
    """As Mailchimp gives results: a packed archive with a folder and files."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as archive:
        folder = tarfile.TarInfo("results")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
        for number, each in enumerate(files):
            content = json.dumps(each).encode()
            entry = tarfile.TarInfo(f"results/{number}.json")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return gzip.compress(raw.getvalue())


def merge_field(tag: str, kind: str = "text", name: str = "", **more: Any) -> dict[str, Any]:
    return {"tag": tag, "name": name or tag, "type": kind, "required": False, "options": {}, **more}


def _called(answering: Callable[..., Any], seen: Seen) -> Reply | Raw:
    result: Reply | Raw = answering(seen)
    return result


def audience_of(*people: Person) -> Audience:
    return Audience({place_of(each.address): each for each in people})


@dataclass
class World:
    vendor: Vendor
    audience: Audience
    server: Loopback
    clock: Clock

    def asked(self, *words: str) -> list[str]:
        """`METHOD path` of every request, without the query: of those with a word in them, or of all."""
        every = [f"{seen.method} {urlsplit(seen.path).path}" for seen in self.server.seen]
        return [each for each in every if not words or any(word in each for word in words)]

    def sent(self, endpoint: str) -> list[Any]:
        return [seen.json() for seen in self.server.seen if f"{seen.method} {urlsplit(seen.path).path}" == endpoint]

    def finish(self, kind: Kind, rows: list[Row]) -> BatchResult:
        """Deliver, and settle until there are receipts, as the engine does."""
        return finish(self.vendor, TARGET, kind, rows, self.clock)


@contextlib.contextmanager
def world(audience: Audience | None = None, *, key: str = KEY, keys: Any = None, **settings: Any) -> Iterator[World]:
    audience = audience or Audience()
    clock = Clock()
    limiter = Limiter(DEFINITION.rates, clock=clock, wait=clock.wait)
    with serving(audience) as server:
        audience.url = server.url
        hosts = {f"{name}api.mailchimp.com": server.url for name in ("", "us6.", "us7.")}
        link = Link(limiter, vendor_hosts={**hosts, "login.mailchimp.com": server.url}, wait=clock.wait)
        vendor = Mailchimp({"audience_id": LIST, **settings}, keys or Keys(key), link, clock)
        yield World(vendor, audience, server, clock)
        link.transport.close()  # type: ignore[attr-defined]  # the default transport


def rows(count: int, values: str = "{}") -> list[Row]:
    return [Row(f"p{n}@x.example", values) for n in range(count)]


def crowd(count: int, status: str = "subscribed", *, tagged: bool = False) -> list[Person]:
    return [Person(f"p{n}@x.example", status, tags={10297} if tagged else set()) for n in range(count)]


def receipts(found: BatchResult, count: int) -> list[Receipt]:
    return [found.others.get(index, found.default) for index in range(count)]


def codes(found: BatchResult, count: int) -> list[str]:
    """Code of each receipt; the outcome where it has none."""
    return [each.code or str(each.outcome) for each in receipts(found, count)]
