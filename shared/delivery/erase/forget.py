"""Forget a person: erase an address from ledgers, plans and reports. What stays is a record with a salted hash.

Messages, tables, journals and logs never hold addresses, so Parquet files, `rejected.csv`, `holdout.csv`, and what is
shown of a plan are all there is.
"""

from __future__ import annotations

import hashlib
import json
import logging
import secrets
from collections.abc import Callable, Collection, Iterator
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from shared.catalog.issues import NotNow
from shared.catalog.targets import Claim
from shared.cloud.cloud import Cloud
from shared.cloud.tables import Entity
from shared.cloud.under_way import UnderWay
from shared.delivery import sql
from shared.delivery.account.lease import AccountLease, InUse
from shared.delivery.account.waiting import WaitingRow
from shared.delivery.opt_outs import erasing
from shared.delivery.sql import literal
from shared.delivery.state import layout, ledger, lookup, rejected_rows
from shared.delivery.state import plan as plans
from shared.delivery.state.files import DataFile, Files, keep
from shared.delivery.state.records import ENDED, State, now
from shared.delivery.state.runs import Runs
from shared.delivery.state.scratch import database, folder
from shared.delivery.verify import doctor
from shared.errors import Blocked, Conflict
from shared.mailbox import normalised
from shared.wording import say

log = logging.getLogger(__name__)

PARTITION = "people"
GONE = "forgotten"
"""Stands where an address stood, so that places in a plan stay what they were."""


def forget(cloud: Cloud, address: str, by: str, *, clock: Callable[[], datetime] = now) -> dict[str, int]:
    """Erase an address everywhere; how many ledgers and runs held it. Safe to repeat.

    Raises NotNow while a run is under way, since its plan must not change beneath it.
    """
    wanted = normalised(address)
    _require_quiet(cloud)
    doctor.drop_files(cloud)
    erasing.erase(cloud, wanted)
    salt = secrets.token_hex(16)
    record: Entity = {"PartitionKey": PARTITION, "RowKey": salt, "hash": _hash(salt, wanted), "by": by, "at": clock()}
    cloud.forgotten.insert({**record, "state": "started"})
    counts = {
        "ledgers": sum(_in_ledger(cloud, account, place, wanted) for account, place in ledgers(cloud)),
        "runs": sum(_in_delivery(cloud, place, wanted) for place in deliveries(cloud)),
    }
    stored = cloud.forgotten.get(PARTITION, salt)
    if stored is not None:
        cloud.forgotten.replace({**record, "state": "done", **counts}, stored.etag)
    return counts


def _hash(salt: str, address: str) -> str:
    return hashlib.sha256(f"{salt}:{address}".encode()).hexdigest()


def _require_quiet(cloud: Cloud) -> None:
    for held in Runs(cloud.runs).active_runs(UnderWay(cloud.underway).exports()):
        if held.value.state not in ENDED and held.value.state is not State.BLOCKED:
            words = say(
                "A run of '%(export)s' is under way: wait for its end, or cancel it, and try again.",
                export=held.value.export,
            )
            raise NotNow("running", words)


def ledgers(cloud: Cloud) -> Iterator[tuple[str, str]]:
    """Account and folder of every ledger."""
    manifests = [name for name in cloud.blobs.names("ledgers/") if name.endswith("/manifest.json")]
    for name in manifests:
        yield name.split("/")[1], name.removesuffix("manifest.json")


def _in_ledger(cloud: Cloud, account: str, place: str, address: str) -> int:
    try:
        row = WaitingRow(cloud.waiting, cloud.slices, account)
        with AccountLease(cloud.blobs, account, quiet_seconds=0, look=lambda: None, row=row):
            return _rewrite_protected(cloud, place, address) | _rewrite_ledger(cloud, place, address)
    except InUse:
        raise NotNow("running", say("A run is writing to one of the lists: wait for its end and try again.")) from None


def _rewrite_ledger(cloud: Cloud, place: str, address: str) -> int:
    current = ledger.read(cloud.blobs, place)
    files, found = list(current.files), 0
    for number, part in enumerate(files):
        if not part.first <= lookup.bucket(address) <= part.last:
            continue
        row = next(lookup.rows(cloud, part.file, f"address = {literal(address)}"), None)
        if row is None:
            continue
        name = f"{part.file.name.removesuffix('.parquet')}-{secrets.token_hex(4)}.parquet"
        file = _rewritten(cloud, part.file, f"SELECT * FROM file WHERE address <> {literal(address)}", name)
        gone = row["status"] in ("member", "maybe")
        files[number] = replace(part, members=part.members - gone, file=file or part.file)
        if file is None:
            del files[number]
        found = 1
        break
    previous = [name for name in current.previous if cloud.blobs.exists(name)]
    if found or previous:
        ledger.save(cloud.blobs, place, replace(current, files=tuple(files), previous=()), etag=current.etag)
    kept = {each.file.name for each in files}
    _drop_others(cloud, place, {*kept, layout.ledger_manifest(place), layout.protected(place)})
    return found


def _rewrite_protected(cloud: Cloud, place: str, address: str) -> int:
    """The people who were on a list before us; their file is named in the target's memory, so it is only emptied of
    the address together with that memory."""
    name, changed = layout.protected(place), 0
    for stored in list(cloud.targets.scan("RowKey ne ''", {})):
        memory = dict(Claim.of(stored.entity, stored.etag).memory)
        known = memory.get("protected")
        if not known or known["name"] != name:
            continue
        file = DataFile.of(known)
        if next(lookup.rows(cloud, file, f"address = {literal(address)}"), None) is None:
            continue
        query = f"SELECT * FROM file WHERE address <> {literal(address)}"
        kept = _rewritten(cloud, file, query, name)
        memory["protected"] = asdict(kept) if kept else None
        cloud.targets.replace({**stored.entity, "memory": json.dumps(memory)}, stored.etag)
        changed = 1
    return changed


def deliveries(cloud: Cloud) -> Iterator[str]:
    """Folder of every delivery that left files."""
    yield from sorted({"/".join(name.split("/")[:4]) + "/" for name in cloud.blobs.names("runs/")})


def _in_delivery(cloud: Cloud, place: str, address: str) -> int:
    """Raises NotNow for a delivery that began meanwhile, and Blocked for a plan that cannot be read."""
    _, export, run, index, _ = place.split("/")
    held = Runs(cloud.runs).delivery(export, run, int(index))
    if held is not None and held.value.state not in (*ENDED, State.BLOCKED):
        raise NotNow(
            "running",
            say("A run of '%(export)s' began meanwhile: wait for its end, or cancel it, and try again.", export=export),
        )
    try:
        changed = _in_plan(cloud, place, address)
        changed |= _in_csv(cloud, layout.rejected(place), address)
        changed |= _in_csv(cloud, layout.planned(place), address)
        changed |= _in_csv(cloud, layout.holdout(place), address)
        return changed | _in_sample(cloud, place, address)
    except (Blocked, Conflict):
        if any(cloud.blobs.names(place)):
            raise
        return 0  # it expired meanwhile


def _in_plan(cloud: Cloud, place: str, address: str) -> int:
    """Replace the address in a plan's files, and the manifest that names them; other attempts to plan go altogether."""
    stored = cloud.blobs.read(layout.plan_manifest(place))
    found = plans.read(cloud.blobs, place) if stored else None
    named = {layout.plan_manifest(place)}
    changed = 0
    if stored is not None and found is not None:
        plan = found[0]
        files = list(plan.files)
        told = {"refused": list(plan.refused), "kept_back": list(plan.kept_back)}
        for number, part in enumerate(files):
            if file := _blanked(cloud, part.file, address, _BLANK_OPERATION):
                files[number], changed = replace(part, file=file), 1
        for listed in told.values():
            for number, each in enumerate(listed):
                if file := _blanked(cloud, each, address, _BLANK):
                    listed[number], changed = file, 1
        if changed:
            body = replace(plan, files=files, refused=told["refused"], kept_back=told["kept_back"]).to_json()
            cloud.blobs.write(layout.plan_manifest(place), body, etag=stored[1])
        named |= {each.file.name for each in files}
        named |= {each.name for each in (*told["refused"], *told["kept_back"], *plan.values_left_out)}
    for left in (layout.plan_files(place), layout.rejected_files(place)):
        _drop_others(cloud, left, named)
    return changed


def _drop_others(cloud: Cloud, place: str, named: Collection[str]) -> None:
    """Files that workers left who died, or came too late."""
    for name in [each for each in cloud.blobs.names(place) if each not in named]:
        cloud.blobs.delete(name)


_BLANK = "SELECT * REPLACE (CASE WHEN {same} THEN '{gone}' ELSE address END AS address) FROM file"
_BLANK_OPERATION = """
    SELECT * REPLACE (CASE WHEN {same} THEN '{gone}' ELSE address END AS address,
                      CASE WHEN {same} THEN '{{}}' ELSE "values" END AS "values") FROM file
"""


def _blanked(cloud: Cloud, file: DataFile, address: str, query: str) -> DataFile | None:
    """The file with the address blanked, None where it is not in it."""
    same = f"{sql.address(sql.trimmed('address'))} = {literal(address)}"
    if next(lookup.rows(cloud, file, same), None) is None:
        return None
    return _rewritten(cloud, file, query.format(same=same, gone=GONE), file.name)


def _rewritten(cloud: Cloud, file: DataFile, query: str, name: str) -> DataFile | None:
    """Run a query over the view `file` and keep the result under `name`; None where no row is left."""
    with folder() as where, database(cloud.settings, where) as connection:
        path = where / "before.parquet"
        if not cloud.blobs.download(file.stored, path):
            raise ledger.damaged()
        connection.execute(f"CREATE TEMP VIEW file AS FROM read_parquet({literal(str(path))})")
        return keep(Files(cloud.blobs), connection, query, name, where / "after.parquet")


def _in_csv(cloud: Cloud, name: str, address: str) -> int:
    """Write a file of lines again without the lines of the address, one line at a time."""
    with folder() as where:
        before, after = where / "before.csv", where / "after.csv"
        etag = cloud.blobs.fetch(name, before)
        changed = etag is not None and rejected_rows.without(address, before, after)
        if changed:
            cloud.blobs.compose(name, iter([after]), etag=etag)
    return int(changed)


def _in_sample(cloud: Cloud, place: str, address: str) -> int:
    stored = cloud.blobs.read(layout.sample(place))
    if stored is None:
        return 0
    rows: list[dict[str, Any]] = json.loads(stored[0])
    kept = [row for row in rows if normalised(row["address"]) != address]
    if len(kept) == len(rows):
        return 0
    cloud.blobs.write(layout.sample(place), json.dumps(kept).encode(), etag=stored[1])
    return 1
