"""A brand's content: a contact as the vendor shows it; for tests and the demo its state, and people put in place."""

from __future__ import annotations

from collections import Counter
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from dev.simulators.omnisend.brand import Brand
from dev.simulators.omnisend.fields import STANDARD
from dev.simulators.omnisend.moments import written
from dev.simulators.omnisend.person import Channel, Person
from dev.simulators.omnisend.settings import Settings, Status
from dev.simulators.omnisend.upsert import Writer


def contact(brand: Brand, person: Person, now: float) -> dict[str, Any]:
    """`ContactResponse` (contract section 3); what is absent is empty, `customProperties` null."""
    fields = person.fields
    emails = [_identifier("email", person.email, "email", person.email_channel)] if person.email_channel else []
    phones = [_identifier("phone", number, "sms", channel) for number, channel in person.phones.items()]
    channels = [("email", person.email_channel), *(("sms", channel) for channel in person.phones.values())]
    return {
        "id": person.id,
        "email": person.email,
        "phone": list(person.phones),
        "status": email_status(person),
        **{name: fields.get(name, "") for name in STANDARD},
        "tags": person.tags,
        "customProperties": fields.get("customProperties"),
        "segments": [each.id for each in brand.segments.values() if each.holds(person, now)],
        "identifiers": emails + phones,
        "statuses": [{"channel": name, **_channel(channel)} for name, channel in channels if channel],
        "optIns": person.opt_ins,
        "consents": person.consents,
        "createdAt": written(person.created),
        "updatedAt": written(person.updated),
    }


def email_status(person: Person) -> str:
    return person.email_channel.status if person.email_channel else "nonSubscribed"


def _identifier(kind: str, name: str, channel_name: str, channel: Channel) -> dict[str, Any]:
    return {"type": kind, "id": name, "channels": {channel_name: _channel(channel)}}


def _channel(channel: Channel) -> dict[str, str]:
    return {"status": channel.status, "statusChangedAt": written(channel.changed)}


def member(person: Person) -> dict[str, Any]:
    """A line of `GET /_simulator/lists/{tag}/members`."""
    return {
        "address": person.email,
        "dataFields": person.fields,
        "contactID": person.id,
        "status": email_status(person),
        "tags": person.tags,
    }


def state(brand: Brand, now: float) -> dict[str, Any]:
    """What `GET /_simulator/state` shows of a brand."""
    return {
        "lists": [{"id": tag, "name": tag, "members": len(members)} for tag, members in brand.tags.items()],
        "fields": dict(brand.types),
        "people": len(brand.people),
        "statuses": Counter(email_status(person) for person in brand.people),
        "unsubscribed": sorted(person.email for person in brand.people if email_status(person) == "unsubscribed"),
        "segments": [each.shown(now) for each in brand.segments.values()],
        "batches": Counter(each.status(now) for each in brand.batches.values()),
        **vars(brand.counts),
    }


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Tag(_Strict):
    name: str


class _Person(_Strict):
    email: str
    dataFields: dict[str, Any] = Field(default_factory=dict)  # noqa: N815 - as for every vendor
    lists: list[str] = Field(default_factory=list)
    status: Status | None = None
    statusChangedAt: float | None = None  # noqa: N815


class Content(_Strict):
    """The body of `POST /_simulator/people`; a person's `lists` are tags, `statusChangedAt` is epoch seconds. Nobody
    finds the `erased` any more; the `renamed` get another address."""

    account: str | None = None
    lists: list[_Tag] = Field(default_factory=list)
    people: list[_Person] = Field(default_factory=list)
    erased: list[str] = Field(default_factory=list)
    renamed: dict[str, str] = Field(default_factory=dict)


def load(brand: Brand, content: Content, settings: Settings, now: float) -> dict[str, Any]:
    """Add to what is there, in no one's counts. Raises `ValueError` for a field that the vendor would refuse."""
    for tag in content.lists:
        brand.tags.setdefault(tag.name, {})
    counts = brand.counts
    brand.counts = type(counts)()
    try:
        for person in content.people:
            _load_person(brand, person, settings, now)
    finally:
        brand.counts = counts
    _lose(brand, content, fold=settings.email_case == "insensitive")
    names = dict.fromkeys([tag.name for tag in content.lists] + [tag for each in content.people for tag in each.lists])
    return {"lists": [{"id": name, "name": name} for name in names], "people": len(content.people)}


def _lose(brand: Brand, content: Content, *, fold: bool) -> None:
    for address in content.erased:
        if (person := brand.by_email(address, fold)) is not None:
            brand.erase(person, fold)
    for old, new in content.renamed.items():
        if (person := brand.by_email(old, fold)) is not None:
            brand.name(person, new, fold)


def _load_person(brand: Brand, given: _Person, settings: Settings, now: float) -> None:
    writer = Writer(brand, settings.model_copy(update={"visible_seconds": 0.0}), now)
    result = writer.post({"identifiers": [{"type": "email", "id": given.email}], **given.dataFields})
    if result.person is None:
        raise ValueError("not a valid contact: " + ", ".join(error.field for error in result.errors))
    person = result.person
    brand.tag(person, given.lists, settings.most_stored_tags)
    if given.status is not None:
        person.email_channel = Channel(given.status, now if given.statusChangedAt is None else given.statusChangedAt)
