"""Answers to facts and receipts; nothing here talks to anyone. Facts: Omnisend contract, sections 1 to 7."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

from shared.errors import UserMustAct
from shared.vendors.answers import Answer, UnexpectedAnswer
from shared.vendors.batches import UNKNOWN, Reading, refused
from shared.vendors.contract import ACKNOWLEDGED, Outcome, Receipt, Retry
from shared.vendors.omnisend import problems
from shared.vendors.omnisend.problems import Complaint

STAGED = "staged"
"""Code of a receipt that is none yet: its `vendor_id` is the batch that the contact is in."""
OVER = frozenset({"finished", "stopped"})

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_NAMED = re.compile(r"(?:items|emails)[.\[](\d{1,4})\b")
_ABOUT_ADDRESS = re.compile(r"\bidentifiers?\b|\be-?mails?\b", re.IGNORECASE)
TOO_LARGE = Receipt(
    Outcome.REJECTED, "too_large", "Omnisend refuses this person's data as too large.", Retry.WHEN_CHANGED
)


@dataclass(frozen=True, slots=True)
class Brand:
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class ContactsPage:
    """`after` is the cursor of the next page, None on the last."""

    addresses: Sequence[str]
    after: str | None


@dataclass(frozen=True, slots=True)
class BatchState:
    """A batch as Omnisend tells it; counts are None where it does not."""

    id: str
    status: str
    total: int | None
    finished: int | None
    errors: int | None

    @property
    def over(self) -> bool:
        return self.status in OVER

    def complete(self, rows: int, failures: int) -> bool:
        """Nobody of so many rows is left open, and no more than `failures` of them went wrong."""
        # Whether those that went wrong count as finished is not published.
        counted = self.finished in (rows, rows - failures)
        return self.status == "finished" and self.total == rows and self.errors == failures and counted


@dataclass(frozen=True, slots=True)
class BatchesPage:
    batches: Sequence[BatchState]
    more: bool


def brand(answer: Answer) -> Brand:
    """Raises UnexpectedAnswer; so do all that follow, and UserMustAct when the version is retired."""
    body = _expected(answer, 200)
    brand_id, name = body.get("brandID"), body.get("name")
    if not _is_id(brand_id):
        raise UnexpectedAnswer("Omnisend's answer names no brand.")
    return Brand(brand_id, name if isinstance(name, str) else "")


def contacts(answer: Answer) -> ContactsPage:
    """A page of contacts; those without an address are left out."""
    body = _expected(answer, 200)
    entries, paging = body.get("contacts"), body.get("paging")
    if not isinstance(entries, list) or not isinstance(paging, dict):
        raise UnexpectedAnswer("Omnisend did not answer with contacts.")
    people = [each for each in entries if isinstance(each, dict)]
    addresses = [each["email"] for each in people if isinstance(each.get("email"), str) and "@" in each["email"]]
    more, cursors = paging.get("hasMore"), paging.get("cursors")
    after = cursors.get("after") if isinstance(cursors, dict) else None
    if not isinstance(more, bool) or not isinstance(after, str | None):
        raise UnexpectedAnswer("Omnisend's answer about contacts does not say whether there are more.")
    return ContactsPage(addresses, after if more and after else None)


def batches(answer: Answer) -> BatchesPage:
    body = _expected(answer, 200)
    entries, paging = body.get("batches"), body.get("paging")
    if not isinstance(entries, list) or not isinstance(paging, dict):
        raise UnexpectedAnswer("Omnisend did not answer with batches.")
    return BatchesPage([batch_state(entry) for entry in entries], bool(paging.get("next")))


def batch(answer: Answer) -> dict[str, Any] | None:
    """A batch with its items; None when Omnisend does not know it."""
    if answer.status == 404:
        # A page that is not Omnisend's says nothing about the batch.
        problems.problem(answer)
        return None
    return _expected(answer, 200)


def one_batch(answer: Answer) -> BatchState | None:
    body = batch(answer)
    return None if body is None else batch_state(body)


def batch_state(body: Any) -> BatchState:
    """One entry of a list, or a whole answer."""
    if isinstance(body, dict):
        batch_id, status = body.get("batchID"), body.get("status")
        if _is_id(batch_id) and isinstance(status, str):
            total, finished, errors = (_count(body.get(f"{name}Count")) for name in ("total", "finished", "errors"))
            return BatchState(batch_id, status, total, finished, errors)
    raise UnexpectedAnswer("Omnisend's answer describes a batch in an unknown way.")


def created(rows: int, answer: Answer) -> Reading:
    """What became of a new batch with so many contacts: staged, or refused."""
    if answer.status < 400:
        batch_id = _expected(answer, 201).get("batchID")
        if not _is_id(batch_id):
            raise UnexpectedAnswer("Omnisend's answer about the new batch has no id.")
        return _all(rows, Receipt(Outcome.ACCEPTED, STAGED, vendor_id=batch_id))
    return _refused(rows, answer)


def tagging(rows: int, answer: Answer) -> Reading:
    """What became of a tag for so many people. The answer is for the request: tags are put on and off later."""
    if answer.status == 202:
        return _all(rows, ACKNOWLEDGED)
    if answer.status < 400:
        raise UnexpectedAnswer(f"Omnisend answered {answer.status} where 202 is expected.")
    return _refused(rows, answer)


def _refused(rows: int, answer: Answer) -> Reading:
    """A request refused as a whole: nothing of it was done."""
    problems.check_version(answer)
    if answer.status == 413:
        return refused(rows, TOO_LARGE)
    found = problems.problem(answer)
    if any(each.field.startswith("tags") for each in found):
        raise UserMustAct(
            "target_refused", f"Omnisend refuses the tag: {problems.words(found)} Give the target another name."
        )
    if answer.status not in (400, 422):
        reason = f"Omnisend refuses the request: {problems.words(found)}"
        return _all(rows, Receipt(Outcome.REJECTED, "refused", reason, Retry.NEXT_RUN))
    named = {int(match[1]): [each] for each in found if (match := _NAMED.match(each.field))}
    receipts = {row: invalid(about) for row, about in named.items() if row < rows}
    if receipts:
        rest = [row for row in range(rows) if row not in receipts]
        return Reading(receipts, [rest] if rest else [], _not_alone(invalid(found)))
    return refused(rows, invalid(found))


def invalid(found: list[Complaint]) -> Receipt:
    """The receipt of a person whose data Omnisend does not accept."""
    if any(_ABOUT_ADDRESS.search(each.field or each.message) for each in found):
        reason = "Omnisend does not accept the e-mail address: correct it where the segment comes from."
        return Receipt(Outcome.REJECTED, "invalid_email", reason, Retry.WHEN_CHANGED)
    reason = f"Omnisend does not accept a value: {problems.words(found)}"
    return Receipt(Outcome.REJECTED, "invalid_data", reason, Retry.WHEN_CHANGED)


def _not_alone(receipt: Receipt) -> Receipt:
    # Which row is to blame is not known, so none of them may be written off for good.
    reason = f"A request with this person in it was refused. {receipt.reason}"
    return Receipt(Outcome.REJECTED, receipt.code, reason, Retry.NEXT_RUN)


def _all(rows: int, receipt: Receipt) -> Reading:
    return Reading(dict.fromkeys(range(rows), receipt), otherwise=UNKNOWN)


def _expected(answer: Answer, status: int) -> dict[str, Any]:
    problems.check_version(answer)
    if answer.status != status:
        raise UnexpectedAnswer(f"Omnisend answered {answer.status} where {status} is expected.")
    return answer.object()


def _is_id(value: Any) -> TypeGuard[str]:
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
