"""Writes values of people who are in the audience: a few one by one, more of them as a job. Contract, sections 4c, 4d.

A value that its field does not take costs the value: the person is written again without it. Both ways write merge
fields and nothing else, so whatever is sent twice leaves the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import NamedTuple

from pydantic import TypeAdapter

from shared.errors import ExportError, LeaseLost, OutcomeUnknown
from shared.vendors.answers import Answer, Unreadable
from shared.vendors.contract import CONFIRMED, Evidence, Kind, Outcome, Receipt, Retry, Row
from shared.vendors.mailchimp import errors, people, receipts, requests, responses
from shared.vendors.mailchimp.client import MailchimpBoard, MailchimpCalls
from shared.vendors.mailchimp.definition import DEFINITION, MOST_DIRECT
from shared.vendors.mailchimp.people import MergeValues, Slot
from shared.vendors.mailchimp.requests import Update
from shared.vendors.mailchimp.responses import Job
from shared.wording import kept, read, say

ROUNDS = 3
"""So many jobs one after the other for people whom Mailchimp was too busy for."""
_BUSY = frozenset({0, 429})


class KeptReceipt(NamedTuple):
    """A receipt, as a job keeps it."""

    outcome: Outcome
    code: str
    reason: str
    retry: Retry | None
    evidence: Evidence | None
    left_out: tuple[str, ...]

    @staticmethod
    def of(receipt: Receipt) -> KeptReceipt:
        return KeptReceipt(
            receipt.outcome,
            receipt.code,
            kept(receipt.reason),
            receipt.retry,
            receipt.evidence,
            receipt.left_out,
        )

    def receipt(self) -> Receipt:
        reason = read(self.reason)
        return Receipt(self.outcome, self.code, reason, self.retry, self.evidence, left_out=self.left_out)


@dataclass(frozen=True, slots=True)
class StagedUpdates:
    """A job of Mailchimp's: the rows that it writes, and what became of the others of the batch so far. `started` is
    in seconds since 1970."""

    started: float
    id: str
    rows: tuple[int, ...]
    found: Mapping[int, KeptReceipt] = field(default_factory=dict)
    round: int = 1

    def text(self) -> str:
        return _JOB.dump_json(self).decode()

    @staticmethod
    def parse(text: str) -> StagedUpdates:
        return _JOB.validate_json(text)


_JOB = TypeAdapter(StagedUpdates)


@dataclass(slots=True)
class Updates:
    """Values of the rows of one batch."""

    calls: MailchimpCalls
    audience_id: str
    kind: Kind
    slots: Mapping[str, Slot]
    rows: Sequence[Row]

    def needed(self, indices: Sequence[int]) -> list[int]:
        """The rows that have a value to write."""
        return [index for index in indices if self._written(index).fields]

    def nothing_to_write(self, index: int) -> Receipt:
        return CONFIRMED.without(self._written(index).left_out)

    def start(self, indices: Sequence[int]) -> str:
        """The id of a job for these rows. Raises what a call raises, and RetryAfter where Mailchimp refuses it."""
        updates = [self._update(index) for index in indices]
        answer = self.calls.call(requests.make_job(self.audience_id, updates))
        if answer.status != 200:
            reason = say("Mailchimp refuses a job (%(why)s).", why=errors.words(answer))
            raise Unreadable(reason)
        found = responses.job(answer)
        assert found is not None, "an answer with status 200 names the job"
        return found.id

    def write(self, indices: Sequence[int]) -> dict[int, Receipt]:
        """One after the other, as many at once as may be. Raises RetryAfter and UserMustAct where nobody could be
        written; later such rows are left to the next run."""
        if not indices:
            return {}
        first, *others = indices
        found = {first: self._write(first)}
        with ThreadPoolExecutor(DEFINITION.concurrency, thread_name_prefix="updates") as pool:
            return found | dict(zip(others, pool.map(self._write_or_leave, others), strict=True))

    def of_job(self, indices: Sequence[int], found: Mapping[str, int]) -> tuple[dict[int, Receipt], list[int]]:
        """Receipts of a job's rows, and the rows that Mailchimp was too busy for. Whom it refused is written alone,
        since a job may not heed what goes with a call."""
        told: dict[int, Receipt] = {}
        busy: list[int] = []
        alone: list[int] = []
        for index in indices:
            status = found.get(str(index), 0)
            if 200 <= status < 300:
                told[index] = self.nothing_to_write(index)
            elif status == 404:
                told[index] = receipts.missing(self.kind)
            elif status in _BUSY or status >= 500:
                busy.append(index)
            else:
                alone.append(index)
        return told | self.write(alone), busy

    def _write_or_leave(self, index: int) -> Receipt:
        try:
            return self._write(index)
        except LeaseLost:
            raise
        except ExportError as error:
            return _unknown(error)

    def _write(self, index: int) -> Receipt:
        try:
            return self._written_alone(index)
        except OutcomeUnknown as error:
            return _unknown(error)

    def _written_alone(self, index: int) -> Receipt:
        without: tuple[str, ...] = ()
        while True:
            said = self._written(index, without)
            update = Update("", self._member(index), requests.values(said.fields))
            answer = self.calls.call(requests.update(self.audience_id, update))
            wrong = [tag for tag in _blamed(answer) if tag in said.fields]
            if not wrong:
                return self._written_receipt(index, said, answer)
            without = (*without, *wrong)

    def _written_receipt(self, index: int, said: MergeValues, answer: Answer) -> Receipt:
        if answer.status == 404:
            return receipts.missing(self.kind)
        if answer.status >= 400:
            names = [*said.left_out, *said.sent]
            return receipts.values_refused(self.kind, errors.words(answer), names)
        answer.expect(DEFINITION.label, 200)
        return CONFIRMED.without(said.left_out)

    def _update(self, index: int) -> Update:
        return Update(str(index), self._member(index), requests.values(self._written(index).fields))

    def _member(self, index: int) -> str:
        return people.place_of(people.address_of(self.rows[index]))

    def _written(self, index: int, without: Sequence[str] = ()) -> MergeValues:
        return people.written(self.rows[index], self.slots, without)


def results(calls: MailchimpCalls, board: MailchimpBoard, job: Job) -> Mapping[str, int]:
    """What became of a job's operations. The address of its results is good for ten minutes; where that has run out,
    Mailchimp is asked for another one. Raises Unreadable and what a call raises."""
    packed = calls.results(job.results) if job.results else None
    if packed is None:
        again = board.anew(job.id)
        packed = calls.results(again.results) if again is not None and again.results else None
    if packed is None:
        raise Unreadable(say("The results of a job of Mailchimp's could not be fetched."))
    return responses.results(packed)


def keep(found: Mapping[int, Receipt]) -> Mapping[int, KeptReceipt]:
    return {index: KeptReceipt.of(receipt) for index, receipt in found.items() if receipt != CONFIRMED}


def is_for_a_job(rows: Sequence[int]) -> bool:
    return len(rows) > MOST_DIRECT


def _unknown(error: ExportError) -> Receipt:
    return Receipt(Outcome.UNKNOWN, "unknown", error.words)


def _blamed(answer: Answer) -> list[str]:
    return errors.wrong_fields(answer.object_or_empty()) if answer.status == 400 else []
