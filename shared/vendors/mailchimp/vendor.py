"""Mailchimp's calls, in order. Facts: Mailchimp contract, sections 1 to 11.

A connection names one audience, and a target is one tag in it. Nobody's status is ever touched: people who are in the
audience get merge fields and the tag, and new people are added only as the connection's decision says.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import NamedTuple
from urllib.parse import quote

from shared.errors import ExportError, LeaseLost, OutcomeUnknown, RetryAfter, UserMustAct
from shared.mailbox import normalised
from shared.vendors import batches, lists, rolls
from shared.vendors.answers import Unreadable
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
    Outcome,
    Receipt,
    Row,
    Seen,
    TargetFound,
    TargetWanted,
    Vendor,
)
from shared.vendors.http import Credentials, Link
from shared.vendors.mailchimp import looking, opt_outs, people, receipts, requests, responses, targets, updating
from shared.vendors.mailchimp.client import MailchimpBoard, MailchimpCalls
from shared.vendors.mailchimp.definition import (
    DEFINITION,
    MOST_PAGE,
    MOST_SHOWN_TAGS,
    NEW_PEOPLE,
    REFUSED,
)
from shared.vendors.mailchimp.importing import Newcomers
from shared.vendors.mailchimp.left_alone import Untouched
from shared.vendors.mailchimp.responses import MailchimpAccount, Standing
from shared.vendors.mailchimp.tagging import Tagging
from shared.vendors.mailchimp.updating import StagedUpdates, Updates
from shared.vendors.opt_outs import OptOutRoll
from shared.vendors.presence import Presence, told
from shared.wording import say, together

JOB_SECONDS = 6 * 3600.0
"""After so long a job that has not ended, or whose results cannot be read, is given up; Mailchimp promises no time."""
RESEND_SECONDS = 60.0
READING_SECONDS = 120.0
"""So long results of ended jobs are read in one go; the rest is the next slice's: a worker lives for minutes."""

_CALL_ROLES = frozenset({"viewer", "author"})


class Mailchimp(Vendor):
    """One audience of a Mailchimp account. `clock` tells seconds since 1970."""

    def __init__(
        self,
        settings: ConnectionSettings,
        credentials: Credentials,
        link: Link,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._clock = clock
        self._audience_id = quote(str(settings.get("audience_id", "")).strip(), safe="")
        self._new_people = str(settings.get(NEW_PEOPLE, REFUSED))
        self._creates_fields = settings.get("create_fields") is True
        self._calls = MailchimpCalls(settings, credentials, link)
        self._board = MailchimpBoard(self._calls, clock)
        self._left_alone = Untouched(self._calls, self._audience_id)
        # How long the audience is nobody knows here: the tag's people are a part of it.
        self._presence = Presence(DEFINITION, self._is_known, lambda _: self._audience_pages(), link.limiter)
        self._account: MailchimpAccount | None = None
        self._read = 0.0
        """Seconds for which results of jobs were read."""

    def account(self) -> str:
        """`mailchimp-<account id>`: one request, then kept. Raises what a call raises."""
        return f"{DEFINITION.name}-{self._known_account().id}"

    def check(self) -> CheckResult:
        """Four requests, one for each thing that a connection may lack; none of them changes anything."""
        return checked(DEFINITION.label, self._checked)

    def targets(self) -> Sequence[TargetFound]:
        """The audience's tags by name. Raises what a call raises."""
        audience_id = self._audience()
        found = lists.for_picker(targets.every(self._calls, audience_id))
        return [targets.found_tag(audience_id, each) for each in found]

    def warnings_of(self, wanted: TargetWanted, remembered: TargetFound | None) -> Sequence[str]:
        """What a first run does besides, and which fields the audience requires. Raises UserMustAct
        `target_vanished`."""
        self._find(wanted, remembered)
        if remembered:
            return ()
        audience = self._calls.ask(requests.audience(self._audience()), responses.audience)
        required = targets.required_warning(self._fields()) if self._new_people != REFUSED else []
        return (*targets.warnings(audience, self._new_people), *required)

    def field_types(self) -> Mapping[str, FieldType]:
        """Types of the audience's merge fields, by tag."""
        found = {each.tag: targets.fit(each).type for each in self._fields()} if self._audience_id else {}
        return {tag: kind for tag, kind in found.items() if kind is not None}

    def fits(self, wanted: TargetWanted, remembered: TargetFound | None, names: Collection[str]) -> Mapping[str, Fit]:
        """What the audience's merge fields take, with their choices."""
        there = self._fields()
        found = {name: field for name in names if (field := targets.find(there, name))}
        return {name: targets.fit(field) for name, field in found.items() if field.type != people.PLACE}

    def prepare(
        self, wanted: TargetWanted, remembered: TargetFound | None, fields: Mapping[str, FieldType]
    ) -> TargetFound:
        """By the given or remembered id, else by name, else made; and the merge fields that the data matching means.

        Raises UserMustAct: `target_vanished`, `target_refused`, `fields_missing`, `field_type`, `field_twice`,
        `field_refused`.
        """
        audience_id = self._audience()
        there = self._fields()
        slots = targets.slots(self._calls, audience_id, fields, there, make=self._creates_fields)
        found = self._find(wanted, remembered) or targets.made(self._calls, audience_id, wanted.name)
        adds = self._new_people != REFUSED
        required = targets.required_warning(there, (slot.tag for slot in slots.values())) if adds else []
        return replace(found, warnings=tuple(required), details={"fields": people.pack(slots)})

    def build(self, target: TargetFound, kind: Kind, row: Row) -> object:
        address = people.address_of(row)
        if kind is Kind.REMOVE:
            return requests.tagging(self._audience_id, target.list_id, kind, [address])
        said = people.written(row, people.slots_of(target))
        return people.place_of(address), requests.newcomer(address, self._new_people, said.fields)

    def deliver(self, target: TargetFound, kind: Kind, rows: Sequence[Row]) -> BatchResult:
        """Additions are added, tagged and written; changes are written; removals take the tag off. The values of many
        people are staged, as a job."""
        if not rows:
            return BatchResult(CONFIRMED)
        if kind is Kind.REMOVE:
            result = Tagging(self._calls, target, kind, rows, self._presence).carry_out(range(len(rows)))
            others = (result.default, *result.others.values())
            return replace(result, warnings=(*result.warnings, *told(DEFINITION.label, kind, others)))
        found = self._not_sent(rows)
        rest = [index for index in range(len(rows)) if index not in found]
        if kind is Kind.ADD:
            added = self._added(target, rows, rest)
            found |= added.told
            rest = added.to_write
        return self._write(self._updates(target, kind, rows), rest, found)

    def settle(self, target: TargetFound, kind: Kind, rows: Sequence[Row], job: str) -> BatchResult | None:
        """One request for all jobs that were asked about within two seconds, and one for the results of each that has
        ended. People for whom Mailchimp was too busy are written again, by another job where they are many. What cannot
        be read of a job for hours is given up."""
        parsed = StagedUpdates.parse(job)
        before = {index: each.receipt() for index, each in parsed.found.items()}
        state = self._board.state(parsed.id)
        if state is None:
            return _answered(before | dict.fromkeys(parsed.rows, receipts.JOB_GONE))
        late = self._clock() - parsed.started >= JOB_SECONDS
        if not state.over:
            return _answered(before | dict.fromkeys(parsed.rows, receipts.JOB_LATE)) if late else None
        if self._read > READING_SECONDS:
            return None
        began = self._clock()
        try:
            updates = self._updates(target, kind, rows)
            found, busy = updates.of_job(parsed.rows, updating.results(self._calls, self._board, state))
            if parsed.round < updating.ROUNDS and updating.is_for_a_job(busy):
                return self._job(updates, busy, before | found, parsed.round + 1)
            return _answered(before | found | updates.write(busy))
        except (OutcomeUnknown, Unreadable) as error:
            if late:
                return _answered(before | dict.fromkeys(parsed.rows, receipts.NOT_NAMED))
            reason = error.reason
        finally:
            self._read += max(self._clock() - began, 0.0)
        # The job before is known, and what it did may be done again.
        raise RetryAfter(RESEND_SECONDS, reason)

    def has_ended(self, kind: Kind, job: str) -> bool:
        state = self._board.state(StagedUpdates.parse(job).id)
        return state is None or state.over

    def members(self, target: TargetFound) -> Iterator[str]:
        """Addresses of everyone who has the tag, whatever their status; people without an address are left out."""
        audience_id, tag_id = targets.parts_of(target)

        def ask(offset: int) -> Sequence[str]:
            return self._calls.ask(
                requests.tagged(audience_id, tag_id, offset), partial(responses.tagged_page, target.list_id)
            )

        return filter(None, rolls.every(DEFINITION.label, ask, MOST_PAGE))

    def count(self, target: TargetFound) -> Count | None:
        """Two requests: who gets something, and everybody."""
        audience_id, tag_id = targets.parts_of(target)
        active, everybody = (
            self._calls.ask(
                requests.tagged_count(audience_id, tag_id, everybody=each), partial(responses.total, target.list_id)
            )
            for each in (False, True)
        )
        return looking.count(active, everybody)

    def opt_outs(self, lists: Sequence[str]) -> Sequence[OptOutRoll]:
        return opt_outs.rolls(self._calls, self._audience())

    def opposed(self, target: TargetFound, rows: Sequence[Row]) -> Collection[int]:
        """Whoever is left alone, by the same lists as before additions."""
        places = (people.place_of(people.address_of(row)) for row in rows)
        return {index for index, place in enumerate(places) if self._left_alone.status(place)}

    def knows(
        self, wanted: TargetWanted, remembered: TargetFound | None, addresses: Sequence[str]
    ) -> Sequence[bool] | None:
        """Whoever is in the audience, in whatever status."""
        return [self._is_known(each) for each in addresses]

    def see(self, target: TargetFound, row: Row) -> Seen:
        audience_id, tag_id = targets.parts_of(target)
        place = people.place_of(people.address_of(row))
        member = self._calls.ask(requests.member(audience_id, place), responses.member)
        if member is not None and member.tags_count > MOST_SHOWN_TAGS:
            every = self._calls.ask(requests.member_tags(audience_id, place), responses.member_tags)
            member = replace(member, tags=every)
        return looking.seen(tag_id, row, people.slots_of(target), member)

    def _checked(self) -> CheckResult:
        found = self._known_account()
        try:
            audience_id = self._audience()
            audience = self._calls.ask(requests.audience(audience_id), responses.audience)
        except UserMustAct as error:
            if error.code not in ("audience_missing", "audience_unknown"):
                raise
            return targets.offer(self._calls.ask(requests.audiences(), responses.audiences), error)
        self._calls.ask(requests.tags(audience_id, 0, count=1), responses.tags)
        self._fields()
        connected = say(
            "Connected to Mailchimp as %(account)s, audience %(audience)s.", account=found.name, audience=audience.name
        )
        role = say("This key's role (%(role)s) may not be allowed to change the audience.", role=found.role)
        return CheckResult(
            True,
            together([connected, role if found.role in _CALL_ROLES else ""]),
            account=self.account(),
            details={"account": found.id, "name": found.name, "audience": audience.name},
        )

    def _known_account(self) -> MailchimpAccount:
        if self._account is None:
            self._account = self._calls.ask(requests.root(), responses.account)
        return self._account

    def _audience(self) -> str:
        """Raises UserMustAct `audience_missing`."""
        if not self._audience_id:
            raise UserMustAct("audience_missing", say("The connection does not say which Mailchimp audience is meant."))
        return self._audience_id

    def _fields(self) -> list[responses.MergeField]:
        return self._calls.ask(requests.fields(self._audience()), responses.fields)

    def _find(self, wanted: TargetWanted, remembered: TargetFound | None) -> TargetFound | None:
        """None only where there is no tag of the name yet."""
        if list_id := wanted.known_id(remembered):
            return targets.by_id(self._calls, self._audience(), list_id)
        return targets.by_name(self._calls, self._audience(), wanted.name)

    def _is_known(self, address: str) -> bool:
        question = requests.member(self._audience(), people.place_of(normalised(address)))
        return self._calls.ask(question, responses.member) is not None

    def _audience_pages(self) -> Iterator[Sequence[str]]:
        """Addresses of the people who may be tagged, page by page."""

        def ask(status: str, offset: int) -> Sequence[Standing]:
            question = requests.members(self._audience(), status, offset, "email_address")
            return self._calls.ask(question, responses.addresses)

        for status in ("subscribed", "transactional"):
            found = rolls.every(DEFINITION.label, partial(ask, status), MOST_PAGE)
            while page := [each.who for each in islice(found, MOST_PAGE)]:
                yield page

    def _not_sent(self, rows: Sequence[Row]) -> dict[int, Receipt]:
        """Receipts of people who are left alone, and of the second of two rows of one person."""
        found: dict[int, Receipt] = {}
        taken = set[str]()
        for index, row in enumerate(rows):
            place = people.place_of(people.address_of(row))
            if status := self._left_alone.status(place):
                found[index] = receipts.LEFT_ALONE[status]
            elif place in taken:
                found[index] = receipts.SAME_PERSON
            taken.add(place)
        return found

    def _updates(self, target: TargetFound, kind: Kind, rows: Sequence[Row]) -> Updates:
        audience_id, _ = targets.parts_of(target)
        return Updates(self._calls, audience_id, kind, people.slots_of(target), rows)

    def _added(self, target: TargetFound, rows: Sequence[Row], rest: Sequence[int]) -> _Added:
        """Add whoever is new, where that was decided, and tag all of them."""
        audience_id, _ = targets.parts_of(target)
        made: dict[int, Receipt] = dict.fromkeys(rest, receipts.EXISTS)
        known = frozenset[int]()
        if self._new_people != REFUSED and rest:
            newcomers = Newcomers(self._calls, audience_id, self._new_people, people.slots_of(target), rows)
            made = _by_row(newcomers.add(rest), rest)
            known = frozenset(index for index, receipt in made.items() if receipt.outcome is Outcome.ACCEPTED)
        there = [index for index, receipt in made.items() if receipt.outcome is Outcome.ACCEPTED]
        tagging = Tagging(self._calls, target, Kind.ADD, rows, self._presence, known)
        tagged = self._tagged(tagging, there, is_begun=bool(known))
        told = made | {index: receipt for index, receipt in tagged.items() if receipt.outcome is not Outcome.ACCEPTED}
        to_write = [index for index in there if made[index] == receipts.EXISTS and told[index] == receipts.EXISTS]
        return _Added({index: receipt for index, receipt in told.items() if index not in to_write}, to_write)

    def _tagged(self, tagging: Tagging, there: Sequence[int], *, is_begun: bool) -> dict[int, Receipt]:
        """Once people were added there is no way back: whoever gets no tag now gets it by the next run. Where the tag
        is gone nobody of the batch is on the target, whoever was added. Raises UserMustAct."""
        waited = 0.0
        while there:
            try:
                return _by_row(tagging.carry_out(there), there)
            except RetryAfter as error:
                if not is_begun:
                    raise
                pause = max(error.seconds, 1.0)
            waited += pause
            if waited > batches.MID_BATCH_PATIENCE:
                return dict.fromkeys(there, receipts.TAG_PENDING)
            self._calls.wait(pause)
        return {}

    def _write(self, updates: Updates, rest: Sequence[int], found: dict[int, Receipt]) -> BatchResult:
        """Values of people who are in the audience already. Whoever has the tag by now keeps it, whatever comes."""
        needed = updates.needed(rest)
        found |= {index: updates.nothing_to_write(index) for index in {*rest} - {*needed}}
        try:
            if updating.is_for_a_job(needed):
                return self._job(updates, needed, found)
            return _answered(found | updates.write(needed))
        except LeaseLost:
            raise
        except ExportError:
            if updates.kind is not Kind.ADD:
                raise
        return _answered(found | dict.fromkeys(needed, receipts.VALUES_PENDING))

    def _job(
        self, updates: Updates, indices: Sequence[int], found: Mapping[int, Receipt], number: int = 1
    ) -> BatchResult:
        job_id = updates.start(indices)
        job = StagedUpdates(self._clock(), job_id, tuple(indices), updating.keep(found), number)
        return BatchResult(CONFIRMED, staged=job.text())


class _Added(NamedTuple):
    """Receipts of an addition's rows, and the rows of people who were there before, whose values are still to write."""

    told: dict[int, Receipt]
    to_write: list[int]


def _by_row(result: BatchResult, indices: Sequence[int]) -> dict[int, Receipt]:
    return {index: result.others.get(index, result.default) for index in indices}


def _answered(found: Mapping[int, Receipt]) -> BatchResult:
    return BatchResult(CONFIRMED, {index: receipt for index, receipt in found.items() if receipt != CONFIRMED})


def connect(settings: ConnectionSettings, credentials: Credentials, link: Link) -> Vendor:
    """A Mailchimp audience."""
    return Mailchimp(settings, credentials, link)
