"""Carries out a batch as imports of Klaviyo's, one after the other, so that a batch has one open at any time.

An import is refused as a whole for one wrong value. The rows and fields that are named go, the rest is sent again; what
names nobody is halved. When the answer to an import is lost, Klaviyo is asked whether it has it: nothing is sent twice
at once, and nobody is taken for sent who was not. Facts: Klaviyo contract, section 3.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import orjson
from pydantic import TypeAdapter

from shared.errors import OutcomeUnknown
from shared.mailbox import normalised
from shared.vendors import lists
from shared.vendors.answers import Answer
from shared.vendors.batches import EXTRA_REQUESTS
from shared.vendors.contract import Kind, Row, TargetFound
from shared.vendors.klaviyo import errors, people, receipts, requests, responses
from shared.vendors.klaviyo.client import KlaviyoBoard, KlaviyoCalls
from shared.vendors.klaviyo.definition import DEFINITION, MOST_BYTES, MOST_PROFILE_BYTES, MOST_ROWS
from shared.vendors.klaviyo.errors import KlaviyoComplaint
from shared.vendors.presence import not_looked_at
from shared.wording import say

ROUNDS = 5
"""So many times named rows are taken out of one import, which may name the first of them only; then it is halved."""
LOST_PAUSES = (1.0, 4.0, 15.0)
"""Seconds to wait, one after the other, before an import goes out again that Klaviyo did not get."""

MISSING = "missing"
"""Stands for the receipt of a change whose person Klaviyo does not have."""


class ImportPart(NamedTuple):
    """The rows up to `stop`. `id` is their import, None where nobody was left to be sent; `refusal` says why Klaviyo
    refused the rest of the batch."""

    stop: int
    id: str | None = None
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class StagedImport:
    """Parts of a batch so far. `started` is when the last one was (seconds since 1970)."""

    started: float
    parts: tuple[ImportPart, ...] = ()
    skipped: Mapping[int, str] = field(default_factory=dict)
    """Rows that were not sent -> code of their receipt."""
    without: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    """Rows that were sent without these fields, whose values Klaviyo did not take."""
    spent: int = 0
    """Requests that were refused."""

    @property
    def stop(self) -> int:
        """The first row that is in no part yet."""
        return self.parts[-1].stop if self.parts else 0

    def spans(self) -> Iterator[tuple[ImportPart, list[int]]]:
        """Each part with the rows that were sent in it, in the order in which they were."""
        start = 0
        for part in self.parts:
            yield part, [index for index in range(start, part.stop) if index not in self.skipped]
            start = part.stop

    def text(self) -> str:
        return _JOB.dump_json(self).decode()

    @staticmethod
    def parse(text: str) -> StagedImport:
        return _JOB.validate_json(text)


_JOB = TypeAdapter(StagedImport)


@dataclass(slots=True)
class _Draft:
    """The people of a batch from row `first` on, as they go out, and what is found out about them on the way."""

    rows: Sequence[Row]
    first: int
    dates: Sequence[str]
    emails: dict[int, str] = field(default_factory=dict)
    people: dict[int, bytes] = field(default_factory=dict)
    skipped: dict[int, str] = field(default_factory=dict)
    without: dict[int, tuple[str, ...]] = field(default_factory=dict)

    def write(self, index: int) -> None:
        entry = requests.person(self.rows[index], self.emails[index], self.dates, self.without.get(index, ()))
        if len(entry) > MOST_PROFILE_BYTES:
            self.skip(index, receipts.TOO_LARGE.code)
        else:
            self.people[index] = entry

    def skip(self, index: int, code: str) -> None:
        self.skipped[index] = code
        self.people.pop(index, None)

    def take_out(self, index: int, wrong: str) -> None:
        """The field of this row, where it has that and can be sent without it; else the whole row."""
        without = self.without.get(index, ())
        if wrong == "email":
            self.skip(index, receipts.INVALID_EMAIL.code)
        elif wrong in without or wrong not in requests.fields(self.rows[index].values):
            self.skip(index, receipts.INVALID_DATA.code)
        else:
            self.without[index] = (*without, wrong)
            self.write(index)

    def group(self, most_rows: int, most_bytes: int) -> list[int]:
        """Rows of the next import, at least one where there is any."""
        found: list[int] = []
        size = 0
        for index in range(self.first, len(self.rows)):
            if index not in self.people:
                continue
            length = len(self.people[index]) + 1
            if found and (len(found) == most_rows or size + length > most_bytes):
                break
            found.append(index)
            size += length
        return found

    def stop_after(self, group: Sequence[int]) -> int:
        """Rows behind the group that are not sent belong to it too, if nobody else follows."""
        if group and any(index > group[-1] for index in self.people):
            return group[-1] + 1
        return len(self.rows)


class Imports:
    """Starts imports. Thread safe; one import goes out at a time, so that a lost one can be told from the others."""

    def __init__(self, calls: KlaviyoCalls, board: KlaviyoBoard) -> None:
        self._calls = calls
        self._board = board
        self._unsubscribed = people.opted_out(calls)
        self._sending = threading.Lock()
        self._others: set[str] | None = None
        """Imports that Klaviyo has and that are not the one which is under way; None before the first."""
        self._most_bytes = MOST_BYTES

    def start(
        self, target: TargetFound, kind: Kind, rows: Sequence[Row], before: StagedImport, clock: Callable[[], float]
    ) -> StagedImport:
        """The job with its next part. Raises what a call raises, when nothing of that part was done."""
        draft = self._draft(target, kind, rows, before.stop)
        most_rows, rounds, spent = MOST_ROWS, 0, before.spent
        while group := draft.group(most_rows, self._most_bytes):
            answer = self._send(target, kind, [draft.people[index] for index in group])
            if isinstance(answer, str):
                return _then(before, draft, ImportPart(draft.stop_after(group), answer), spent, clock())
            spent += 1
            if spent > EXTRA_REQUESTS:
                return _then(before, draft, ImportPart(len(rows), refusal=errors.words(answer)), spent, clock())
            if responses.too_large(answer):
                self._make_smaller(draft, group)
                continue
            found = errors.complaints(answer)
            self._confirm_list(target, found, answer)
            named = {(group[each.row], each.field) for each in found if each.row is not None and each.row < len(group)}
            for index, wrong in sorted(named):
                if index in draft.people:
                    draft.take_out(index, wrong)
            rounds += 1 if named else ROUNDS
            if not named and len(group) == 1:
                draft.skip(group[0], receipts.INVALID_DATA.code)
                most_rows, rounds = MOST_ROWS, 0
            elif rounds >= ROUNDS:
                most_rows, rounds = max(len(group) // 2, 1), 0
        return _then(before, draft, ImportPart(len(rows)), spent, clock())

    def _make_smaller(self, draft: _Draft, group: Sequence[int]) -> None:
        """Halve what an import may have. Where one person is too large alone, the others were not to blame."""
        if len(group) > 1:
            self._most_bytes = sum(len(draft.people[index]) + 1 for index in group) // 2
        else:
            draft.skip(group[0], receipts.TOO_LARGE.code)
            self._most_bytes = MOST_BYTES

    def _draft(self, target: TargetFound, kind: Kind, rows: Sequence[Row], first: int) -> _Draft:
        draft = _Draft(rows, first, dates_of(target))
        if kind is Kind.CHANGE:
            self._look_up(draft)
        else:
            left = self._unsubscribed.of(target.list_id)
            for index in range(first, len(rows)):
                address = normalised(rows[index].address)
                if address in left:
                    draft.skip(index, receipts.LEFT_ALONE.code)
                else:
                    draft.emails[index] = address
        taken = set[str]()
        for index, email in draft.emails.items():
            if normalised(email) in taken:  # of two rows of one person in an import either may be dropped
                draft.skip(index, receipts.SAME_PERSON.code)
                continue
            taken.add(normalised(email))
            draft.write(index)
        return draft

    def _look_up(self, draft: _Draft) -> None:
        """Nobody is changed whom Klaviyo does not have: it would make them anew. Whoever has another address there by
        now is found by their id, and keeps that address."""
        wanted = range(draft.first, len(draft.rows))
        ids = [vendor_id for index in wanted if (vendor_id := draft.rows[index].vendor_id)]
        by_id = people.among(self._calls, ids, lambda group: requests.profiles("id", group))
        known = {each.id: each for each in by_id.profiles() if each.email}
        left = [index for index in wanted if draft.rows[index].vendor_id not in known]
        addresses = [normalised(draft.rows[index].address) for index in left]
        found = people.among(self._calls, addresses, lambda group: requests.profiles("email", group))
        profiles = found.by_address()
        for index in wanted:
            row = draft.rows[index]
            address = normalised(row.address)
            profile = known.get(row.vendor_id or "") or profiles.get(address)
            if profile is not None:
                draft.emails[index] = profile.email
            else:
                draft.skip(index, not_looked_at(DEFINITION.label).code if address in found.unasked else MISSING)

    def _confirm_list(self, target: TargetFound, found: Sequence[KlaviyoComplaint], answer: Answer) -> None:
        """Raises UserMustAct `target_vanished` where the list is what the import was refused for, and gone."""
        if answer.status != 404 and not any(each.names_list for each in found):
            return
        if self._calls.ask(requests.list_by_id(target.list_id), responses.listed) is None:
            raise lists.vanished(DEFINITION.label, target.list_id)

    def _send(self, target: TargetFound, kind: Kind, sent: Sequence[bytes]) -> str | Answer:
        """The id of the import, or the answer that refuses it. Raises OutcomeUnknown where even Klaviyo's list of
        imports does not tell whether it was taken on."""
        request = requests.import_people(kind, target.list_id, sent)
        on_list = frozenset((target.list_id,)) if kind is Kind.ADD else frozenset[str]()
        with self._sending:
            if self._others is None:
                self._others = {each.id for each in self._board.newest()}
            for pause in (*LOST_PAUSES, None):
                try:
                    answer = self._calls.call(request)
                    return answer if answer.status >= 300 else self._ours(responses.started(answer))
                except OutcomeUnknown as error:
                    lost = error
                if found := self._found(len(sent), on_list):
                    return self._ours(found)
                if pause is None:
                    raise lost
                self._calls.wait(pause)
        raise AssertionError("the last round returns or raises")

    def _ours(self, job_id: str) -> str:
        assert self._others is not None
        self._others.add(job_id)
        return job_id

    def _found(self, size: int, on_list: frozenset[str]) -> str | None:
        """The import whose answer was lost, if Klaviyo has it. Raises OutcomeUnknown where it may be any of several."""
        assert self._others is not None
        new = [each for each in self._board.newest() if each.id not in self._others]
        fitting = [each.id for each in new if each.total == size and each.lists in (None, on_list)]
        if len(fitting) > 1:
            self._others |= {*fitting}
            raise OutcomeUnknown(say("Klaviyo has several imports that may be the one whose answer was lost."))
        return fitting[0] if fitting else None


def dates_of(target: TargetFound) -> Sequence[str]:
    """Names of the fields of type date."""
    names: list[str] = orjson.loads(target.details.get("dates", "[]"))
    return names


def _then(before: StagedImport, draft: _Draft, part: ImportPart, spent: int, now: float) -> StagedImport:
    """Only what was found out about rows of this part is kept: the others are looked at with theirs."""
    rows = range(before.stop, part.stop)
    return replace(
        before,
        started=now,
        parts=(*before.parts, part),
        skipped={**before.skipped, **{row: code for row, code in draft.skipped.items() if row in rows}},
        without={**before.without, **{row: names for row, names in draft.without.items() if row in rows}},
        spent=spent,
    )
