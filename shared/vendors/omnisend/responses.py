"""Answers to facts; nothing here talks to anyone. Facts: Omnisend contract, sections 1 to 7."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeGuard

import orjson

from shared.vendors.answers import Answer, UnexpectedAnswer
from shared.vendors.omnisend import errors
from shared.vendors.omnisend.definition import DEFINITION
from shared.wording import say

OVER = frozenset({"finished", "stopped"})

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class Brand:
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class ContactsPage:
    """`after` is the cursor of the next page, None on the last."""

    addresses: Sequence[str]
    after: str | None
    values: Sequence[str] = ()
    """All that is shown of each of them, as JSON, where it was asked for."""


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
    body = expected(answer, 200)
    brand_id, name = body.get("brandID"), body.get("name")
    if not is_id(brand_id):
        raise UnexpectedAnswer(say("Omnisend's answer names no brand."))
    return Brand(brand_id, name if isinstance(name, str) else "")


def contacts(answer: Answer) -> ContactsPage:
    """A page of contacts; those without an address are left out."""
    body = expected(answer, 200)
    entries, paging = body.get("contacts"), body.get("paging")
    if not isinstance(entries, list) or not isinstance(paging, dict):
        raise UnexpectedAnswer(say("Omnisend did not answer with contacts."))
    people = [each for each in entries if isinstance(each, dict)]
    addresses = [each["email"] for each in people if isinstance(each.get("email"), str) and "@" in each["email"]]
    more, cursors = paging.get("hasMore"), paging.get("cursors")
    after = cursors.get("after") if isinstance(cursors, dict) else None
    if not isinstance(more, bool) or not isinstance(after, str | None):
        raise UnexpectedAnswer(say("Omnisend's answer about contacts does not say whether there are more."))
    return ContactsPage(addresses, after if more and after else None)


def contacts_with_values(answer: Answer) -> ContactsPage:
    """Raises UnexpectedAnswer as `contacts` does."""
    found = contacts(answer)
    shown = {each["email"]: each for each in answer.object()["contacts"] if isinstance(each, dict) and "email" in each}
    return replace(found, values=[orjson.dumps(shown[address]).decode() for address in found.addresses])


def batches(answer: Answer) -> BatchesPage:
    body = expected(answer, 200)
    entries, paging = body.get("batches"), body.get("paging")
    if not isinstance(entries, list) or not isinstance(paging, dict):
        raise UnexpectedAnswer(say("Omnisend did not answer with batches."))
    return BatchesPage([batch_state(entry) for entry in entries], bool(paging.get("next")))


def batch(answer: Answer) -> dict[str, Any] | None:
    """A batch with its items; None when Omnisend does not know it."""
    if answer.status == 404:
        # A page that is not Omnisend's says nothing about the batch.
        errors.problem(answer)
        return None
    return expected(answer, 200)


def one_batch(answer: Answer) -> BatchState | None:
    body = batch(answer)
    return None if body is None else batch_state(body)


def batch_state(body: Any) -> BatchState:
    """One entry of a list, or a whole answer."""
    if isinstance(body, dict):
        batch_id, status = body.get("batchID"), body.get("status")
        if is_id(batch_id) and isinstance(status, str):
            total, finished, errors = (_count(body.get(f"{name}Count")) for name in ("total", "finished", "errors"))
            return BatchState(batch_id, status, total, finished, errors)
    raise UnexpectedAnswer(say("Omnisend's answer describes a batch in an unknown way."))


def expected(answer: Answer, status: int) -> dict[str, Any]:
    errors.check_version(answer)
    return answer.expect(DEFINITION.label, status).object()


def is_id(value: Any) -> TypeGuard[str]:
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
