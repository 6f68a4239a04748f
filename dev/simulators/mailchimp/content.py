"""An account's content for tests and the demo: put it in place, and show it."""

from __future__ import annotations

from collections import Counter
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from dev.simulators.mailchimp.account import Account
from dev.simulators.mailchimp.audience import GONE, Audience, Counts, Member, Segment
from dev.simulators.mailchimp.fields import FieldType, MergeField
from dev.simulators.mailchimp.settings import Settings, Status
from dev.simulators.mailchimp.values import address_problem, hash_of
from dev.simulators.mailchimp.writing import SchemaError, Writer


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Tag(_Strict):
    """With `id`, a tag that is there is changed; without, or where there is none, one is made."""

    id: int | None = None
    name: str
    type: Literal["static", "saved"] = "static"


class _Audience(_Strict):
    """An audience that is not there is made."""

    id: str
    name: str | None = None
    double_optin: bool | None = None
    has_welcome: bool | None = None
    marketing_permissions: bool | None = None


class _Field(_Strict):
    tag: str
    name: str | None = None
    type: FieldType = "text"
    required: bool = False
    options: dict[str, Any] = Field(default_factory=dict)


class _Person(_Strict):
    """`by` says who unsubscribed the person; without it the setting `unsubscribed_by` does."""

    email: str
    dataFields: dict[str, Any] = Field(default_factory=dict)  # noqa: N815 - as for every vendor
    lists: list[int | str] = Field(default_factory=list)
    status: Status | None = None
    by: Literal["self", "admin"] | None = None
    statusChangedAt: float | None = None  # noqa: N815


class Content(_Strict):
    """The body of `POST /_simulator/people`, for one audience, the account's first where none is named. A person's
    `lists` are ids or names of tags; a tag of a new name is made. The `forgotten` are deleted for good, the `erased`
    may come back, the `renamed` get another address."""

    account: str | None = None
    audience: str | None = None
    audiences: list[_Audience] = Field(default_factory=list)
    lists: list[_Tag] = Field(default_factory=list)
    fields: list[_Field] = Field(default_factory=list)
    people: list[_Person] = Field(default_factory=list)
    forgotten: list[str] = Field(default_factory=list)
    erased: list[str] = Field(default_factory=list)
    renamed: dict[str, str] = Field(default_factory=dict)


def load(account: Account, content: Content, settings: Settings, now: float) -> dict[str, Any]:
    """Add to what is there, in no one's counts. Raises `ValueError` for what the vendor would refuse."""
    for each in content.audiences:
        _load_audience(account, each, now)
    audience = account.audiences.get(content.audience) if content.audience else account.first
    if audience is None:
        raise ValueError("no such audience")
    for field in content.fields:
        _load_field(audience, field)
    tags = [_load_tag(audience, each, now) for each in content.lists]
    for person in content.people:
        _load_person(audience, person, settings, now)
    _lose(audience, content)
    audience.version += 1
    return {"lists": [{"id": each.id, "name": each.name} for each in tags], "people": len(content.people)}


def _load_audience(account: Account, given: _Audience, now: float) -> None:
    audience = account.audiences.get(given.id) or account.create(given.id, given.name or given.id, now)
    for name, value in given.model_dump(exclude={"id"}, exclude_none=True).items():
        setattr(audience, name, value)


def _load_field(audience: Audience, given: _Field) -> None:
    old = audience.fields.get(given.tag)
    number = old.id if old else len(audience.fields) + 1
    audience.fields[given.tag] = MergeField(
        number, given.tag, given.name or given.tag, given.type, given.required, options=given.options
    )


def _load_tag(audience: Audience, given: _Tag, now: float) -> Segment:
    segment = audience.segments.get(given.id) if given.id is not None else audience.segment_named(given.name)
    segment = segment or audience.create_segment(given.name, now, given.id)
    segment.name, segment.type = given.name, given.type
    return segment


def _load_person(audience: Audience, given: _Person, settings: Settings, now: float) -> None:
    if address_problem(given.email, []) is not None:
        raise ValueError("not a valid address")
    member = audience.member(given.email)
    writer = Writer(audience, Counts(), settings, now)
    try:
        values, errors = writer.values({"merge_fields": given.dataFields}, member, True)
    except SchemaError as error:
        raise ValueError("not valid merge fields") from error
    if errors or given.dataFields.keys() - audience.fields.keys():
        raise ValueError("not valid merge fields: " + ", ".join(sorted(each.field for each in errors)))
    member = member or audience.create(given.email, given.status or "subscribed", now)
    member.store(values)
    _load_status(member, given, settings)
    member.changed = now if given.statusChangedAt is None else given.statusChangedAt
    for wanted in given.lists:
        audience.tag(member, _tag(audience, wanted, now))


def _load_status(member: Member, given: _Person, settings: Settings) -> None:
    if given.status is None:
        return
    if given.status == "archived" and member.status != "archived":
        member.before = member.status
    member.status = given.status
    if given.status == "unsubscribed":
        member.by = given.by or settings.unsubscribed_by


def _tag(audience: Audience, wanted: int | str, now: float) -> Segment:
    if isinstance(wanted, int):
        if wanted not in audience.segments:
            raise ValueError("no such tag")
        return audience.segments[wanted]
    return audience.segment_named(wanted) or audience.create_segment(wanted, now)


def _lose(audience: Audience, content: Content) -> None:
    for address in (*content.erased, *content.forgotten):
        if (member := audience.member(address)) is not None:
            audience.erase(member)
    audience.forgotten |= {hash_of(address) for address in content.forgotten}
    for old, new in content.renamed.items():
        if (member := audience.member(old)) is not None:
            audience.rename(member, new)


def state(account: Account, now: float) -> dict[str, Any]:
    """What `GET /_simulator/state` shows of an account; `lists` are tags."""
    people = [member for audience in account.audiences.values() for member in audience.members.values()]
    return {
        "lists": [_tag_shown(audience, each) for audience in account.audiences.values() for each in _tags(audience)],
        "audiences": [
            {"id": each.id, "name": each.name, "people": len(each.members), "forgotten": len(each.forgotten)}
            for each in account.audiences.values()
        ],
        "fields": {tag: each.type for tag, each in account.first.fields.items()},
        "people": len(people),
        "statuses": Counter(each.status for each in people),
        "unsubscribed": sorted(each.email for each in people if each.status in GONE),
        "batches": Counter(each.status(now) for each in account.batches.values()),
        "pending": sum(not each.done for each in account.batches.values()),
        **vars(account.counts),
    }


def _tags(audience: Audience) -> list[Segment]:
    return list(audience.segments.values())


def _tag_shown(audience: Audience, segment: Segment) -> dict[str, Any]:
    states = Counter(each.status for each in segment.members)
    return {
        "id": segment.id,
        "name": segment.name,
        "type": segment.type,
        "audience": audience.id,
        "members": len(segment.members),
        "states": states,
        "unsubscribed": sum(states[each] for each in GONE),
    }


def member(shown: Member) -> dict[str, Any]:
    """A line of `GET /_simulator/lists/{id}/members`."""
    return {"address": shown.email, "dataFields": shown.fields, "id": shown.hash, "status": shown.status}
