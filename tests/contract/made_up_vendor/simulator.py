"""Postcard as its contract has it: a key, lists, one call that puts people on a list and one that takes them off."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, Field

from dev.simulators.common import settings, vendor
from dev.simulators.common.clock import Clock
from dev.simulators.common.vendor import Answer, Call, Endpoint, Refusal, json_answer
from dev.simulators.common.windows import Rate

KEY = "postcard-key"
MOST_PEOPLE = 50


class Settings(settings.Settings):
    """`most_bytes` of a body; `keys` that open the one account; `barred` addresses are refused."""

    rates: dict[str, Rate] = Field(default_factory=dict)
    keys: dict[str, str] = Field(default_factory=lambda: {KEY: "acme"})
    most_bytes: int = 100_000
    barred: list[str] = Field(default_factory=list)


@dataclass
class MailingList:
    id: int
    name: str
    members: set[str] = field(default_factory=set)


class _Person(BaseModel):
    model_config = ConfigDict(extra="forbid")

    email: str
    lists: list[str] = Field(default_factory=list)
    dataFields: dict[str, Any] = Field(default_factory=dict)  # noqa: N815 - as for every vendor
    unsubscribed: bool = False


class _List(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str


class Content(BaseModel):
    """The body of `POST /_simulator/people`. Nobody finds the `erased` any more; they may come back."""

    model_config = ConfigDict(extra="forbid")

    lists: list[_List] = Field(default_factory=list)
    people: list[_Person] = Field(default_factory=list)
    erased: list[str] = Field(default_factory=list)


class Postcard(vendor.Vendor[Settings]):
    """One account."""

    name = "postcard"

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()
        self.clock = Clock()
        self.clear()

    def clear(self) -> None:
        self.lists: dict[int, MailingList] = {}
        self.people: dict[str, dict[str, Any]] = {}
        self.unsubscribed: set[str] = set()
        self.resubscribes = 0

    def endpoints(self) -> Sequence[Endpoint]:
        return [
            Endpoint("GET", "/account", lambda call: json_answer({"account": call.account})),
            Endpoint("GET", "/lists", lambda call: json_answer([_shown(each) for each in self.lists.values()])),
            Endpoint("POST", "/lists", self._make),
            Endpoint("GET", "/lists/{id:int}", self._count),
            Endpoint("GET", "/lists/{id:int}/people", self._read),
            Endpoint("GET", "/people", self._show),
            Endpoint("POST", "/lists/{id:int}/people", self._add),
            Endpoint("PUT", "/people", self._change),
            Endpoint("POST", "/lists/{id:int}/take-off", self._take_off),
        ]

    def authenticate(self, call: Call) -> str | Answer:
        key = call.headers.get("authorization", "").removeprefix("Bearer ")
        return self.settings.keys.get(key) or _refused("wrong_key", 401)

    def not_found(self, call: Call) -> Answer:
        return _refused("no_such_path", 404)

    def rate_limited(self, endpoint: str, account: str) -> Answer:
        return _refused("slow_down", 429)

    def error(self, status: int) -> Answer:
        return _refused("our_fault", status)

    def state(self, account: str | None) -> dict[str, Any]:
        return {
            "lists": [{**_shown(each), "members": len(each.members)} for each in self.lists.values()],
            "unsubscribed": sorted(self.unsubscribed),
            "resubscribes": self.resubscribes,
        }

    def members(self, target: str) -> Iterator[dict[str, Any]]:
        found = self.lists[int(target)]
        return ({"address": each, "dataFields": self.people.get(each, {})} for each in sorted(found.members))

    def load(self, content: Any) -> dict[str, Any]:
        wanted = Content.model_validate(content)
        for made in wanted.lists:
            self._create(made.name)
        for person in wanted.people:
            self.people.setdefault(person.email, {}).update(person.dataFields)
            for each in self.lists.values():
                if each.name in person.lists:
                    each.members.add(person.email)
            if person.unsubscribed:
                self.unsubscribed.add(person.email)
        for address in wanted.erased:
            self.people.pop(address, None)
            for each in self.lists.values():
                each.members.discard(address)
        return {"people": len(wanted.people)}

    def _make(self, call: Call) -> Answer:
        name = self._body(call)["name"]
        if any(each.name == name for each in self.lists.values()):
            raise Refusal(_refused("name_taken", 409))
        return json_answer(_shown(self._create(name)), 201)

    def _create(self, name: str) -> MailingList:
        made = MailingList(len(self.lists) + 1, name)
        self.lists[made.id] = made
        return made

    def _count(self, call: Call) -> Answer:
        found = self._list(call)
        return json_answer({**_shown(found), "people": len(found.members)})

    def _show(self, call: Call) -> Answer:
        """One person by address: fields, ids of lists, and whether they said no to everything."""
        address = call.query.get("email", "").lower()
        said_no = address in self.unsubscribed
        if address not in self.people:
            return json_answer({"lists": [], "fields": {}, "unsubscribed": said_no})
        lists = [each.id for each in self.lists.values() if address in each.members]
        return json_answer({"lists": lists, "fields": self.people[address], "unsubscribed": said_no})

    def _read(self, call: Call) -> Answer:
        return json_answer(sorted(self._list(call).members))

    def _add(self, call: Call) -> Answer:
        """Who unsubscribed stays unsubscribed, and is told as refused."""
        mailing_list, rows = self._list(call), self._rows(call)
        refused = self._write(rows)
        mailing_list.members |= {row["email"].lower() for row in rows} - refused.keys()
        return _written(rows, refused)

    def _change(self, call: Call) -> Answer:
        rows = self._rows(call)
        return _written(rows, self._write(rows))

    def _take_off(self, call: Call) -> Answer:
        rows = self._rows(call)
        self._list(call).members -= {row["email"].lower() for row in rows}
        return _written(rows, {})

    def _write(self, rows: Sequence[dict[str, Any]]) -> dict[str, str]:
        """Address -> why it was refused."""
        refused = {}
        for row in rows:
            address = row["email"].lower()
            if address in self.settings.barred or address in self.unsubscribed:
                refused[address] = "unsubscribed" if address in self.unsubscribed else "barred"
                continue
            values = {**self.people.get(address, {}), **row.get("fields", {})}
            self.people[address] = {name: value for name, value in values.items() if value is not None}
        return refused

    def _rows(self, call: Call) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self._body(call)["people"]
        if len(call.body) > self.settings.most_bytes or len(rows) > MOST_PEOPLE:
            raise Refusal(_refused("too_large", 413))
        return rows

    def _list(self, call: Call) -> MailingList:
        if call.parameters["id"] not in self.lists:
            raise Refusal(_refused("no_such_list", 404))
        return self.lists[call.parameters["id"]]

    def _body(self, call: Call) -> dict[str, Any]:
        body: dict[str, Any] = orjson.loads(call.body)
        return body


def _shown(mailing_list: MailingList) -> dict[str, Any]:
    return {"id": mailing_list.id, "name": mailing_list.name}


def _refused(code: str, status: int) -> Answer:
    return json_answer({"error": code}, status)


def _written(rows: Sequence[dict[str, Any]], refused: dict[str, str]) -> Answer:
    told = [{"email": address, "why": why} for address, why in refused.items()]
    touched = [row["email"].lower() for row in rows if row["email"].lower() not in refused]
    return json_answer({"done": len(rows) - len(refused), "refused": told}, rows=len(rows), touched=touched)
