"""A few accepted operations of a delivery, and what the vendor shows of these people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from shared.cloud.cloud import Cloud
from shared.delivery.state import journal
from shared.delivery.state.journal import Folded
from shared.delivery.state.lookup import rows
from shared.delivery.state.plan import ORDER, Plan
from shared.delivery.verify.verdicts import Sample
from shared.vendors.contract import Evidence, Kind, Outcome, Row, Seen

PEOPLE = {Kind.ADD: 10, Kind.CHANGE: 5, Kind.REMOVE: 5}
"""How many of each kind are looked up; a request each."""
_SPARE = 3
"""For each of them so many are drawn, since not all were accepted."""


@dataclass(frozen=True, slots=True)
class Sampled:
    """An accepted operation. `acknowledged`: its receipt was for the request only."""

    kind: Kind
    row: Row
    acknowledged: bool


def draw(cloud: Cloud, folder: str, plan: Plan) -> list[Sampled]:
    """The same people each time for the same delivery. Reads one file of each kind of operation."""
    folded = journal.fold(cloud.blobs, folder)
    return [each for kind in ORDER for each in _of_kind(cloud, folder, plan, kind, folded)]


def _of_kind(cloud: Cloud, folder: str, plan: Plan, kind: Kind, folded: Folded) -> list[Sampled]:
    files = [file for file in plan.files if file.kind is kind]
    if not files:
        return []
    chance = Random(f"{folder}{kind}")
    [file] = chance.choices(files, weights=[each.file.rows for each in files])
    places = chance.sample(range(file.file.rows), min(PEOPLE[kind] * _SPARE, file.file.rows))
    receipts = {place: folded.receipt(*plan.place(file, place)) for place in places}
    accepted = {place: found for place, found in receipts.items() if found and found.outcome is Outcome.ACCEPTED}
    if not accepted:
        return []
    wanted = ", ".join(str(place) for place in list(accepted)[: PEOPLE[kind]])
    found = rows(cloud, file.file, f"file_row_number IN ({wanted}) AND address <> ''")
    return [
        Sampled(
            kind,
            Row(each["address"], each["values"], each["vendor_id"]),
            accepted[each["place"]].evidence is Evidence.ACKNOWLEDGED,
        )
        for each in found
    ]


def compare(sampled: Sequence[Sampled], seen: Sequence[Seen]) -> Sample:
    """What the vendor shows beside what was done. Nothing where the vendor shows nobody."""
    pairs = list(zip(sampled, seen, strict=True)) if seen else []
    kept = [(each, shown) for each, shown in pairs if each.kind is not Kind.REMOVE]
    off = [(each, shown) for each, shown in pairs if each.kind is Kind.REMOVE]
    there = [shown for _, shown in kept if shown.on_target]
    return Sample(
        looked_at=len(pairs),
        different=sum(not shown.inactive and not _fits(each, shown) for each, shown in pairs),
        missing=sum(not shown.on_target and not shown.inactive for _, shown in kept),
        still_there=sum(shown.on_target for _, shown in off),
        inactive=sum(shown.inactive for _, shown in kept),
        proven=sum(each.acknowledged and _fits(each, shown) for each, shown in pairs),
        compared=tuple(sorted({name for shown in there for name in shown.compared})),
        differing=dict(sorted(Counter(name for shown in there for name in shown.differing).items())),
    )


def _fits(each: Sampled, shown: Seen) -> bool:
    if each.kind is Kind.REMOVE:
        return not shown.on_target
    return shown.on_target and not shown.differing
