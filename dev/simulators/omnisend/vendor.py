"""Omnisend's endpoints."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dev.simulators.common import vendor
from dev.simulators.common.clock import Clock
from dev.simulators.common.vendor import Answer, Call, Endpoint, json_answer
from dev.simulators.omnisend import answers, content
from dev.simulators.omnisend.answers import FieldError
from dev.simulators.omnisend.batches import Batches
from dev.simulators.omnisend.brand import Brand
from dev.simulators.omnisend.contacts import Contacts
from dev.simulators.omnisend.desk import Schedule
from dev.simulators.omnisend.segments import Segments
from dev.simulators.omnisend.settings import BRAND, Scope, Settings
from dev.simulators.omnisend.tags import Tags

_SCHEME = "Omnisend-API-Key "

# What a key needs, by the start of the endpoint's name. Which scopes /batches wants is UNCONFIRMED.
_SCOPES: Mapping[str, Mapping[str, tuple[Scope, ...]]] = {
    "brands": {"GET": ("brands.read",)},
    "contacts": {"GET": ("contacts.read",), "other": ("contacts.write",)},
    "segments": {"GET": ("segments.read",), "other": ("segments.write",)},
    "batches": {
        "GET": ("products.read", "contacts.read", "events.read"),
        "other": ("products.write", "contacts.write", "events.write"),
    },
}


class Omnisend(vendor.Vendor[Settings]):
    """`brand()` is the state; `settings` may be replaced or changed at any time."""

    name = "omnisend"

    def __init__(self, settings: Settings | None = None, clock: Clock | None = None) -> None:
        self.settings = settings or Settings()
        self.clock = clock or Clock()
        self.clear()

    def clear(self) -> None:
        self._brands: dict[str, Brand] = {}
        self.schedule = Schedule()

    def brand(self, brand_id: str = BRAND) -> Brand:
        """The brand of that id, with all done that is due; it comes into being when first asked for."""
        self.schedule.catch_up(self.clock.epoch())
        if brand_id not in self._brands:
            self._brands[brand_id] = Brand(brand_id, len(self._brands))
        return self._brands[brand_id]

    def of(self, call: Call) -> Brand:
        return self.brand(call.account)

    def jitter(self) -> float:
        """Seconds by which a job takes longer, so that jobs end in another order than they came in."""
        return random.uniform(0, self.settings.jitter_seconds)

    def endpoints(self) -> Sequence[Endpoint]:
        contacts, tags, batches, segments = Contacts(self), Tags(self), Batches(self), Segments(self)
        return [
            Endpoint("GET", "/api/brands/current", self._current_brand),
            Endpoint("GET", "/api/contacts", contacts.many),
            Endpoint("POST", "/api/contacts", contacts.upsert),
            Endpoint("PATCH", "/api/contacts", contacts.patch_by_email),
            Endpoint("POST", "/api/contacts/tags", tags.add),
            Endpoint("DELETE", "/api/contacts/tags", tags.remove),
            Endpoint("GET", "/api/contacts/{id}", contacts.one),
            Endpoint("PATCH", "/api/contacts/{id}", contacts.patch_by_id),
            Endpoint("POST", "/api/batches", batches.create),
            Endpoint("GET", "/api/batches", batches.many),
            Endpoint("GET", "/api/batches/{batchID}", batches.one),
            Endpoint("GET", "/api/batches/{batchID}/items", batches.items),
            Endpoint("GET", "/api/segments", segments.many),
            Endpoint("POST", "/api/segments", segments.create),
            Endpoint("GET", "/api/segments/{segmentID}", segments.one),
            Endpoint("PUT", "/api/segments/{segmentID}", segments.change),
            Endpoint("DELETE", "/api/segments/{segmentID}", segments.delete),
            Endpoint("GET", "/api/segments/{segmentID}/statistics", segments.statistics),
        ]

    def authenticate(self, call: Call) -> str | Answer:
        given = call.headers.get("authorization", "")
        key = self.settings.keys.get(given.removeprefix(_SCHEME)) if given.startswith(_SCHEME) else None
        if key is None:
            return answers.problem(401)
        if (refused := self._check_version(call)) is not None:
            return refused
        missing = [scope for scope in self._scopes(call) if scope not in key.scopes]
        if missing:
            return answers.problem(403, f"The API key has no scope {missing[0]}.")
        return key.brand

    def _check_version(self, call: Call) -> Answer | None:
        version = call.headers.get("omnisend-version")
        if version is None:
            if self.settings.missing_version == "current":
                return None
            return answers.invalid(FieldError("Omnisend-Version", "required", "Is required"))
        match self.settings.versions.get(version):
            case "current":
                return None
            case "retired":
                return answers.problem(410, f"API version {version} has been retired.")
            case _:
                return answers.invalid(FieldError("Omnisend-Version", "invalid_value", "There is no such version"))

    def _scopes(self, call: Call) -> tuple[Scope, ...]:
        family = call.path.split("/")[2]
        if family == "batches" and self.settings.batch_scopes == "contacts":
            family = "contacts"
        scopes = _SCOPES[family]
        return scopes["GET"] if call.method == "GET" else scopes["other"]

    def not_found(self, call: Call) -> Answer:
        return answers.problem(404, "There is no such resource.")

    def rate_limited(self, endpoint: str, account: str) -> Answer:
        return answers.problem(429)

    def told_to_wait(self, limited: Answer, seconds: int) -> Answer:
        return answers.waiting(limited, seconds)

    def error(self, status: int) -> Answer:
        return answers.problem(status)

    def state(self, account: str | None) -> dict[str, Any]:
        brand = self.brand(account or BRAND)
        shown = content.state(brand, self.clock.epoch())
        return {"vendor": self.name, "account": brand.id, "pending": len(self.schedule), **shown}

    def members(self, target: str) -> Iterator[dict[str, Any]]:
        self.schedule.catch_up(self.clock.epoch())
        for brand in self._brands.values():
            if (members := brand.tags.get(target)) is not None:
                return map(content.member, list(members))
        raise KeyError(target)

    def load(self, given: Any) -> dict[str, Any]:
        wanted = content.Content.model_validate(given)
        return content.load(self.brand(wanted.account or BRAND), wanted, self.settings, self.clock.epoch())

    def _current_brand(self, call: Call) -> Answer:
        """Contract section 1: the check of a key, and the account's identity."""
        return json_answer(
            {
                "brandID": call.account,
                "connected": True,
                "currency": "USD",
                "name": "Contoso Coffee",
                "platform": "api",
                "timezone": "Europe/Vilnius",
                "version": "",
                "website": "https://contoso.example",
            }
        )
