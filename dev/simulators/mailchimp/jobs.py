"""Batches as an account keeps them (contract section 4d)."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from dev.simulators.mailchimp.values import written


@dataclass(slots=True, eq=False)
class Batch:
    """Moments are epoch seconds; a batch that waits for another has none of its own yet but `submitted`."""

    id: str
    key: str
    submitted: float
    operations: list[dict[str, Any]]
    total: int
    starts: float | None = None
    ends: float | None = None
    done: bool = False
    errored: int = 0
    archive: bytes = b""
    secrets: dict[str, float] = field(default_factory=dict)

    def status(self, now: float) -> str:
        if self.starts is None or now < self.starts:
            return "pending"
        if self.ends is not None and now >= self.ends:
            return "finished"
        part = (now - self.starts) / ((self.ends or now) - self.starts or 1.0)
        return "preprocessing" if part < 1 / 3 else "started" if part < 2 / 3 else "finalizing"

    def shown(self, now: float, url: str) -> dict[str, Any]:
        status = self.status(now)
        return {
            "id": self.id,
            "status": status,
            "total_operations": self.total,
            "finished_operations": self.total if self.done else 0,
            "errored_operations": self.errored,
            "submitted_at": written(self.submitted),
            "completed_at": written(self.ends) if status == "finished" and self.ends is not None else "",
            "response_body_url": url,
            "_links": [],
        }


def packed(results: Sequence[dict[str, Any]], per_file: int) -> bytes:
    """A gzipped tar: a folder, and in it files with so many results each."""
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as archive:
        folder = tarfile.TarInfo("./")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
        for start in range(0, max(1, len(results)), per_file):
            content = orjson.dumps(results[start : start + per_file])
            file = tarfile.TarInfo(f"./{start:08d}.json")
            file.size = len(content)
            archive.addfile(file, io.BytesIO(content))
    return gzip.compress(whole.getvalue(), 1)
