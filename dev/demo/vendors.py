"""What the demo needs to know of each vendor: how to connect, what to match, and how to look at its simulator."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
import requests

from dev.demo.people import COLUMNS, Person
from dev.simulators import mailchimp

Members = Callable[[str, str], dict[str, dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class DemoVendor:
    """`secrets` are credential -> value; `matching` is vendor field -> snapshot column; `export` are the vendor's
    settings of an export, `decisions` what was decided for settings that somebody answers for, `simulator` settings of
    its simulator; `expected` gives the fields that a person should have at the vendor, `members` those that the
    simulator's list has, by address. `app` is our client id and client secret at a vendor where people may sign in."""

    name: str
    label: str
    hosts: Callable[[str], Mapping[str, str]]
    settings: Mapping[str, Any]
    secrets: Mapping[str, str]
    matching: Mapping[str, str]
    expected: Callable[[Person], dict[str, Any]]
    members: Members
    export: Mapping[str, Any] = field(default_factory=dict)
    decisions: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    simulator: Mapping[str, Any] = field(default_factory=dict)
    app: tuple[str, str] | None = None


def requests_summary(simulator: str) -> dict[str, Any]:
    """The simulator's own count of what it was asked."""
    summary: dict[str, Any] = requests.get(f"{simulator}/_simulator/requests", timeout=30).json()
    return summary


def _members(fields: Callable[[dict[str, Any]], dict[str, Any]], name_of: Callable[[str], str] = str) -> Members:
    """Reads a list of the simulator by the name that the segment gives it."""

    def read(simulator: str, name: str) -> dict[str, dict[str, Any]]:
        state = requests.get(f"{simulator}/_simulator/state", timeout=30).json()
        while state.get("pending"):  # accepted by the vendor, and not yet done
            time.sleep(0.1)
            state = requests.get(f"{simulator}/_simulator/state", timeout=30).json()
        [list_id] = [each["id"] for each in state["lists"] if each["name"] == name_of(name)]
        lines = requests.get(f"{simulator}/_simulator/lists/{list_id}/members", timeout=60).content.splitlines()
        return {row["address"]: fields(row) for row in map(orjson.loads, lines)}

    return read


_ITERABLE_MATCHING = {
    "firstName": "FirstName",
    "lastName": "LastName",
    "city": "City",
    "postalCode": "PostalCode",
    "country": "Country",
    "loyaltyTier": "LoyaltyTier",
    "dateOfBirth": "DateOfBirth",
}


def _wanted(matching: Mapping[str, str]) -> Callable[[Person], dict[str, Any]]:
    """What a person's fields should be at the vendor: trimmed, empty ones left out."""
    places = {field: COLUMNS.index(column) for field, column in matching.items()}

    def expected(person: Person) -> dict[str, Any]:
        values = {field: str(person[place]).strip() for field, place in places.items()}
        return {field: value for field, value in values.items() if value}

    return expected


ITERABLE = DemoVendor(
    name="iterable",
    label="Iterable",
    hosts=lambda simulator: {"api.iterable.com": simulator},
    settings={"data_center": "us", "subscribe_rate": 10},
    secrets={"api_key": "iterable-standard-key"},
    matching=_ITERABLE_MATCHING,
    expected=_wanted(_ITERABLE_MATCHING),
    members=_members(lambda row: dict(row["dataFields"])),
)

_DOTDIGITAL_MATCHING = {"FIRSTNAME": "FirstName", "LASTNAME": "LastName", "POSTCODE": "PostalCode", "CITY": "City"}

DOTDIGITAL = DemoVendor(
    name="dotdigital",
    label="Dotdigital",
    hosts=lambda simulator: {f"{region}-api.dotdigital.com": f"{simulator}/{region}" for region in ("r1", "r2", "r3")},
    settings={"calls_per_minute": 150},
    export={"create_fields": True},
    # What the simulated account allows; the published lowest tier would make the demo wait for minutes.
    simulator={"tiers": {"low": {"calls": 150, "seconds": 60}}},
    secrets={"api_user": "apiuser-0a1b2c3d4e5f@apiconnector.com", "api_password": "dotdigital-password"},
    matching=_DOTDIGITAL_MATCHING,
    expected=_wanted(_DOTDIGITAL_MATCHING),
    members=_members(lambda row: {name: value for name, value in row["dataFields"].items() if value}),
)

_CAMPAIGN_MONITOR_MATCHING = {"City": "City", "PostalCode": "PostalCode", "Country": "Country", "Tier": "LoyaltyTier"}

CAMPAIGN_MONITOR = DemoVendor(
    name="campaign-monitor",
    label="Campaign Monitor",
    hosts=lambda simulator: {"api.createsend.com": simulator},
    settings={"client_id": "4a39c1d07be24f5a9c66d2e8b0137f5e", "import_rate": 20, "removal_rate": 500},
    secrets={"api_key": "campaign-monitor-account-key"},
    app=("128431", "campaign-monitor+application/secret="),
    matching=_CAMPAIGN_MONITOR_MATCHING,
    expected=_wanted(_CAMPAIGN_MONITOR_MATCHING),
    members=_members(lambda row: {name: value for name, value in row["dataFields"].items() if value}),
)

_OMNISEND_MATCHING = {"firstName": "FirstName", "lastName": "LastName", "city": "City", "postalCode": "PostalCode"}

OMNISEND = DemoVendor(
    name="omnisend",
    label="Omnisend",
    hosts=lambda simulator: {"api.omnisend.com": simulator},
    settings={},
    secrets={"api_key": "60a6170920d91c215e949b5c-standard"},
    matching=_OMNISEND_MATCHING,
    expected=_wanted(_OMNISEND_MATCHING),
    members=_members(
        lambda row: {name: row["dataFields"][name] for name in _OMNISEND_MATCHING if row["dataFields"].get(name)},
        str.lower,
    ),
)

_KLAVIYO_MATCHING = {
    "first_name": "FirstName",
    "last_name": "LastName",
    "location.city": "City",
    "location.zip": "PostalCode",
    "LoyaltyTier": "LoyaltyTier",
}


def _klaviyo_fields(row: dict[str, Any]) -> dict[str, Any]:
    fields = row["dataFields"]
    places = {f"location.{name}": value for name, value in (fields.get("location") or {}).items()}
    found = {**fields, **places, **(fields.get("properties") or {})}
    return {name: found[name] for name in _KLAVIYO_MATCHING if found.get(name)}


KLAVIYO = DemoVendor(
    name="klaviyo",
    label="Klaviyo",
    hosts=lambda simulator: {"a.klaviyo.com": simulator},
    settings={},
    secrets={"api_key": "pk_AbC123_flows"},
    matching=_KLAVIYO_MATCHING,
    expected=_wanted(_KLAVIYO_MATCHING),
    members=_members(_klaviyo_fields),
)

_MAILCHIMP_MATCHING = {"FNAME": "FirstName", "LNAME": "LastName", "CITY": "City", "Loyalty tier": "LoyaltyTier"}
_MAILCHIMP_TAGS = {"FNAME": "FNAME", "LNAME": "LNAME", "CITY": "CITY", "LOYALTY_TI": "Loyalty tier"}
"""Tag of a merge field -> field of the data matching; two of them are made by the export."""

MAILCHIMP = DemoVendor(
    name="mailchimp",
    label="Mailchimp",
    hosts=lambda simulator: {
        "us6.api.mailchimp.com": f"{simulator}/us6",
        "login.mailchimp.com": f"{simulator}/login",
    },
    settings={"audience_id": mailchimp.AUDIENCE, "new_people": "subscribed", "call_rate": 100},
    decisions={"new_people": {"choice": "subscribed", "text": "Everyone in the segment agreed to our newsletter."}},
    secrets={"api_key": mailchimp.STANDARD_KEY},
    matching=_MAILCHIMP_MATCHING,
    export={"create_fields": True},
    expected=_wanted(_MAILCHIMP_MATCHING),
    members=_members(
        lambda row: {
            name: row["dataFields"][tag] for tag, name in _MAILCHIMP_TAGS.items() if row["dataFields"].get(tag)
        }
    ),
)

VENDORS = {each.name: each for each in (ITERABLE, DOTDIGITAL, CAMPAIGN_MONITOR, OMNISEND, KLAVIYO, MAILCHIMP)}
