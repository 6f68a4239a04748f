"""Postcard's calls, in order."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial

from shared.errors import UserMustAct
from shared.vendors import lists
from shared.vendors.batches import Part, Reading, carry_out, cut
from shared.vendors.checking import checked
from shared.vendors.contract import (
    BatchResult,
    CheckResult,
    ConnectionSettings,
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
from shared.vendors.keys import key_in
from shared.vendors.lists import Listed
from tests.contract.made_up_vendor.postcard import looking, requests, responses
from tests.contract.made_up_vendor.postcard.definition import DEFINITION, HOST, MOST_BYTES, MOST_PEOPLE


class Postcard(Vendor):
    """One account, reached with its key."""

    def __init__(self, settings: ConnectionSettings, credentials: Credentials, link: Link) -> None:
        self._wait = link.wait
        self._client = Client(DEFINITION, HOST, link, key_in("Authorization", credentials, scheme="Bearer"))

    def account(self) -> str:
        return self._client.ask(requests.account(), responses.account)

    def check(self) -> CheckResult:
        return checked(DEFINITION.label, lambda: CheckResult(True, "Connected to Postcard.", account=self.account()))

    def targets(self) -> Sequence[TargetFound]:
        return [each.target for each in lists.for_picker(self._lists())]

    def prepare(
        self, wanted: TargetWanted, remembered: TargetFound | None, fields: Mapping[str, FieldType]
    ) -> TargetFound:
        if list_id := wanted.known_id(remembered):
            if found := lists.by_id(self._lists(), list_id):
                return found.target
            raise lists.vanished(DEFINITION.label, list_id)
        target = self._named(wanted.name) or lists.make(
            DEFINITION.label, wanted.name, self._create, lambda: self._named(wanted.name)
        )
        if target is None:
            raise UserMustAct("target_refused", "Postcard has a list of nearly this name: choose another.")
        return target

    def build(self, target: TargetFound, kind: Kind, row: Row) -> object:
        return requests.person(row)

    def deliver(self, target: TargetFound, kind: Kind, rows: Sequence[Row]) -> BatchResult:
        people = [requests.person(row) for row in rows]

        def ask(part: Part) -> Reading:
            answer = self._client.call(requests.bulk(kind, target.list_id, [people[index] for index in part]))
            return responses.read([rows[index] for index in part], answer)

        return carry_out(cut([len(each) + 1 for each in people], MOST_PEOPLE, MOST_BYTES), ask, self._wait)

    def members(self, target: TargetFound) -> Iterator[str]:
        yield from self._client.ask(requests.members(target.list_id), responses.members)

    def count(self, target: TargetFound) -> Count:
        return self._client.ask(requests.count(target.list_id), looking.count)

    def see(self, target: TargetFound, row: Row) -> Seen:
        return self._client.ask(requests.show(row.address), partial(looking.seen, target.list_id, row))

    def opposed(self, target: TargetFound, rows: Sequence[Row]) -> Collection[int]:
        """Whoever unsubscribed; Postcard tells of one person a call."""
        return [
            index for index, row in enumerate(rows) if self._client.ask(requests.show(row.address), looking.said_no)
        ]

    def _lists(self) -> list[Listed]:
        return self._client.ask(requests.lists(), responses.lists)

    def _named(self, name: str) -> TargetFound | None:
        return next((each.target for each in lists.named(self._lists(), name)), None)

    def _create(self, name: str) -> Listed | None:
        return responses.made(self._client.call(requests.make(name)))


connect = Postcard
