"""Campaign Monitor as the engine uses it. Facts: Campaign Monitor contract, sections 1 to 8."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache, lru_cache, partial
from itertools import chain

import orjson

from shared.errors import OutcomeUnknown, RetryAfter, Unprocessable, UserMustAct
from shared.vendors import lists, presence
from shared.vendors.batches import Part, Reading, carry_out
from shared.vendors.campaign_monitor import looking, opt_outs, receipts, requests, targets
from shared.vendors.campaign_monitor.client import Api
from shared.vendors.campaign_monitor.definition import BUILT_IN, CONSENT, CONSENTS, DEFINITION, MOST_BYTES, UNCHANGED
from shared.vendors.campaign_monitor.errors import UNKNOWN_ID, vanished
from shared.vendors.campaign_monitor.importing import Batch
from shared.vendors.campaign_monitor.left_alone import LeftAlone, Roll, pages
from shared.vendors.campaign_monitor.people import Forms, Shape
from shared.vendors.campaign_monitor.removing import Turns, remove
from shared.vendors.campaign_monitor.responses import ListField
from shared.vendors.checking import checked
from shared.vendors.contract import (
    CONFIRMED,
    BatchResult,
    CheckResult,
    ConnectionSettings,
    Count,
    FieldType,
    Fit,
    Kind,
    Receipt,
    Row,
    Seen,
    TargetFound,
    TargetWanted,
    Vendor,
)
from shared.vendors.forms import Form
from shared.vendors.http import Credentials, Link
from shared.vendors.lists import Listed
from shared.vendors.looking_up import Prospect
from shared.vendors.opt_outs import OptOutRoll
from shared.vendors.presence import Presence
from shared.vendors.ready import some
from shared.wording import say

MOST_DETAILS = 20
"""With more lists than these, a picker does not ask for the details of each."""

_STATES = (receipts.UNSUBSCRIBED, receipts.BOUNCED)


@dataclass(frozen=True, slots=True)
class _Looked:
    """What a plan was made from, which `prepare` does not ask for again: the list, and its fields where they were
    read."""

    wanted: tuple[str, str | None]
    found: TargetFound | None
    fields: Sequence[ListField] | None = None


@lru_cache(maxsize=8)
def _made_forms(fields: str, consent: str) -> Forms:
    """Made once for the many batches of a list."""
    return Forms(Shape(targets.unpack(fields), consent))


_ON_LIST = ("active", "unconfirmed")
"""States of people who get what is sent to a list, now or once they confirmed."""


class CampaignMonitor(Vendor):
    """One client of a Campaign Monitor account. Raises Unprocessable for a consent that does not exist.

    It tells no types of fields: custom fields belong to lists, not to the client. `prepare` looks at those of its list.
    """

    def __init__(self, settings: ConnectionSettings, credentials: Credentials, link: Link) -> None:
        self._consent = str(settings.get("consent_to_track", UNCHANGED))
        if self._consent not in CONSENTS:
            raise Unprocessable(
                "unknown_setting", say("The consent to track is one of %(consents)s.", consents=", ".join(CONSENTS))
            )
        self._batch_rows = int(settings["batch_rows"])
        self._wait = link.wait
        self._limiter = link.limiter
        self._expected = Prospect()
        self._api = Api(str(settings.get("client_id", "")).strip().lower(), credentials, link)
        self._turns = Turns()
        self._lookups = Turns()
        self._lock = threading.Lock()
        self._suppressed = Roll(self._api.suppressed)
        self._left_alone: dict[str, LeftAlone] = {}
        self._presence: dict[str, Presence] = {}
        self._looked: _Looked | None = None

    def account(self) -> str:
        """The client: what lists, suppressions and names of lists belong to. Raises UserMustAct `client_missing`."""
        return f"campaign-monitor-{self._api.client_id}"

    def check(self) -> CheckResult:
        """One request; where the client is missing or wrong, one more for the clients to choose from."""
        return checked(DEFINITION.label, lambda: targets.check(self._api, self.account))

    def targets(self) -> Sequence[TargetFound]:
        """The client's lists by name; with what to know about each, unless they are many."""
        found = lists.for_picker(self._api.lists())
        few = len(found) <= MOST_DETAILS
        return [replace(each.target, warnings=self._known_of(each.id) if few else ()) for each in found]

    def warnings_of(self, wanted: TargetWanted, remembered: TargetFound | None) -> Sequence[str]:
        """That people are sent an e-mail when they are added, and the like. Raises UserMustAct: `target_vanished`,
        `client_missing`, `client_unknown`."""
        found = self._find(wanted.name, wanted.known_id(remembered))
        return (*found.warnings, *self._known_of(found.list_id)) if found else ()

    def prepare(
        self, wanted: TargetWanted, remembered: TargetFound | None, fields: Mapping[str, FieldType]
    ) -> TargetFound:
        """By the given or remembered id, else by exact name, else made; then its custom fields, made where missing.

        `details` keep the fields' keys and types, the consent for people of whom no column tells it, and whether the
        list takes in suppressed people. Raises UserMustAct: `target_vanished`, `target_refused`, `target_name_taken`,
        `field_type`, `field_twice`, `field_refused`, `client_missing`, `client_unknown`.
        """
        looked, self._looked = self._looked, None
        if looked is None or looked.wanted != (wanted.name, wanted.known_id(remembered)):
            looked = self._look(wanted, remembered)
        found = looked.found or self._make(wanted.name)
        known = self._api.details(found.list_id)
        listed, made = self._fields(found.list_id, fields, looked.fields)
        details = {
            "fields": targets.pack(listed),
            # Where a column tells it, an empty cell there grants nothing.
            "consent_to_track": UNCHANGED if CONSENT in fields else self._consent,
            "suppression": "ignored" if known.ignores_suppression else "",
        }
        again = targets.made_again(made) if remembered else ()
        warnings = (*found.warnings, *targets.list_warnings(known), *again)
        return replace(found, name=known.title, warnings=warnings, details=details)

    def fits(self, wanted: TargetWanted, remembered: TargetFound | None, names: Collection[str]) -> Mapping[str, Fit]:
        """What the list's custom fields take, with their options."""
        custom = [name for name in names if name not in BUILT_IN]
        if not custom:
            return {}
        try:
            looked = self._look(wanted, remembered)
        except UserMustAct as error:
            if error.code != "target_vanished":
                raise
            return {}  # `prepare` says so
        there = self._api.fields(looked.found.list_id) if looked.found else []
        self._looked = replace(looked, fields=there)
        return {name: targets.fit(field) for name in custom if (field := targets.find(there, name))}

    def _look(self, wanted: TargetWanted, remembered: TargetFound | None) -> _Looked:
        known_id = wanted.known_id(remembered)
        return _Looked((wanted.name, known_id), self._find(wanted.name, known_id))

    def build(self, target: TargetFound, kind: Kind, row: Row) -> object:
        if kind is Kind.REMOVE:
            return requests.removed(target.list_id, row.address).target
        return self._forms(target).entry(row, {})

    def form(self, target: TargetFound, kind: Kind, fields: Sequence[str]) -> Form | None:
        return self._forms(target).shape.form(fields) if kind is not Kind.REMOVE else None

    def expect(self, expected: Prospect) -> None:
        self._expected = expected

    def deliver(self, target: TargetFound, kind: Kind, rows: Sequence[Row]) -> BatchResult:
        """Additions and changes are imported, mostly in one request; each removal is a request of its own. Nobody is
        changed whom the list does not have, since an import would make them anew."""
        if not rows:
            return BatchResult(CONFIRMED)
        if kind is Kind.REMOVE:
            return self._remove(target.list_id, rows)
        alone = self._absent(target.list_id, rows) if kind is Kind.CHANGE else {}
        return self._import(target, kind, rows, alone)

    def members(self, target: TargetFound) -> Iterator[str]:
        """Everyone who gets what is sent to the list, and everyone who will after confirming; some may come twice."""
        yield from chain.from_iterable(self._members(target.list_id))

    def people(self, target: TargetFound) -> Iterator[tuple[str, str | None]]:
        for state in _ON_LIST:
            for page in pages(partial(self._api.people_with_values, target.list_id, state)):
                yield from ((address, shown) for (address, _), shown in zip(page.people, page.values, strict=True))

    def beside(self, target: TargetFound, row: Row, shown: str) -> Seen:
        return looking.seen(row, self._forms(target).shape, looking.listed(orjson.loads(shown)))

    def count(self, target: TargetFound) -> Count | None:
        """By the list's statistics. None for a list that people have to confirm first: its numbers leave out everyone
        who has not confirmed yet."""
        return None if self._api.details(target.list_id).confirmed_opt_in else self._api.count(target.list_id)

    def see(self, target: TargetFound, row: Row) -> Seen:
        found = self._api.person(target.list_id, row.address)
        return looking.seen(row, self._forms(target).shape, found)

    def knows(
        self, wanted: TargetWanted, remembered: TargetFound | None, addresses: Sequence[str]
    ) -> Sequence[bool] | None:
        """Whoever the list has, in any state: people belong to lists, so of one that is still to be made there is
        nothing to tell."""
        looked = self._looked
        if looked is None or looked.wanted != (wanted.name, wanted.known_id(remembered)):
            looked = self._looked = self._look(wanted, remembered)
        if looked.found is None:
            return None
        return [self._api.person(looked.found.list_id, each) is not None for each in addresses]

    def opt_outs(self, lists: Sequence[str]) -> Sequence[OptOutRoll]:
        return opt_outs.rolls(self._api, lists)

    def _members(self, list_id: str) -> Iterator[Sequence[str]]:
        for state in _ON_LIST:
            for page in pages(partial(self._api.people, list_id, state)):
                yield [address for address, _ in page.people]

    def _absent(self, list_id: str, rows: Sequence[Row]) -> Mapping[int, Receipt]:
        """Receipts of those whom the list does not have in any state."""

        def is_known(address: str) -> bool:
            return self._api.person(list_id, address) is not None

        with self._lock:
            if list_id not in self._presence:
                self._presence[list_id] = Presence(
                    DEFINITION,
                    is_known,
                    lambda _: self._members(list_id),
                    self._limiter,
                    wanted=self._expected.changes,
                    people=self._expected.members,
                )
        with self._lookups.take():
            return self._presence[list_id].absent(Kind.CHANGE, rows)

    def _import(
        self, target: TargetFound, kind: Kind, rows: Sequence[Row], alone: Mapping[int, Receipt]
    ) -> BatchResult:
        """Import everyone but those in `alone`, whose receipts they are."""
        sent = [index for index in range(len(rows)) if index not in alone] if alone else range(len(rows))
        batch = Batch(
            some(rows, sent),
            self._forms(target),
            partial(self._api.imported, target.list_id),
            partial(self._look_up, target.list_id),
            entrants=kind is Kind.ADD,
            wary=target.details.get("suppression") == "ignored",
        )

        def ask(part: Part) -> Reading:
            with self._list_in_doubt(target.list_id):
                return batch.ask(part)

        result = carry_out(batch.cut(self._batch_rows, MOST_BYTES), ask, self._wait)
        others = {sent[place]: receipt for place, receipt in batch.receipts(result).items()}
        return replace(result, others={**others, **alone}, warnings=(*result.warnings, *batch.notes))

    @staticmethod
    def _forms(target: TargetFound) -> Forms:
        known = target.details
        return _made_forms(known.get("fields", ""), known.get("consent_to_track", UNCHANGED))

    def _remove(self, list_id: str, rows: Sequence[Row]) -> BatchResult:
        confirm_list = cache(partial(self._api.details, list_id))

        def remove_one(row: Row) -> Receipt:
            with self._list_in_doubt(list_id):
                receipt = self._api.removed(list_id, row.address)
            if receipt is None:
                confirm_list()
            return receipt if receipt and receipt != receipts.GONE else self._gone(list_id, row)

        with self._turns.take():
            result = remove(rows, self._look_up(list_id, rows), remove_one, self._wait)
        not_found = presence.told(DEFINITION.label, Kind.REMOVE, (result.default, *result.others.values()))
        return replace(result, warnings=(*result.warnings, *not_found))

    def _gone(self, list_id: str, row: Row) -> Receipt:
        """The receipt of somebody who was not on the list. Whoever was taken off it is still known there as deleted;
        of anybody else it is said, since they may be there under another address."""
        if row.unsure_since is not None or self._api.person(list_id, row.address) is not None:
            return receipts.GONE
        return presence.missing(DEFINITION.label)[Kind.REMOVE]

    def opposed(self, target: TargetFound, rows: Sequence[Row]) -> Collection[int]:
        """By the same rolls as before removals."""
        return self._look_up(target.list_id, rows).keys()

    def _look_up(self, list_id: str, rows: Sequence[Row]) -> Mapping[int, Receipt]:
        """Who is left alone as Campaign Monitor has it now. The first time in an object's life, and so in a slice,
        this reads all of their lists; later only what is new there."""
        with self._lock:
            rolls = {state: Roll(partial(self._api.newest, list_id, state)) for state in _STATES}
            alone = self._left_alone.setdefault(list_id, LeftAlone({**rolls, receipts.SUPPRESSED: self._suppressed}))
        alone.refresh()
        return alone.among(rows)

    @contextmanager
    def _list_in_doubt(self, list_id: str) -> Iterator[None]:
        """Where a write says that there is no such list, ask for the list itself. Raises `target_vanished`."""
        try:
            yield
        except UserMustAct as error:
            if error.code != UNKNOWN_ID:
                raise
            self._api.details(list_id)
            raise OutcomeUnknown(say("Campaign Monitor has the list, and says that it does not.")) from None

    def _known_of(self, list_id: str) -> Sequence[str]:
        try:
            return targets.list_warnings(self._api.details(list_id))
        except (RetryAfter, UserMustAct):
            return ()  # a list can be chosen without them, and delivery tells them again

    def _find(self, name: str, list_id: str | None) -> TargetFound | None:
        """The list with this id, or else of this name; None only where there is none of the name."""
        there = self._api.lists()
        if list_id is None:
            found, warnings = targets.named(there, name)
            return replace(found.target, warnings=warnings) if found else None
        if (found := lists.by_id(there, list_id)) is None:
            raise vanished()
        return found.target

    def _make(self, name: str) -> TargetFound:
        def create(name: str) -> Listed | None:
            list_id = self._api.create_list(name)
            return Listed(list_id, name) if list_id else None

        made = lists.make(DEFINITION.label, name, create, lambda: self._find(name, None))
        if made is None:
            raise targets.taken(name)
        return made

    def _fields(
        self, list_id: str, wanted: Mapping[str, FieldType], known: Sequence[ListField] | None
    ) -> tuple[dict[str, ListField], list[str]]:
        """The list's custom fields by their name in the data matching, and which of them were made now. `known` are
        those that it had a moment ago."""
        custom = {name: kind for name, kind in wanted.items() if name not in BUILT_IN}
        there = known if known is not None else self._api.fields(list_id) if custom else []
        found = {name: self._field(list_id, there, name, kind) for name, kind in custom.items()}
        targets.check_distinct(found)
        return found, [name for name in custom if targets.find(there, name) is None]

    def _field(self, list_id: str, there: Sequence[ListField], name: str, kind: FieldType) -> ListField:
        found = targets.find(there, name) or self._make_field(list_id, name, targets.DATA_TYPES[kind])
        targets.check_type(found, kind)
        return found

    def _make_field(self, list_id: str, name: str, data_type: str) -> ListField:
        key = self._api.create_field(list_id, name, data_type)
        if key is not None:
            return ListField(name, key, data_type)
        found = targets.find(self._api.fields(list_id), name)
        if found is None:
            raise targets.unnamed(name)
        return found


connect = CampaignMonitor
