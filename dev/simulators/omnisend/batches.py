"""Batches: a hundred contacts in one call, written later (contract section 4)."""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any
from urllib.parse import urlencode

from dev.simulators.common.vendor import Answer, Call, Refusal, json_answer
from dev.simulators.omnisend import bodies
from dev.simulators.omnisend.answers import legacy_errors, problem, problem_body
from dev.simulators.omnisend.brand import Brand
from dev.simulators.omnisend.content import contact
from dev.simulators.omnisend.desk import Desk
from dev.simulators.omnisend.jobs import Batch, Result
from dev.simulators.omnisend.moments import written
from dev.simulators.omnisend.settings import Settings
from dev.simulators.omnisend.upsert import Writer

_METHODS = ("POST", "PUT")
_ENDPOINTS = ("products", "contacts", "events", "categories")
_STATUSES = ("pending", "inProgress", "finished", "stopped")


def _work(batch: Batch, brand: Brand, settings: Settings, now: float) -> None:
    """Write the items; a batch that stops leaves the second half alone."""
    items = batch.items()
    writer = Writer(brand, settings, now)
    write = writer.post if batch.method == "POST" else writer.put
    until = len(items) // 2 if batch.stops else len(items)
    batch.results = [_injected(item, brand, settings) or write(item) for item in items[:until]]


def _injected(item: Any, brand: Brand, settings: Settings) -> Result | None:
    """A failure that the settings ask for."""
    brand.items_seen += 1
    every = settings.fail_items_every
    if every and brand.items_seen % every == 0:
        return Result(settings.fail_items_code)
    if settings.failing_addresses:
        codes = [settings.failing_addresses[name] for name in named(item) if name in settings.failing_addresses]
        return Result(codes[0]) if codes else None
    return None


def named(item: Any) -> Iterator[str]:
    """The addresses and numbers that a contact request gives, valid or not."""
    identifiers = item.get("identifiers") if type(item) is dict else None
    for each in identifiers if type(identifiers) is list else ():
        if type(each) is dict and type(each.get("id")) is str:
            yield each["id"]


class Batches:
    """The calls under /batches."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def create(self, call: Call) -> Answer:
        settings, brand, now = self._desk.settings, self._desk.of(call), self._desk.clock.epoch()
        body = bodies.read(call)
        items = body.get("items")
        rows = len(items) if type(items) is list else 0
        try:
            self._check(call, body, settings)
        except Refusal as refusal:
            return replace(refusal.answer, rows=rows)
        brand.batches_made += 1
        starts = now + settings.batch_pending_seconds
        batch = Batch(
            id=brand.id_of(brand.reserve()),
            method=body["method"],
            endpoint=body["endpoint"],
            origin=body.get("origin") or "api",
            first_item=brand.reserve(rows),
            total=rows,
            created=now,
            starts=starts,
            ends=starts + settings.batch_seconds + self._desk.jitter(),
            stops=settings.stop_every is not None and brand.batches_made % settings.stop_every == 0,
            packed=zlib.compress(call.body, 1),
        )
        brand.batches[batch.id] = batch
        self._desk.schedule.at(batch.ends, lambda due: _work(batch, brand, self._desk.settings, due))
        touched = [name for item in body["items"] for name in named(item)]
        return json_answer({"batchID": batch.id, "totalCount": rows}, 201, rows=rows, touched=touched)

    def _check(self, call: Call, body: Mapping[str, Any], settings: Settings) -> None:
        if len(call.body) > settings.most_bytes:
            raise Refusal(problem(settings.too_large_status, f"The body has more than {settings.most_bytes} bytes."))
        if body.get("method") not in _METHODS:
            raise bodies.refuse("method", "invalid_value", f"Must be one of {', '.join(_METHODS)}")
        if body.get("endpoint") not in _ENDPOINTS:
            raise bodies.refuse("endpoint", "invalid_value", f"Must be one of {', '.join(_ENDPOINTS)}")
        if body["endpoint"] != "contacts" or (body["method"] == "PUT" and settings.put_contacts == "refused"):
            raise bodies.refuse("endpoint", "invalid_value", f"{body['method']} {body['endpoint']} is not simulated")
        if type(body.get("origin", "")) is not str:
            raise bodies.refuse("origin", "invalid_type", "Must be a string")
        items = body.get("items")
        if type(items) is not list or not 1 <= len(items) <= settings.most_items:
            raise bodies.refuse("items", "invalid_length", f"Must have 1 to {settings.most_items} items")

    def many(self, call: Call) -> Answer:
        known: dict[str, bodies.Reader] = {
            "endpoint": bodies.one_of(*_ENDPOINTS[:3]),
            "status": bodies.one_of(*_STATUSES),
            "dateFrom": bodies.day,
            "dateTo": bodies.day,
            "offset": bodies.whole(0),
            "limit": bodies.whole(1, 250),
        }
        asked = bodies.query(call, known, required=("endpoint",))
        limit, offset = asked.get("limit", 100), asked.get("offset", 0)
        now = self._desk.clock.epoch()
        found = list(islice(self._wanted(call, asked, now), offset, offset + limit + 1))
        paging = {
            "limit": limit,
            "offset": offset,
            "next": _link(call, offset + limit) if len(found) > limit else None,
            "previous": _link(call, max(0, offset - limit)) if offset else None,
        }
        shown = [batch.shown(now, self._desk.settings) for batch in found[:limit]]
        return json_answer({"batches": shown, "paging": paging})

    def _wanted(self, call: Call, asked: Mapping[str, Any], now: float) -> Iterator[Batch]:
        """The newest first."""
        for batch in reversed(self._desk.of(call).batches.values()):
            if not self._is_kept(batch):
                return
            day = written(batch.created)[:10]
            if (
                batch.endpoint == asked["endpoint"]
                and asked.get("status") in (None, batch.status(now))
                and asked.get("dateFrom", day) <= day <= asked.get("dateTo", day)
            ):
                yield batch

    def one(self, call: Call) -> Answer:
        return json_answer(self._batch(call).shown(self._desk.clock.epoch(), self._desk.settings))

    def items(self, call: Call) -> Answer:
        batch, settings = self._batch(call), self._desk.settings
        answered = _answered(batch, self._desk.of(call), settings, self._desk.clock.epoch())
        shown = batch.shown(self._desk.clock.epoch(), settings)
        shown["errors"] = [each for each in answered if each["responseCode"] >= 400]
        shown["responses"] = [each for each in answered if each["responseCode"] < 400]
        return json_answer(shown)

    def _batch(self, call: Call) -> Batch:
        batch = self._desk.of(call).batches.get(call.parameters["batchID"])
        if batch is None or not self._is_kept(batch):
            raise Refusal(problem(404, "There is no such batch."))
        return batch

    def _is_kept(self, batch: Batch) -> bool:
        return self._desk.clock.epoch() - batch.created <= self._desk.settings.batch_kept_seconds


def _answered(batch: Batch, brand: Brand, settings: Settings, now: float) -> list[dict[str, Any]]:
    told: Callable[[Result], Any] = _legacy if settings.item_shape == "legacy" else _current(brand, now)
    answered = [
        {
            "itemID": brand.id_of(number),
            "request": item,
            "responseCode": result.code,
            "response": told(result),
            "status": "finished",
        }
        for number, (item, result) in enumerate(zip(batch.items(), batch.results, strict=False), batch.first_item)
    ]
    # The vendor promises no order, so nobody may come to rely on one.
    start = random.randrange(len(answered)) if answered else 0
    return answered[start:] + answered[:start]


def _legacy(result: Result) -> dict[str, Any]:
    if result.person is not None:
        return {"email": result.person.email, "contactID": result.person.id}
    if result.errors:
        return legacy_errors(result.errors)
    return {"error": problem_body(result.code)["title"]}


def _current(brand: Brand, now: float) -> Callable[[Result], dict[str, Any]]:
    def told(result: Result) -> dict[str, Any]:
        if result.person is not None:
            return contact(brand, result.person, now)
        return problem_body(result.code, errors=result.errors)

    return told


def _link(call: Call, offset: int) -> str:
    host = call.headers.get("host", "")
    return f"http://{host}{call.path}?{urlencode({**call.query, 'offset': offset})}"
