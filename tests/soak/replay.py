"""Who is on a list as its events tell, beside who is by its ledger."""

from __future__ import annotations

import csv
from datetime import UTC, datetime

from shared.cloud.cloud import Cloud
from shared.delivery.lookups import happened
from shared.delivery.state import ledger, lookup
from shared.errors import Unprocessable


def by_events(cloud: Cloud, place: str) -> set[str]:
    """Addresses of everyone who is, or may be, on the list of a ledger now."""
    try:
        with happened.members_on(cloud, place, datetime.now(UTC).date()) as path, path.open(newline="") as lines:
            return {row["address"] for row in csv.DictReader(lines)}
    except Unprocessable:  # nothing was committed yet
        return set()


def by_ledger(cloud: Cloud, place: str) -> set[str]:
    """The same from the ledger itself."""
    files = ledger.read(cloud.blobs, place).files
    return {
        str(row["address"]) for each in files for row in lookup.rows(cloud, each.file, "status IN ('member', 'maybe')")
    }
