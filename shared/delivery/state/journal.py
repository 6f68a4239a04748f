"""The journal of a delivery: what was sent and what came back, in append-only lines of JSON.

A line is one of
    {"folder": "…"}                                      the first one: whose journal it is
    {"sent": [first, last]}                              batches about to be sent
    {"unsent": [batch, …]}                               announced, but no request went out
    {"batch": n, "default": receipt, "others": {"index": receipt, …}, "ids": file}     ids: where the vendor gave any
    {"batch": n, "staged": "job id", "at": time}         since 1970, when it was begun
    {"under_way": [[batch, time], …]}                    jobs that had not ended when they were looked at
Of a batch that was staged before, a line has `ended` too: when its job was looked at, and had ended.
Folding is idempotent, so a line may be there twice; a torn or foreign line is passed over, which at worst sends a
batch again. Addresses never get in: people are a batch and an index in the plan.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import orjson

from shared.cloud.blobs import Blobs
from shared.delivery.state import layout
from shared.delivery.state.files import DataFile
from shared.vendors.contract import BatchResult, Evidence, Outcome, Receipt, Retry
from shared.wording import kept, read

log = logging.getLogger(__name__)


@dataclass(slots=True)
class JobTime:
    """When a job of the vendor was begun, was last seen under way, and was first seen to have ended; in seconds since
    1970."""

    began: float
    under_way: float
    ended: float | None = None


@dataclass(slots=True)
class Folded:
    """What a journal proves: receipts by batch, jobs under way by batch, and what was sent without an answer."""

    results: dict[int, BatchResult] = field(default_factory=dict)
    staged: dict[int, str] = field(default_factory=dict)
    sent: set[int] = field(default_factory=set)
    jobs: dict[int, str] = field(default_factory=dict)
    """The last job of each batch that was ever staged, answered or not."""
    job_times: dict[tuple[int, str], JobTime] = field(default_factory=dict)
    """By batch and job."""
    ids: dict[int, DataFile] = field(default_factory=dict)
    """Files of the ids that the vendor gave, by batch. Journals of earlier versions have them in their receipts."""

    def in_flight(self) -> set[int]:
        """Sent, no receipt: the only batches that may be sent a second time."""
        return self.sent - self.results.keys() - self.staged.keys()

    def receipt(self, batch: int, index: int) -> Receipt | None:
        """The receipt of one operation, None where it has none."""
        result = self.results.get(batch)
        return result.others.get(index, result.default) if result else None

    def left_behind(self) -> dict[int, str]:
        """Jobs that may still be under way, by batch: those that have no result, or one that does not say what became
        of them."""
        return {batch: job for batch, job in self.jobs.items() if _is_open(self.results.get(batch))}

    def take(self, line: Mapping[str, Any]) -> None:
        match line:
            case {"sent": [int(first), int(last)]}:
                self.sent.update(range(first, last + 1))
            case {"unsent": [*batches]}:
                self.sent.difference_update(batches)
            case {"under_way": [*looked]}:
                self._see_under_way(looked)
            case {"batch": int(batch), "staged": str(job)}:
                self._see_ended(batch, line)
                self.staged[batch] = self.jobs[batch] = job
                if isinstance(at := line.get("at"), int | float):
                    self.job_times.setdefault((batch, job), JobTime(at, at))
            case {"batch": int(batch), "default": default, "others": dict(others)}:
                try:
                    receipts = {int(index): _receipt(each) for index, each in others.items()}
                    result = BatchResult(_receipt(default), receipts)
                    ids = DataFile.of(line["ids"]) if "ids" in line else None
                except (KeyError, ValueError, TypeError):
                    return
                self._see_ended(batch, line)
                self.results[batch] = result
                self.ids.pop(batch, None)
                if ids is not None:
                    self.ids[batch] = ids
                self.staged.pop(batch, None)

    def _see_under_way(self, looked: Iterable[Any]) -> None:
        for each in looked:
            match each:
                case [int(batch), int() | float() as at] if time := self._time_of_job(batch):
                    time.under_way = max(time.under_way, at)

    def _see_ended(self, batch: int, line: Mapping[str, Any]) -> None:
        ended, time = line.get("ended"), self._time_of_job(batch)
        if time is not None and time.ended is None and isinstance(ended, int | float):
            time.ended = ended

    def _time_of_job(self, batch: int) -> JobTime | None:
        """Of the job that a batch is staged in."""
        return self.job_times.get((batch, self.staged.get(batch, "")))


def _is_open(result: BatchResult | None) -> bool:
    receipts = [result.default, *result.others.values()] if result else []
    return result is None or any(receipt.outcome is Outcome.UNKNOWN for receipt in receipts)


class Journal:
    """Writes one append blob per turn: a late worker of an older turn cannot get between the lines of a newer one."""

    def __init__(self, blobs: Blobs, folder: str, turn: int) -> None:
        self._blobs = blobs
        self._folder = folder
        self._turn = turn
        self._name = layout.journal(folder, turn)
        self._written = False

    def ids_name(self, batch: int) -> str:
        """Where this turn keeps the ids of a batch."""
        return layout.vendor_ids(self._folder, self._turn, batch)

    def write(self, lines: Iterable[Mapping[str, Any]]) -> None:
        """Append lines in one block."""
        block = b"".join(orjson.dumps(line, option=orjson.OPT_NON_STR_KEYS) + b"\n" for line in lines)
        if block:
            if not self._written:
                block = orjson.dumps({"folder": self._folder}) + b"\n" + block
            self._blobs.append(self._name, block, create=not self._written)
            self._written = True


def fold(blobs: Blobs, folder: str) -> Folded:
    """Everything that all turns of a delivery wrote."""
    folded = Folded()
    for name in sorted(blobs.names(layout.journal_folder(folder))):
        found = blobs.read(name)
        lines = list(parse(found[0] if found else b""))
        if any(line.get("folder", folder) != folder for line in lines):
            log.error("The journal %s is another delivery's and is passed over.", name)
            continue
        for line in lines:
            folded.take(line)
    return folded


def parse(content: bytes) -> Iterator[Mapping[str, Any]]:
    for line in content.splitlines():
        try:
            parsed = orjson.loads(line)
        except orjson.JSONDecodeError:
            continue
        if isinstance(parsed, dict):
            yield parsed


def sent(first: int, last: int) -> dict[str, Any]:
    return {"sent": [first, last]}


def unsent(batches: Iterable[int]) -> dict[str, Any]:
    return {"unsent": sorted(batches)}


def answered(
    batch: int, result: BatchResult, ids: DataFile | None = None, ended: float | None = None
) -> dict[str, Any]:
    """The line for a batch's result, with the file of its ids where there is one. `ended`: when the job that it was
    staged in had ended."""
    before = {"ended": round(ended, 3)} if ended is not None else {}
    if result.staged is not None:
        return {"batch": batch, "staged": result.staged, "at": round(time.time(), 3), **before}
    others = {index: _plain(receipt) for index, receipt in result.others.items()}
    line = {"batch": batch, "default": _plain(result.default), "others": others}
    return line | ({"ids": asdict(ids)} if ids else {}) | before


def under_way(looked: Iterable[tuple[int, float]]) -> dict[str, Any]:
    """The line for batches whose jobs had not ended when they were looked at."""
    return {"under_way": [[batch, round(at, 3)] for batch, at in looked]}


def _plain(receipt: Receipt) -> list[Any]:
    plain = [receipt.outcome, receipt.code, kept(receipt.reason), receipt.retry, receipt.evidence, receipt.vendor_id]
    return [*plain, *([[*receipt.left_out]] if receipt.left_out else [])]


def _receipt(plain: Any) -> Receipt:
    outcome, code, reason, retry, evidence, vendor_id, *left_out = plain
    return Receipt(
        Outcome(outcome),
        code,
        read(reason),
        Retry(retry) if retry else None,
        Evidence(evidence) if evidence else None,
        vendor_id,
        tuple(map(str, left_out[0])) if left_out else (),
    )
