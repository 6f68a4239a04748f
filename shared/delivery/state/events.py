"""Events: what happened to whom on a target, in Parquet files in a folder beside its ledger's.

A commit writes a file for each part with operations, before the ledger is swapped; and once in a while another one with
everybody who was on the list before it, so that older files may go and the list of a day is still known. The name of a
file says when its run began, which commit wrote it, and which buckets it has people of.

A person is an `address_hash`: salted with the one salt that this service keeps, so that it is the same in all files.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Self

from shared.cloud.blobs import Blobs
from shared.delivery.sql import literal
from shared.delivery.state import layout
from shared.delivery.state.files import BUCKETS
from shared.errors import Conflict
from shared.mailbox import normalised

LIST = "list"
"""The operation of rows that say who was on the list; one without a person begins such a list."""
COLUMNS = {
    "committed_at": "TIMESTAMP",
    "generation": "BIGINT",
    "export": "VARCHAR",
    "run": "VARCHAR",
    "vendor": "VARCHAR",
    "account": "VARCHAR",
    "list_key": "VARCHAR",
    "target": "VARCHAR",
    "operation": "VARCHAR",
    "outcome": "VARCHAR",
    "code": "VARCHAR",
    "why": "VARCHAR",
    "status": "VARCHAR",
    "address_hash": "VARCHAR",
    "address": "VARCHAR",
    "person_hash": "VARCHAR",
    "bucket": "SMALLINT",
}
"""docs/events.md says what each of them means."""
HASH_LENGTH = 32
_NAME = re.compile(
    r"(?P<commit>\d{8}-\d{6}-.+)-(?P<first>[0-9a-f]{2})-(?P<last>[0-9a-f]{2})(?P<listing>-list)?\.parquet"
)
_TIME = "%Y%m%d-%H%M%S"
_LIST_AGAIN = timedelta(days=30)


class EventFile(NamedTuple):
    """A file by its name: what a commit did with people of the buckets first..last, or who was on the list before."""

    name: str
    commit: str
    first: int
    last: int
    listing: bool

    @classmethod
    def of(cls, name: str) -> Self | None:
        """None for what is no file of events."""
        found = _NAME.fullmatch(name.rpartition("/")[2])
        if found is None:
            return None
        first, last = int(found["first"], 16), int(found["last"], 16)
        return cls(name, found["commit"], first, last, found["listing"] is not None)

    @property
    def began(self) -> datetime:
        """When its run did."""
        return began(self.commit)

    def has(self, first: int, last: int) -> bool:
        """Whether it may have people of these buckets."""
        return self.first <= last and self.last >= first


def began(commit: str) -> datetime:
    """When the run of a commit did, by the clock of whoever started it."""
    return datetime.strptime(commit[: len("20261122-144501")], _TIME).replace(tzinfo=UTC)


def files(blobs: Blobs, folder: str = layout.EVENTS) -> Iterator[EventFile]:
    """Those of a target, or all, in the order of their names."""
    return (file for name in blobs.names(folder) if (file := EventFile.of(name)) is not None)


def complete_lists(found: Iterable[EventFile]) -> set[str]:
    """Commits of a target that wrote down everybody who was on the list before them."""
    buckets = dict[str, int]()
    for file in found:
        if file.listing:
            buckets[file.commit] = buckets.get(file.commit, 0) + file.last - file.first + 1
    return {commit for commit, count in buckets.items() if count >= BUCKETS}


def lists_again(listed: str, commit: str, event_days: int) -> bool:
    """Whether a commit has to write down who is on the list: nobody did, or it is long ago. The same however often the
    commit is tried."""
    often = min(_LIST_AGAIN, timedelta(days=event_days) / 4)
    return not listed or began(commit) - began(listed) >= often


def known_salt(blobs: Blobs) -> str:
    """The service's salt, "" where nobody needed one yet."""
    stored = blobs.read(layout.event_salt())
    return str(json.loads(stored[0])["salt"]) if stored else ""


def salt(blobs: Blobs) -> str:
    """The service's salt, made by whoever needs it first."""
    if known := known_salt(blobs):
        return known
    with suppress(Conflict):
        blobs.create(layout.event_salt(), json.dumps({"salt": secrets.token_hex(16)}).encode())
    return known_salt(blobs)


def address_hash(made_with: str, address: str) -> str:
    """What stands for an address."""
    return hashlib.sha256(f"{made_with}:{normalised(address)}".encode()).hexdigest()[:HASH_LENGTH]


def hashed(made_with: str, column: str) -> str:
    """SQL for the same of a column with normalised addresses, or with something else that is a text."""
    return f"left(sha256({literal(f'{made_with}:')} || {column}), {HASH_LENGTH})"
