"""Writes one profile, for single calls and for each row of an import (contract sections 3 and 4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dev.simulators.klaviyo.account import IDENTIFIERS, Account, Profile
from dev.simulators.klaviyo.bodies import ATTRIBUTES


class ConflictError(Exception):
    """The identifiers belong to two profiles; `profile` is the other one."""

    def __init__(self, profile: Profile) -> None:
        super().__init__("the identifiers belong to two profiles")
        self.profile = profile


class NobodyError(Exception):
    """No identifier, or an id that there is not."""


def upsert(account: Account, row: Mapping[str, Any], now: float, unset: Sequence[str] = ()) -> tuple[Profile, bool]:
    """The profile that the row means, written, and whether it is new. Raises `ConflictError`, `NobodyError`."""
    given = named(row["attributes"])
    profile = account.by_id(row["id"]) if row.get("id") else None
    if row.get("id") and profile is None:
        raise NobodyError
    owners = {name: account.by(name, given[name]) for name in IDENTIFIERS if given.get(name)}
    if profile is None and not owners:
        raise NobodyError
    found = [owner for owner in (profile, *owners.values()) if owner is not None]
    for other in found:
        if other is not found[0]:
            raise ConflictError(other)
    if not found:
        account.counts.recreated += given.get("email", "") in account.erased
    profile = found[0] if found else account.create(now)
    account.write(profile, merged(profile.attributes, given, unset), now)
    return profile, not found


def change(account: Account, profile: Profile, row: Mapping[str, Any], now: float, unset: Sequence[str]) -> None:
    """Raises `ConflictError` where an identifier is another profile's."""
    given = named(row["attributes"])
    for name in IDENTIFIERS:
        owner = account.by(name, given[name]) if given.get(name) else None
        if owner is not None and owner is not profile:
            raise ConflictError(owner)
    account.write(profile, merged(profile.attributes, given, unset), now)


def named(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Addresses are kept trimmed and in small letters; what the vendor does not know is left out."""
    given = {name: value for name, value in attributes.items() if name in ATTRIBUTES}
    if type(given.get("email")) is str:
        given["email"] = given["email"].strip().lower()
    return given


def merged(old: Mapping[str, Any], given: Mapping[str, Any], unset: Sequence[str] = ()) -> dict[str, Any]:
    """What is named replaces what there was, null clears, everything else stays; so too within the two objects."""
    attributes = {**old, **given}
    for name in ("location", "properties"):
        if type(given.get(name)) is dict:
            attributes[name] = {**(old.get(name) or {}), **given[name]}
        if type(attributes.get(name)) is dict:
            attributes[name] = {part: value for part, value in attributes[name].items() if value is not None}
    if unset and attributes.get("properties"):
        attributes["properties"] = {k: v for k, v in attributes["properties"].items() if k not in unset}
    return {name: value for name, value in attributes.items() if value not in (None, {})}
