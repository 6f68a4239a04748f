"""A project's content for tests and the demo: put it in place, and show it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from dev.simulators.iterable.project import Event, Identity, ListType, MailingList, Person, Project
from dev.simulators.iterable.types import typed_parts

MARKETING_CHANNEL = 28101
CHANNELS = [
    {"id": MARKETING_CHANNEL, "name": "Marketing", "channelType": "Marketing", "messageMedium": "Email"},
    {"id": 28102, "name": "Transactional", "channelType": "Transactional", "messageMedium": "Email"},
]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _List(_Strict):
    """With `id`, a list that is there is changed; without, or where there is none, one is made."""

    id: int | None = None
    name: str | None = None
    description: str | None = None
    listType: ListType | None = None  # noqa: N815 - the vendor's name
    inUse: bool | None = None  # noqa: N815


class _Event(_Strict):
    """Of the type `emailUnSubscribe`, `emailBounce` or another; `at` is epoch seconds, and now where it is missing."""

    type: str
    at: float | None = None
    fields: dict[str, Any] = Field(default_factory=dict)


class _Person(_Strict):
    email: str | None = None
    userId: str | None = None  # noqa: N815
    dataFields: dict[str, Any] = Field(default_factory=dict)  # noqa: N815
    lists: list[int | str] = Field(default_factory=list)
    globalUnsubscribe: bool | None = None  # noqa: N815
    events: list[_Event] = Field(default_factory=list)


class Content(_Strict):
    """The body of `POST /_simulator/people`; a person's `lists` are ids, or names of lists. The `erased` lose their
    profile, and may come back; the `renamed` get another address."""

    account: str | None = None
    lists: list[_List] = Field(default_factory=list)
    people: list[_Person] = Field(default_factory=list)
    forgotten: list[str] = Field(default_factory=list)
    erased: list[str] = Field(default_factory=list)
    renamed: dict[str, str] = Field(default_factory=dict)


def load(project: Project, content: Content, now: float) -> dict[str, Any]:
    """Add to what is there. Raises `ValueError` for a list that does not exist or a person without a name."""
    lists = [_load_list(project, each, now) for each in content.lists]
    for person in content.people:
        _load_person(project, person, now)
    for address in content.forgotten:
        project.forget(Identity("Emails", address.lower()))
    for address in content.erased:
        project.erase(Identity("Emails", address.lower()))
    for old, new in content.renamed.items():
        if (found := project.person(old)) is not None:
            project.identify(found, Identity("Emails", new.lower()))
    return {"lists": [{"id": each.id, "name": each.name} for each in lists], "people": len(content.people)}


def _load_list(project: Project, given: _List, now: float) -> MailingList:
    mailing_list = project.lists.get(given.id) if given.id is not None else None
    if mailing_list is None:
        mailing_list = project.create_list(given.name or "", int(now * 1000), list_id=given.id)
    mailing_list.name = given.name if given.name is not None else mailing_list.name
    mailing_list.description = given.description if given.description is not None else mailing_list.description
    mailing_list.list_type = given.listType or mailing_list.list_type
    mailing_list.in_use = mailing_list.in_use if given.inUse is None else given.inUse
    return mailing_list


def _load_person(project: Project, given: _Person, now: float) -> None:
    identities = []
    if given.email is not None:
        identities.append(Identity("Emails", given.email.lower()))
    if given.userId is not None:
        identities.append(Identity("UserIds", given.userId))
    if not identities:
        raise ValueError("a person needs an email or a userId")
    person = project.find(identities[0]) or project.create(identities[0])
    for identity in identities[1:]:
        project.identify(person, identity)
    person.created = person.created or now
    person.updated = now
    _load_fields(project, person, given.dataFields)
    if given.globalUnsubscribe is not None:
        if given.globalUnsubscribe and not person.global_unsubscribe:
            fields = {"channelIds": [MARKETING_CHANNEL], "unsubSource": "EmailLink"}
            project.events.append(Event("emailUnSubscribe", now, person.email or "", fields))
        person.global_unsubscribe = given.globalUnsubscribe
    for event in given.events:
        at = now if event.at is None else event.at
        project.events.append(Event(event.type, at, person.email or "", event.fields))
    for name in given.lists:
        _list(project, name).members[person] = None


def _load_fields(project: Project, person: Person, fields: dict[str, Any]) -> None:
    for name, value in fields.items():
        for dotted, types, _ in typed_parts(name, value):
            project.types.setdefault(dotted, types[0])
    person.store({**person.fields, **fields})


def _list(project: Project, wanted: int | str) -> MailingList:
    for each in project.lists.values():
        if wanted in (each.id, each.name):
            return each
    raise ValueError("no such list")


def state(project: Project) -> dict[str, Any]:
    """What `GET /_simulator/state` shows of a project."""
    return {
        "lists": [
            {**each.details(), "members": len(each.members), "inUse": each.in_use} for each in project.lists.values()
        ],
        "fields": dict(project.types),
        "people": sum(1 for _ in project.people()),
        "forgotten": len(project.forgotten),
        "globally_unsubscribed": sorted(_name(one) for one in project.people() if one.global_unsubscribe),
        "channel_unsubscribe_calls": project.channel_unsubscribe_calls,
        "created_by_unsubscribe": project.created_by_unsubscribe,
        "resubscribes": project.resubscribes,
    }


def member(person: Person) -> dict[str, Any]:
    """A line of `GET /_simulator/lists/{id}/members`."""
    shown: dict[str, Any] = {"address": person.email or "", "dataFields": person.fields}
    if person.user_id is not None:
        shown["userId"] = person.user_id
    if person.global_unsubscribe:
        shown["globalUnsubscribe"] = True
    return shown


def profile(project: Project, person: Person, list_field: str) -> dict[str, Any]:
    """A person as the vendor shows it; what is absent is left out."""
    fields = person.fields
    shown: dict[str, Any] = {"email": person.email or ""}
    if person.user_id is not None:
        shown["userId"] = fields["userId"] = person.user_id
    fields["email"] = person.email or ""
    if lists := project.lists_of(person):
        fields[list_field] = lists
    if person.global_unsubscribe:
        fields["unsubscribedChannelIds"] = [MARKETING_CHANNEL]
    fields |= {"signupSource": "API", "signupDate": _date(person.created), "profileUpdatedAt": _date(person.updated)}
    return {"user": {**shown, "dataFields": fields}}


def event(told: Event) -> dict[str, Any]:
    """A line of the export of data."""
    return {"email": told.email, "createdAt": _date(told.at), **told.fields}


def _name(person: Person) -> str:
    return person.email or person.user_id or ""


def _date(epoch: float) -> str:
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%d %H:%M:%S +00:00")
