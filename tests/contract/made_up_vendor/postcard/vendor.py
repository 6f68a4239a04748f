"""Postcard's calls, in order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from shared.errors import ExportError, LeaseLost, OutcomeUnknown, RetryAfter, UserMustAct
from shared.vendors.batches import Part, Reading, carry_out, cut
from shared.vendors.contract import (
    BatchResult,
    CheckResult,
    Count,
    FieldType,
    Kind,
    Row,
    Seen,
    TargetFound,
    TargetWanted,
    Vendor,
)
from shared.vendors.http import Client, Credentials, Link
from tests.contract.made_up_vendor.postcard import requests, responses
from tests.contract.made_up_vendor.postcard.definition import DEFINITION, HOST, MOST_BYTES, MOST_PEOPLE


def connect(settings: Mapping[str, str | float | bool], credentials: Credentials, link: Link) -> Vendor:
    return Postcard(credentials, link)


class Postcard:
    """One account, reached with its key."""

    def __init__(self, credentials: Credentials, link: Link) -> None:
        self._wait = link.wait
        self._client = Client(
            DEFINITION,
            HOST,
            link,
            lambda fresh: {"Authorization": f"Bearer {credentials.get('api_key', fresh=fresh)}"},
        )

    def account(self) -> str:
        return self._client.ask(requests.account(), responses.account)

    def check(self) -> CheckResult:
        try:
            return CheckResult(True, "Connected to Postcard.", account=self.account())
        except LeaseLost:
            raise
        except UserMustAct as error:
            return CheckResult(False, error.message, code=error.code)
        except ExportError as error:
            return CheckResult(False, str(error), code="not_checked")

    def targets(self) -> Sequence[TargetFound]:
        return self._client.ask(requests.lists(), responses.lists)

    def warnings_of(self, wanted: TargetWanted, remembered: TargetFound | None) -> Sequence[str]:
        return ()

    def field_types(self) -> Mapping[str, FieldType]:
        return {}

    def prepare(
        self, wanted: TargetWanted, remembered: TargetFound | None, fields: Mapping[str, FieldType]
    ) -> TargetFound:
        list_id = wanted.list_id or (remembered.list_id if remembered else None)
        for each in self.targets():
            if list_id == each.list_id or (list_id is None and each.name == wanted.name):
                return each
        if list_id:
            raise UserMustAct("target_vanished", "There is no such list in Postcard.")
        try:
            return replace(responses.made(self._client.call(requests.make(wanted.name))), created=True)
        except OutcomeUnknown as error:
            reason = error.reason
        raise RetryAfter(1.0, reason)  # the next attempt finds it, if it was made

    def deliver(self, target: TargetFound, kind: Kind, rows: Sequence[Row]) -> BatchResult:
        people = [requests.person(row) for row in rows]

        def ask(part: Part) -> Reading:
            answer = self._client.call(requests.bulk(kind, target.list_id, [people[index] for index in part]))
            return responses.read([rows[index] for index in part], answer)

        return carry_out(cut([len(each) + 1 for each in people], MOST_PEOPLE, MOST_BYTES), ask, self._wait)

    def members(self, target: TargetFound) -> Iterator[str]:
        yield from self._client.ask(requests.members(target.list_id), responses.members)

    def count(self, target: TargetFound) -> Count | None:
        return None

    def look_at(self, target: TargetFound, rows: Sequence[Row]) -> Sequence[Seen]:
        return []

    def settle(self, target: TargetFound, kind: Kind, rows: Sequence[Row], job: str) -> BatchResult | None:
        raise AssertionError("Postcard answers at once, so nothing is ever staged")

    def has_ended(self, kind: Kind, job: str) -> bool:
        raise AssertionError("Postcard answers at once, so nothing is ever staged")
