"""Dotdigital's calls, in order. Facts: Dotdigital contract, sections 1 to 8."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial

import orjson

from shared.errors import OutcomeUnknown, RetryAfter, Unprocessable
from shared.vendors import lists, presence
from shared.vendors.answers import Answer, Request
from shared.vendors.checking import checked
from shared.vendors.contract import (
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
from shared.vendors.dotdigital import looking, opt_outs, receipts, requests, responses, targets
from shared.vendors.dotdigital.client import Calls
from shared.vendors.dotdigital.definition import DEFINITION, OPT_IN
from shared.vendors.dotdigital.receipts import JobProgress, Results
from shared.vendors.dotdigital.responses import Members
from shared.vendors.dotdigital.staging import Parts, StagedJob, dates_of, person
from shared.vendors.http import Credentials, Link
from shared.vendors.opt_outs import OptOutRoll
from shared.wording import say

JOB_SECONDS = 12 * 3600.0
"""After so long a job that has not ended is given up; Dotdigital promises no time."""
_RESEND_SECONDS = 60.0


class Dotdigital(Vendor):
    """One Dotdigital account, reached as one API user. Raises Unprocessable for a default list that is no id."""

    def __init__(self, settings: ConnectionSettings, credentials: Credentials, link: Link) -> None:
        if not str(settings.get("list_id") or "0").strip().isdecimal():
            raise Unprocessable("unknown_setting", say("The default list is given by its id in Dotdigital, a number."))
        self._create_fields = bool(settings.get("create_fields"))
        self._calls_per_minute = int(settings["calls_per_minute"])
        self._calls = Calls(credentials, link)
        self._parts = Parts(self._calls)
        self._known_fields: Mapping[str, str] | None = None

    def account(self) -> str:
        """`dotdigital-<account id>`: one request, then kept. Raises what a call raises."""
        return f"{DEFINITION.name}-{self._calls.account().id}"

    def check(self) -> CheckResult:
        """One request to r1 and one to the account's region."""
        return checked(DEFINITION.label, self._checked)

    def targets(self) -> Sequence[TargetFound]:
        """The account's lists by name, without those that Dotdigital keeps. Raises what a call raises."""
        return [each.target for each in lists.for_picker(targets.every(self._calls))]

    def warnings_of(self, wanted: TargetWanted, remembered: TargetFound | None) -> Sequence[str]:
        """None. Raises UserMustAct: `target_vanished`, `target_reserved`."""
        if list_id := wanted.known_id(remembered):
            targets.by_id(self._calls, list_id)
        return ()

    def field_types(self) -> Mapping[str, FieldType]:
        """Types of the account's data fields, which a `prepare` that follows need not ask for. Raises what a call
        raises."""
        self._known_fields = known = self._calls.ask(requests.fields(), responses.fields)
        return {name: responses.FIELD_TYPES[kind] for name, kind in known.items() if kind in responses.FIELD_TYPES}

    def prepare(
        self, wanted: TargetWanted, remembered: TargetFound | None, fields: Mapping[str, FieldType]
    ) -> TargetFound:
        """Fields first, then the list: by the given or remembered id, else by exact name, else made.

        Raises UserMustAct: `fields_missing`, `field_type`, `field_name`, `field_refused`, `target_vanished`,
        `target_reserved`, `target_refused`.
        """
        warnings = self._prepare_fields({name: kind for name, kind in fields.items() if name != OPT_IN})
        list_id = wanted.known_id(remembered)
        found = targets.by_id(self._calls, list_id) if list_id else targets.by_name(self._calls, wanted.name)
        dates = sorted(name for name, kind in fields.items() if kind is FieldType.DATE)
        details = {"dates": orjson.dumps(dates).decode()} if dates else {}
        return TargetFound(found.list_id, found.name, found.created, warnings, details)

    def build(self, target: TargetFound, kind: Kind, row: Row) -> object:
        return requests.contact(row.address) if kind is Kind.REMOVE else person(target, kind, row, dates_of(target))

    def deliver(self, target: TargetFound, kind: Kind, rows: Sequence[Row]) -> BatchResult:
        """Start the batch's import or removal; its receipts come from `settle`."""
        return self._go_on(target, kind, rows, StagedJob(time.time()))

    def settle(self, target: TargetFound, kind: Kind, rows: Sequence[Row], job: str) -> BatchResult | None:
        """One request for most batches. One that needs several jobs gets the next one, which sends people; all it
        does may be done twice."""
        parsed = StagedJob.parse(job)
        known: dict[str, JobProgress] = {}
        if (last := parsed.parts[-1].id) is not None:
            known[last] = self._progress(kind, last)
            if receipts.under_way(kind, known[last]) and time.time() - parsed.started < JOB_SECONDS:
                return None
        try:
            return self._go_on(target, kind, rows, parsed, known)
        except OutcomeUnknown as error:
            reason = error.reason
        # The parts before are known by their jobs, so only this one is sent again.
        raise RetryAfter(_RESEND_SECONDS, reason)

    def has_ended(self, kind: Kind, job: str) -> bool:
        """One request; the parts before the last one had ended when it was started."""
        last = StagedJob.parse(job).parts[-1].id
        return last is None or not receipts.under_way(kind, self._progress(kind, last))

    def members(self, target: TargetFound) -> Iterator[str]:
        """Page by page; contacts without an address are left out."""
        for page in self._pages(target.list_id, requests.members, responses.members):
            yield from page.addresses

    def people(self, target: TargetFound) -> Iterator[tuple[str, str | None]]:
        asking = partial(requests.members, values=True)
        for page in self._pages(target.list_id, asking, responses.members_with_values):
            yield from zip(page.addresses, page.values, strict=True)

    def beside(self, target: TargetFound, row: Row, shown: str) -> Seen:
        return looking.beside(row, orjson.loads(shown))

    def _pages(
        self, list_id: str, asking: Callable[[str, str | None], Request], parse: Callable[[Answer], Members]
    ) -> Iterator[Members]:
        marker: str | None = None
        while True:
            page = self._calls.ask_page(asking(list_id, marker), parse)
            yield page
            if page.marker is None or page.marker == marker:
                return
            marker = page.marker

    def count(self, target: TargetFound) -> Count | None:
        """As the list itself shows it."""
        return self._calls.ask(requests.list_by_id(target.list_id), looking.count)

    def see(self, target: TargetFound, row: Row) -> Seen:
        return self._calls.ask(requests.contact(row.address), partial(looking.seen, target.list_id, row))

    def knows(
        self, wanted: TargetWanted, remembered: TargetFound | None, addresses: Sequence[str]
    ) -> Sequence[bool] | None:
        """Whoever is a contact of the account, on the list or off it."""
        return [self._calls.ask(requests.contact(each), looking.is_known) for each in addresses]

    def opt_outs(self, lists: Sequence[str]) -> Sequence[OptOutRoll]:
        return opt_outs.rolls(self._calls, lists)

    def opposed(self, target: TargetFound, rows: Sequence[Row]) -> Collection[int]:
        """By the same roll as before additions and removals."""
        return self._parts.unsubscribed(target.list_id, rows)

    def _checked(self) -> CheckResult:
        account = self._calls.account()
        region = self._calls.region().partition("-")[0]
        answer = self._calls.ask(requests.probe(), responses.probed)
        return CheckResult(
            True,
            say("Connected to Dotdigital (%(region)s).%(more)s", region=region, more=self._advice(answer)),
            account=self.account(),
            details={"region": region, "calls_remaining": account.calls_remaining, **_limit(answer)},
        )

    def _go_on(
        self,
        target: TargetFound,
        kind: Kind,
        rows: Sequence[Row],
        before: StagedJob,
        known: Mapping[str, JobProgress] | None = None,
    ) -> BatchResult:
        """Start the next part that has anything to do; the receipts of all parts once there is none."""
        job, warnings = before, list[str]()
        while job.stop < len(rows):
            try:
                started = self._parts.start(target, kind, rows, job.stop)
            except (RetryAfter, OutcomeUnknown):
                if job is before:
                    raise
                # What was found out so far is kept, or a long search would begin anew each time.
                return _staged(job, warnings)
            job = job.then(started, time.time())
            warnings += started.warnings
            if started.part.id is not None:
                return _staged(job, warnings)
        return self._receipts(kind, rows, job, known or {}, warnings)

    def _receipts(
        self, kind: Kind, rows: Sequence[Row], job: StagedJob, known: Mapping[str, JobProgress], warnings: Sequence[str]
    ) -> BatchResult:
        told_of = dict.fromkeys(job.left_alone, receipts.LEFT_ALONE)
        told_of |= dict.fromkeys(job.missing, presence.missing(DEFINITION.label)[kind])
        told = dict.fromkeys((*warnings, *presence.told(DEFINITION.label, kind, told_of.values())))
        for part, indices in job.spans():
            sent = [rows[index] for index in indices]
            if part.refusal:
                found = receipts.refused(sent, part.refusal)
            elif part.id is None:
                found = Results([CONFIRMED] * len(sent), [])
            else:
                progress = known[part.id] if part.id in known else self._progress(kind, part.id)
                found = receipts.read(kind, sent, progress)
            told_of |= zip(indices, found.receipts, strict=True)
            told |= dict.fromkeys(found.warnings)
        return _answered(told_of, list(told))

    def _progress(self, kind: Kind, job_id: str) -> JobProgress:
        ask = requests.removal_status if kind is Kind.REMOVE else requests.import_status
        return self._calls.ask(ask(job_id), responses.progress)

    def _prepare_fields(self, wanted: Mapping[str, FieldType]) -> list[str]:
        """Make the fields that are missing, if that is wished; what to tell people about it."""
        if not wanted:
            return []
        known, self._known_fields = self._known_fields, None
        if known is None:
            known = self._calls.ask(requests.fields(), responses.fields)
        made = targets.missing_fields(wanted, known, create=self._create_fields)
        for name, kind in made.items():
            responses.created_field(self._calls.call(requests.create_field(name, kind)))
        return [say("Made the data fields %(fields)s in Dotdigital.", fields=", ".join(made))] if made else []

    def _advice(self, answer: Answer) -> str:
        allowed = _limit(answer).get("calls_per_minute", "")
        if not allowed.isdecimal() or int(allowed) <= self._calls_per_minute:
            return ""
        return say(
            " It allows %(calls)s calls a minute: set 'Calls per minute' to that to use them.", calls=int(allowed)
        )


def _limit(answer: Answer) -> dict[str, str]:
    """The Low tier's limit, where the answer's headers tell it."""
    low = "low" in answer.headers.get("x-ratelimit-scope", "").lower()
    limit = answer.headers.get("x-ratelimit-limit", "").strip()
    return {"calls_per_minute": limit} if low and limit.isdecimal() else {}


def _staged(job: StagedJob, warnings: Sequence[str]) -> BatchResult:
    return BatchResult(CONFIRMED, staged=job.text(), warnings=warnings)


def _answered(receipts: Mapping[int, Receipt], warnings: Sequence[str]) -> BatchResult:
    others = {index: receipt for index, receipt in receipts.items() if receipt != CONFIRMED}
    return BatchResult(CONFIRMED, others, warnings=warnings)


connect = Dotdigital
