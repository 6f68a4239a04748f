"""The vendors there are. A vendor's definition is at hand, its code is imported when a connection is opened."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING

from shared.errors import Unprocessable
from shared.vendors.contract import Definition, Vendor
from shared.vendors.iterable.definition import DEFINITION as ITERABLE

if TYPE_CHECKING:
    from shared.vendors.http import Credentials, Link

DEFINITIONS: Mapping[str, Definition] = {each.name: each for each in (ITERABLE,)}
"""Vendor name -> what it is. The name is also the vendor's folder here, whose module `vendor` has `connect`."""


def definition(name: str) -> Definition:
    """What a vendor is. Raises Unprocessable `unknown_vendor`."""
    if name not in DEFINITIONS:
        known = ", ".join(DEFINITIONS)
        raise Unprocessable("unknown_vendor", f"There is no vendor '{name[:60]}'. Known vendors: {known}.")
    return DEFINITIONS[name]


def open_vendor(
    name: str, *, settings: Mapping[str, str | float | bool], credentials: Credentials, link: Link
) -> Vendor:
    """One connection's vendor, ready for calls; settings that are missing have their defaults. Makes no request.

    Raises Unprocessable for a vendor that does not exist, or when a setting has a value that is not offered.
    """
    found = definition(name)
    complete = {each.name: each.default for each in found.settings if each.default is not None} | dict(settings)
    vendor: Vendor = import_module(f"shared.vendors.{found.name}.vendor").connect(complete, credentials, link)
    return vendor
