"""An attempt to plan that goes on over slices: what it is made from, and where its records lie.

The first slice pins the snapshots and says what decides what becomes of a row. A later slice goes on from the records
where the same still holds, else it begins another attempt: a vendor's field, the ledger or the service changed.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import orjson

from shared.delivery.plan import operations
from shared.delivery.plan.excluded import Barring
from shared.delivery.plan.operations import Source, Wish
from shared.delivery.state import layout, once
from shared.delivery.state.found import Findings
from shared.delivery.state.ledger import Ledger
from shared.delivery.work import Work
from shared.errors import Conflict, LeaseLost
from shared.snapshots.snapshot import Snapshot

_DECIDING = ("catalog/**/*.py", "delivery/**/*.py", "mailbox.py", "snapshots/**/*.py")
"""The code that decides what becomes of a row: among it who is in a holdout, and how an address is spelled."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """`made_from` is a digest of what it is made from besides its snapshots, which are `pinned`; `fresh`: the ledger is
    lost, so it is made from none. `excluded` has the rule, number and address column of each excluded segment,
    `excluding` its snapshot. It is cut into `parts`, and its snapshots into pieces of about `rows_per_piece`."""

    name: str
    made_from: str
    fresh: bool
    parts: int
    rows_per_piece: float
    pinned: list[dict[str, Any]]
    excluded: list[tuple[int, int, str]]
    excluding: list[dict[str, Any]]

    @property
    def snapshots(self) -> list[Snapshot]:
        return [Snapshot.from_json(each) for each in self.pinned]

    @property
    def barring(self) -> list[Barring]:
        return [
            Barring(rule, number, Snapshot.from_json(snapshot), column)
            for (rule, number, column), snapshot in zip(self.excluded, self.excluding, strict=True)
        ]


@dataclass(frozen=True, slots=True)
class StoredAttempt:
    """The attempt that lies in storage; None where this version cannot read it. `begun` by this very slice, so nothing
    of it is recorded yet."""

    attempt: Attempt | None
    etag: str
    begun: bool = False

    def folder(self, work: Work) -> str:
        """Where its records lie."""
        assert self.attempt
        return layout.attempt_folder(work.folder, self.attempt.name)


def made_from(wish: Wish, before: Ledger, *, fresh: bool, findings: Findings | None = None) -> str:
    """A digest of what decides what becomes of a row, besides snapshots. `findings` are what a repair mends."""
    query = operations.staging_query(wish, [Source("rows")], 1)
    types = {match.field: match.type.sent_as for match in wish.matches}
    checked = [*findings.commit, findings.at] if findings else None
    told = [code(), query, types, wish.mode, wish.kind, before.etag, fresh, checked]
    return hashlib.sha256(orjson.dumps(told)).hexdigest()


@cache
def code() -> str:
    """A digest of the code itself: another version of the service may decide otherwise."""
    shared, digest = Path(__file__).parents[2], hashlib.sha256()
    for path in sorted(path for files in _DECIDING for path in shared.glob(files)):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def find(work: Work) -> StoredAttempt | None:
    """The attempt that earlier slices of this delivery left."""
    stored = None if work.first else work.cloud.blobs.read(layout.attempt(work.folder))
    if stored is None:
        return None
    try:
        return StoredAttempt(once.of_json(stored[0], Attempt), stored[1])
    except once.Unusable:
        return StoredAttempt(None, stored[1])


def is_fresh(work: Work) -> bool:
    """Whether earlier slices found the ledger lost, and go on without it."""
    found = find(work)
    return found is not None and found.attempt is not None and found.attempt.fresh


def begin(work: Work, attempt: Attempt, instead_of: StoredAttempt | None) -> StoredAttempt:
    """Put the attempt in the place of the one that was there. Raises LeaseLost where another execution was first."""
    blobs, name, body = work.cloud.blobs, layout.attempt(work.folder), once.to_json(attempt)
    try:
        if instead_of is None:
            return StoredAttempt(attempt, blobs.create(name, body), begun=True)
        etag = blobs.write(name, body, etag=instead_of.etag)
    except Conflict:
        raise LeaseLost("another worker plans this delivery") from None
    if instead_of.attempt:
        _delete(work, layout.attempt_folder(work.folder, instead_of.attempt.name))
    return StoredAttempt(attempt, etag, begun=True)


def pinning(work: Work, snapshots: Sequence[Snapshot], barring: Sequence[Barring], **about: Any) -> Attempt:
    """An attempt of a name of its own, about these snapshots."""
    return Attempt(
        **about,
        name=f"{execution(work)}-{secrets.token_hex(2)}",
        pinned=[each.to_json() for each in snapshots],
        excluded=[(each.rule, each.number, each.column) for each in barring],
        excluding=[each.snapshot.to_json() for each in barring],
    )


def execution(work: Work) -> str:
    """What files are called by whose they are: no two executions have the same turn and worker."""
    return f"{work.delivery.turn:06d}-{work.delivery.worker}"


def give_up(work: Work) -> None:
    """Forget the attempt, so that whoever comes next begins another one."""
    work.cloud.blobs.delete(layout.attempt(work.folder))


def clear(work: Work) -> None:
    """Delete the records and staged rows of all attempts, once there is a plan."""
    _delete(work, layout.attempts(work.folder))


def _delete(work: Work, prefix: str) -> None:
    for name in list(work.cloud.blobs.names(prefix)):
        work.cloud.blobs.delete(name)
