"""Writes one member, and what a write does to consent (contract section 4b)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dev.simulators.mailchimp import fields
from dev.simulators.mailchimp.answers import FieldError
from dev.simulators.mailchimp.audience import GONE, Audience, Counts, Member
from dev.simulators.mailchimp.bodies import ANY_OF
from dev.simulators.mailchimp.settings import Settings, Status
from dev.simulators.mailchimp.values import hash_of

_WILLING: tuple[Status, ...] = ("subscribed", "transactional", "pending")


class SchemaError(Exception):
    """A value of a type that fits none of the forms of its field."""

    def __init__(self) -> None:
        super().__init__(ANY_OF)


class Writer:
    """Writes to `audience` at `now` (epoch seconds)."""

    def __init__(self, audience: Audience, counts: Counts, settings: Settings, now: float) -> None:
        self._audience = audience
        self._counts = counts
        self._settings = settings
        self._now = now

    def values(
        self, given: Mapping[str, Any], member: Member | None, skip_required: bool
    ) -> tuple[dict[str, Any], list[FieldError]]:
        """The merge fields as they would be stored, and what is wrong with them. Raises `SchemaError`."""
        wanted = given.get("merge_fields") or {}
        known = self._audience.fields
        self._counts.dropped_fields.update(tag for tag in wanted if tag not in known)
        try:
            values, errors = fields.checked(known, wanted, self._settings)
        except TypeError:
            raise SchemaError from None
        merged = {**(member.fields if member else {}), **values}
        if not skip_required:
            named = {each.field for each in errors}
            errors += [each for each in fields.missing(known, merged) if each.field not in named]
        return merged, errors

    def create(self, address: str, status: Status, values: Mapping[str, Any]) -> Member:
        member = self._audience.create(address, status, self._now)
        member.store(values)
        self._counts.status_changes[f"new -> {status}"] += 1
        self._greet(status)
        return member

    def change(self, member: Member, values: Mapping[str, Any], status: Status | None = None) -> None:
        """Store, and move to `status` where it is given. Ask `refuses` first."""
        member.store(values)
        if status is not None and status != member.status:
            self._move(member, status)
        self._audience.touch(member, self._now)

    def refuses(self, member: Member, status: Status | None) -> bool:
        """Whether only the person can come back."""
        return status in _WILLING and member.refuses

    def _move(self, member: Member, status: Status) -> None:
        old = member.status
        self._counts.status_changes[f"{old} -> {status}"] += 1
        if status in _WILLING:
            self._counts.resubscribes += old in GONE and status != "pending"
            self._counts.revived += old == "archived"
            member.opted = self._now
        member.by = "admin"
        member.status = status
        self._greet(status)

    def rename(self, member: Member, address: str) -> None:
        if hash_of(address) != member.hash:
            self._audience.rename(member, address)
            self._counts.addresses_changed += 1

    def archive(self, member: Member) -> None:
        self._counts.status_changes[f"{member.status} -> archived"] += 1
        self._counts.members_archived += 1
        member.before, member.status = member.status, "archived"
        self._audience.touch(member, self._now)

    def _greet(self, status: Status) -> None:
        self._counts.confirmation_mails += status == "pending"
        if status == "subscribed":
            self._counts.unconfirmed += self._audience.double_optin
            self._counts.welcome_mails += self._audience.has_welcome
