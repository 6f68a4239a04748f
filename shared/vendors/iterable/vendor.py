"""Iterable's calls, in order. Facts: Iterable contract, sections 1 to 8."""

from __future__ import annotations

import hashlib
import hmac
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial

import orjson

from shared.cloud.scrubbing import excerpt
from shared.errors import RetryAfter, Unprocessable, UserMustAct
from shared.vendors import keys, lists, presence
from shared.vendors.answers import Answer
from shared.vendors.batches import Part, Reading, carry_out, cut_entries
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
from shared.vendors.forms import Form
from shared.vendors.http import Client, Credentials, Link
from shared.vendors.iterable import looking, opt_outs, receipts, requests, responses
from shared.vendors.iterable.client import client_of
from shared.vendors.iterable.definition import DEFINITION, HOSTS, MOST_BYTES
from shared.vendors.iterable.misfits import Misfits
from shared.vendors.iterable.new_fields import NewFields, Person
from shared.vendors.iterable.responses import ProjectList
from shared.vendors.looking_up import Prospect
from shared.vendors.opt_outs import OptOutRoll
from shared.vendors.presence import Presence
from shared.vendors.ready import entries, some
from shared.wording import say

LIST_PAUSES = (2.0, 4.0, 8.0, 16.0, 30.0)
"""Seconds to wait, one after the other, while a list that was just made is not known everywhere yet."""
LIST_LATER = 30.0
"""When to come back if even that was not enough."""


class Iterable(Vendor):
    """One Iterable project, reached with one API key. Raises Unprocessable for a data centre that does not exist."""

    def __init__(self, settings: ConnectionSettings, credentials: Credentials, link: Link) -> None:
        self._center = str(settings["data_center"])
        if self._center not in HOSTS:
            raise Unprocessable(
                "unknown_setting", say("Iterable's data centre is one of %(hosts)s.", hosts=", ".join(HOSTS))
            )
        self._email_based = settings["project_type"] == "email"
        self._batch_rows = int(settings["batch_rows"])
        self._credentials = credentials
        self._link = link
        self._client = client_of(self._center, credentials, link)
        self._new_fields = NewFields(self._fields, self._write_profiles)
        self._lock = threading.Lock()
        self._expected = Prospect()
        self._presence: dict[str, Presence] = {}
        self._made: set[str] = set()
        """Lists made by this object: unknown ones among them are new, not gone."""

    def account(self) -> str:
        """Identity of the key, which belongs to one project: Iterable does not tell a project's own id.

        The key is the hash's key and not its message, so that a list of hashes of keys is of no use.
        """
        return hmac.new(
            keys.secret(self._credentials, "api_key", False).encode(),
            b"segment-exports account iterable",
            hashlib.sha256,
        ).hexdigest()[:16]

    def check(self) -> CheckResult:
        """One `GET /api/lists`; where the key is not known, one more to the other data centre."""
        if self._email_based and self._center == "eu":
            message = say(
                "Email-based projects do not exist in the EU data centre: change the project type or data centre."
            )
            return CheckResult(False, message, code="unsupported_project_type")
        return checked(DEFINITION.label, self._checked)

    def targets(self) -> Sequence[TargetFound]:
        """The project's static lists by name. Raises what a call raises."""
        standard = [each for each in self._lists(self._client) if each.standard]
        return [each.target for each in lists.for_picker(standard)]

    def warnings_of(self, wanted: TargetWanted, remembered: TargetFound | None) -> Sequence[str]:
        """More lists of one name. Raises UserMustAct: `target_vanished`, `target_not_static`."""
        found = self._find(wanted.name, wanted.known_id(remembered))
        return found.warnings if found else ()

    def field_types(self) -> Mapping[str, FieldType]:
        """Types that the project has fixed; objects, arrays and locations are left out, since no cell can have them."""
        return self._client.ask(requests.fields(), responses.field_types)

    def prepare(
        self, wanted: TargetWanted, remembered: TargetFound | None, fields: Mapping[str, FieldType]
    ) -> TargetFound:
        """By the given or remembered id, else by exact name, else made. Iterable allows several lists of one name.

        Raises UserMustAct: `target_vanished`, `target_not_static`, `target_refused`.
        """
        found = self._find(wanted.name, wanted.known_id(remembered)) or self._make(wanted.name)
        return replace(found, details={"fields": orjson.dumps(fields).decode()} if fields else {})

    def build(self, target: TargetFound, kind: Kind, row: Row) -> object:
        return requests.bulk(kind, target.list_id, [requests.person(kind, row)]), requests.profile(row.address).target

    def form(self, target: TargetFound, kind: Kind, fields: Sequence[str]) -> Form | None:
        return requests.FORMS[kind]

    def expect(self, expected: Prospect) -> None:
        self._expected = expected

    def deliver(self, target: TargetFound, kind: Kind, rows: Sequence[Row]) -> BatchResult:
        """One request for most batches. Additions subscribe, changes update profiles, removals unsubscribe from the
        list only; each does the same when it is done twice. Nobody is changed or taken off whom Iterable does not
        have, and a field that it does not have gets its type first."""
        alone = {} if kind is Kind.ADD else self._presence_on(target.list_id).absent(kind, rows)
        sent = [index for index in range(len(rows)) if index not in alone] if alone else range(len(rows))
        misfits = Misfits(rows, self._fields)

        def ask(part: Part) -> Reading:
            asked = misfits.rows_of(part)
            answer = self._write(target, kind, _entries(kind, asked))
            return misfits.read(part, receipts.read(kind, asked, answer))

        people = some(rows, sent)
        parts = cut_entries(_entries(kind, people), self._batch_rows, MOST_BYTES)
        wanted = {} if kind is Kind.REMOVE else _typed(target)
        with self._new_fields.settling(wanted, people):
            result = carry_out([sent[part[0] : part[-1] + 1] for part in parts], ask, self._link.wait)
        others = {**result.others, **alone}
        not_found = presence.told(DEFINITION.label, kind, others.values())
        return replace(result, others=others, warnings=(*result.warnings, *not_found))

    def members(self, target: TargetFound) -> Iterator[str]:
        """One answer without paging (contract, section 9); people without an address are left out."""
        yield from self._client.ask(requests.members(target.list_id), responses.members)

    def count(self, target: TargetFound) -> Count | None:
        """The size of the list; people who unsubscribe stay on it."""
        return self._client.ask(requests.size(target.list_id), looking.size)

    def see(self, target: TargetFound, row: Row) -> Seen:
        return self._client.ask(requests.profile(row.address), partial(looking.seen, target.list_id, row))

    def knows(
        self, wanted: TargetWanted, remembered: TargetFound | None, addresses: Sequence[str]
    ) -> Sequence[bool] | None:
        """Whoever is a user of the project, whichever lists they are on."""
        return [self._is_known(each) for each in addresses]

    def _is_known(self, address: str) -> bool:
        return self._client.ask(requests.profile(address), looking.is_known)

    def opt_outs(self, lists: Sequence[str]) -> Sequence[OptOutRoll]:
        return opt_outs.rolls(self._client)

    def opposed(self, target: TargetFound, rows: Sequence[Row]) -> Collection[int]:
        """Asked for one by one: Iterable has no roll of them."""
        return {
            index for index, row in enumerate(rows) if self._client.ask(requests.profile(row.address), looking.said_no)
        }

    def _checked(self) -> CheckResult:
        try:
            found = self._lists(self._client)
        except UserMustAct as error:
            if error.code == "bad_credentials" and (center := self._other_center()):
                message = say(
                    "This API key belongs to the %(center)s data centre: change the data centre setting.",
                    center=center.upper(),
                )
                return CheckResult(False, message, code="wrong_data_center")
            raise
        writable = sum(each.standard for each in found)
        return CheckResult(
            True,
            say(
                "Connected to Iterable (%(center)s); %(lists)s lists can be written to.",
                center=self._center,
                lists=writable,
            ),
            account=self.account(),
            details={"data_center": self._center, "lists": str(writable)},
        )

    def _presence_on(self, list_id: str) -> Presence:
        def pages(seconds: float) -> Iterator[Iterator[str]]:
            # Asked once: an answer that does not come in time, or makes no sense, costs no more than that. A list that
            # is unknown is the write's to tell of.
            once = client_of(self._center, self._credentials, replace(self._link, patience=0.0), seconds)
            with suppress(RetryAfter):
                yield once.ask(requests.members(list_id), responses.members)

        with self._lock:
            if list_id not in self._presence:
                wanted = self._expected.changes + self._expected.removals
                self._presence[list_id] = Presence(
                    DEFINITION,
                    self._is_known,
                    pages,
                    self._link.limiter,
                    wanted=wanted,
                    people=self._expected.members,
                )
            return self._presence[list_id]

    def _fields(self) -> Mapping[str, str]:
        return self._client.ask(requests.fields(), responses.fields)

    def _write_profiles(self, people: Sequence[Person]) -> set[str]:
        return receipts.fields_told(self._client.call(requests.profiles(people)))

    def _write(self, target: TargetFound, kind: Kind, people: Sequence[bytes]) -> Answer:
        """The answer to a bulk request, once the list is known."""
        request = requests.bulk(kind, target.list_id, people)
        for pause in (*LIST_PAUSES, None):
            answer = self._client.call(request)
            if not responses.list_unknown(answer):
                return answer
            self._confirm_list(target)
            if pause is not None:
                self._link.wait(pause)
        raise RetryAfter(LIST_LATER, say("Iterable has the list but does not let it be used yet."))

    def _confirm_list(self, target: TargetFound) -> None:
        """Raises UserMustAct when an unknown list is gone, not new."""
        if not target.created and target.list_id not in self._made:
            _by_id(self._lists(self._client), target.list_id)

    def _find(self, name: str, list_id: str | None) -> TargetFound | None:
        """The list with this id, or else of this name; None only where there is none of the name."""
        found = self._lists(self._client)
        return _by_id(found, list_id) if list_id else _by_name(found, name)

    def _make(self, name: str) -> TargetFound:
        def create(name: str) -> lists.Listed:
            return lists.Listed(responses.created_list(self._client.call(requests.create_list(name))), name)

        made = lists.make(DEFINITION.label, name, create, lambda: self._find(name, None))
        assert made is not None, "Iterable lets several lists have one name"
        self._made.add(made.list_id)
        return made

    def _lists(self, client: Client) -> list[ProjectList]:
        return client.ask(requests.lists(), responses.lists)

    def _other_center(self) -> str | None:
        """The other data centre, if it knows the key. It is Iterable too, so the key stays with its owner."""
        other = next(center for center in HOSTS if center != self._center)
        if self._link.vendor_hosts and HOSTS[other] not in self._link.vendor_hosts:
            return None  # on one machine: what is not simulated is not called
        try:
            self._lists(client_of(other, self._credentials, self._link))
        except UserMustAct as error:
            return None if error.code == "bad_credentials" else other
        except RetryAfter:
            return None
        return other


def _entries(kind: Kind, rows: Sequence[Row]) -> Sequence[bytes]:
    """Nearly everybody has an entry already."""
    return entries(rows, partial(requests.person, kind))


def _typed(target: TargetFound) -> dict[str, FieldType]:
    """Types of the data matching's fields."""
    return {name: FieldType(kind) for name, kind in orjson.loads(target.details.get("fields", "{}")).items()}


def _by_id(found: Sequence[ProjectList], list_id: str) -> TargetFound:
    each = lists.by_id(found, list_id)
    if each is None:
        raise lists.vanished(DEFINITION.label, list_id)
    if not each.standard:
        raise UserMustAct(
            "target_not_static",
            say(
                "The Iterable list %(id)s is of type %(type)s: choose a static list.",
                id=each.id,
                type=excerpt(each.type, 20),
            ),
        )
    return each.target


def _by_name(found: Sequence[ProjectList], name: str) -> TargetFound | None:
    same = lists.named([each for each in found if each.standard], name)
    if not same:
        return None
    oldest, *others = same
    if not others:
        return oldest.target
    ids = ", ".join(each.id for each in others)
    warning = say(
        "Iterable has more lists of this name (%(lists)s); the oldest, %(list)s, is used.", lists=ids, list=oldest.id
    )
    return replace(oldest.target, warnings=(warning,))


connect = Iterable
