"""A run's report, held against its own journal and against the vendor's log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from typing import Any

from dev.simulators.common.journal import Entry
from shared.delivery.commit.became import NOT_SENT, UNANSWERED
from shared.delivery.plan.persons import SECOND_ADDRESS
from shared.delivery.state import journal, layout
from shared.delivery.state.journal import Folded
from shared.delivery.state.records import Run
from shared.delivery.state.transitions import RunKind
from shared.vendors.contract import Kind, Outcome, Receipt
from tests.integration.faults.accounts import planned
from tests.load.fleet import Desk
from tests.soak.segments import Segment

BALANCED = ("add", "change", "unchanged", "held", "outside", "duplicates", "refused_here", "kept_back", "later")


@dataclass
class Evidence:
    """A vendor's log from now on."""

    desk: Desk
    faults: list[str] = field(default_factory=list)
    _after: int = field(init=False)

    def __post_init__(self) -> None:
        entries = self.desk.simulator.journal.entries
        self._after = entries[-1].number if entries else 0

    def count_faults(self, tally: Counter[str]) -> None:
        """Faults that struck, by the name that they were set under."""
        for name, told in zip(self.faults, self.desk.simulator.faults.describe(), strict=True):
            tally[name] += told["fired"]

    def check(self, export: str, segment: Segment, run: Run, on_list: Set[str], tally: Counter[str]) -> list[str]:
        """What is wrong with an export's only run since then; `on_list` are the addresses on its list now."""
        people = segment.export
        put, off = self._touched(people, "put"), self._touched(people, "off")
        tally["rows sent"] += put.total() + off.total()
        tally["sent again"] += sum(times - 1 for times in (put + off).values() if times > 1)
        receipts = _receipts(self.desk, run)
        report = _report(self.desk, run)
        if report and report["rows"]:
            tally["kept back by rules"] += report["rows"]["kept_back"]
            tally["moved to another address"] += report["rows"]["moved"]
            tally["second addresses"] += sum(
                each["people"] for each in report["reasons"] if each["code"] == SECOND_ADDRESS
            )
            tally["taken off by rules"] += report["rows"]["removed_by_rules"]
        problems = [*_unbalanced(report), *_miscounted(report, receipts)] if report else []
        if held_out := set(filter(segment.never_goes, put)):
            problems.append(f"{len(held_out)} people of the holdout reached the vendor")
        if run.kind is RunKind.DRY_RUN:
            problems += ["a dry run sent something"] if put or off else []
            return [f"{export}: {each}" for each in problems]
        for kinds, done in (((Kind.ADD, Kind.CHANGE), put), ((Kind.REMOVE,), off)):
            accepted = {who for who, (kind, receipt) in receipts.items() if kind in kinds and _accepted(receipt)}
            asked = {who for who, (kind, receipt) in receipts.items() if kind in kinds and receipt is not NOT_SENT}
            if Kind.REMOVE in kinds:  # who was not on the list to begin with is off it as well
                accepted &= on_list
            if lies := accepted - done.keys():
                problems.append(f"{len(lies)} {kinds[0]} accepted of which the vendor knows nothing")
            if strangers := done.keys() - asked:
                problems.append(f"{len(strangers)} {kinds[0]} done of which the report knows nothing")
        return [f"{export}: {each}" for each in problems]

    def _touched(self, people: str, way: str) -> Counter[str]:
        """Address -> how often the vendor did it, at the endpoint where it did so most often."""
        kit = self.desk.kit
        endpoints = {*kit.adds, *kit.changes} if way == "put" else {*kit.removes}
        both = {*kit.removes} & {*kit.adds, *kit.changes}
        counts = [_people(people, self._entries(), each, way if each in both else "") for each in endpoints]
        most: Counter[str] = Counter()
        for each in counts:
            most |= each
        return most

    def _entries(self) -> list[Entry]:
        return self.desk.entries_after(self._after)


def _people(people: str, entries: Iterable[Entry], endpoint: str, way: str) -> Counter[str]:
    """Of an endpoint that puts people on a list and takes them off, only those of the one `way`."""
    return Counter(
        who
        for entry in entries
        if entry.endpoint == endpoint and entry.worked
        for who in entry.touched
        if who.startswith(f"{people}.") and (not way or (who in entry.left) is (way == "off"))
    )


def _receipts(desk: Desk, run: Run) -> dict[str, tuple[Kind, Receipt]]:
    """Address -> what was planned for it, and what the journal says became of that."""
    folded = journal.fold(desk.cloud.blobs, layout.delivery_folder(run.export, run.run, 0))
    return {
        operation.address: (operation.kind, _receipt(folded, batch, index))
        for batch, operations in planned(desk.cloud, run).items()
        for index, operation in enumerate(operations)
    }


def _receipt(folded: Folded, batch: int, index: int) -> Receipt:
    if (result := folded.results.get(batch)) is not None:
        return result.others.get(index, result.default)
    return UNANSWERED if batch in folded.sent else NOT_SENT


def _accepted(receipt: Receipt) -> bool:
    return receipt.outcome is Outcome.ACCEPTED


def _report(desk: Desk, run: Run) -> dict[str, Any] | None:
    """None where the run ended before there was anything to report."""
    return (
        desk.report(run)
        if desk.cloud.blobs.exists(layout.report(layout.delivery_folder(run.export, run.run, 0)))
        else None
    )


def _unbalanced(report: Mapping[str, Any]) -> list[str]:
    rows, outcomes = report["rows"], report["outcomes"]
    if not rows:
        return []
    problems = []
    if rows["rows_read"] != sum(rows[name] for name in BALANCED):
        problems.append("rows read are not what became of them")
    if outcomes and rows["add"] + rows["change"] + rows["remove"] != sum(outcomes.values()):
        problems.append("operations are not their outcomes")
    return problems


def _miscounted(report: Mapping[str, Any], receipts: Mapping[str, tuple[Kind, Receipt]]) -> list[str]:
    counted = Counter(f"{kind} {receipt.outcome}" for kind, receipt in receipts.values())
    told = Counter(report["outcomes"])
    return [] if counted == told or not told else [f"the report says {dict(told)}, its journal {dict(counted)}"]


def differences(
    export: str, wanted: Mapping[str, Mapping[str, str]], found: Mapping[str, Mapping[str, Any]]
) -> list[str]:
    """How a list is not the segment, person by person."""
    missing, strangers = wanted.keys() - found.keys(), found.keys() - wanted.keys()
    others = [who for who in wanted.keys() & found.keys() if dict(wanted[who]) != dict(found[who])]
    named = [("is missing", missing), ("should not be on it", strangers), ("has other values", others)]
    return [f"{export}: {who.partition('@')[0]} {words}" for words, people in named for who in sorted(people)]
