"""Iterable's calls, in order. Facts: Iterable contract, sections 1 to 8."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

from shared.cloud.scrubbing import excerpt
from shared.errors import RetryAfter, Unprocessable, UserMustAct
from shared.vendors import keys, lists
from shared.vendors.answers import Answer, Unreadable
from shared.vendors.batches import Part, Reading, carry_out, cut
from shared.vendors.checking import checked
from shared.vendors.contract import (
    BatchResult,
    CheckResult,
    ConnectionSettings,
    Count,
    FieldType,
    Kind,
    Receipt,
    Row,
    Seen,
    TargetFound,
    TargetWanted,
    Vendor,
)
from shared.vendors.http import Client, Credentials, Link
from shared.vendors.iterable import looking, receipts, requests, responses
from shared.vendors.iterable.client import client_of
from shared.vendors.iterable.definition import DEFINITION, HOSTS, MOST_BYTES
from shared.vendors.iterable.responses import ProjectList

LIST_PAUSES = (2.0, 4.0, 8.0, 16.0, 30.0)
"""Seconds to wait, one after the other, while a list that was just made is not known everywhere yet."""
LIST_LATER = 30.0
"""When to come back if even that was not enough."""


class Iterable(Vendor):
    """One Iterable project, reached with one API key. Raises Unprocessable for a data centre that does not exist."""

    def __init__(self, settings: ConnectionSettings, credentials: Credentials, link: Link) -> None:
        self._center = str(settings["data_center"])
        if self._center not in HOSTS:
            raise Unprocessable("unknown_setting", f"Iterable's data centre is one of {', '.join(HOSTS)}.")
        self._email_based = settings["project_type"] == "email"
        self._batch_rows = int(settings["batch_rows"])
        self._credentials = credentials
        self._link = link
        self._client = client_of(self._center, credentials, link)
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
            message = "Email-based projects do not exist in the EU data centre: change the project type or data centre."
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
        return self._find(wanted.name, wanted.known_id(remembered)) or self._make(wanted.name)

    def build(self, target: TargetFound, kind: Kind, row: Row) -> object:
        return requests.bulk(kind, target.list_id, [requests.person(kind, row)]), requests.profile(row.address).target

    def deliver(self, target: TargetFound, kind: Kind, rows: Sequence[Row]) -> BatchResult:
        """One request for most batches. Additions subscribe, changes update profiles, removals unsubscribe from the
        list only; each does the same when it is done twice."""
        alone = self._not_there(rows) if kind is Kind.REMOVE else {}
        sent = [index for index in range(len(rows)) if index not in alone]
        people = {index: requests.person(kind, rows[index]) for index in sent}

        def ask(part: Part) -> Reading:
            answer = self._write(target, kind, [people[index] for index in part])
            return receipts.read(kind, [rows[index] for index in part], answer)

        parts = cut([len(entry) + 1 for entry in people.values()], self._batch_rows, MOST_BYTES)
        result = carry_out([[sent[place] for place in part] for part in parts], ask, self._link.wait)
        return replace(result, others={**result.others, **alone})

    def members(self, target: TargetFound) -> Iterator[str]:
        """One answer without paging (contract, section 9); people without an address are left out."""
        yield from self._client.ask(requests.members(target.list_id), responses.members)

    def count(self, target: TargetFound) -> Count | None:
        """The size of the list; people who unsubscribe stay on it."""
        return self._client.ask(requests.size(target.list_id), looking.size)

    def see(self, target: TargetFound, row: Row) -> Seen:
        return self._client.ask(requests.profile(row.address), partial(looking.seen, target.list_id, row))

    def _checked(self) -> CheckResult:
        try:
            found = self._lists(self._client)
        except UserMustAct as error:
            if error.code == "bad_credentials" and (center := self._other_center()):
                message = f"This API key belongs to the {center.upper()} data centre: change the data centre setting."
                return CheckResult(False, message, code="wrong_data_center")
            raise
        writable = sum(each.standard for each in found)
        return CheckResult(
            True,
            f"Connected to Iterable ({self._center}); {writable} lists can be written to.",
            account=self.account(),
            details={"data_center": self._center, "lists": str(writable)},
        )

    def _not_there(self, rows: Sequence[Row]) -> dict[int, Receipt]:
        """Receipts of the rows that are not sent: the person may never have been added, and Iterable has no profile of
        them, so a removal could make one (contract, section 5). A new profile may not show yet (section 10). An answer
        about one person that cannot be read leaves that person to the next run; where no answer can be read, the
        trouble is the vendor's. Raises Unreadable then."""
        found: dict[int, Receipt] = {}
        unreadable: list[Unreadable] = []
        unsure = [(index, row, row.unsure_since) for index, row in enumerate(rows) if row.unsure_since is not None]
        for index, row, since in unsure:
            try:
                known = self._client.ask(requests.profile(row.address), looking.is_known)
            except Unreadable as error:
                unreadable.append(error)
                found[index] = receipts.NOT_LOOKED_AT
                continue
            if not known:
                fresh = time.time() - since < DEFINITION.fresh_seconds
                found[index] = receipts.NOT_THERE_YET if fresh else receipts.NEVER_THERE
        if unreadable and len(unreadable) == len(unsure) > 1:
            raise unreadable[-1]
        return found

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
        raise RetryAfter(LIST_LATER, "Iterable has the list but does not let it be used yet.")

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


def _by_id(found: Sequence[ProjectList], list_id: str) -> TargetFound:
    each = lists.by_id(found, list_id)
    if each is None:
        raise lists.vanished(DEFINITION.label, list_id)
    if not each.standard:
        raise UserMustAct(
            "target_not_static",
            f"The Iterable list {each.id} is of type {excerpt(each.type, 20)}: choose a static list.",
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
    warning = f"Iterable has more lists of this name ({ids}); the oldest, {oldest.id}, is used."
    return replace(oldest.target, warnings=(warning,))


connect = Iterable
