"""What a person reads afterwards: `report.json` with everything counted, `rejected.csv` with every person who was not
taken or kept back and the reason, `left-out.csv` with every value that did not arrive as the source has it,
`holdout.csv` with whoever is held out."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from shared.catalog.holdout import HOLDOUT
from shared.delivery import addresses
from shared.delivery.commit.new_ledger import Outcomes, Why
from shared.delivery.plan import cell_values, lines
from shared.delivery.plan.planned_people import KEPT_BACK
from shared.delivery.sql import harmless
from shared.delivery.state import layout
from shared.delivery.state.plan import Balance, Plan
from shared.delivery.state.records import State
from shared.delivery.state.rejected_rows import HEADER
from shared.delivery.work import Work
from shared.wording import kept

_HEADER = lines.header(*HEADER)
_HOLDOUT_HEADER = lines.header("address")
_HELD_OUT = f"SELECT {harmless('address')} FROM rows WHERE rule = '{HOLDOUT}' ORDER BY address"
_CHANGED = "when changed"
_LEFT_OUT_HEADER = lines.header("segment", "file", "row", "field", "code", "reason")


def write(work: Work, plan: Plan | None, outcomes: Outcomes, state: State) -> None:
    """Write the files of a delivery. Writing them again gives the same."""
    _write_rejected(work, plan, outcomes)
    if plan is not None:
        _write_left_out(work, plan, outcomes)
        _write_holdout(work, plan)
    body = json.dumps(describe(work, plan, outcomes, state), indent=2, ensure_ascii=False)
    work.cloud.blobs.write(layout.report(work.folder), body.encode())


def _write_left_out(work: Work, plan: Plan, outcomes: Outcomes) -> None:
    query = _left_out_query(plan)
    files = [(file, query) for file in (*plan.values_left_out, *outcomes.values_left_out)]
    if files:
        work.cloud.blobs.compose(layout.left_out(work.folder), lines.blocks(work, _LEFT_OUT_HEADER, files))


def tidy(work: Work, outcomes: Outcomes) -> None:
    """Delete what the lines were made of."""
    for file in (*outcomes.rejected, *outcomes.values_left_out):
        work.cloud.blobs.delete(file.name)


def _write_holdout(work: Work, plan: Plan) -> None:
    """Whoever measures what being on the list does compares these people with those who are."""
    if HOLDOUT in plan.rules:
        queries = [(file, _HELD_OUT) for file in plan.kept_back]
        work.cloud.blobs.compose(layout.holdout(work.folder), lines.blocks(work, _HOLDOUT_HEADER, queries))


def values_left_out(plan: Plan | None, outcomes: Outcomes) -> dict[str, int]:
    """Values that did not arrive as the source has them, by field: left out here, or not taken by the vendor."""
    return dict(Counter(plan.balance.left_out if plan else {}) + Counter(outcomes.left_out))


def describe(work: Work, plan: Plan | None, outcomes: Outcomes, state: State) -> dict[str, Any]:
    """The report of one delivery. It holds no address."""
    delivery, counters = work.delivery, work.opened.sent
    return {
        "export": work.export.name,
        "run": work.run.run,
        "state": str(state),
        "message": delivery.message,
        "target": {"key": delivery.target_key, **delivery.target},
        "snapshots": _snapshots(plan),
        "rows": _rows(plan),
        "outcomes": outcomes.counts,
        "evidence_of_receipts": outcomes.evidence,
        "members": members(outcomes),
        "reasons": _reasons(plan, outcomes),
        "values_left_out": values_left_out(plan, outcomes),
        "guards": plan.findings if plan else [],
        "decision": delivery.decision or None,
        **({"foreseen": delivery.foreseen["outcomes"]} if "outcomes" in delivery.foreseen else {}),
        "warnings": delivery.warnings,
        "requests": work.requests_before + counters.requests,
        "retries": work.retries_before + counters.retries,
        "throttled_seconds": round(work.throttled_before + counters.throttled_seconds, 1),
        "seconds": round((work.clock() - (delivery.started_at or work.clock())).total_seconds(), 1),
    }


def members(outcomes: Outcomes) -> int | None:
    """People on the target; None where no ledger was written."""
    return sum(file.members for file in outcomes.files) if outcomes.files else None


def _reasons(plan: Plan | None, outcomes: Outcomes) -> list[dict[str, Any]]:
    """People by reason, the most frequent first; as frequent ones always in the same order."""
    balance = plan.balance if plan else Balance()
    rules = plan.rules if plan else {}
    found = {Why("refused here", code, addresses.REASONS[code], _CHANGED): n for code, n in balance.refused.items()}
    found |= {Why(KEPT_BACK, rule, rules[rule], _CHANGED): n for rule, n in balance.kept_back.items()}
    found |= outcomes.reasons
    return [
        {
            **asdict(why),
            "message": kept(why.reason),
            "people": people,
            "removed": balance.removed_by_rules.get(why.code, 0) if why.outcome == KEPT_BACK else 0,
        }
        for why, people in sorted(found.items(), key=lambda each: (-each[1], each[0].outcome, each[0].code))
    ]


def _rows(plan: Plan | None) -> dict[str, int]:
    return plan.balance.counts() if plan else {}


def _snapshots(plan: Plan | None) -> list[dict[str, Any]]:
    if plan is None:
        return []
    read = zip(plan.snapshots, plan.snapshot_rows, strict=True)
    barring = zip(plan.excluded, plan.excluded_rows, strict=True)
    return [
        *(_snapshot(pinned, rows) for pinned, rows in read),
        *({**_snapshot(pinned, rows), "excluded": True} for pinned, rows in barring),
    ]


def _snapshot(pinned: Mapping[str, Any], rows: int) -> dict[str, Any]:
    return {
        "segment": pinned["name"],
        "snapshot": pinned["key"],
        "taken_at": pinned["taken_at"],
        "files": len(pinned["files"]),
        "rows": rows,
    }


def _write_rejected(work: Work, plan: Plan | None, outcomes: Outcomes) -> None:
    """One block for each part, so that neither memory nor disk holds more than one."""
    queries = [(file, _refused_query(plan)) for file in plan.refused] if plan else []
    queries += [(file, REJECTED) for file in outcomes.rejected]
    queries += [(file, _kept_back_query(plan)) for file in plan.kept_back] if plan else []
    name = layout.rejected(work.folder)
    if queries:
        work.cloud.blobs.compose(name, lines.blocks(work, _HEADER, queries))
    else:
        work.cloud.blobs.write(name, _HEADER)


def _refused_query(plan: Plan) -> str:
    """Rows that were refused here."""
    return f"""
        SELECT {harmless("rows.address")}, {lines.PLACE}, '', 'refused', problem,
               {lines.refused_because()}, '{_CHANGED}'
        FROM rows {lines.places(plan)} ORDER BY rows.n
    """


def _kept_back_query(plan: Plan) -> str:
    """People whom a rule keeps back."""
    return f"""
        SELECT {harmless("rows.address")}, {lines.PLACE}, '', '{KEPT_BACK}', rule, {lines.kept_back_because(plan)},
               '{_CHANGED}'
        FROM rows {lines.places(plan)} ORDER BY rows.n
    """


def _left_out_query(plan: Plan) -> str:
    """Values that did not arrive as the source has them."""
    return f"""
        SELECT {lines.PLACE}, {harmless("rows.field")}, why, {lines.in_words("why", cell_values.REASONS)}
        FROM rows {lines.places(plan)} ORDER BY rows.n
    """


_TOLD = ", ".join(harmless(column) for column in ("kind", "outcome", "code", "reason", "retry"))
REJECTED = f"SELECT {harmless('address')}, '', '', NULL, {_TOLD} FROM rows"
"""Rows that the vendor did not take."""
