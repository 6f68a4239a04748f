"""Erase somebody from the files of a delivery that has ended, or waits for a decision.

Done again after a crash it comes to the same: a file with the person blanked gets another name, the manifest names it,
and what the manifest does not name goes.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from shared.cloud.cloud import Cloud
from shared.delivery.erase.places import LINES
from shared.delivery.erase.whom import Whom
from shared.delivery.sql import literal
from shared.delivery.state import layout, ledger, rejected_rows
from shared.delivery.state import plan as plans
from shared.delivery.state.files import DataFile, Files, keep
from shared.delivery.state.plan import FORGOTTEN
from shared.delivery.state.scratch import Scratch
from shared.errors import Blocked, Conflict

_BLANK = "SELECT * REPLACE (CASE WHEN {same} THEN {gone} ELSE address END AS address) FROM file"
_BLANK_OPERATION = """
    SELECT * REPLACE (CASE WHEN {same} THEN {gone} ELSE address END AS address,
                      CASE WHEN {same} THEN '{{}}' ELSE "values" END AS "values") FROM file
"""


def erase(cloud: Cloud, room: Scratch, whom: Whom, folder: str) -> Counter[str]:
    """Erase a person from a delivery's files; by place, how many held them. Raises Blocked for a plan that cannot be
    read, and Conflict where somebody else changes the files."""
    try:
        found = Counter(
            plans=_in_plan(cloud, room, whom, folder),
            **{place: _in_lines(cloud, room.where, whom, folder + name) for place, name in LINES.items()},
            samples=_in_sample(cloud, whom, layout.sample(folder)),
        )
    except (Blocked, Conflict):
        if any(cloud.blobs.names(folder)):
            raise
        return Counter()  # it expired meanwhile
    return found + Counter(runs=int(found.total() > 0))


def _in_plan(cloud: Cloud, room: Scratch, whom: Whom, folder: str) -> int:
    """Blank the person in a plan's files, and write the manifest that names them; other attempts to plan go
    altogether."""
    stored = cloud.blobs.read(layout.plan_manifest(folder))
    found = plans.read(cloud.blobs, folder) if stored else None
    named, changed = {layout.plan_manifest(folder)}, 0
    if stored is not None and found is not None:
        plan = found[0]
        files = list(plan.files)
        told = {"refused": list(plan.refused), "kept_back": list(plan.kept_back)}
        people = {name: dict(by_part) for name, by_part in plan.people.items()}
        for number, part in enumerate(files):
            if file := _blanked(cloud, room, part.file, whom, _BLANK_OPERATION):
                files[number], changed = replace(part, file=file), 1
        for listed in told.values():
            for number, each in enumerate(listed):
                if file := _blanked(cloud, room, each, whom, _BLANK):
                    listed[number], changed = file, 1
        for by_part in people.values():
            changed |= _blank_each(cloud, room, by_part, whom)
        if changed:
            changes: dict[str, Any] = {"files": files, **told, **people}
            body = replace(plan, **changes).to_json()
            cloud.blobs.write(layout.plan_manifest(folder), body, etag=stored[1])
        named |= {each.file.name for each in files}
        named |= {each.name for by_part in people.values() for each in by_part.values()}
        named |= {each.name for each in (*told["refused"], *told["kept_back"], *plan.values_left_out)}
    for left in (layout.plan_files(folder), layout.rejected_files(folder), layout.rehearsal(folder)):
        drop_others(cloud, cloud.blobs.names(left), named)
    return changed


def _blank_each(cloud: Cloud, room: Scratch, by_part: dict[int, DataFile], whom: Whom) -> int:
    """Blank the person in files by part; whether any held them."""
    held = {part: file for part, each in by_part.items() if (file := _blanked(cloud, room, each, whom, _BLANK))}
    by_part.update(held)
    return int(bool(held))


def drop_others(cloud: Cloud, there: Iterable[str], named: Collection[str]) -> None:
    """Files that workers left who died, or came too late."""
    for name in [each for each in there if each not in named]:
        cloud.blobs.delete(name)


def _blanked(cloud: Cloud, room: Scratch, file: DataFile, whom: Whom, query: str) -> DataFile | None:
    """The file with the person blanked, None where they are not in it."""
    name = f"{file.name.removesuffix('.parquet')}-{whom.hash[:12]}.parquet"
    blank = query.format(same=whom.written_row, gone=literal(FORGOTTEN))
    return rewritten(cloud, room, file, whom.written_row, blank, name).file


class Rewritten(NamedTuple):
    """The row that a file had of somebody, None where it had none; and the file that is left, if any row is."""

    held: dict[str, Any] | None
    file: DataFile | None


def rewritten(cloud: Cloud, room: Scratch, file: DataFile, row: str, query: str, name: str) -> Rewritten:
    """Where a file has a row that meets the condition, run the query over it, and keep what it gives under `name`.
    Raises Blocked for a file that is missing or damaged."""
    path = room.where / "before.parquet"
    if not cloud.blobs.download(file.stored, path):
        raise ledger.damaged()
    with room.database() as connection:
        connection.execute(f"CREATE OR REPLACE TEMP VIEW file AS FROM read_parquet({literal(str(path))})")
        found = connection.execute(f"FROM file WHERE {row} LIMIT 1")
        columns = [each[0] for each in found.description or ()]
        held = found.fetchone()
        if held is None:
            return Rewritten(None, None)
        kept = keep(Files(cloud.blobs), connection, query, name, room.where / "after.parquet")
        return Rewritten(dict(zip(columns, held, strict=True)), kept)


def _in_lines(cloud: Cloud, where: Path, whom: Whom, name: str) -> int:
    """Write a file of lines again without the person's, one line at a time."""
    before, after = where / "before.csv", where / "after.csv"
    etag = cloud.blobs.fetch(name, before)
    changed = etag is not None and rejected_rows.without(whom.is_it, before, after)
    if changed:
        cloud.blobs.compose(name, iter([after]), etag=etag)
    return int(changed)


def _in_sample(cloud: Cloud, whom: Whom, name: str) -> int:
    stored = cloud.blobs.read(name)
    if stored is None:
        return 0
    rows: list[dict[str, Any]] = json.loads(stored[0])
    kept = [row for row in rows if not whom.is_it(row["address"])]
    if len(kept) == len(rows):
        return 0
    cloud.blobs.write(name, json.dumps(kept).encode(), etag=stored[1])
    return 1
