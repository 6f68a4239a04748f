"""Who is planned, for somebody who has to decide or only looks: a few people of each kind, and all of them as CSV."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from shared.delivery import addresses
from shared.delivery.plan import lines
from shared.delivery.plan.persons import SECOND_ADDRESS
from shared.delivery.sql import harmless, literal
from shared.delivery.state import layout
from shared.delivery.state.files import DataFile
from shared.delivery.state.lookup import rows
from shared.delivery.state.plan import ORDER, Plan
from shared.delivery.state.transitions import RunKind
from shared.delivery.work import Work
from shared.vendors.contract import Kind
from shared.wording import say

SAMPLE = 10
"""People of each kind that are shown."""
REFUSED = "refused"
KEPT_BACK = "kept back"

Reasons = Mapping[tuple[Kind, bool], str]

REASONS: Reasons = {
    (Kind.ADD, False): say("In the segment, and not on the list."),
    (Kind.ADD, True): say("In the segment again, after having been taken off the list."),
    (Kind.CHANGE, False): say("Values changed, or are sent again."),
    (Kind.CHANGE, True): say("Values changed, or are sent again."),
    (Kind.REMOVE, False): say("Not in the segment any more."),
    (Kind.REMOVE, True): say("Not in the segment any more, and perhaps on the list."),
}
"""Why somebody is planned, by the kind of operation and by what is special: who came back, whose state is not known."""
MOVES: dict[Kind, str] = {
    Kind.ADD: say("The person's address now; they are on the list under another one, which leaves."),
    Kind.REMOVE: say("The person has another address now, which is in the segment."),
}
"""Of people with an id, why an address joins or leaves."""

_MENDED: dict[Kind, str] = {
    Kind.ADD: say("On the list by the record, and not there; or put there by this export, and not on its record."),
    Kind.CHANGE: say("The vendor shows other values than were delivered."),
    Kind.REMOVE: say("Put on the list by this export, and not in the segment any more."),
}
_IN_A_REPAIR = {(kind, special): words for kind, words in _MENDED.items() for special in (False, True)}
"""The same for a repair, which looks at nobody but those whom a check-up found."""

_SPECIAL = {Kind.ADD: "came_back", Kind.CHANGE: "came_back", Kind.REMOVE: "unsure_since IS NOT NULL"}
_HEADER = lines.header("address", "operation", "reason", "segment", "file", "row")


def write(work: Work, plan: Plan) -> None:
    """Write both files. Writing them again gives the same. They hold addresses."""
    reasons = _IN_A_REPAIR if work.run.kind is RunKind.REPAIR else REASONS
    queries = [(each.file, _planned(plan, each.kind, reasons)) for each in plan.files]
    queries += [(file, _refused(plan)) for file in plan.refused]
    queries += [(file, _kept_back(plan)) for file in plan.kept_back]
    work.cloud.blobs.compose(layout.planned(work.folder), lines.blocks(work, _HEADER, queries))
    work.cloud.blobs.write(layout.sample(work.folder), json.dumps(list(_sample(work, plan, reasons))).encode())


def _planned(plan: Plan, kind: Kind, reasons: Reasons) -> str:
    why = f"CASE WHEN {_SPECIAL[kind]} THEN {literal(reasons[kind, True])} ELSE {literal(reasons[kind, False])} END"
    if SECOND_ADDRESS in plan.rules and kind in MOVES:
        why = f"CASE WHEN moved THEN {literal(MOVES[kind])} ELSE {why} END"
    if plan.rules and kind is Kind.REMOVE:
        why = f"coalesce({lines.kept_back_because(plan)}, {why})"
    return f"SELECT {harmless('address')}, '{kind}', {why}, NULL, NULL, NULL FROM rows ORDER BY address"


def _kept_back(plan: Plan) -> str:
    return f"""
        SELECT {harmless("rows.address")}, '{KEPT_BACK}', {lines.kept_back_because(plan)}, {lines.PLACE}
        FROM rows {lines.places(plan)} ORDER BY rows.n
    """


def _refused(plan: Plan) -> str:
    return f"""
        SELECT {harmless("rows.address")}, '{REFUSED}', {lines.refused_because()}, {lines.PLACE}
        FROM rows {lines.places(plan)} ORDER BY rows.n
    """


def _sample(work: Work, plan: Plan, reasons: Reasons) -> Iterator[dict[str, Any]]:
    for kind in ORDER:
        files = [each.file for each in plan.files if each.kind is kind]
        for row in _first(work, files):
            special = row["unsure_since"] is not None if kind is Kind.REMOVE else row["came_back"]
            usual = MOVES[kind] if row.get("moved") and kind in MOVES else reasons[kind, bool(special)]
            why = plan.rules.get(row.get("rule") or "", usual)
            yield _shown(str(kind), row["address"], json.loads(row["values"]), why)
    for row in _first(work, plan.refused):
        yield _shown(REFUSED, row["address"], {}, addresses.REASONS[row["problem"]])
    for row in _first(work, plan.kept_back):
        yield _shown(KEPT_BACK, row["address"], {}, plan.rules[row["rule"]])


def _first(work: Work, files: list[DataFile]) -> Iterator[dict[str, Any]]:
    """The first rows of the first file: parts are drawn by the address's hash, so it is as good as any."""
    for file in files[:1]:
        yield from rows(work.cloud, file, f"file_row_number < {SAMPLE}")


def _shown(operation: str, address: str, values: dict[str, Any], reason: str) -> dict[str, Any]:
    return {"operation": operation, "address": address, "values": values, "reason": reason}
