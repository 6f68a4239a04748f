"""An Omnisend brand as far as a test needs one, and a vendor that talks to it over loopback."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Any
from urllib.parse import parse_qs, urlsplit

from shared.vendors.contract import Receipt, Row, TargetFound
from shared.vendors.http import Link
from shared.vendors.limits import Limiter
from shared.vendors.omnisend.definition import DEFINITION, HOST
from shared.vendors.omnisend.vendor import Omnisend
from tests.unit.vendors.loopback import Clock, Keys, Loopback, Raw, Reply, Seen, reply, serving

KEY = "60a6170920d91c215e949b5c-secret"
BRAND = "60a6170920d91c215e949b5c"
TARGET = TargetFound("loyal customers", "Loyal customers")
UNAUTHORIZED = reply(
    {"type": "https://problems.omnisend.com/unauthorized", "title": "Unauthorized", "status": 401}, 401
)
FORBIDDEN = reply({"title": "Forbidden", "status": 403, "detail": "Missing scope"}, 403)
NOT_FOUND = reply({"title": "Not found", "status": 404}, 404)

Answering = Callable[[Seen], Reply | Raw | None]
"""Answers in the brand's place, or leaves it to the brand with None."""


def hang_up(handler: Any) -> None:
    """Close the connection without a word."""


@dataclass
class Brand:
    """`errors` and `silent` are addresses: refused with that answer, or never answered for."""

    instead: Answering = lambda seen: None
    tags: dict[str, set[str]] = field(default_factory=dict)
    contacts: dict[str, dict[str, Any]] = field(default_factory=dict)
    batches: dict[str, dict[str, Any]] = field(default_factory=dict)
    errors: dict[str, tuple[int, Any]] = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)
    newest_first: bool = True
    ending: str = "finished"
    unsubscribed: set[str] = field(default_factory=set)
    early: list[str] = field(default_factory=list)
    """Addresses tagged before their contact was there: the vendor would have passed over them in silence."""

    def __call__(self, seen: Seen) -> Reply | Raw:
        if seen.headers.get("authorization") != f"Omnisend-API-Key {KEY}":
            return UNAUTHORIZED
        if seen.headers.get("omnisend-version") != "2026-03-15":
            return reply({"title": "Gone", "status": 410}, 410)
        if (instead := self.instead(seen)) is not None:
            return instead
        url = urlsplit(seen.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        match seen.method, url.path.split("/")[2:]:
            case "GET", ["brands", "current"]:
                return reply({"brandID": BRAND, "name": "Contoso Coffee", "connected": True})
            case "GET", ["contacts"]:
                return self._contacts(query)
            case "GET", ["batches"]:
                return self._listed(query)
            case "POST", ["batches"]:
                return self._create(seen.json())
            case "GET", ["batches", batch_id, *items]:
                return self._batch(batch_id, bool(items))
            case (("POST" | "DELETE"), ["contacts", "tags"]):
                return self._tag(seen.method, seen.json())
        return NOT_FOUND

    def work(self, most: int = 10_000) -> None:
        """Process batches that are under way."""
        for batch in [each for each in self.batches.values() if each["status"] == "pending"][:most]:
            batch["status"] = self.ending
            for entry in batch["items"]:
                self._process(batch, entry)
            batch["errorsCount"] = len(batch["errors"])
            batch["finishedCount"] = len(batch["errors"]) + len(batch["responses"])

    def members(self, tag: str) -> set[str]:
        return self.tags.get(tag, set())

    def _process(self, batch: dict[str, Any], entry: dict[str, Any]) -> None:
        address = entry["identifiers"][0]["id"]
        item = {"itemID": "i", "request": entry, "status": "finished"}
        if address in self.silent:
            return
        if address in self.errors:
            code, answer = self.errors[address]
            batch["errors"].append(item | {"responseCode": code, "response": answer})
            return
        self.contacts[address] = self.contacts.get(address, {}) | entry
        batch["responses"].append(item | {"responseCode": 201, "response": {"id": "60a", "email": address}})

    def _create(self, body: dict[str, Any]) -> Reply:
        batch_id = f"b{len(self.batches):04}"
        counts = {"totalCount": len(body["items"]), "finishedCount": 0, "errorsCount": 0}
        self.batches[batch_id] = body | counts | {"status": "pending", "errors": [], "responses": []}
        return reply({"batchID": batch_id, "totalCount": len(body["items"])}, 201)

    def _told(self, batch_id: str, items: bool = False) -> dict[str, Any]:
        hidden = {"items"} if items else {"items", "errors", "responses"}
        batch = self.batches[batch_id]
        return {"batchID": batch_id} | {name: value for name, value in batch.items() if name not in hidden}

    def _batch(self, batch_id: str, items: bool) -> Reply:
        return reply(self._told(batch_id, items)) if batch_id in self.batches else NOT_FOUND

    def _listed(self, query: dict[str, str]) -> Reply:
        wanted = [each for each in self.batches if query.get("status") in (None, self.batches[each]["status"])]
        ordered = wanted[::-1] if self.newest_first else wanted
        start, limit = int(query.get("offset", 0)), int(query.get("limit", 100))
        rest = ordered[start + limit :]
        paging = {"limit": limit, "offset": start, "next": "https://next.example" if rest else None}
        return reply({"batches": [self._told(each) for each in ordered[start : start + limit]], "paging": paging})

    def _contacts(self, query: dict[str, str]) -> Reply:
        found = sorted(self.members(query["tag"])) if "tag" in query else []
        found = sorted(self.unsubscribed) if query.get("status") == "unsubscribed" else found
        found = [each for each in self._everybody() if each == query["email"]] if "email" in query else found
        start, limit = int(query.get("after", 0)), int(query.get("limit", 100))
        more = len(found) > start + limit
        cursors = {"after": str(start + limit) if more else None, "before": None}
        page = [{"id": each, "email": each} for each in found[start : start + limit]]
        return reply({"contacts": page, "paging": {"limit": limit, "hasMore": more, "cursors": cursors}})

    def _everybody(self) -> set[str]:
        return {*self.contacts, *self.unsubscribed, *chain.from_iterable(self.tags.values())}

    def _tag(self, method: str, body: dict[str, Any]) -> Reply:
        for tag in body["tags"]:
            if method == "POST":
                self.early += [each for each in body["emails"] if each not in self.contacts]
                self.tags.setdefault(tag, set()).update(body["emails"])
            else:
                self.tags.setdefault(tag, set()).difference_update(body["emails"])
        return Reply(202, b"", {})


@dataclass
class World:
    vendor: Omnisend
    server: Loopback
    clock: Clock
    link: Link

    def asked(self, method: str, path: str) -> list[Seen]:
        """Requests of this kind so far; `path` without the query."""
        return [
            seen for seen in self.server.seen if (seen.method, urlsplit(seen.path).path) == (method, f"/api/{path}")
        ]


@contextlib.contextmanager
def world(brand: Callable[[Seen], Reply | Raw], keys: Keys | None = None, **hooks: Any) -> Iterator[World]:
    with serving(brand) as server:
        clock = Clock()
        limiter = Limiter(DEFINITION.rates, clock=clock, wait=clock.wait)
        link = Link(limiter, vendor_hosts={HOST: server.url}, **{"wait": clock.wait} | hooks)
        yield World(Omnisend(keys or Keys(KEY), link, clock), server, clock, link)
        link.transport.close()  # type: ignore[attr-defined]  # the default transport


def rows(count: int, values: str = "{}") -> list[Row]:
    return [Row(f"p{number}@example.com", values) for number in range(count)]


def addresses(people: list[Row]) -> set[str]:
    return {row.address for row in people}


def receipts(found: Any, count: int) -> list[Receipt]:
    return [found.others.get(index, found.default) for index in range(count)]
