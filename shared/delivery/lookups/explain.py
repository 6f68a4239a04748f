"""Why one person is, or is not, on an export's targets: the snapshot, the checks, the ledger, the last receipts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from shared.catalog.models import Export, Target
from shared.cloud.cloud import Cloud
from shared.delivery import addresses, segments
from shared.delivery.plan.operations import Source, Wish, staging_query
from shared.delivery.sql import literal
from shared.delivery.state import journal, layout, ledger, lookup
from shared.delivery.state import plan as plans
from shared.delivery.state.lookup import KnownTarget
from shared.delivery.state.records import Delivery
from shared.delivery.state.runs import Runs
from shared.errors import UserMustAct
from shared.mailbox import normalised, spellings
from shared.snapshots.reading import reader
from shared.wording import Message, say

RUNS_LOOKED_AT = 5
MOST_ROWS = 10


def explain(cloud: Cloud, export: Export, address: str) -> dict[str, Any]:
    """Everything that is known about an address, target by target. The answer holds no address."""
    wanted = normalised(address)
    problem = _problem(wanted)
    known = list(lookup.targets(cloud, export))
    return {
        "export": export.name,
        "address": "valid" if problem is None else problem,
        "targets": [
            _of_target(cloud, export, index, target, each, wanted, problem)
            for index, (target, each) in enumerate(zip(export.targets, known, strict=True))
        ],
    }


def _of_target(
    cloud: Cloud, export: Export, index: int, target: Target, known: KnownTarget, address: str, problem: str | None
) -> dict[str, Any]:
    found = [_in_segment(cloud, export, segment, address) for segment in target.segments]
    row = lookup.ledger_row(cloud, known.ledger, address)
    receipts = list(islice(_receipts(cloud, export, index, address), RUNS_LOOKED_AT))
    return {
        "target": known.key,
        "segments": found,
        "ledger": _plain(row),
        "receipts": receipts,
        "verdict": verdict(any(each["rows"] for each in found), problem, row, receipts),
    }


def _in_segment(cloud: Cloud, export: Export, segment: str, address: str) -> dict[str, Any]:
    """Rows of the newest snapshot with this address, read as a stream."""
    try:
        snapshot = segments.newest(cloud, segment)
        with reader(cloud.segments, cloud.settings) as opened:
            query = staging_query(
                Wish(export.address_column, (), str(export.mode)),
                [Source(opened.scan(snapshot, [export.address_column]).sql)],
                1,
            )
            condition = f"address IN ({', '.join(map(literal, spellings(address)))})"
            rows = opened.connection.execute(
                f"SELECT file_index, n FROM ({query}) WHERE {condition} LIMIT {MOST_ROWS}"
            ).fetchall()
    except UserMustAct as error:
        return {"segment": segment, "rows": 0, "problem": error.message}
    return {
        "segment": segment,
        "snapshot": snapshot.key,
        "rows": len(rows),
        "places": [{"file": snapshot.files[file].name, "row_of_snapshot": row} for file, row in rows],
    }


def _receipts(cloud: Cloud, export: Export, index: int, address: str) -> Iterator[dict[str, Any]]:
    """What became of operations on the address in the export's account, newest run first; those in another account,
    perhaps of a deleted export of this name, are not for whoever may ask about this one."""
    runs = Runs(cloud.runs)
    for run in islice(runs.history(export.name), 50):
        held = runs.delivery(export.name, run.run, index)
        folder = layout.delivery_folder(export.name, run.run, index)
        found = plans.read(cloud.blobs, folder) if held and held.value.account == export.account else None
        if held is None or found is None:
            continue
        for operation in _operations(cloud, found[0], address):
            yield _receipt(cloud, folder, held.value, found[0], operation)


def _operations(cloud: Cloud, plan: plans.Plan, address: str) -> Iterator[tuple[plans.PlanFile, int]]:
    part = lookup.bucket(address) * plan.parts // 256
    for file in plan.of_part(part):
        for row in lookup.rows(cloud, file.file, f"address = {literal(address)}"):
            yield file, int(row["place"])


def _receipt(
    cloud: Cloud, folder: str, delivery: Delivery, plan: plans.Plan, operation: tuple[plans.PlanFile, int]
) -> dict[str, Any]:
    file, place = operation
    batch, index = plan.place(file, place)
    folded = journal.fold(cloud.blobs, folder)
    receipt = folded.receipt(batch, index)
    return {
        "run": delivery.run,
        "at": (delivery.finished_at or delivery.heartbeat).isoformat(),
        "operation": str(file.kind),
        "outcome": str(receipt.outcome) if receipt else (say("in flight") if batch in folded.sent else say("not sent")),
        "code": receipt.code if receipt else "",
        "reason": receipt.reason if receipt else "",
    }


def _problem(address: str) -> str | None:
    """The verdict of `addresses.problem` on one address."""
    import duckdb

    with duckdb.connect() as connection:
        found = connection.execute(f"SELECT {addresses.problem('$address')}", {"address": address}).fetchone()
    problem: str | None = found[0] if found else None
    if problem == addresses.DOUBTFUL:
        return addresses.INVALID if list(addresses.invalid([address])) else None
    return problem


_SHOWN = (*ledger.COLUMNS.keys() - {"address", "bucket", "hash", "refused_hash"},)


def _plain(row: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if row is None:
        return None
    return {name: str(row[name]) for name in sorted(_SHOWN) if row[name] is not None}


def verdict(
    in_segment: bool, problem: str | None, row: Mapping[str, Any] | None, receipts: Sequence[Mapping[str, Any]]
) -> str:
    """One sentence for a marketer."""
    if problem is not None:
        return say("Not on the list: %(why)s", why=addresses.REASONS[problem])
    status = row["status"] if row else None
    return _VERDICTS[(in_segment, status)].filled(
        code=(row or {}).get("code") or "", retry=Message((row or {}).get("retry") or ""), last=_last(receipts)
    )


def _last(receipts: Sequence[Mapping[str, Any]]) -> str:
    if not receipts:
        return say("There is no receipt of the last runs.")
    newest = receipts[0]
    return say(
        "Last: %(operation)s %(outcome)s in run %(run)s. %(reason)s",
        operation=Message(newest["operation"]),
        outcome=Message(newest["outcome"]),
        run=newest["run"],
        reason=newest["reason"],
    )


_VERDICTS = {
    (True, "member"): say("On the list, and in the segment. %(last)s"),
    (True, "maybe"): say(
        "Perhaps on the list: the vendor did not answer. The next run adds the person again. %(last)s"
    ),
    (True, "removed"): say("Not on the list yet: taken off before, in the segment again; the next run adds. %(last)s"),
    (True, "refused"): say("Not on the list: the vendor refused (%(code)s); tried again: %(retry)s. %(last)s"),
    (True, None): say("Not on the list yet: in the segment, and no run has sent the person. %(last)s"),
    (False, "member"): say(
        "On the list, but not in the segment: the next run takes the person off (mode mirror). %(last)s"
    ),
    (False, "maybe"): say("Perhaps on the list, and not in the segment: the next run takes the person off. %(last)s"),
    (False, "removed"): say("Not on the list: the person left the segment and was taken off. %(last)s"),
    (False, "refused"): say("Not on the list: not in the segment, and refused before (%(code)s). %(last)s"),
    (False, None): say("Not on the list through this export: not in the segment, and never sent. %(last)s"),
}
