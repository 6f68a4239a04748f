"""An account's content for tests and the demo: put it in place, and show it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from dev.simulators.dotdigital.account import WILLING, Account, Contact, MailingList, Visibility
from dev.simulators.dotdigital.fields import DataField, FieldType, guessed_type


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _List(_Strict):
    """With `id`, a list that is there is changed; without, or where there is none, one is made."""

    id: int | None = None
    name: str | None = None
    visibility: Visibility | None = None
    inUse: bool | None = None  # noqa: N815 - as the other simulators call it


class _Field(_Strict):
    """`dependencies` keep the field from being deleted."""

    name: str
    type: FieldType = "String"
    dependencies: list[str] = Field(default_factory=list)


class _Person(_Strict):
    """`status` is the one of the e-mail channel; `unsubscribedFrom` are lists, and does not depend on `lists`.
    `statusChangedAt`, epoch seconds, is when both came to be; without it, now.
    """

    email: str | None = None
    mobileNumber: str | None = None  # noqa: N815 - the vendor's name
    contactId: int | None = None  # noqa: N815
    status: str | None = None
    statusChangedAt: float | None = None  # noqa: N815
    dataFields: dict[str, Any] = Field(default_factory=dict)  # noqa: N815
    lists: list[int | str] = Field(default_factory=list)
    unsubscribedFrom: list[int | str] = Field(default_factory=list)  # noqa: N815


class Content(_Strict):
    """The body of `POST /_simulator/people`; a person's lists are ids, or names of lists."""

    account: int | None = None
    lists: list[_List] = Field(default_factory=list)
    fields: list[_Field] = Field(default_factory=list)
    people: list[_Person] = Field(default_factory=list)
    barred: list[str] = Field(default_factory=list)


def load(account: Account, content: Content, now: float) -> dict[str, Any]:
    """Add to what is there. Raises `ValueError` for a list that does not exist or a person without a name."""
    lists = [_load_list(account, each) for each in content.lists]
    for field in content.fields:
        name = field.name.upper()
        account.fields[name] = DataField(name, field.type, dependencies=tuple(field.dependencies))
    for person in content.people:
        _load_person(account, person, now)
    account.barred |= {each.lower() for each in content.barred}
    return {"lists": [{"id": each.id, "name": each.name} for each in lists], "people": len(content.people)}


def _load_list(account: Account, given: _List) -> MailingList:
    mailing_list = account.lists.get(given.id) if given.id is not None else None
    if mailing_list is None:
        mailing_list = account.create_list(given.name or "", list_id=given.id)
    mailing_list.name = given.name if given.name is not None else mailing_list.name
    mailing_list.visibility = given.visibility or mailing_list.visibility
    mailing_list.in_use = mailing_list.in_use if given.inUse is None else given.inUse
    return mailing_list


def _load_person(account: Account, given: _Person, now: float) -> None:
    named = {"contactId": given.contactId, "email": given.email, "mobileNumber": given.mobileNumber}
    named = {name: value for name, value in named.items() if value is not None}
    if not named:
        raise ValueError("a person needs an email, a mobileNumber or a contactId")
    found = next((one for name, value in named.items() if (one := account.find(name, value)) is not None), None)
    contact = found or account.create(now, given.contactId)
    for identifier in ("email", "mobileNumber"):
        if identifier in named:
            account.identify(contact, identifier, str(named[identifier]))
    contact.updated = now
    newcomer = "subscribed" if found is None and given.email is not None else contact.status
    _load_status(account, contact, given.status or newcomer)
    changed = now if given.statusChangedAt is None else given.statusChangedAt
    if given.status is not None:
        contact.said_no_at = changed
    for name, value in given.dataFields.items():
        account.fields.setdefault(name.upper(), DataField(name.upper(), guessed_type(value)))
    contact.store({**contact.data, **{name.upper(): value for name, value in given.dataFields.items()}})
    for wanted in given.lists:
        mailing_list = _list(account, wanted)
        mailing_list.put(contact.id, "subscribed")
        mailing_list.said_no.pop(contact.id, None)  # they subscribed again by themselves
    for wanted in given.unsubscribedFrom:
        mailing_list = _list(account, wanted)
        mailing_list.put(contact.id, "suppressed")
        mailing_list.said_no[contact.id] = changed


def _load_status(account: Account, contact: Contact, status: str) -> None:
    """What a test puts in place is not counted."""
    contact.status = status
    if status in WILLING:
        account.said_no.discard(contact.key)
    else:
        account.said_no.add(contact.key)


def _list(account: Account, wanted: int | str) -> MailingList:
    for each in account.lists.values():
        if wanted in (each.id, each.name):
            return each
    raise ValueError("no such list")


def state(account: Account) -> dict[str, Any]:
    """What `GET /_simulator/state` shows of an account; the reserved lists are left out."""
    return {
        "region": account.region,
        "lists": [_shown(each) for each in account.lists.values() if not each.reserved],
        "fields": {name: field.type for name, field in account.fields.items()},
        "people": len(account.contacts),
        "barred": len(account.barred),
        "globally_unsubscribed": sorted(each.key for each in account.contacts.values() if each.status not in WILLING),
        "open_imports": sum(1 for _ in account.jobs.open("import")),
        "open_removals": sum(1 for _ in account.jobs.open("removal")),
        **asdict(account.counts),
    }


def _shown(mailing_list: MailingList) -> dict[str, Any]:
    return {
        "id": mailing_list.id,
        "name": mailing_list.name,
        "visibility": mailing_list.visibility,
        "members": len(mailing_list.members),
        "unsubscribed": len(mailing_list.said_no),
        "inUse": mailing_list.in_use,
    }


def member(account: Account, mailing_list: MailingList, contact_id: int) -> dict[str, Any]:
    """A line of `GET /_simulator/lists/{id}/members`; a status is shown where it is not "subscribed"."""
    contact = account.contacts[contact_id]
    shown: dict[str, Any] = {"address": contact.key, "dataFields": contact.data, "contactId": contact_id}
    if contact.status != "subscribed":
        shown["status"] = contact.status
    if mailing_list.members[contact_id] != "subscribed":
        shown["listStatus"] = mailing_list.members[contact_id]
    return shown
