"""What tests need to know of each vendor, so that one suite serves all: one row a vendor."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from dev.simulators import campaign_monitor, dotdigital, iterable, klaviyo, mailchimp, omnisend
from dev.simulators.common.simulator import Simulator


def _nothing(engine: Any) -> None:
    return None


class Limit(NamedTuple):
    """What an account may call, as the vendor documents it, or as the connection sets it (`ours`)."""

    endpoints: tuple[str, ...]
    calls: int
    seconds: float
    ours: bool = False


@dataclass(frozen=True)
class Kit:
    """One vendor.

    `hosts` maps the vendor's hosts to the simulator; `first` and `city` are the fields that the segment's columns go
    to, `values` reads both back from a line of the simulator's members as {"first", "city"} (empty ones left out);
    `export` are further properties of an export; `furnish` prepares the simulator. `adds`, `changes`, `removes` are
    the simulator's names of the endpoints that carry these operations; `forbidden` are words in endpoints that no
    export may ever call. `unsubscribed` is the body that makes somebody on a list unsubscribed at the vendor, and
    `consent_counts` names counts of the simulator's state that must stay 0. `refuse` makes the vendor refuse an
    address that looks valid, `new_secret` makes another secret the only valid one and returns it. `limits` are those
    that batches meet, in force with the settings `paced`. `waits` are pauses of the vendor's client that no test waits
    out: name of the constant -> seconds.
    """

    name: str
    simulator: Callable[[], Simulator[Any]]
    hosts: Callable[[str], Mapping[str, str]]
    secrets: Mapping[str, str]
    first: str
    city: str
    values: Callable[[Mapping[str, Any]], Mapping[str, Any]]
    adds: tuple[str, ...]
    changes: tuple[str, ...]
    removes: tuple[str, ...]
    forbidden: tuple[str, ...]
    unsubscribed: Callable[[str, str], Mapping[str, Any]]
    is_unsubscribed: Callable[[Any, str], bool]
    consent_counts: tuple[str, ...]
    new_secret: Callable[[Any], Mapping[str, str]]
    settings: Mapping[str, Any] = field(default_factory=dict)
    decisions: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Settings that somebody answers for -> what was decided."""
    export: Mapping[str, Any] = field(default_factory=dict)
    furnish: Callable[[Any], None] = _nothing
    list_name: Callable[[str], str] = str
    """What the vendor calls the list of that name."""
    refused: str = "odd@example.org"
    refuse: Callable[[Any, str], None] = lambda engine, address: None
    limits: tuple[Limit, ...] = ()
    paced: Mapping[str, Any] = field(default_factory=dict)
    waits: Mapping[str, Any] = field(default_factory=dict)
    pages: Mapping[str, int] = field(default_factory=dict)
    """Constants of the client that say how long a page is, for vendors that are read page by page by number or place ->
    a short page."""
    reasons: Mapping[str, Any] = field(default_factory=dict)
    """Of `unsubscribed`, what else is said of people whom the vendor tells of in its rolls of who opted out."""
    unlimited: Mapping[str, Any] = field(default_factory=dict)
    """Settings of the simulator without the rates that reading those rolls meets."""
    lose: Callable[[Any, str], None] = lambda engine, address: engine.tell("people", {"erased": [address]})
    """The vendor loses somebody, who may be put on a list again."""
    no_to_list: bool = False
    """People may say no to a list alone."""
    willing: str = "subscribed"
    """Of `unsubscribed`, what is said of people who are not."""

    @property
    def spoiled(self) -> Mapping[str, str]:
        """Values of the simulator's that no segment of the tests has."""
        return {self.first: "Spoiled"}

    def resubscribed(self, address: str, name: str) -> Mapping[str, Any]:
        """The body that makes somebody subscribe again, by themselves."""
        body = self.unsubscribed(address, name)
        changes = {"status": self.willing, "state": self.willing, "globalUnsubscribe": False}
        people = [{key: changes.get(key, value) for key, value in each.items()} for each in body["people"]]
        return {**body, "people": people}

    def opted(self, address: str, name: str) -> Mapping[str, Any]:
        """The body that makes somebody opt out so that the vendor tells of it."""
        body = self.unsubscribed(address, name)
        return {**body, "people": [{**each, **self.reasons} for each in body["people"]]}

    def oppose(self, address: str, name: str) -> Mapping[str, Any]:
        """The body that makes somebody say no, to the list alone where that can be."""
        return (
            {"people": [{"email": address, "unsubscribedFrom": [name]}]}
            if self.no_to_list
            else self.unsubscribed(address, name)
        )

    def opted_out(self, engine: Any) -> int:
        """How many people said no."""
        state = engine.inspect("state").json()
        if self.no_to_list:
            return sum(int(each["unsubscribed"]) for each in state["lists"])
        listed = sum(each.get("states", {}).get("Unsubscribed", 0) for each in state["lists"])
        return max(int(listed), *(len(state.get(name, ())) for name in ("globally_unsubscribed", "unsubscribed")))


FRESH: Mapping[str, Mapping[str, Any]] = {"dotdigital": {"list_count_lag": 0}, "campaign-monitor": {"stats_age": 0}}
"""The simulators' settings that make counts be of this moment."""


def _named(fields: Mapping[str, Any], first: str, city: str) -> Mapping[str, Any]:
    """The two fields that tests look at, empty ones left out."""
    found = {"first": fields.get(first), "city": fields.get(city)}
    return {name: value for name, value in found.items() if value}


def _iterable_new_secret(engine: Any) -> Mapping[str, str]:
    engine.tell("settings", {"keys": {"new-key": {"type": "Standard"}, iterable.STANDARD_KEY: None}})
    return {"api_key": "new-key"}


def _iterable_unsubscribed(engine: Any, address: str) -> bool:
    return address in engine.inspect("state").json()["globally_unsubscribed"]


ITERABLE = Kit(
    name="iterable",
    simulator=lambda: Simulator(iterable.Iterable(iterable.Settings())),
    hosts=lambda url: {"api.iterable.com": url},
    secrets={"api_key": iterable.STANDARD_KEY},
    settings={"subscribe_rate": 1000},
    first="firstName",
    city="city",
    values=lambda row: _named(row["dataFields"], "firstName", "city"),
    adds=("POST /api/lists/subscribe",),
    changes=("POST /api/users/bulkUpdate",),
    removes=("POST /api/lists/unsubscribe",),
    forbidden=("forget", "DELETE", "updateSubscriptions"),
    unsubscribed=lambda address, name: {
        "people": [{"email": address, "lists": [name], "globalUnsubscribe": True}],
    },
    is_unsubscribed=_iterable_unsubscribed,
    consent_counts=("channel_unsubscribe_calls", "resubscribes", "created_by_unsubscribe"),
    new_secret=_iterable_new_secret,
    refused="odd@example.org",
    refuse=lambda engine, address: engine.tell("people", {"forgotten": [address]}),
    limits=(
        Limit(("POST /api/users/bulkUpdate",), 5, 1.0),
        Limit(("POST /api/lists/subscribe", "POST /api/lists/unsubscribe"), 9, 1.0, ours=True),
    ),
    paced={"subscribe_rate": 9},
    unlimited={"rates": {"GET /api/export/data.json": None}},
    waits={"shared.vendors.iterable.opt_outs.FIRST_DAYS": 20},
)


def _dotdigital_new_secret(engine: Any) -> Mapping[str, str]:
    engine.tell("settings", {"users": {dotdigital.USER_R1: {"password": "rotated-password"}}})
    return {"api_password": "rotated-password"}


def _dotdigital() -> Simulator[Any]:
    # No tiers: their windows of a minute are for tests of their own.
    return Simulator(dotdigital.Dotdigital(dotdigital.Settings(tiers={}, import_seconds=1, removal_seconds=0.2)))


def _dotdigital_loses(engine: Any, address: str) -> None:
    account = engine.simulator.vendor.account()
    contact = account.find("email", address)
    for mailing_list in list(account.lists_of(contact)):
        mailing_list.drop(contact.id)


DOTDIGITAL = Kit(
    name="dotdigital",
    lose=_dotdigital_loses,
    simulator=_dotdigital,
    hosts=lambda url: {f"{region}-api.dotdigital.com": f"{url}/{region}" for region in ("r1", "r2", "r3")},
    secrets={"api_user": dotdigital.USER_R1, "api_password": dotdigital.PASSWORD},
    settings={"calls_per_minute": 10_000},
    furnish=lambda engine: engine.tell("people", {"fields": [{"name": "CITY", "type": "String"}]}),
    first="FIRSTNAME",
    city="CITY",
    values=lambda row: _named(row["dataFields"], "FIRSTNAME", "CITY"),
    adds=("PUT /contacts/v3/import",),
    changes=("PUT /contacts/v3/import",),
    removes=("POST /v2/address-books/{id}/contacts/delete",),
    forbidden=(
        "DELETE",
        "contacts/v3/delete",
        "delete-all",
        "POST /v2/address-books/{id}/contacts/unsubscribe",
        "resubscribe",
    ),
    unsubscribed=lambda address, name: {
        "people": [{"email": address, "lists": [name], "status": "unsubscribed"}],
    },
    is_unsubscribed=lambda engine, address: address in engine.inspect("state").json()["globally_unsubscribed"],
    consent_counts=(
        "resubscribes",
        "list_resubscribes",
        "unsubscribes",
        "list_unsubscribes",
        "contacts_deleted",
        "contacts_replaced",
        "confirmation_mails",
    ),
    new_secret=_dotdigital_new_secret,
    refuse=lambda engine, address: engine.tell("people", {"barred": [address]}),
    limits=(
        Limit(
            (
                "PUT /contacts/v3/import",
                "POST /v2/address-books/{id}/contacts/delete",
                "GET /contacts/v3",
                "GET /v2/address-books/{id}/contacts/unsubscribed-since/{date}",
            ),
            35,
            60.0,
        ),
    ),
    paced={"calls_per_minute": 35},
    waits={
        "shared.vendors.dotdigital.vendor._RESEND_SECONDS": 1.0,
        "shared.vendors.dotdigital.errors.BUSY_SECONDS": 0.2,
        "shared.vendors.dotdigital.errors.LIMITED_SECONDS": 1.0,
    },
    pages={f"shared.vendors.dotdigital.{module}.MOST_V2_PAGE": 10 for module in ("requests", "left_alone", "targets")},
    no_to_list=True,
)


def _campaign_monitor_new_secret(engine: Any) -> Mapping[str, str]:
    engine.tell("settings", {"keys": {"new-key": {}, campaign_monitor.ACCOUNT_KEY: None}})
    return {"api_key": "new-key"}


def _campaign_monitor_unsubscribed(engine: Any, address: str) -> bool:
    states = [each["states"] for each in engine.inspect("state").json()["lists"]]
    return any(state.get("Unsubscribed") for state in states)


CAMPAIGN_MONITOR = Kit(
    name="campaign-monitor",
    simulator=lambda: Simulator(campaign_monitor.CampaignMonitor(campaign_monitor.Settings())),
    hosts=lambda url: {"api.createsend.com": url},
    secrets={"api_key": campaign_monitor.ACCOUNT_KEY},
    settings={"client_id": campaign_monitor.CLIENT, "import_rate": 100, "removal_rate": 1000},
    first="FirstName",
    city="City",
    values=lambda row: _named(row["dataFields"], "FirstName", "City"),
    adds=("POST /api/v3.3/subscribers/{listid}/import.json",),
    changes=("POST /api/v3.3/subscribers/{listid}/import.json",),
    removes=("DELETE /api/v3.3/subscribers/{listid}.json",),
    forbidden=("/unsubscribe.json", "/suppress.json", "/unsuppress.json"),
    unsubscribed=lambda address, name: {"people": [{"email": address, "lists": [name], "state": "Unsubscribed"}]},
    is_unsubscribed=_campaign_monitor_unsubscribed,
    consent_counts=(
        "unsubscribe_calls",
        "suppress_calls",
        "unsuppress_calls",
        "resubscribes",
        "refusals_deleted",
        "suppressed_added",
        "verification_mails",
        "confirmation_mails",
        "autoresponders",
    ),
    new_secret=_campaign_monitor_new_secret,
    refuse=lambda engine, address: engine.tell("people", {"suppressed": [address]}),
    limits=(
        Limit(("POST /api/v3.3/subscribers/{listid}/import.json",), 9, 10.0, ours=True),
        Limit(("DELETE /api/v3.3/subscribers/{listid}.json",), 9, 10.0, ours=True),
    ),
    paced={"client_id": campaign_monitor.CLIENT, "import_rate": 9, "removal_rate": 9},
    waits={
        "shared.vendors.campaign_monitor.client.FAILURE_PAUSES": (0.1, 0.1),
        "shared.vendors.campaign_monitor.client.LATER": 1.0,
        "shared.vendors.http.TROUBLE_SECONDS": 1.0,
        "shared.vendors.campaign_monitor.client.SILENT_SECONDS": (0.5, 1.0),
    },
    pages={f"shared.vendors.campaign_monitor.{module}.MOST_ROWS": 10 for module in ("requests", "left_alone")},
    willing="Active",
)


def _omnisend_new_secret(engine: Any) -> Mapping[str, str]:
    new = omnisend.STANDARD_KEY.partition("-")[0] + "-new"
    engine.tell("settings", {"keys": {new: {}, omnisend.STANDARD_KEY: None}})
    return {"api_key": new}


TAGGING = ("POST /api/contacts/tags", "DELETE /api/contacts/tags")

OMNISEND = Kit(
    name="omnisend",
    simulator=lambda: Simulator(omnisend.Omnisend(omnisend.Settings(rates={}))),
    hosts=lambda url: {"api.omnisend.com": url},
    secrets={"api_key": omnisend.STANDARD_KEY},
    list_name=str.lower,
    first="firstName",
    city="city",
    values=lambda row: _named(row["dataFields"], "firstName", "city"),
    adds=("POST /api/batches", "POST /api/contacts/tags"),
    changes=("POST /api/batches",),
    removes=("DELETE /api/contacts/tags",),
    forbidden=("DELETE /api/contacts/{id}",),
    unsubscribed=lambda address, name: {"people": [{"email": address, "lists": [name], "status": "unsubscribed"}]},
    is_unsubscribed=lambda engine, address: address in engine.inspect("state").json()["unsubscribed"],
    consent_counts=("welcome_messages", "resubscribes", "tags_overwritten"),
    new_secret=_omnisend_new_secret,
    refuse=lambda engine, address: engine.tell("settings", {"failing_addresses": {address: 422}}),
    limits=(
        Limit(("POST /api/batches", "GET /api/batches", *TAGGING), 400, 60.0),
        Limit(TAGGING, 60, 60.0),
    ),
    waits={"shared.vendors.omnisend.client.FIRST_SECONDS": 0.5},
)


def _klaviyo_new_secret(engine: Any) -> Mapping[str, str]:
    engine.tell("settings", {"keys": {"pk_AbC123_new": {}, klaviyo.STANDARD_KEY: None}})
    return {"api_key": "pk_AbC123_new"}


def _klaviyo_fields(row: Mapping[str, Any]) -> Mapping[str, Any]:
    fields = row["dataFields"]
    return _named({**fields, "city": (fields.get("location") or {}).get("city")}, "first_name", "city")


def _klaviyo_loses(engine: Any, address: str) -> None:
    account = engine.simulator.vendor.account()
    profile = account.by("email", address)
    for mailing_list in account.lists.values():
        mailing_list.leave(profile, time.time())


KLAVIYO = Kit(
    name="klaviyo",
    lose=_klaviyo_loses,
    simulator=lambda: Simulator(klaviyo.Klaviyo(klaviyo.Settings(limits={}))),
    hosts=lambda url: {"a.klaviyo.com": url},
    secrets={"api_key": klaviyo.STANDARD_KEY},
    reasons={"suppressions": ["UNSUBSCRIBE"]},
    first="first_name",
    city="location.city",
    values=_klaviyo_fields,
    adds=("POST /api/profile-bulk-import-jobs",),
    changes=("POST /api/profile-bulk-import-jobs",),
    removes=("DELETE /api/lists/{id}/relationships/profiles",),
    forbidden=("subscription", "suppression", "deletion", "merge", "DELETE /api/lists/{id} ", "PATCH"),
    unsubscribed=lambda address, name: {"people": [{"email": address, "lists": [name], "status": "unsubscribed"}]},
    is_unsubscribed=lambda engine, address: address in engine.inspect("state").json()["unsubscribed"],
    consent_counts=(
        "readded_after_unsubscribe",
        "recreated",
        "forbidden_calls",
        "lists_deleted",
        "lists_renamed",
    ),
    new_secret=_klaviyo_new_secret,
    refuse=lambda engine, address: engine.tell("settings", {"barred": [address]}),
    limits=(
        Limit(("POST /api/profile-bulk-import-jobs", "GET /api/profile-bulk-import-jobs"), 10, 1.0),
        Limit(("POST /api/profile-bulk-import-jobs", "GET /api/profile-bulk-import-jobs"), 150, 60.0),
        Limit(("DELETE /api/lists/{id}/relationships/profiles",), 150, 60.0),
        Limit(("GET /api/profiles",), 750, 60.0),
        Limit(("GET /api/lists/{id}/profiles",), 750, 60.0),
    ),
    waits={
        "shared.vendors.klaviyo.vendor.RESEND_SECONDS": 1.0,
        "shared.vendors.klaviyo.errors.PUT_OFF_SECONDS": 0.2,
        "shared.vendors.klaviyo.staging.LOST_PAUSES": (0.1, 0.1, 0.1),
        "shared.vendors.klaviyo.client.FRESH_SECONDS": 0.0,
        "shared.vendors.klaviyo.client.SHORTEST_WAIT": 0.2,
    },
    no_to_list=True,
)


def _mailchimp_new_secret(engine: Any) -> Mapping[str, str]:
    engine.tell("settings", {"keys": {"new-key-us6": {}, mailchimp.STANDARD_KEY: None}})
    return {"api_key": "new-key-us6"}


MAILCHIMP = Kit(
    name="mailchimp",
    simulator=lambda: Simulator(mailchimp.Mailchimp(mailchimp.Settings())),
    hosts=lambda url: {
        "us6.api.mailchimp.com": f"{url}/us6",
        "api.mailchimp.com": url,
        "login.mailchimp.com": f"{url}/login",
    },
    secrets={"api_key": mailchimp.STANDARD_KEY},
    settings={"audience_id": mailchimp.AUDIENCE, "new_people": "subscribed", "call_rate": 100},
    decisions={"new_people": {"choice": "subscribed", "text": "They all agreed to our newsletter."}},
    furnish=lambda engine: engine.tell("people", {"fields": [{"tag": "CITY", "name": "City", "type": "text"}]}),
    first="FNAME",
    city="CITY",
    values=lambda row: _named(row["dataFields"], "FNAME", "CITY"),
    adds=("POST /lists/{list_id}", "POST /lists/{list_id}/segments/{segment_id}"),
    changes=("PATCH /lists/{list_id}/members/{subscriber_hash}", "POST /batches"),
    removes=("POST /lists/{list_id}/segments/{segment_id}",),
    forbidden=("DELETE", "PUT", "PATCH /lists/{list_id}/segments", "delete-permanent"),
    unsubscribed=lambda address, name: {"people": [{"email": address, "lists": [name], "status": "unsubscribed"}]},
    is_unsubscribed=lambda engine, address: address in engine.inspect("state").json()["unsubscribed"],
    consent_counts=(
        "resubscribes",
        "revived",
        "confirmation_mails",
        "members_archived",
        "members_deleted",
        "addresses_changed",
        "updating_calls",
        "tag_syncing_calls",
        "tags_overwritten",
        "segments_emptied",
        "segments_deleted",
        "batches_deleted",
        "results_with_key",
        "dropped_fields",
        "ignored_keys",
    ),
    new_secret=_mailchimp_new_secret,
    refuse=lambda engine, address: engine.tell("settings", {"row_failures": {address: "looks fake or invalid"}}),
    limits=(Limit(("POST /lists/{list_id}", "POST /lists/{list_id}/segments/{segment_id}"), 9, 1.0, ours=True),),
    paced={"audience_id": mailchimp.AUDIENCE, "new_people": "subscribed", "call_rate": 9},
    waits={
        "shared.vendors.mailchimp.throttling.FIRST_SECONDS": 0.2,
        "shared.vendors.mailchimp.throttling.LONGEST_SECONDS": 1.0,
        "shared.vendors.mailchimp.throttling.STILL_SECONDS": 0.2,
        "shared.vendors.mailchimp.throttling.PASSING_SECONDS": 0.1,
        "shared.vendors.mailchimp.vendor.RESEND_SECONDS": 1.0,
        "shared.vendors.mailchimp.client.FRESH_SECONDS": 0.0,
    },
    pages={
        f"shared.vendors.mailchimp.{module}.MOST_PAGE": 10 for module in ("requests", "left_alone", "targets", "vendor")
    },
)

KITS = {each.name: each for each in (ITERABLE, DOTDIGITAL, CAMPAIGN_MONITOR, OMNISEND, KLAVIYO, MAILCHIMP)}
