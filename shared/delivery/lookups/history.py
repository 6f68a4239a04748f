"""Looking back at runs that ended: how an export did over time, and examples of the people it refused."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from shared.cloud.cloud import Cloud
from shared.delivery.state import layout, rejected_rows
from shared.delivery.state.records import ENDED, Run

HEAD_BYTES = 4 << 20
"""Of `rejected.csv`; enough for some 30,000 rows."""
SAMPLES = 3
_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Point:
    """A run that ended. `members`: people on all its targets afterwards, None where nothing was committed."""

    run: Run
    seconds: float
    members: int | None


def points(cloud: Cloud, runs: Iterable[Run]) -> list[Point]:
    """How these runs ended, in the same order; runs under way are left out."""
    ended = [run for run in runs if run.state in ENDED]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        members = pool.map(lambda run: _members(cloud, run), ended)
        return [Point(run, _seconds(run), count) for run, count in zip(ended, members, strict=True)]


def _seconds(run: Run) -> float:
    return (run.finished_at - run.created_at).total_seconds() if run.finished_at else 0.0


def _members(cloud: Cloud, run: Run) -> int | None:
    """Of the run itself; of its reports, where an earlier version wrote it."""
    if run.counts or run.members is not None:
        return run.members
    counts: list[int] = []
    for index in range(run.deliveries):
        stored = cloud.blobs.read(layout.report(layout.delivery_folder(run.export, run.run, index)))
        if stored is None or (found := json.loads(stored[0])["members"]) is None:
            return None
        counts.append(found)
    return sum(counts)


def rejected_samples(cloud: Cloud, export: str, run: str, index: int) -> list[dict[str, str]]:
    """A few rows for each outcome and reason, from the beginning of `rejected.csv`. They hold addresses."""
    name = layout.rejected(layout.delivery_folder(export, run, index))
    head = cloud.blobs.head(name, HEAD_BYTES)
    seen: Counter[tuple[str, str]] = Counter()
    found = []
    for row in _rows(head or b""):
        key = (row["outcome"], row["code"])
        seen[key] += 1
        if seen[key] <= SAMPLES:
            found.append(row)
    return found


def _rows(head: bytes) -> Iterator[dict[str, str]]:
    """Whole lines only: the last one may be cut off."""
    whole = head if len(head) < HEAD_BYTES else head[: head.rfind(b"\n") + 1]
    return rejected_rows.parse(io.StringIO(whole.decode("utf-8-sig", "replace"), newline=""))
