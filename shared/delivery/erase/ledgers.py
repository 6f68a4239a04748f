"""Erase somebody from an account's ledgers, one list after the other, while the account is ours.

A ledger is left alone while a delivery to its list is half done: its commit would bring the person back from the plan,
or from rows that are staged. The list's row gets a mark then, by which the next delivery to it gives way
(`shared/delivery/plan/giving_way.py`), so that the moment comes. What may still be committed though it does nothing
now, a delivery that waits for a decision or one that ended before its commit, is erased together with the ledger.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

from shared.catalog.targets import Claim, TargetStore
from shared.cloud.cloud import Cloud
from shared.cloud.under_way import UnderWay
from shared.cloud.unreadable import readable
from shared.delivery.erase.deliveries import Rewritten, drop_others, erase, rewritten
from shared.delivery.erase.whom import Whom
from shared.delivery.sql import literal
from shared.delivery.state import forgetting_marks, layout, ledger
from shared.delivery.state.files import DataFile, Files, keep
from shared.delivery.state.ledger import LedgerFile
from shared.delivery.state.records import Delivery, State, now
from shared.delivery.state.runs import Runs, has_ended
from shared.delivery.state.scratch import Scratch


def accounts(cloud: Cloud) -> list[str]:
    """Accounts that have a ledger, or a list that may have one soon."""
    claims = readable(cloud.targets.scan("RowKey ne ''", {}), lambda each: Claim.of(each.entity, each.etag))
    return sorted(
        {name.split("/")[1] for name in cloud.blobs.names(layout.LEDGERS)} | {each.account for each in claims}
    )


def _active(cloud: Cloud) -> Iterator[Delivery]:
    """Deliveries of every run that is under way, or waits for a decision, but of dry runs: those commit nothing."""
    runs = Runs(cloud.runs)
    for held in runs.active_runs(UnderWay(cloud.underway).exports()):
        if not held.value.kind.only_looks:
            yield from (each.value for each in runs.deliveries(held.value.export, held.value.run))


@dataclass(frozen=True, slots=True)
class _Open:
    """A delivery that may still be committed."""

    folder: str
    half_done: bool


class AccountLedgers:
    """The ledgers of one account while it is ours, for a request to forget somebody."""

    def __init__(self, cloud: Cloud, account: str, request: str, whom: Whom, room: Scratch) -> None:
        self._cloud = cloud
        self._account = account
        self._request = request
        self._whom = whom
        self._room = room
        self._store = TargetStore(cloud.targets)

    def folders(self) -> list[str]:
        """All of them, in order."""
        return sorted({*self._names, *self._claims})

    def half_done(self, folder: str) -> str:
        """The export whose delivery to the list of this ledger is half done, "" where none is."""
        return next((each.folder.split("/")[1] for each in self._open(folder) if each.half_done), "")

    def mark(self, folder: str) -> None:
        """Have the next delivery to the list give way."""
        for claim in self._claims_of(folder):
            self._remember(claim, forgetting_marks.with_request(claim.memory, self._request))

    def erase(self, folder: str) -> Counter[str]:
        """Erase the person from a ledger and what may still be committed to it, and let deliveries to the list go on;
        by place, how many held them. Raises Blocked for a ledger or a plan that cannot be read."""
        found = Counter[str]()
        for each in self._open(folder):
            found += erase(self._cloud, self._room, self._whom, each.folder)
        for claim in self._claims_of(folder):
            found += Counter(protected=self._in_protected(claim))
        found += Counter(ledgers=self._in_ledger(folder))
        for claim in self._claims_of(folder):
            self._remember(claim, forgetting_marks.without_request(claim.memory, self._request))
        return found

    def _in_ledger(self, folder: str) -> int:
        there = self._names.get(folder, ())
        named = (
            [layout.protected(folder)] if any(each.memory.get("protected") for each in self._claims_of(folder)) else []
        )
        if layout.ledger_manifest(folder) not in there:
            drop_others(self._cloud, there, named)
            return 0
        current = ledger.read(self._cloud.blobs, folder)
        files, found = self._without_person(current.files)
        if found or any(name in there for name in current.previous):
            changed = replace(current, files=files, previous=())
            ledger.save(self._cloud.blobs, folder, changed, etag=current.etag)
        drop_others(self._cloud, there, {*(each.file.name for each in files), layout.ledger_manifest(folder), *named})
        return found

    def _without_person(self, files: Sequence[LedgerFile]) -> tuple[tuple[LedgerFile, ...], int]:
        """The ledger's files, that of the person's bucket written again where they are in it; and whether they are."""
        row = f"bucket = {self._whom.bucket} AND {self._whom.row}"
        query, kept, found = f"SELECT * FROM file WHERE NOT ({row})", list[LedgerFile](), 0
        for part in files:
            made = Rewritten(None, None)
            if part.first <= self._whom.bucket <= part.last:
                name = f"{part.file.name.removesuffix('.parquet')}-{secrets.token_hex(4)}.parquet"
                made = rewritten(self._cloud, self._room, part.file, row, query, name)
            found += made.held is not None
            kept += [part] if made.held is None else _without(part, made.held, made.file)
        return tuple(kept), found

    def _in_protected(self, claim: Claim) -> int:
        """The people who were on a list before us. The target's memory names their file, which keeps its name: so it is
        marked first, and one that is then not as it is remembered was written by an attempt that died."""
        known = claim.memory.get("protected")
        if not known:
            return 0
        file, path = DataFile.of(known), self._room.where / "protected.parquet"
        as_remembered = self._cloud.blobs.download(file.stored, path)
        if not as_remembered and not forgetting_marks.has(claim.memory, self._request):
            raise ledger.damaged()
        with self._room.database() as connection:
            connection.execute(f"CREATE OR REPLACE TEMP VIEW file AS FROM read_parquet({literal(str(path))})")
            held = connection.execute(f"FROM file WHERE {self._whom.row} LIMIT 1").fetchone() is not None
            if as_remembered and not held:
                return 0
            marked = forgetting_marks.with_request(claim.memory, self._request)
            self._remember(claim, marked)
            query = f"SELECT * FROM file WHERE NOT ({self._whom.row})"
            kept = keep(Files(self._cloud.blobs), connection, query, file.name, self._room.where / "kept.parquet")
        unmarked = forgetting_marks.without_request({**claim.memory, **marked}, self._request)
        self._remember(claim, {"protected": asdict(kept) if kept else None, **unmarked})
        if kept is None:
            self._cloud.blobs.delete(file.name)
        return 1

    def _remember(self, claim: Claim, facts: Mapping[str, Any]) -> None:
        if facts:
            self._store.remember(self._account, claim.key, claim.export, facts, now())

    @cached_property
    def _names(self) -> Mapping[str, Sequence[str]]:
        """Folder of each ledger -> its files."""
        found = dict[str, list[str]]()
        for name in self._cloud.blobs.names(f"{layout.LEDGERS}{self._account}/"):
            found.setdefault("/".join(name.split("/")[:3]) + "/", []).append(name)
        return found

    @cached_property
    def _claims(self) -> Mapping[str, Sequence[Claim]]:
        """Folder of each ledger -> rows of the targets that use it."""
        found = dict[str, list[Claim]]()
        for claim in self._store.claims(self._account):
            found.setdefault(_folder_of(claim), []).append(claim)
        return found

    def _claims_of(self, folder: str) -> Sequence[Claim]:
        return self._claims.get(folder, ())

    @cached_property
    def _active(self) -> Mapping[str, Sequence[Delivery]]:
        """Folder of each ledger -> deliveries to it that have not ended."""
        of_key = {claim.key: folder for folder, claims in self._claims.items() for claim in claims}
        found = dict[str, list[Delivery]]()
        for delivery in _active(self._cloud):
            if delivery.account == self._account and not has_ended(delivery):
                usual = layout.ledger_folder(self._account, delivery.target_key)
                found.setdefault(of_key.get(delivery.target_key, usual), []).append(delivery)
        return found

    def _open(self, folder: str) -> Iterator[_Open]:
        for delivery in self._active.get(folder, ()):
            files = layout.delivery_folder(delivery.export, delivery.run, delivery.index)
            if any(self._cloud.blobs.names(files)):
                yield _Open(files, delivery.state is not State.BLOCKED)
        active = {(each.export, each.run, each.index) for each in self._active.get(folder, ())}
        for claim in self._claims_of(folder):
            left = claim.memory.get("open")
            if left and (left["export"], left["run"], left["index"]) not in active:
                yield _Open(layout.delivery_folder(left["export"], left["run"], left["index"]), half_done=False)


def _folder_of(claim: Claim) -> str:
    return str(claim.memory.get("ledger") or layout.ledger_folder(claim.account, claim.key))


def _without(part: LedgerFile, row: Mapping[str, Any], file: DataFile | None) -> list[LedgerFile]:
    if file is None:
        return []
    gone, unsure = row["status"] in ("member", "maybe"), row["status"] == "maybe"
    return [replace(part, members=part.members - gone, maybe=part.maybe - unsure, file=file)]
