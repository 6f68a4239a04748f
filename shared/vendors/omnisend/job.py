"""Where one engine batch stands, as the text that the journal keeps until its receipts are there.

The steps are done one after the other and any of them may be cut short by a rate limit; what was done stays done,
since the text says what is left.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Self

import orjson

from shared.vendors.contract import Evidence, Outcome, Receipt, Retry

Rows = Sequence[int]
"""Rows of the engine's batch, by index, ascending."""


@dataclass(frozen=True, slots=True)
class Job:
    """Every row is in exactly one of the first four."""

    unsent: Rows = ()
    """Whose contact goes out next."""
    waiting: Mapping[str, Rows] = field(default_factory=dict)
    """Omnisend's batch id -> whose contact is in it."""
    ready: Rows = ()
    """Who only lacks the request for the tag."""
    receipts: Mapping[int, Receipt] = field(default_factory=dict)
    again: bool = False
    """Contacts were sent a second time because Omnisend lost or put off the first; there is no third."""
    sent_at: int = 0
    """When the last contacts went out, in seconds since 1970."""

    @property
    def done(self) -> bool:
        return not (self.unsent or self.waiting or self.ready)

    def text(self) -> str:
        receipts = [[_plain(receipt), _runs(rows)] for receipt, rows in _grouped(self.receipts)]
        fields = {
            "unsent": _runs(self.unsent),
            "waiting": {batch: _runs(rows) for batch, rows in self.waiting.items()},
            "ready": _runs(self.ready),
            "receipts": receipts,
            "again": self.again,
            "sent_at": self.sent_at,
        }
        return orjson.dumps({name: value for name, value in fields.items() if value}).decode()

    @classmethod
    def parse(cls, text: str) -> Self:
        fields = orjson.loads(text)
        return cls(
            unsent=_rows(fields.get("unsent", ())),
            waiting={batch: _rows(runs) for batch, runs in fields.get("waiting", {}).items()},
            ready=_rows(fields.get("ready", ())),
            receipts={row: _receipt(plain) for plain, runs in fields.get("receipts", ()) for row in _rows(runs)},
            again=fields.get("again", False),
            sent_at=fields.get("sent_at", 0),
        )


def _grouped(receipts: Mapping[int, Receipt]) -> Iterable[tuple[Receipt, list[int]]]:
    groups: dict[Receipt, list[int]] = {}
    for row, receipt in sorted(receipts.items(), key=lambda pair: pair[0]):
        groups.setdefault(receipt, []).append(row)
    return groups.items()


def _runs(rows: Rows) -> list[list[int]]:
    """[first, last] of each run of consecutive rows."""
    ordered = sorted(rows)
    runs = [[row for _, row in run] for _, run in groupby(enumerate(ordered), lambda pair: pair[1] - pair[0])]
    return [[run[0], run[-1]] for run in runs]


def _rows(runs: Iterable[Sequence[int]]) -> list[int]:
    return [row for first, last in runs for row in range(first, last + 1)]


def _plain(receipt: Receipt) -> list[str | None]:
    return [receipt.outcome, receipt.code, receipt.reason, receipt.retry, receipt.evidence]


def _receipt(plain: Any) -> Receipt:
    outcome, code, reason, retry, evidence = plain
    return Receipt(
        Outcome(outcome), code, reason, Retry(retry) if retry else None, Evidence(evidence) if evidence else None
    )
