"""Omnisend's calls, in order. Facts: Omnisend contract, sections 1 to 7."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice

import orjson

from shared.cloud.scrubbing import excerpt
from shared.errors import UserMustAct
from shared.vendors.answers import Answer, Unreadable
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
from shared.vendors.http import Credentials, Link
from shared.vendors.looking_up import Prospect
from shared.vendors.omnisend import errors, looking, opt_outs, requests, responses, targets
from shared.vendors.omnisend.client import Board, client_of
from shared.vendors.omnisend.definition import DEFINITION, MOST_COUNTED
from shared.vendors.omnisend.responses import Brand, ContactsPage
from shared.vendors.omnisend.spellings import OtherSpellings
from shared.vendors.omnisend.staging import BatchJob, Staging, ended
from shared.vendors.opt_outs import OptOutRoll
from shared.vendors.presence import Presence
from shared.wording import say

_NOBODY = "nobody@segment-exports.invalid"
_NO_TAG = "segment-exports check"


class Omnisend(Vendor):
    """One Omnisend brand, reached with one API key. `clock` tells seconds since 1970.

    It offers no lists, since Omnisend has no request for a brand's tags (contract, section 2), and no types of fields:
    a custom property has whatever type its value has (section 3).
    """

    def __init__(self, credentials: Credentials, link: Link, clock: Callable[[], float] = time.time) -> None:
        self._wait = link.wait
        self._limiter = link.limiter
        self._expected = Prospect()
        self._clock = clock
        self._client = client_of(credentials, link)
        self._board = Board(self._client, clock)
        self._spellings = OtherSpellings(self._unsubscribed)
        self._presence: dict[str, Presence] = {}
        self._brand: Brand | None = None

    def account(self) -> str:
        """The brand's id; one request, the first time."""
        return self._current_brand().id

    def check(self) -> CheckResult:
        """Four requests, one for each thing that a key may lack; none of them changes anything."""
        return checked(DEFINITION.label, self._checked)

    def warnings_of(self, wanted: TargetWanted, remembered: TargetFound | None) -> Sequence[str]:
        """How many people have the tag already, and which automations it may start."""
        return () if remembered else self._first_use(wanted).warnings

    def prepare(
        self, wanted: TargetWanted, remembered: TargetFound | None, fields: Mapping[str, FieldType]
    ) -> TargetFound:
        """The tag given, remembered, or made from the name. A tag comes into being with the first contact that has
        it, and cannot vanish.

        Raises UserMustAct `field_refused` for a custom property whose name Omnisend does not take.
        """
        targets.check_names(fields)
        if remembered is not None and wanted.list_id in (None, remembered.list_id):
            return replace(remembered, created=False, warnings=())
        return self._first_use(wanted)

    def build(self, target: TargetFound, kind: Kind, row: Row) -> object:
        return self._staging(target, kind, [row]).build()

    def expect(self, expected: Prospect) -> None:
        self._expected = expected

    def deliver(self, target: TargetFound, kind: Kind, rows: Sequence[Row]) -> BatchResult:
        """Additions and changes are staged, as batches of Omnisend's. Removals take the tag off, and nothing else.
        Nobody is changed whom Omnisend does not have, since that would make a contact."""
        return self._staging(target, kind, rows).begin()

    def settle(self, target: TargetFound, kind: Kind, rows: Sequence[Row], job: str) -> BatchResult | None:
        """Asks for lists of batches, which hold for every job asked about within two seconds. When all contacts of an
        addition are written, the tag is put on them."""
        return self._staging(target, kind, rows).go_on(job)

    def has_ended(self, kind: Kind, job: str) -> bool:
        return ended(self._board, self._clock(), BatchJob.parse(job)) is not None

    def members(self, target: TargetFound) -> Iterator[str]:
        """Addresses of the contacts with the tag, 250 a request."""
        for page in self._pages(target.list_id):
            yield from page.addresses

    def people(self, target: TargetFound) -> Iterator[tuple[str, str | None]]:
        for page in self._pages(target.list_id, responses.contacts_with_values):
            yield from zip(page.addresses, page.values, strict=True)

    def beside(self, target: TargetFound, row: Row, shown: str) -> Seen:
        return looking.beside(row, orjson.loads(shown))

    def count(self, target: TargetFound) -> Count | None:
        """By reading a few pages; None where there are more. A number could be had of a segment of Omnisend's only, and
        nobody is asked to let us make one (contract, section 5)."""
        people = 0
        for page in islice(self._pages(target.list_id), MOST_COUNTED):
            people += len(page.addresses)
            if page.after is None:
                return Count(people)
        return None

    def opt_outs(self, lists: Sequence[str]) -> Sequence[OptOutRoll]:
        return opt_outs.rolls(self._client, lists)

    def see(self, target: TargetFound, row: Row) -> Seen:
        return self._client.ask(requests.contact(row.address), partial(looking.seen, target.list_id, row))

    def knows(
        self, wanted: TargetWanted, remembered: TargetFound | None, addresses: Sequence[str]
    ) -> Sequence[bool] | None:
        """Whoever is a contact of the brand, with the tag or without it."""
        return [self._is_known(each) for each in addresses]

    def _is_known(self, address: str) -> bool:
        return self._client.ask(requests.contact(address), partial(looking.is_known, address))

    def opposed(self, target: TargetFound, rows: Sequence[Row]) -> Collection[int]:
        """Asked for one by one; the roll of everybody who unsubscribed is longer in most brands."""
        return {
            index
            for index, row in enumerate(rows)
            if self._client.ask(requests.contact(row.address), partial(looking.said_no, row.address))
        }

    def _checked(self) -> CheckResult:
        if lacking := self._lacking():
            return CheckResult(False, errors.lacking(lacking), code="missing_scope")
        brand = self._current_brand()
        named = say(" as %(name)s", name=excerpt(brand.name, 80)) if brand.name else ""
        return CheckResult(
            True,
            say("Connected to Omnisend%(brand)s.", brand=named),
            account=brand.id,
            details={"brand": excerpt(brand.name, 80)},
        )

    def _pages(self, tag: str, parse: Callable[[Answer], ContactsPage] = responses.contacts) -> Iterator[ContactsPage]:
        after: str | None = None
        while True:
            page = self._client.ask(requests.tagged(tag, after), parse)
            yield page
            if page.after is None:
                return
            if page.after == after:
                raise Unreadable(say("Omnisend gives the same page of contacts again and again."))
            after = page.after

    def _unsubscribed(self, after: str | None) -> ContactsPage:
        return self._client.ask(requests.unsubscribed(after), responses.contacts)

    def _staging(self, target: TargetFound, kind: Kind, rows: Sequence[Row]) -> Staging:
        return Staging(
            self._client,
            self._board,
            self._wait,
            self._clock,
            target.list_id,
            kind,
            rows,
            self._spellings,
            self._presence_of(target.list_id),
        )

    def _presence_of(self, tag: str) -> Presence:
        """Of whoever has the tag in exactly the spelling that is sent; of anybody else Omnisend is asked."""

        def pages(_: float) -> Iterator[Sequence[str]]:
            return (page.addresses for page in self._pages(tag))

        made = Presence(
            DEFINITION,
            self._is_known,
            pages,
            self._limiter,
            same=str,
            wanted=self._expected.changes + self._expected.removals,
            people=self._expected.members,
        )
        return self._presence.setdefault(tag, made)

    def _first_use(self, wanted: TargetWanted) -> TargetFound:
        """The tag given or made from the name, with a word to whoever uses it for the first time here."""
        page = self._client.ask(requests.tagged(targets.wanted_tag(wanted), limit=1), responses.contacts)
        return targets.first_use(wanted, taken=bool(page.addresses))

    def _current_brand(self) -> Brand:
        if self._brand is None:
            self._brand = self._client.ask(requests.brand(), responses.brand)
        return self._brand

    def _lacking(self) -> list[str]:
        """Permissions that the key has not."""
        # Writing is tried by taking a tag that nobody has off nobody, which Omnisend passes over in silence.
        probes: Mapping[str, Callable[[], object]] = {
            "brands.read": self._current_brand,
            "contacts.read": lambda: self._client.ask(requests.any_contact(), responses.contacts),
            "contacts.read (for batches)": lambda: self._client.ask(requests.any_batch(), responses.batches),
            "contacts.write": lambda: self._client.call(requests.tag(Kind.REMOVE, _NO_TAG, [_NOBODY])),
        }
        lacking = []
        for scope, probe in probes.items():
            try:
                probe()
            except UserMustAct as error:
                if error.code != "missing_scope":
                    raise
                lacking.append(scope)
        return lacking


def connect(settings: ConnectionSettings, credentials: Credentials, link: Link) -> Vendor:
    """An Omnisend brand. It has no settings."""
    return Omnisend(credentials, link)
