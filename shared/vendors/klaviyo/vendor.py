"""Klaviyo's calls, in order. Facts: Klaviyo contract, sections 1 to 11."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import partial
from typing import Any

import orjson

from shared.errors import OutcomeUnknown, RetryAfter
from shared.mailbox import normalised
from shared.vendors import lists
from shared.vendors.answers import Request
from shared.vendors.checking import checked
from shared.vendors.contract import (
    ACKNOWLEDGED,
    CONFIRMED,
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
from shared.vendors.http import Credentials, Link
from shared.vendors.klaviyo import looking, opt_outs, people, receipts, requests, responses, targets
from shared.vendors.klaviyo.client import KlaviyoBoard, KlaviyoCalls
from shared.vendors.klaviyo.definition import DEFINITION
from shared.vendors.klaviyo.people import Asking
from shared.vendors.klaviyo.receipts import Ended
from shared.vendors.klaviyo.removing import Removal
from shared.vendors.klaviyo.responses import Profile
from shared.vendors.klaviyo.staging import MISSING, ImportPart, Imports, StagedImport, dates_of
from shared.vendors.opt_outs import OptOutRoll
from shared.wording import say, together

JOB_SECONDS = 6 * 3600.0
"""After so long an import that has not ended is given up; Klaviyo promises no time."""
RESEND_SECONDS = 60.0
LOOKING_SECONDS = 120.0
"""So long people of ended imports are looked up in one go; the rest is the next slice's: a worker lives for minutes."""


class Klaviyo(Vendor):
    """One Klaviyo account, reached with one private key. `clock` tells seconds since 1970.

    It has no types of fields: a property has whatever type its value has (contract, section 7).
    """

    def __init__(self, credentials: Credentials, link: Link, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._calls = KlaviyoCalls(credentials, link)
        self._board = KlaviyoBoard(self._calls, clock)
        self._imports = Imports(self._calls, self._board)
        self._looked = 0.0
        """Seconds for which people of ended imports were looked up."""

    def account(self) -> str:
        """`klaviyo-<account id>`: one request, then kept. Raises what a call raises."""
        return f"{DEFINITION.name}-{self._calls.account()}"

    def check(self) -> CheckResult:
        """Four requests, one for each thing that a key may lack; none of them changes anything."""
        return checked(DEFINITION.label, self._checked)

    def targets(self) -> Sequence[TargetFound]:
        """The account's lists by name. Raises what a call raises."""
        return [each.target for each in lists.for_picker(targets.every(self._calls))]

    def warnings_of(self, wanted: TargetWanted, remembered: TargetFound | None) -> Sequence[str]:
        """What a first run to this list does besides, and how long this release can be used. Raises UserMustAct
        `target_vanished`."""
        found = self._find(wanted, remembered)
        expected = [] if remembered else [*self._flow_warnings(found), targets.bill_warning()]
        return (*(found.warnings if found else ()), *expected, *targets.revision_warnings(self._today()))

    def prepare(
        self, wanted: TargetWanted, remembered: TargetFound | None, fields: Mapping[str, FieldType]
    ) -> TargetFound:
        """By the given or remembered id, else by exact name, else made.

        Raises UserMustAct: `target_vanished`, `target_refused`.
        """
        found = self._find(wanted, remembered) or targets.made(self._calls, wanted.name)
        flows = () if remembered or found.created else self._flow_warnings(found)
        dates = sorted(name for name, kind in fields.items() if kind is FieldType.DATE)
        return TargetFound(
            found.list_id,
            found.name,
            found.created,
            (*found.warnings, *flows, *targets.revision_warnings(self._today())),
            {"dates": orjson.dumps(dates).decode()} if dates else {},
        )

    def build(self, target: TargetFound, kind: Kind, row: Row) -> object:
        address = normalised(row.address)
        if kind is Kind.REMOVE:
            return requests.profiles("email", [address]).target
        return requests.import_people(kind, target.list_id, [requests.person(row, address, dates_of(target))])

    def deliver(self, target: TargetFound, kind: Kind, rows: Sequence[Row]) -> BatchResult:
        """Additions and changes are staged, as imports. Removals take people off the list, and do nothing else."""
        if kind is Kind.REMOVE:
            return Removal(self._calls, target.list_id, rows).carry_out()
        return self._go_on(target, kind, rows, StagedImport(self._clock()))

    def settle(self, target: TargetFound, kind: Kind, rows: Sequence[Row], job: str) -> BatchResult | None:
        """One request for all imports that were asked about within two seconds. A batch that needs several imports gets
        the next one, which sends people; all it does may be done twice."""
        parsed = StagedImport.parse(job)
        if not self._over(parsed) and self._clock() - parsed.started < JOB_SECONDS:
            return None
        if self._looked > LOOKING_SECONDS:
            return None
        began = self._clock()
        try:
            return self._go_on(target, kind, rows, parsed)
        except OutcomeUnknown as error:
            reason = error.reason
        finally:
            self._looked += max(self._clock() - began, 0.0)
        # The parts before are known by their imports, so only this one is sent again.
        raise RetryAfter(RESEND_SECONDS, reason)

    def has_ended(self, kind: Kind, job: str) -> bool:
        """The parts before the last one had ended when that was started."""
        return self._over(StagedImport.parse(job))

    def members(self, target: TargetFound) -> Iterator[str]:
        """Addresses of everyone on the list, each once although others may write to it meanwhile; people without an
        address are left out."""
        yield from (profile.email for profile, _ in self._members(requests.members(target.list_id)))

    def people(self, target: TargetFound) -> Iterator[tuple[str, str | None]]:
        for profile, entry in self._members(requests.members_with_values(target.list_id)):
            yield profile.email, orjson.dumps(entry.get("attributes") or {}).decode()

    def beside(self, target: TargetFound, row: Row, shown: str) -> Seen:
        return looking.beside(row, orjson.loads(shown))

    def _members(self, question: Request) -> Iterator[tuple[Profile, dict[str, Any]]]:
        seen = set[str]()
        for entry in self._calls.entries(question):
            profile = responses.profile(entry)
            if profile.email and profile.id not in seen:
                seen.add(profile.id)
                yield profile, entry

    def count(self, target: TargetFound) -> Count | None:
        """As the list itself shows it."""
        return self._calls.ask(requests.list_count(target.list_id), partial(looking.count, target.list_id))

    def look_at(self, target: TargetFound, rows: Sequence[Row]) -> Sequence[Seen]:
        """A request or two for a hundred people: who is on the list, and what became of those who are not."""
        addresses = [normalised(row.address) for row in rows]
        members = self._shown(addresses, partial(requests.members_with_consent, target.list_id))
        profiles = self._shown([each for each in addresses if each not in members], requests.profiles_with_consent)
        return [
            looking.seen(target.list_id, row, members.get(address), profiles.get(address))
            for row, address in zip(rows, addresses, strict=True)
        ]

    def opt_outs(self, lists: Sequence[str]) -> Sequence[OptOutRoll]:
        return opt_outs.rolls(self._calls, lists)

    def see(self, target: TargetFound, row: Row) -> Seen:
        return self.look_at(target, [row])[0]

    def knows(
        self, wanted: TargetWanted, remembered: TargetFound | None, addresses: Sequence[str]
    ) -> Sequence[bool] | None:
        """Whoever has a profile, whichever lists it is on."""
        shown = [normalised(each) for each in addresses]
        known = people.among(self._calls, shown, partial(requests.profiles, "email")).by_address()
        return [each in known for each in shown]

    def starts(self, wanted: TargetWanted, remembered: TargetFound | None) -> Sequence[str] | None:
        """The list's flows that are no drafts; a list that is still to be made has none."""
        found = self._find(wanted, remembered)
        return (self._calls.ask(requests.flows(found.list_id), responses.running_flows) or ()) if found else ()

    def opposed(self, target: TargetFound, rows: Sequence[Row]) -> Collection[int]:
        """A request for a hundred people. Whoever cannot be asked about counts as having said no."""
        addresses = [normalised(row.address) for row in rows]
        found = people.among(self._calls, addresses, requests.profiles_with_consent)
        no = found.unasked | looking.inactive(target.list_id, found.entries)
        return {index for index, address in enumerate(addresses) if address in no}

    def _checked(self) -> CheckResult:
        found = self._calls.ask(requests.accounts(), responses.account)
        self._calls.ask(requests.a_list(), responses.page)
        self._calls.ask(requests.a_profile(), responses.page)
        # Whether Klaviyo judges the scope before the body is not published: only a refusal for the scope tells.
        self._calls.call(requests.import_nobody())
        named = say(" as %(name)s", name=found.name) if found.name else ""
        connected = say("Connected to Klaviyo%(account)s.", account=named)
        return CheckResult(
            True,
            together([connected, *targets.revision_warnings(self._today())]),
            account=f"{DEFINITION.name}-{found.id}",
            details={"account": found.id, "name": found.name},
        )

    def _find(self, wanted: TargetWanted, remembered: TargetFound | None) -> TargetFound | None:
        """None only where there is no list of the name yet."""
        if list_id := wanted.known_id(remembered):
            return targets.by_id(self._calls, list_id)
        return targets.by_name(self._calls, wanted.name)

    def _flow_warnings(self, found: TargetFound | None) -> Sequence[str]:
        return targets.flow_warnings(self._calls, found.list_id) if found else ()

    def _shown(self, addresses: Sequence[str], asking: Asking) -> Mapping[str, Mapping[str, object]]:
        found = people.among(self._calls, addresses, asking)
        return {responses.profile(each).folded: each for each in found.entries}

    def _over(self, job: StagedImport) -> bool:
        last = job.parts[-1].id
        state = self._board.state(last) if last is not None else None
        return state is None or state.over

    def _go_on(self, target: TargetFound, kind: Kind, rows: Sequence[Row], before: StagedImport) -> BatchResult:
        """Start the next import, if anybody is left; the receipts of all once there is nobody."""
        job = before
        if job.stop < len(rows):
            job = self._imports.start(target, kind, rows, job, self._clock)
            if job.parts[-1].id is not None:
                return BatchResult(CONFIRMED, staged=job.text())
        return _answered(self._receipts(target, kind, rows, job))

    def _receipts(self, target: TargetFound, kind: Kind, rows: Sequence[Row], job: StagedImport) -> dict[int, Receipt]:
        found = {
            index: receipts.missing(kind, rows[index]) if code == MISSING else receipts.BY_CODE[code]
            for index, code in job.skipped.items()
        }
        for part, sent in job.spans():
            ended = self._ended(part, [normalised(rows[index].address) for index in sent])
            found |= {sent[place]: receipt for place, receipt in ended.receipts.items()}
            left = [index for index in sent if index not in found]
            added = kind is Kind.ADD
            taken = self._added(target, rows, left, ended) if added else self._changed(rows, left, ended)
            for index, receipt in taken.items():
                found[index] = receipt.without(job.without.get(index, ()))
        return found

    def _added(self, target: TargetFound, rows: Sequence[Row], left: Sequence[int], ended: Ended) -> dict[int, Receipt]:
        """Who is on the list. An import may drop people without a word, but somebody new need not show yet."""
        ids = self._ids(rows, left, partial(requests.members_named, target.list_id))
        unseen = receipts.NOT_NAMED if ended.doubtful else ACKNOWLEDGED
        return {
            index: receipts.confirmed(ids[index], rows[index].vendor_id) if index in ids else unseen for index in left
        }

    def _changed(self, rows: Sequence[Row], left: Sequence[int], ended: Ended) -> dict[int, Receipt]:
        """That somebody is there says nothing of a change; their id is read where it is not known."""
        if ended.doubtful:
            return dict.fromkeys(left, receipts.NOT_NAMED)
        ids = self._ids(
            rows, [index for index in left if not rows[index].vendor_id], partial(requests.profiles, "email")
        )
        return {index: receipts.confirmed(ids.get(index), rows[index].vendor_id) for index in left}

    def _ended(self, part: ImportPart, addresses: Sequence[str]) -> Ended:
        """What became of the people of one import."""
        everybody = range(len(addresses))
        if part.id is None:
            return Ended(dict.fromkeys(everybody, receipts.refused(part.refusal)))
        state = self._board.state(part.id)
        if state is None:
            return Ended(dict.fromkeys(everybody, receipts.GONE))
        if not state.over:
            return Ended(dict.fromkeys(everybody, receipts.LATE))
        if state.status == "cancelled":
            return Ended(dict.fromkeys(everybody, receipts.CANCELLED))
        if not state.failed:
            return receipts.read(addresses, state, ())
        return receipts.read(
            addresses,
            state,
            map(responses.import_error, self._calls.entries(requests.import_errors(part.id), responses.row_errors)),
        )

    def _ids(self, rows: Sequence[Row], indices: Sequence[int], asking: Asking) -> Mapping[int, str]:
        """Ids of these rows' people, as far as Klaviyo has them under their address already."""
        addresses = {index: normalised(rows[index].address) for index in indices}
        known = people.among(self._calls, addresses.values(), asking).by_address()
        return {index: known[address].id for index, address in addresses.items() if address in known}

    def _today(self) -> date:
        return datetime.fromtimestamp(self._clock(), UTC).date()


def _answered(found: Mapping[int, Receipt]) -> BatchResult:
    return BatchResult(CONFIRMED, {index: receipt for index, receipt in found.items() if receipt != CONFIRMED})


def connect(settings: ConnectionSettings, credentials: Credentials, link: Link) -> Vendor:
    """A Klaviyo account. It has no settings."""
    return Klaviyo(credentials, link)
