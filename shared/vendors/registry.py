"""The vendors there are. A vendor's definition is at hand, its code is imported when a connection is opened."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING

from shared.errors import Unprocessable
from shared.vendors.campaign_monitor.definition import DEFINITION as CAMPAIGN_MONITOR
from shared.vendors.contract import ConnectionSettings, Definition, Vendor
from shared.vendors.dotdigital.definition import DEFINITION as DOTDIGITAL
from shared.vendors.iterable.definition import DEFINITION as ITERABLE
from shared.vendors.klaviyo.definition import DEFINITION as KLAVIYO
from shared.vendors.mailchimp.definition import DEFINITION as MAILCHIMP
from shared.vendors.omnisend.definition import DEFINITION as OMNISEND
from shared.wording import say

if TYPE_CHECKING:
    from shared.vendors.http import Credentials, Link
    from shared.vendors.rehearsing import Understudy

DEFINITIONS: Mapping[str, Definition] = {
    each.name: each for each in (CAMPAIGN_MONITOR, DOTDIGITAL, ITERABLE, KLAVIYO, MAILCHIMP, OMNISEND)
}
"""Vendor name -> what it is. The vendor's folder here has the same name, with underscores for hyphens, and its module
`vendor` has `connect`, its module `understudy` has `UNDERSTUDY`."""


def definition(name: str) -> Definition:
    """What a vendor is. Raises Unprocessable `unknown_vendor`."""
    if name not in DEFINITIONS:
        known = ", ".join(DEFINITIONS)
        raise Unprocessable(
            "unknown_vendor",
            say("There is no vendor '%(name)s'. Known vendors: %(known)s.", name=name[:60], known=known),
        )
    return DEFINITIONS[name]


def open_vendor(name: str, *, settings: ConnectionSettings, credentials: Credentials, link: Link) -> Vendor:
    """One connection's vendor, ready for calls; settings that are missing have their defaults. Makes no request.

    Raises Unprocessable for a vendor that does not exist, or when a setting has a value that is not offered.
    """
    found = definition(name)
    module = import_module(f"shared.vendors.{folder(found.name)}.vendor")
    vendor: Vendor = module.connect(complete_settings(found, settings), credentials, link)
    return vendor


def understudy_of(name: str, settings: ConnectionSettings) -> Understudy:
    """Who answers in a vendor's place while it is rehearsed."""
    found = definition(name)
    made: Understudy = import_module(f"shared.vendors.{folder(found.name)}.understudy").UNDERSTUDY()
    made.settings = complete_settings(found, settings)
    return made


def folder(name: str) -> str:
    """The vendor's folder here."""
    return definition(name).name.replace("-", "_")


def complete_settings(found: Definition, settings: ConnectionSettings) -> dict[str, str | float | bool]:
    """The settings, those that are missing with their defaults."""
    offered = (*found.settings, *found.export_settings)
    return {each.name: each.default for each in offered if each.default is not None} | dict(settings)
