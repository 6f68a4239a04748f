"""Listings for tests: names of blobs, and what is said of some of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from shared.snapshots.blob import Blob
from shared.snapshots.completion import Completion
from shared.snapshots.listing import Listing, SegmentSeen
from shared.snapshots.snapshot import SnapshotFile
from shared.wording import Message

WRITTEN = datetime(2026, 11, 22, 14, 33, tzinfo=UTC)
SETTLED = WRITTEN + timedelta(minutes=10)
RULE = Completion()


def blob(name: str, minutes: float = 0, size: int = 10, **said: Any) -> Blob:
    """A blob that was written so many minutes after all the others."""
    return Blob(SnapshotFile("land", name, '"1"', size), WRITTEN + timedelta(minutes=minutes), **said)


def seen(
    *blobs: Blob | str, root: str = "", rule: Completion = RULE, exports: tuple[str, ...] = ()
) -> list[SegmentSeen]:
    listing = Listing(rule, root)
    for each in blobs:
        listing.add(blob(each) if isinstance(each, str) else each)
    return listing.segments(exports)


def verdict(*blobs: Blob | str, now: datetime = SETTLED, rule: Completion = RULE) -> Message | None:
    """Why the newest folder of the only segment is not used."""
    [segment] = seen(*blobs, rule=rule)
    return segment.folders[0].unusable(now, rule)
