"""Omnisend's calls, in order. Facts: Omnisend contract, sections 1 to 7."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice

from shared.cloud.scrubbing import excerpt
from shared.errors import ExportError, LeaseLost, OutcomeUnknown, UserMustAct
from shared.vendors.answers import RateLimited, Unreachable, Unreadable
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
from shared.vendors.http import UNREADABLE_SECONDS, Client, Credentials, Link
from shared.vendors.omnisend import looking, problems, requests, responses
from shared.vendors.omnisend.board import Board
from shared.vendors.omnisend.course import Course, ended
from shared.vendors.omnisend.definition import DEFINITION, HOST, MOST_COUNTED, VERSION
from shared.vendors.omnisend.job import Job
from shared.vendors.omnisend.naming import tag_of
from shared.vendors.omnisend.people import CUSTOM_NAME
from shared.vendors.omnisend.responses import Brand, ContactsPage
from shared.vendors.omnisend.throttling import Telling

Settings = Mapping[str, str | float | bool]

_NOBODY = "nobody@segment-exports.invalid"
_NO_TAG = "segment-exports check"
_KNOWN_FIELDS = frozenset(each.name for each in DEFINITION.fields)


def connect(settings: Settings, credentials: Credentials, link: Link) -> Vendor:
    """An Omnisend brand. It has no settings."""
    return Omnisend(credentials, link)


class Omnisend:
    """One Omnisend brand, reached with one API key. `clock` tells seconds since 1970."""

    def __init__(self, credentials: Credentials, link: Link, clock: Callable[[], float] = time.time) -> None:
        self._credentials = credentials
        self._wait = link.wait
        self._clock = clock
        told = replace(link, transport=Telling(link.transport))
        self._client = Client(DEFINITION, HOST, told, self._headers, refusal=problems.refusal)
        self._board = Board(self._client, clock)
        self._brand: Brand | None = None

    def account(self) -> str:
        """The brand's id; one request, the first time."""
        return self._current_brand().id

    def check(self) -> CheckResult:
        """Four requests, one for each thing that a key may lack; none of them changes anything."""
        try:
            lacking = self._lacking()
            if lacking:
                return CheckResult(False, problems.lacking(lacking), code="missing_scope")
            brand = self._current_brand()
        except LeaseLost:
            raise
        except ExportError as error:
            return _explained(error)
        named = f" as {excerpt(brand.name, 80)}" if brand.name else ""
        return CheckResult(
            True, f"Connected to Omnisend{named}.", account=brand.id, details={"brand": excerpt(brand.name, 80)}
        )

    def targets(self) -> Sequence[TargetFound]:
        """None: Omnisend has no request that lists a brand's tags (contract, section 2)."""
        return []

    def warnings_of(self, wanted: TargetWanted, remembered: TargetFound | None) -> Sequence[str]:
        """Who has the tag already, and what may start when it is put on."""
        return () if remembered else self._first_use(wanted).warnings

    def field_types(self) -> Mapping[str, FieldType]:
        """None: a custom property has whatever type its value has (contract, section 3)."""
        return {}

    def prepare(
        self, wanted: TargetWanted, remembered: TargetFound | None, fields: Mapping[str, FieldType]
    ) -> TargetFound:
        """The tag given, remembered, or made from the name. A tag comes into being with the first contact that has
        it, and cannot vanish.

        Raises UserMustAct `field_refused` for a custom property whose name Omnisend does not take.
        """
        for name in fields:
            if name not in _KNOWN_FIELDS and not CUSTOM_NAME.fullmatch(name):
                raise UserMustAct(
                    "field_refused",
                    f"Omnisend does not take the name {excerpt(name, 80)}: custom properties are named with letters "
                    "without accents, digits and underscores. Rename the field in the data matching.",
                )
        if remembered is not None and wanted.list_id in (None, remembered.list_id):
            return replace(remembered, created=False, warnings=())
        return self._first_use(wanted)

    def deliver(self, target: TargetFound, kind: Kind, rows: Sequence[Row]) -> BatchResult:
        """Additions and changes are staged, as batches of Omnisend's. Removals take the tag off, and nothing else."""
        return self._course(target, kind, rows).begin()

    def settle(self, target: TargetFound, kind: Kind, rows: Sequence[Row], job: str) -> BatchResult | None:
        """Asks for lists of batches, which hold for every job asked about within two seconds. When all contacts of an
        addition are written, the tag is put on them."""
        return self._course(target, kind, rows).go_on(job)

    def has_ended(self, kind: Kind, job: str) -> bool:
        return ended(self._board, self._clock(), Job.parse(job)) is not None

    def members(self, target: TargetFound) -> Iterator[str]:
        """Addresses of the contacts with the tag, 250 a request."""
        for page in self._pages(target.list_id):
            yield from page.addresses

    def count(self, target: TargetFound) -> Count | None:
        """By reading a few pages; None where there are more. A number could be had of a segment of Omnisend's only, and
        nobody is asked to let us make one (contract, section 5)."""
        people = 0
        for page in islice(self._pages(target.list_id), MOST_COUNTED):
            people += len(page.addresses)
            if page.after is None:
                return Count(people)
        return None

    def look_at(self, target: TargetFound, rows: Sequence[Row]) -> Sequence[Seen]:
        return [
            self._client.ask(requests.contact(row.address), partial(looking.seen, target.list_id, row)) for row in rows
        ]

    def _pages(self, tag: str) -> Iterator[ContactsPage]:
        after: str | None = None
        while True:
            page = self._client.ask(requests.tagged(tag, after), responses.contacts)
            yield page
            if page.after is None:
                return
            if page.after == after:
                raise Unreadable(UNREADABLE_SECONDS, "Omnisend gives the same page of contacts again and again.")
            after = page.after

    def _course(self, target: TargetFound, kind: Kind, rows: Sequence[Row]) -> Course:
        return Course(self._client, self._board, self._wait, self._clock, target.list_id, kind, rows)

    def _first_use(self, wanted: TargetWanted) -> TargetFound:
        """The tag given or made from the name, with a word to whoever uses it for the first time here."""
        tag, name = wanted.list_id or tag_of(wanted.name), wanted.list_id or wanted.name
        page = self._client.ask(requests.tagged(tag, limit=1), responses.contacts)
        shown = excerpt(tag, 128)
        if page.addresses:
            warning = f"Contacts in Omnisend have the tag '{shown}' already: those outside the segment keep it."
            return TargetFound(tag, name, warnings=(warning,))
        warning = (
            f"The tag in Omnisend is '{shown}'. Automations there that wait for this tag start for everyone added."
        )
        return TargetFound(tag, name, created=True, warnings=(warning,))

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

    def _headers(self, fresh: bool) -> Mapping[str, str]:
        key = self._credentials.get("api_key", fresh=fresh).strip()
        # An empty key is to be refused as empty, not hidden behind the scheme.
        return {"Authorization": f"Omnisend-API-Key {key}" if key else "", "Omnisend-Version": VERSION}


_CHECK_FAILURES = (
    (Unreachable, "unreachable", "Omnisend could not be reached: check the network and try again."),
    (RateLimited, "rate_limited", "Omnisend limits the rate at the moment: try again in a minute."),
    (Unreadable, "unexpected_answer", "Something answers that is not Omnisend: check the network and try again."),
    (OutcomeUnknown, "unexpected_answer", "Omnisend did not answer clearly: try again in a minute."),
)


def _explained(error: ExportError) -> CheckResult:
    """What a failed check means and what to do."""
    if isinstance(error, UserMustAct):
        return CheckResult(False, error.message, code=error.code)
    for kind, code, message in _CHECK_FAILURES:
        if isinstance(error, kind):
            return CheckResult(False, message, code=code)
    return CheckResult(False, str(error), code="not_checked")
