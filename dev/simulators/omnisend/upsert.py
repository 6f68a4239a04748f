"""Writes one contact (contract section 3); a batch does so for each of its items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dev.simulators.omnisend.answers import FieldError
from dev.simulators.omnisend.brand import Brand
from dev.simulators.omnisend.fields import applied, check
from dev.simulators.omnisend.jobs import Result
from dev.simulators.omnisend.moments import parsed, written
from dev.simulators.omnisend.person import Channel, Person
from dev.simulators.omnisend.settings import Settings

Request = Mapping[str, Any]


class Writer:
    """Writes to `brand` at `now` (epoch seconds)."""

    def __init__(self, brand: Brand, settings: Settings, now: float) -> None:
        self._brand = brand
        self._settings = settings
        self._now = now
        self._fold = settings.email_case == "insensitive"

    def post(self, request: Any) -> Result:
        """Make the contact, or change the one with this address."""
        if errors := check(request, self._settings):
            return Result(400, errors=errors)
        identifiers = request["identifiers"]
        person = self._owner(identifiers, "email")
        if person is None and not _has(identifiers, "email") and self._owner(identifiers, "phone"):
            # An identifier of somebody else is ignored, and this contact has no other.
            return Result(400, errors=[FieldError("identifiers.0.id", "conflict", "belongs to another contact")])
        return self._write(person, request)

    def put(self, request: Any) -> Result:
        """Change the contact with this address; 404 where there is none."""
        if errors := check(request, self._settings):
            return Result(400, errors=errors)
        person = self._owner(request["identifiers"], "email")
        return self._write(person, request) if person else Result(404)

    def patch(self, person: Person, request: Any) -> Result:
        """Change `person`; 409 where an identifier belongs to somebody else."""
        if errors := check(request, self._settings, identified=False):
            return Result(400, errors=errors)
        identifiers = request.get("identifiers") or ()
        if any(self._owner([each], each["type"]) not in (None, person) for each in identifiers):
            return Result(409)
        return self._write(person, request)

    def _owner(self, identifiers: Sequence[Request], kind: str) -> Person | None:
        name = next((each["id"] for each in identifiers if each["type"] == kind), None)
        if name is None:
            return None
        return self._brand.by_email(name, self._fold) if kind == "email" else self._brand.by_phone(name)

    def _write(self, person: Person | None, request: Request) -> Result:
        fields = applied(person.fields if person else {}, request)
        if len(fields.get("customProperties", ())) > self._settings.most_properties:
            most = f"must be at most {self._settings.most_properties}"
            return Result(400, errors=[FieldError("customProperties", "too_many", most)])
        code = 200 if person else 201
        person = person or self._brand.create(self._now, self._now + self._settings.visible_seconds)
        person.store(fields)
        self._learn_types(request)
        for identifier in request.get("identifiers") or ():
            self._identify(person, identifier, code == 201)
        if "tags" in request:
            self._set_tags(person, request["tags"])
        self._brand.touch(person, self._now)
        return Result(code, person)

    def _learn_types(self, request: Request) -> None:
        for name, value in request.get("customProperties", {}).items():
            if value is not None and value != "":
                kind = _TYPES[type(value)]
                if self._brand.types.setdefault(name, kind) != kind:
                    self._brand.types[name] = "mixed"

    def _identify(self, person: Person, identifier: Request, newcomer: bool) -> None:
        address = identifier["id"]
        if identifier["type"] == "email":
            if self._brand.by_email(address, self._fold) not in (None, person):
                return
            self._brand.name(person, address, self._fold)
            person.email_channel = self._moved(person, person.email_channel, identifier, "email")
        else:
            if self._brand.by_phone(address) not in (None, person):
                return
            moved = self._moved(person, person.phones.get(address), identifier, "sms")
            self._brand.add_phone(person, address, moved)
        self._welcome(identifier, newcomer)

    def _moved(self, person: Person, old: Channel | None, identifier: Request, name: str) -> Channel:
        """The channel after the request: an earlier date than the stored one is ignored."""
        if "consent" in identifier:
            consent = {"channel": name, "createdAt": written(self._now), **identifier["consent"]}
            person.consents = (*person.consents, consent)
        wanted = identifier.get("channels", {}).get(name)
        if wanted is None:
            new = old or Channel(self._settings.new_contact_status, self._now)
        else:
            given = parsed(wanted.get("statusChangedAt"))
            new = Channel(wanted["status"], self._now if given is None else given)
        if old is not None and new.changed < old.changed:
            return old
        self._count(person, old.status if old else "new", new, name)
        return new

    def _count(self, person: Person, old: str, new: Channel, name: str) -> None:
        if old == new.status:
            return
        self._brand.counts.status_changes[f"{old} -> {new.status}"] += 1
        self._brand.counts.resubscribes += old == "unsubscribed"
        if new.status == "subscribed":
            person.opt_ins = (*person.opt_ins, {"channel": name, "optInAt": written(new.changed)})

    def _welcome(self, identifier: Request, newcomer: bool) -> None:
        """It is sent unless the request says no (contract section 3: the default is true)."""
        rule = self._settings.welcome
        if identifier.get("sendWelcomeMessage", True) and (rule == "every_item" or (rule == "newcomers" and newcomer)):
            self._brand.counts.welcome_messages += 1

    def _set_tags(self, person: Person, given: Sequence[str]) -> None:
        tags = stored_tags(given, self._settings)
        if self._settings.upsert_tags == "replace":
            lost = [tag for tag in person.tags if tag not in tags]
            self._brand.untag(person, lost)
            self._brand.counts.tags_overwritten += len(lost)
        self._brand.tag(person, tags, self._settings.most_stored_tags)


_TYPES: Mapping[type, str] = {bool: "boolean", int: "number", float: "number", str: "string", list: "list"}


def stored_tags(tags: Sequence[str], settings: Settings) -> list[str]:
    """Tags as the brand keeps them."""
    return [tag.lower() for tag in tags] if settings.tag_case == "insensitive" else list(tags)


def _has(identifiers: Sequence[Request], kind: str) -> bool:
    return any(each["type"] == kind for each in identifiers)
