"""Accounts at the simulators, as many as wanted: what a connection needs, and what makes the simulator know it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from dev.simulators import campaign_monitor, dotdigital
from tests.kits import KITS


@dataclass(frozen=True, slots=True)
class Account:
    """`id` is the simulator's; `known` are settings that tell it of the account, `content` is what that must have."""

    vendor: str
    number: int
    id: str
    secrets: Mapping[str, str]
    known: Mapping[str, Any]
    settings: Mapping[str, Any]
    content: Mapping[str, Any] | None = None


def _iterable(number: int) -> Account:
    key, project = f"key-of-project-{number}", 30_000 + number
    settings = {"subscribe_rate": 1000, "batch_rows": 10}
    return Account("iterable", number, str(project), {"api_key": key}, {"keys": {key: {"project": project}}}, settings)


def _dotdigital(number: int) -> Account:
    user, account = f"apiuser-{number:012x}@apiconnector.com", 5_000 + number
    return Account(
        "dotdigital",
        number,
        str(account),
        {"api_user": user, "api_password": dotdigital.PASSWORD},
        {"users": {user: {"account": account}}},
        {"calls_per_minute": 10_000, "batch_rows": 10},
        {"account": account, "fields": [{"name": "CITY", "type": "String"}]},
    )


def _campaign_monitor(number: int) -> Account:
    client, key = f"{number:032x}", f"key-of-client-{number}"
    return Account(
        "campaign-monitor",
        number,
        client,
        {"api_key": key},
        {
            "clients": {client: {"name": f"Client {number}", "account": campaign_monitor.ACCOUNT}},
            "keys": {key: {"client": client}},
        },
        {"client_id": client, "import_rate": 100, "removal_rate": 1000, "batch_rows": 10},
    )


def _omnisend(number: int) -> Account:
    brand = f"{number:024x}"
    key = f"{brand}-standard"
    return Account("omnisend", number, brand, {"api_key": key}, {"keys": {key: {"brand": brand}}}, {})


def _klaviyo(number: int) -> Account:
    account = f"K{number:05d}"
    key = f"pk_{account}_standard"
    return Account("klaviyo", number, account, {"api_key": key}, {"keys": {key: {"account": account}}}, {})


def _mailchimp(number: int) -> Account:
    """An account has an audience of its own when it is first seen."""
    account, key = f"account-{number}", f"{number:032x}-us6"
    audience = f"a{number:09x}"
    return Account(
        "mailchimp",
        number,
        account,
        {"api_key": key},
        {"keys": {key: {"account": account}}},
        {"audience_id": audience, "new_people": "subscribed", "call_rate": 100},
        {
            "account": account,
            "audience": audience,
            "audiences": [{"id": audience}],
            "fields": [{"tag": "CITY", "name": "City", "type": "text"}],
        },
    )


_MAKERS: Mapping[str, Callable[[int], Account]] = {
    "iterable": _iterable,
    "dotdigital": _dotdigital,
    "campaign-monitor": _campaign_monitor,
    "omnisend": _omnisend,
    "klaviyo": _klaviyo,
    "mailchimp": _mailchimp,
}


def account(vendor: str, number: int) -> Account:
    """The account of that number (from 1) at a vendor."""
    return _MAKERS[vendor](number)


VENDORS = tuple(KITS)
