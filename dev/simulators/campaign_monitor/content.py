"""A client's content for tests and the demo: put it in place, and show it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from dev.simulators.campaign_monitor.accounts import Accounts
from dev.simulators.campaign_monitor.clients import Client, MailingList, Subscriber, UnsubscribeSetting
from dev.simulators.campaign_monitor.fields import derived_key
from dev.simulators.campaign_monitor.settings import CLIENT, Settings, State


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Field(_Strict):
    name: str
    dataType: str = "Text"  # noqa: N815 - the vendor's name
    options: list[str] = Field(default_factory=list)


class _List(_Strict):
    """With `id`, a list that is there is changed; without, or where there is none, one is made."""

    id: str | None = None
    name: str | None = None
    unsubscribeSetting: UnsubscribeSetting | None = None  # noqa: N815
    confirmedOptIn: bool | None = None  # noqa: N815
    confirmationMail: bool | None = None  # noqa: N815
    inUse: bool | None = None  # noqa: N815
    fields: list[_Field] = Field(default_factory=list)


class _Person(_Strict):
    email: str
    name: str = ""
    mobile: str = ""
    dataFields: dict[str, str | list[str]] = Field(default_factory=dict)  # noqa: N815
    lists: list[str] = Field(default_factory=list)
    state: State = "Active"
    consentToTrack: bool | None = None  # noqa: N815


class Content(_Strict):
    """The body of `POST /_simulator/people`; a person's `lists` are ids, or names of lists. The `erased` are forgotten
    by every list, and the `renamed` get another address there.

    `tokens` makes all access tokens expired, or takes all access away.
    """

    account: str = CLIENT
    lists: list[_List] = Field(default_factory=list)
    people: list[_Person] = Field(default_factory=list)
    suppressed: list[str] = Field(default_factory=list)
    erased: list[str] = Field(default_factory=list)
    renamed: dict[str, str] = Field(default_factory=dict)
    tokens: Literal["expire", "revoke"] | None = None


def load(accounts: Accounts, content: Content) -> dict[str, Any]:
    """Add to what is there. Raises `ValueError` for a client or list that does not exist."""
    client = accounts.client(content.account)
    lists = [_load_list(client, each, accounts.settings) for each in content.lists]
    for person in content.people:
        for name in person.lists:
            _load_person(client, _list(client, name), person, accounts)
    for address in content.suppressed:
        client.suppress(address, "Unsubscribed", accounts.now)
    for mailing_list in client.lists.values():
        _lose(mailing_list, content)
    if content.tokens == "expire":
        accounts.tokens.expire()
    elif content.tokens == "revoke":
        accounts.tokens.revoke()
    return {"lists": [{"id": each.id, "name": each.title} for each in lists], "people": len(content.people)}


def _lose(mailing_list: MailingList, content: Content) -> None:
    for address in content.erased:
        if (subscriber := mailing_list.find(address)) is not None:
            mailing_list.erase(subscriber)
    for old, new in content.renamed.items():
        if (subscriber := mailing_list.find(old)) is not None:
            mailing_list.rename(subscriber, new)


def _load_list(client: Client, given: _List, settings: Settings) -> MailingList:
    mailing_list = client.lists.get(given.id or "") or client.create_list(given.name or "", given.id)
    changes = {
        "title": given.name,
        "unsubscribe_setting": given.unsubscribeSetting,
        "confirmed_opt_in": given.confirmedOptIn,
        "confirmation_mail": given.confirmationMail,
        "in_use": given.inUse,
    }
    for name, value in changes.items():
        if value is not None:
            setattr(mailing_list, name, value)
    for each in given.fields:
        key = derived_key(each.name, settings.field_key)
        mailing_list.add_field(each.name, key, each.dataType).options = each.options
    return mailing_list


def _load_person(client: Client, mailing_list: MailingList, given: _Person, accounts: Accounts) -> None:
    subscriber = mailing_list.find(given.email)
    if subscriber is None:
        subscriber = mailing_list.add(given.email, given.state, accounts.now)
    elif subscriber.state != given.state:
        mailing_list.move(subscriber, given.state, accounts.now)
    if given.state in ("Active", "Unconfirmed"):
        subscriber.refused = False  # they subscribed again by themselves
    subscriber.name = given.name or subscriber.name
    subscriber.mobile = given.mobile or subscriber.mobile
    values = subscriber.values
    for name, value in given.dataFields.items():
        known = mailing_list.field_of(name)
        if known is None:
            known = mailing_list.add_field(name, derived_key(name, accounts.settings.field_key), "Text")
        values[known.id] = value
    subscriber.store(values)
    if given.consentToTrack is not None:
        (client.tracked.add if given.consentToTrack else client.tracked.discard)(given.email.lower())


def _list(client: Client, wanted: str) -> MailingList:
    for each in client.lists.values():
        if wanted in (each.id, each.title):
            return each
    raise ValueError("no such list")


def state(client: Client, accounts: Accounts) -> dict[str, Any]:
    """What `GET /_simulator/state` shows of a client."""
    return {
        "lists": [_list_state(each) for each in client.lists.values()],
        "people": sum(1 for _ in client.people()),
        "suppressed": sorted(client.suppressed),
        "dropped_keys": dict(client.dropped_keys),
        **asdict(client.counts),
        "token_exchanges": accounts.tokens.exchanges,
        "token_refreshes": accounts.tokens.refreshes,
    }


def _list_state(mailing_list: MailingList) -> dict[str, Any]:
    return {
        "id": mailing_list.id,
        "name": mailing_list.title,
        **mailing_list.details(),
        "members": mailing_list.states["Active"],
        "states": {state: number for state, number in mailing_list.states.items() if number},
        "fields": {each.name: each.data_type for each in mailing_list.fields},
        "confirmationMail": mailing_list.confirmation_mail,
        "inUse": mailing_list.in_use,
    }


def member(client: Client, mailing_list: MailingList, subscriber: Subscriber) -> dict[str, Any]:
    """A line of `GET /_simulator/lists/{id}/members`; what is absent is left out."""
    values = subscriber.values
    fields = {each.name: values[each.id] for each in mailing_list.fields if each.id in values}
    shown: dict[str, Any] = {"address": subscriber.address, "dataFields": fields}
    if subscriber.name:
        shown["name"] = subscriber.name
    if subscriber.mobile:
        shown["mobile"] = subscriber.mobile
    if subscriber.address.lower() in client.tracked:
        shown["consentToTrack"] = True
    return shown
