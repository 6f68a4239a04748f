"""Runs as API and pages show them, made of their rows and reports. Counts are people, or rows where it says so."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.control.views import View
from shared.delivery.state.records import ENDED, GROUPS, Delivery, Run, State, Step, now
from shared.delivery.state.transitions import RunKind
from shared.vendors.contract import Kind, Outcome
from shared.vendors.registry import DEFINITIONS
from shared.wording import Said, read

UNFINISHED = frozenset(State) - ENDED
DecisionWord = Literal["deliver", "start_small", "additions_only", "discard"]


class Progress(View):
    """How far it is; `total` is null until it is planned. The unit is operations."""

    done: int = 0
    total: int | None = None
    step: str = ""
    rate: float | None = Field(default=None, description="Operations per second, while it delivers.")
    seconds_left: int | None = Field(default=None, description="A guess from the rate so far.")


class Counts(View):
    """`add + change + remove` are the plan, and equal `accepted + rejected + skipped + unknown` at the end.
    `rows_read = add + change + unchanged + duplicates + refused_here + kept_back + later` and the people held back."""

    rows_read: int = 0
    duplicates: int = 0
    refused_here: int = Field(default=0, description="Rows without a usable address.")
    unchanged: int = 0
    held: int = Field(default=0, description="People in the segment whom an earlier refusal keeps off the target.")
    kept_back: int = Field(default=0, description="People in the segment whom a rule keeps back.")
    removed_by_rules: int = Field(
        default=0, description="Of the removals, people in the segment whom a rule keeps back: withdrawn consent, say."
    )
    later: int = Field(
        default=0, description="People in the segment whom a person left for later runs, by the decision start_small."
    )
    moved: int = Field(
        default=0,
        description="Of the removals, addresses of people who have another one in the segment now, by the id column.",
    )
    shared_addresses: int = Field(default=0, description="Addresses that several people have, by the id column.")
    without_id: int = Field(default=0, description="People whose id column is empty, so that nobody sees them move.")
    add: int = 0
    change: int = 0
    remove: int = 0
    accepted: int = 0
    rejected: int = 0
    skipped: int = 0
    unknown: int = 0


class RunSummary(View):
    """One run, in a word."""

    run: str
    export: str
    state: State
    trigger: str
    kind: RunKind = RunKind.DELIVERY
    started_at: datetime
    finished_at: datetime | None = None
    message: Said = ""
    started_by: str = Field(default="", description="Who asked for it; nobody for a schedule.")


class SampleView(View):
    """A few people who were delivered, looked up at the vendor. `differing`: field -> people with another value."""

    looked_at: int = 0
    different: int = Field(default=0, description="Are not as they were delivered.")
    missing: int = Field(default=0, description="Were delivered, and are not on the target.")
    still_there: int = Field(default=0, description="Were taken off, and are on the target.")
    inactive: int = Field(default=0, description="Are off the target by their own doing.")
    compared: tuple[str, ...] = Field(default=(), description="Fields.")
    differing: dict[str, int] = Field(default_factory=dict)


class Verification(View):
    """What the vendor showed after the delivery. `difference` is people counted beyond those expected, below nought
    where some lack. `evidence`: accepted operations that are confirmed, and that were only acknowledged."""

    verdict: Literal["agrees", "explained", "differs", "not verified"]
    message: Said = Field(description="What the difference is, and what to do about it; empty where there is none.")
    at: datetime
    looks: int
    expected: int | None = Field(default=None, description="People whom the export has put on the target.")
    maybe: int = Field(default=0, description="People of whom it is not known.")
    strangers: int = Field(default=0, description="People who were on it before the export, where they were read.")
    counted: int | None = Field(default=None, description="Null where the vendor does not tell.")
    difference: int | None = None
    sample: SampleView = SampleView()
    evidence: dict[str, int] = Field(default_factory=dict)


class ForeseenReason(View):
    """How many people a run would not take, for one reason."""

    foreseen: str
    code: str
    reason: Said
    people: int


class RehearsalView(View):
    """What a run would do with the list as it is at the vendor now. `outcomes`: what is foreseen -> people, of those
    whom the plan is about."""

    outcomes: dict[str, int]
    reasons: tuple[ForeseenReason, ...] = ()
    requests: int = Field(description="Requests that the run would make; each look at a job that goes on comes on top.")
    looks: int = Field(default=0, description="Such looks, by how long earlier runs to this list saw jobs take.")
    seconds: float = Field(description="How long the run would take at the connection's budget.")
    jobs_known: bool = Field(
        default=True,
        description="False where the vendor works on jobs after the requests and no run to this list tells how long.",
    )
    jobs_known_to: int | None = Field(
        default=None,
        description="Where this run has far larger jobs than those whose time is known: people of the largest of them.",
    )
    listed: int | None = Field(description="People on the list now; null where they are too many to be read.")
    unknown: tuple[Said, ...] = Field(default=(), description="What the vendor does not tell before people are sent.")


class TargetRun(View):
    """The delivery of a run to one target. A blocked one names the `plan` that a decision must name."""

    target: str
    state: State
    list_id: str | None = None
    list_name: str | None = None
    message: Said = ""
    plan: str | None = None
    progress: Progress = Progress()
    counts: Counts = Counts()
    left_out: dict[str, int] = Field(
        default_factory=dict, description="Field -> cells left out because they are not of its type."
    )
    requests: int = 0
    retries: int = 0
    throttled_seconds: float = 0
    warnings: tuple[Said, ...] = ()
    verification: Verification | None = Field(default=None, description="Null until the vendor was looked at.")
    rehearsal: RehearsalView | None = Field(default=None, description="Of a rehearsal, once it has ended.")
    decision: str = Field(default="", description="What a person decided about a guard.")
    decided_by: str = ""
    decided_at: datetime | None = None


class RunView(RunSummary):
    """One run and its deliveries."""

    connection: str = Field(default="", description="Name of the connection that it ran over.")
    progress: Progress = Progress()
    targets: tuple[TargetRun, ...] = ()
    cancelling: bool = Field(default=False, description="Somebody asked it to stop, and it has not stopped yet.")


class RunRow(RunSummary):
    """A run of a list, with what its deliveries counted together. `added`, `changed` and `removed` are people whom the
    vendor took, not those of the plan. `members`: people on its targets afterwards, null where nothing was committed.
    """

    counts: Counts = Counts()
    added: int = 0
    changed: int = 0
    removed: int = 0
    members: int | None = None


@dataclass(frozen=True, slots=True)
class RunRows:
    """Some runs, newest first; `next` continues the list where there are more. `looked_back_to`: where the looking
    ended before the list did, as there are many runs and few that were asked for."""

    rows: tuple[RunRow, ...]
    next: str = ""
    looked_back_to: datetime | None = None


MOST_LOOKED_AT = 1_000
"""Runs that one page looks at: as many as storage gives at once."""


@dataclass(frozen=True, slots=True)
class RunsAsked:
    """Which runs: in these states, begun from one day up to another (UTC), older than the run `after`; of a vendor, of
    these exports (None: of all)."""

    state: str = ""
    since: date | None = None
    until: date | None = None
    after: str = ""
    vendor: str = ""
    exports: frozenset[str] | None = None

    @property
    def where(self) -> dict[str, str]:
        """What storage itself may look for among the runs of one export."""
        states = GROUPS.get(self.state, frozenset())
        return {"state": str(*states)} if len(states) == 1 else {}

    def wants(self, run: Run) -> bool:
        states = GROUPS.get(self.state)
        return (states is None or run.state in states) and (self.exports is None or run.export in self.exports)


def page_of_runs(history: Iterable[Run], asked: RunsAsked, top: int) -> tuple[list[Run], Run | None, bool]:
    """The first of a history that are asked for; the last one looked at where there are more, and whether that is since
    enough was looked at."""
    found: list[Run] = []
    for looked, run in enumerate(history, 1):
        if asked.wants(run):
            if len(found) == top:
                return found, found[-1], False
            found.append(run)
        if looked == MOST_LOOKED_AT:
            return found, run, True
    return found, None, False


def row(run: Run, deliveries: Sequence[Delivery]) -> RunRow:
    """A run of a list; one under way, and those of an earlier version, have their counts in their deliveries."""
    counted = Counter(run.counts)
    for each in deliveries:
        counted.update(each.counts)
    added, changed, removed = (counted[f"{kind} {Outcome.ACCEPTED}"] for kind in (Kind.ADD, Kind.CHANGE, Kind.REMOVE))
    told = dict(summary(run))
    return RunRow(**told, counts=_counts(counted), added=added, changed=changed, removed=removed, members=run.members)


class RunPoint(RunSummary):
    """One ended run of a history. `members`: people on the targets afterwards, null where nothing was committed."""

    seconds: float
    members: int | None


class RejectedRow(View):
    """A row of `rejected.csv`; it holds an address."""

    address: str
    segment: str
    file: str
    row: str
    operation: str
    outcome: str
    code: str
    reason: str
    tried_again: str


class RunPage(View):
    """Runs, newest first. `next` continues the list: send it as `continue`."""

    runs: tuple[RunSummary, ...]
    next: str | None = None


class Reason(View):
    """How many people had an outcome for one reason."""

    target: str
    outcome: Literal["refused here", "kept back", "rejected", "skipped", "unknown"]
    code: str
    reason: Said
    people: int
    removed: int = Field(default=0, description="Of people kept back: those whom the run takes off.")
    retry: str | None = Field(default=None, description="When it is tried again: never, when changed, next run.")


class SnapshotUsed(View):
    """What a run read."""

    segment: str
    snapshot: str
    taken_at: datetime
    files: int
    rows: int
    excluded: bool = Field(default=False, description="It named people to keep off.")


class KeptBackView(View):
    """How many people a rule keeps back."""

    reason: Said
    people: int


class FirstRunView(View):
    """What is told before very many people join at once. `new` of the `looked_up` are not at the vendor yet; `starts`
    is null where the vendor does not tell; `minutes` and `requests` are 0 where they were not measured."""

    people: int
    members: int = Field(description="People whom the export has put on the target before.")
    looked_up: int
    new: int
    starts: tuple[str, ...] | None = Field(description="Automations at the vendor that start for whoever joins.")
    minutes: int
    requests: int
    bills_by: Said = ""
    notes: tuple[Said, ...] = ()


class PlannedView(View):
    """A plan that somebody has to decide about: what it was made of, and why rows were refused."""

    snapshots: tuple[SnapshotUsed, ...] = ()
    members_before: int = 0
    refused: dict[str, int] = Field(default_factory=dict, description="Reason -> rows.")
    kept_back: tuple[KeptBackView, ...] = ()
    first_run: FirstRunView | None = Field(default=None, description="Where very many people would join at once.")


class Report(View):
    """What a run did, for people. Individual addresses are only in `rejected.csv`."""

    run: RunView
    snapshots: tuple[SnapshotUsed, ...] = ()
    reasons: tuple[Reason, ...] = ()


class StartInput(BaseModel):
    """What a run is for. `retry` sends again what was rejected or stayed unknown; `dry_run` plans and sends nothing;
    `rehearsal` goes through all of it with the list as it is at the vendor now, and writes nothing there; `full_resync`
    sends everyone again; `rebuild` makes a list anew that is gone; `withdraw` takes everyone off whom the export added;
    `repair` mends what the latest check-up in full found, and nothing else."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: RunKind = RunKind.DELIVERY


class Decision(BaseModel):
    """A person's answer to a guard; `plan` is the one that the person saw. start_small: 500 people join first, later
    runs add the others; it holds removals back, as additions_only does."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    plan: str = Field(min_length=1, max_length=200)
    decision: DecisionWord


def summary(run: Run) -> RunSummary:
    """A run as its row says."""
    return RunSummary(
        run=run.run,
        export=run.export,
        state=run.state,
        trigger=run.trigger,
        kind=run.kind,
        started_at=run.created_at,
        finished_at=run.finished_at,
        message=run.message,
        started_by=run.started_by,
    )


def view(run: Run, deliveries: Sequence[Delivery]) -> RunView:
    """A run with its deliveries."""
    progress = _progress(deliveries)
    targets = tuple(_target(each, run.vendor) for each in deliveries)
    connection = str(json.loads(run.definition).get("connection", ""))
    return RunView(
        **summary(run).model_dump(),
        connection=connection,
        progress=progress,
        targets=targets,
        cancelling=run.cancel_requested and run.state not in ENDED,
    )


def _progress(deliveries: Sequence[Delivery]) -> Progress:
    planned = [each for each in deliveries if each.plan or each.state in ENDED]
    done, total = sum(each.done for each in deliveries), sum(each.total for each in deliveries)
    working = [each for each in deliveries if each.started_at and each.step is Step.DELIVER]
    seconds = max((now() - each.started_at).total_seconds() for each in working if each.started_at) if working else 0
    rate = done / seconds if seconds and done else None
    return Progress(
        done=done,
        total=total if len(planned) == len(deliveries) else None,
        step=next((str(each.step) for each in deliveries if each.state not in ENDED), "done"),
        rate=rate,
        seconds_left=round((total - done) / rate) if rate and len(planned) == len(deliveries) else None,
    )


def _rehearsal(foreseen: Mapping[str, Any], vendor: str) -> RehearsalView | None:
    """What a rehearsal came to; None where it came to nothing."""
    if "outcomes" not in foreseen:
        return None
    return RehearsalView(
        outcomes=foreseen["outcomes"],
        reasons=tuple(
            ForeseenReason(foreseen=word, code=code, reason=read(message), people=people)
            for word, code, message, people in foreseen["reasons"]
        ),
        requests=foreseen["requests"],
        seconds=foreseen["seconds"],
        looks=foreseen.get("looks", 0),
        jobs_known=foreseen.get("jobs_known", True),
        jobs_known_to=foreseen.get("jobs_known_to"),
        listed=foreseen["people"],
        unknown=DEFINITIONS[vendor].unforeseen if vendor in DEFINITIONS else (),
    )


def _target(delivery: Delivery, vendor: str) -> TargetRun:
    return TargetRun(
        target=delivery.target_key,
        state=delivery.state,
        list_id=delivery.target.get("list_id"),
        list_name=delivery.target.get("name"),
        message=delivery.message,
        plan=delivery.plan or None,
        progress=_progress([delivery]),
        counts=_counts(delivery.counts),
        left_out=delivery.left_out,
        requests=delivery.requests,
        retries=delivery.retries,
        throttled_seconds=delivery.throttled_seconds,
        warnings=tuple(delivery.warnings),
        verification=Verification.model_validate(delivery.verification) if delivery.verification else None,
        rehearsal=_rehearsal(delivery.foreseen, vendor),
        decision=delivery.decision,
        decided_by=delivery.decided_by,
        decided_at=delivery.decided_at,
    )


def _counts(counts: Mapping[str, int]) -> Counts:
    """Planned counts as they are; outcomes summed over the kinds of operation (`add accepted` and the like)."""
    outcomes = {
        str(outcome): sum(number for name, number in counts.items() if name.endswith(f" {outcome}"))
        for outcome in Outcome
    }
    planned = {name: number for name, number in counts.items() if name in Counts.model_fields}
    return Counts(**planned | outcomes)


def report(run: RunView, deliveries: Sequence[Mapping[str, Any]]) -> Report:
    """A run with the reports of its deliveries."""
    used = [SnapshotUsed(**each) for delivery in deliveries for each in delivery["snapshots"]]
    reasons = [
        Reason(target=delivery["target"]["key"], **each | {"reason": each.get("message", each["reason"])})
        for delivery in deliveries
        for each in delivery["reasons"]
    ]
    return Report(run=run, snapshots=tuple(dict.fromkeys(used)), reasons=tuple(reasons))
