"""A batch without some of its rows: what is sent of it, and its result as one of all the rows. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from shared.vendors.contract import BatchResult, Receipt, Row


@dataclass(frozen=True, slots=True)
class Apart:
    """Rows that are not sent, at some places of a batch. `word` marks a job of the others, so that a later slice knows
    which rows are in it."""

    word: str

    def left(self, rows: Sequence[Row], places: Collection[int]) -> Sequence[Row]:
        """The rows that are sent."""
        apart = set(places)
        return [row for place, row in enumerate(rows) if place not in apart] if apart else rows

    def parted(self, job: str) -> tuple[list[int], str]:
        """The rows that are not in a job, and the job without its mark."""
        found = re.match(rf"{self.word} (\d+(?:,\d+)*): ", job)
        return ([int(place) for place in found[1].split(",")], job[found.end() :]) if found else ([], job)

    def together(self, result: BatchResult, receipts: Mapping[int, Receipt], rows: int) -> BatchResult:
        """The result of the others as one of all of them; `receipts` are those of the rows that were not sent."""
        if not receipts:
            return result
        if result.staged is not None:
            return replace(result, staged=f"{self.word} {','.join(map(str, receipts))}: {result.staged}")
        return replace(result, others=_placed(result.others, receipts.keys(), rows) | dict(receipts))


def _placed(receipts: Mapping[int, Receipt], places: Collection[int], rows: int) -> dict[int, Receipt]:
    sent = sorted(set(range(rows)) - set(places))
    return {sent[index]: receipt for index, receipt in receipts.items()}
