"""Up to 500 members in one call (contract section 4a): 200 also where every row failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from dev.simulators.common.vendor import Answer, Call, Endpoint
from dev.simulators.mailchimp import bodies, queries, shapes
from dev.simulators.mailchimp.account import Account, Desk, audience_of
from dev.simulators.mailchimp.answers import COMPLIANCE, FORGOTTEN, FieldError, bad_request, invalid, shown
from dev.simulators.mailchimp.audience import Audience, Member
from dev.simulators.mailchimp.settings import Status
from dev.simulators.mailchimp.values import address_problem, hash_of
from dev.simulators.mailchimp.writing import SchemaError, Writer

PATH = "/lists/{list_id}"


class RowError(Exception):
    """A row that fails alone."""

    def __init__(self, text: str, code: str = "ERROR_GENERIC", field: FieldError | None = None) -> None:
        super().__init__(code)
        self.text = text
        self.code = code
        self.field = field


class Bulk:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def endpoints(self) -> Sequence[Endpoint]:
        return [Endpoint("POST", PATH, self._write)]

    def _write(self, call: Call) -> Answer:
        audience, account = audience_of(self._desk, call), self._desk.of(call)
        body = bodies.read(call, bodies.BATCH, account.counts.ignored_keys)
        rows = body["members"]
        skip_duplicates = queries.flag(call, "skip_duplicate_check")
        refusal = self._whole_refusal(rows, skip_duplicates, account, audience)
        if refusal is not None:
            return replace(refusal, rows=len(rows))
        update = body.get("update_existing", self._desk.settings.update_existing_default)
        account.counts.updating_calls += update
        account.counts.tag_syncing_calls += bool(body.get("sync_tags"))
        run = _Run(self._desk, account, audience, update, bool(body.get("sync_tags")))
        return run.over(_first_of_each(rows), queries.flag(call, "skip_merge_validation"))

    def _whole_refusal(
        self, rows: Sequence[dict[str, Any]], skip_duplicates: bool, account: Account, audience: Audience
    ) -> Answer | None:
        """Why nothing of the call is done."""
        settings = self._desk.settings
        if len(rows) > settings.most_members:
            detail = f"The maximum number of members is {settings.most_members}."
            return invalid(FieldError("members", detail))
        errors = []
        for number, row in enumerate(rows):
            errors += bodies.wrong(row, bodies.MEMBER, account.counts.ignored_keys, f"members.{number}.")
            if "status" not in row and settings.missing_status == "refused":
                errors.append(FieldError(f"members.{number}.status", "This value should not be blank."))
        if errors:
            return invalid(*errors)
        writer = Writer(audience, type(account.counts)(), settings, 0.0)
        try:
            for row in rows:
                writer.values(row, None, True)
        except SchemaError as error:
            return invalid(detail=str(error))
        times = Counter(hash_of(row.get("email_address", "").strip()) for row in rows)
        if not skip_duplicates and settings.duplicates == "refused" and any(each > 1 for each in times.values()):
            return bad_request("Duplicate email addresses were found in the request.")
        return None


class _Run:
    """One call's rows, one after the other."""

    def __init__(self, desk: Desk, account: Account, audience: Audience, update: bool, sync_tags: bool) -> None:
        self._settings = desk.settings
        self._now = desk.clock.epoch()
        self._audience = audience
        self._counts = account.counts
        self._writer = Writer(audience, account.counts, desk.settings, self._now)
        self._update = update
        self._sync_tags = sync_tags

    def over(self, rows: Sequence[Mapping[str, Any]], skip_required: bool) -> Answer:
        created: list[Member] = []
        updated: list[Member] = []
        errors = []
        for row in rows:
            try:
                member, is_new = self._row(row, skip_required)
            except RowError as error:
                errors.append(_told(row, error))
                continue
            (created if is_new else updated).append(member)
        body = {
            "new_members": [shapes.bulk_member(self._audience, each) for each in created],
            "updated_members": [shapes.bulk_member(self._audience, each) for each in updated],
            "errors": errors,
            "total_created": len(created),
            "total_updated": len(updated),
            "error_count": len(errors),
            "_links": [],
        }
        return shown(body, rows=len(rows), touched=[each.email.lower() for each in (*created, *updated)])

    def _row(self, row: Mapping[str, Any], skip_required: bool) -> tuple[Member, bool]:
        address = row.get("email_address", "").strip()
        self._check_address(address)
        member = self._audience.member(address)
        status: Status = row.get("status", "subscribed")
        if member is not None and member.status == "archived" and self._settings.archived_in_batch == "revived":
            return self._revive(member, row, status, skip_required), True
        if member is not None and not self._update:
            raise RowError(f"{address} is already a list member", "ERROR_CONTACT_EXISTS")
        if member is None and hash_of(address) in self._audience.forgotten:
            raise RowError(f"{address} {FORGOTTEN}")
        values = self._values(row, member, skip_required)
        if member is None:
            member = self._writer.create(address, status, values)
            self._set_tags(member, row)
            return member, True
        self._writer.change(member, values, self._status_for(member, status, address))
        self._set_tags(member, row)
        return member, False

    def _revive(self, member: Member, row: Mapping[str, Any], status: Status, skip_required: bool) -> Member:
        """Archived people count as new (contract section 4b)."""
        self._writer.change(member, self._values(row, member, skip_required), status)
        self._set_tags(member, row)
        return member

    def _status_for(self, member: Member, status: Status, address: str) -> Status | None:
        """What an update does to the status of somebody who is there."""
        if self._writer.refuses(member, status):
            raise RowError(f"{address} {COMPLIANCE}")
        if member.status == "unsubscribed" and self._settings.batch_status == "ignored":
            return None
        return status

    def _check_address(self, address: str) -> None:
        if (text := self._settings.row_failures.get(address.lower())) is not None:
            raise RowError(text)
        if (wrong := address_problem(address, self._settings.fake_domains)) is not None:
            raise RowError(wrong)

    def _values(self, row: Mapping[str, Any], member: Member | None, skip_required: bool) -> dict[str, Any]:
        values, errors = self._writer.values(row, member, skip_required)
        if errors:
            raise RowError("Your merge fields were invalid.", field=errors[0])
        return values

    def _set_tags(self, member: Member, row: Mapping[str, Any]) -> None:
        names = [each for each in row.get("tags", ()) if type(each) is str]
        if self._sync_tags and "tags" in row:
            kept = {name.lower() for name in names}
            lost = [each for each in member.tags if self._audience.segments[each].name.lower() not in kept]
            self._audience.untag(member, lost)
            self._counts.tags_overwritten += len(lost)
        for name in names:
            segment = self._audience.segment_named(name) or self._audience.create_segment(name, self._now)
            self._counts.automations_started += self._audience.tag(member, segment)


def _first_of_each(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    first: dict[str, dict[str, Any]] = {}
    for row in rows:
        first.setdefault(hash_of(row.get("email_address", "").strip()), row)
    return list(first.values())


def _told(row: Mapping[str, Any], error: RowError) -> dict[str, str]:
    return {
        "email_address": row.get("email_address", ""),
        "error": error.text,
        "error_code": error.code,
        "field": error.field.field if error.field else "",
        "field_message": error.field.message if error.field else "",
    }
