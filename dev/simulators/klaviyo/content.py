"""An account's content for tests and the demo: put it in place, and show it."""

from __future__ import annotations

from collections import Counter
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from dev.simulators.klaviyo.account import Account, Flow, MailingList, Profile
from dev.simulators.klaviyo.bodies import Rules, problems
from dev.simulators.klaviyo.settings import Consent, Settings
from dev.simulators.klaviyo.writing import upsert

Reason = Literal["HARD_BOUNCE", "INVALID_EMAIL", "SPAM_COMPLAINT", "UNSUBSCRIBE", "USER_SUPPRESSED"]
_STATUSES: dict[str, Consent] = {
    "subscribed": "SUBSCRIBED",
    "unsubscribed": "UNSUBSCRIBED",
    "never_subscribed": "NEVER_SUBSCRIBED",
}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Flow(_Strict):
    name: str
    status: str = "live"


class _List(_Strict):
    """With `id`, a list that is there is changed; without, or where there is none, one is made."""

    id: str | None = None
    name: str | None = None
    opt_in_process: Literal["single_opt_in", "double_opt_in"] | None = None
    flows: list[_Flow] | None = None


class _Person(_Strict):
    """`status` is the consent for e-mail of the whole account, `suppressions` are its reasons. `unsubscribedFrom` are
    lists that the person left by themselves. `statusChangedAt`, epoch seconds, is when all that came to be.
    """

    email: str
    dataFields: dict[str, Any] = Field(default_factory=dict)  # noqa: N815 - as for every vendor
    lists: list[str] = Field(default_factory=list)
    status: Literal["subscribed", "unsubscribed", "never_subscribed"] | None = None
    suppressions: list[Reason] | None = None
    unsubscribedFrom: list[str] = Field(default_factory=list)  # noqa: N815
    statusChangedAt: float | None = None  # noqa: N815


class Content(_Strict):
    """The body of `POST /_simulator/people`; a person's `lists` are ids, or names of lists. The `erased` lose their
    profile, and may come back; the `renamed` get another address."""

    account: str | None = None
    lists: list[_List] = Field(default_factory=list)
    people: list[_Person] = Field(default_factory=list)
    erased: list[str] = Field(default_factory=list)
    renamed: dict[str, str] = Field(default_factory=dict)


def load(account: Account, content: Content, settings: Settings, now: float) -> dict[str, Any]:
    """Add to what is there, in no one's counts. Raises `ValueError` for what the vendor would refuse."""
    lists = [_load_list(account, each, now) for each in content.lists]
    counts, account.counts = account.counts, type(account.counts)()
    try:
        for person in content.people:
            _load_person(account, person, settings, now)
    finally:
        account.counts = counts
    for address in content.erased:
        if (found := account.by("email", address)) is not None:
            account.erase(found)
    for old, new in content.renamed.items():
        if (found := account.by("email", old)) is not None:
            account.write(found, {**found.attributes, "email": new.lower()}, now)
    return {"lists": [{"id": each.id, "name": each.name} for each in lists], "people": len(content.people)}


def _load_list(account: Account, given: _List, now: float) -> MailingList:
    found = account.lists.get(given.id) if given.id is not None else None
    if found is None:
        found = account.create_list(given.name or "", now, given.id)
    found.name = given.name if given.name is not None else found.name
    found.opt_in = given.opt_in_process or found.opt_in
    if given.flows is not None:
        found.flows = tuple(
            Flow(f"{found.id[1:]}{number}", each.name, each.status) for number, each in enumerate(given.flows)
        )
    return found


def _load_person(account: Account, given: _Person, settings: Settings, now: float) -> None:
    row = {"type": "profile", "attributes": {"email": given.email, **given.dataFields}}
    if found := problems(row, Rules(nulls=True, settings=settings.model_copy(update={"barred": []})), ""):
        raise ValueError("not a valid profile: " + ", ".join(each.source["pointer"] for each in found))
    profile, _ = upsert(account, row, now)
    changed = now if given.statusChangedAt is None else given.statusChangedAt
    if given.status is not None:
        profile.consent, profile.consent_changed = _STATUSES[given.status], changed
    if given.suppressions is not None:
        profile.suppressions, profile.consent_changed = tuple(given.suppressions), changed
    for wanted in given.lists:
        mailing_list = _list(account, wanted)
        mailing_list.join(profile, now)
        profile.list_suppressions = {k: at for k, at in profile.list_suppressions.items() if k != mailing_list.id}
    for wanted in given.unsubscribedFrom:
        mailing_list = _list(account, wanted)
        mailing_list.leave(profile, now)
        profile.list_suppressions = {**profile.list_suppressions, mailing_list.id: changed}


def _list(account: Account, wanted: str) -> MailingList:
    for each in account.lists.values():
        if wanted in (each.id, each.name):
            return each
    raise ValueError("no such list")


def state(account: Account, now: float) -> dict[str, Any]:
    """What `GET /_simulator/state` shows of an account."""
    left = Counter(list_id for profile in account.people() for list_id in profile.list_suppressions)
    return {
        "lists": [
            {
                "id": each.id,
                "name": each.name,
                "members": len(each.members),
                "unsubscribed": left[each.id],
                "flows": [flow._asdict() for flow in each.flows],
            }
            for each in account.lists.values()
        ],
        "people": sum(1 for _ in account.people()),
        "consents": Counter(profile.consent for profile in account.people()),
        "unsubscribed": sorted(each.email for each in account.people() if not each.can_receive),
        "jobs": Counter(job.status(now) for job in account.jobs.values()),
        "open_jobs": sum(1 for _ in account.open_jobs(now)),
        "pending": sum(not job.done and not job.is_endless for job in account.jobs.values()),
        **vars(account.counts),
    }


def member(profile: Profile) -> dict[str, Any]:
    """A line of `GET /_simulator/lists/{id}/members`."""
    attributes = profile.attributes
    return {
        "address": profile.email,
        "dataFields": {name: value for name, value in attributes.items() if name != "email"},
        "id": profile.id,
        "consent": profile.consent,
        "suppressions": list(profile.suppressions),
        "unsubscribedFrom": list(profile.list_suppressions),
    }
