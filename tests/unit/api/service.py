"""A service for the API: the real catalog over tables in memory; segments, vendors and runs as the test sets them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any, cast

from shared.access.audit import Trail
from shared.catalog.catalog import Catalog
from shared.catalog.issues import Issue, NotFound, NotNow
from shared.catalog.models import Connection, Export, Match, Probed, ProbeState
from shared.cloud.cloud import Cloud
from shared.control.check_ups import CheckUpCost, CheckUpView, Doctor
from shared.control.forgetting import ForgettingView
from shared.control.links import RunFile
from shared.control.opt_outs import OptOutsView
from shared.control.run_reader import RunReader
from shared.control.runs import (
    UNFINISHED,
    DecisionWord,
    PlannedView,
    Progress,
    RejectedRow,
    Report,
    RunPage,
    RunPoint,
    RunRow,
    RunRows,
    RunsAsked,
    RunSummary,
    RunView,
    TargetRun,
)
from shared.control.service import Service
from shared.control.views import FileLink, Identity, Notifications
from shared.delivery.account.authorizing import Authorizing
from shared.delivery.erase.kept import Kept
from shared.delivery.opt_outs import collecting
from shared.delivery.opt_outs.record import OptOutReading, OptOutRecord
from shared.delivery.start.starting import Started
from shared.delivery.state.records import GROUPS, Run, State
from shared.delivery.state.transitions import RunKind
from shared.errors import Unprocessable
from shared.snapshots.snapshot import Layout, ParquetFormat, SegmentFound, Snapshot, SnapshotFile
from shared.vendors.contract import CheckResult, TargetFound
from shared.wording import NOTHING, Message, say
from tests.unit.api.vault import FakeVault
from tests.unit.catalog.samples import COLUMNS, START, World
from tests.unit.catalog.tables import MemoryTable

NOTIFIED = Notifications(
    receiver="https://hooks.example",
    secret="hook-key",
    public_url="",
    rejected_share=0.1,
    missed_minutes=15,
    waiting=0,
    waiting_since=None,
)


FORGOTTEN = ForgettingView(
    id="20261122-144501-123-9f3a",
    state="done",
    asked_by="Ada",
    asked_at=START,
    ended_at=START + timedelta(minutes=1),
    looked={"ledgers": 3, "runs": 40},
    erased={"ledgers": 1, "runs": 2, "plans": 2},
    salt="5a17",
    hash="4a54",
)


def run(name: str, state: State = State.SUCCEEDED, export: str = "vips", connection: str = "") -> RunView:
    target = TargetRun(target="VIP", state=state, plan="plan-1" if state is State.BLOCKED else None)
    progress = Progress(done=1, total=2, step="deliver")
    return RunView(
        run=name,
        export=export,
        connection=connection,
        state=state,
        trigger="manual",
        started_at=START,
        progress=progress,
        targets=(target,),
    )


def summary(view: RunView) -> RunSummary:
    return RunSummary(**{name: getattr(view, name) for name in RunSummary.model_fields})


class FakeRuns(RunReader):
    """What the test says of runs."""

    def __init__(self, service: FakeService) -> None:
        self._service = service

    def view(self, export: str, run: str) -> RunView | None:
        return next((each for each in self._of(export) if each.run == run), None)

    def last(self, export: str) -> RunSummary | None:
        runs = self._of(export)
        return runs[0] if runs else None

    def latest(self) -> Mapping[str, RunSummary]:
        return {each.export: summary(each) for each in reversed(self._service.past)}

    def before(self, view: RunView) -> RunView | None:
        rest = self._of(view.export)
        return next((each for each in rest[rest.index(view) + 1 :] if each.state is State.SUCCEEDED), None)

    def page(self, export: str, *, top: int, continuation: str | None) -> RunPage:
        if continuation is not None and not continuation.isdigit():
            raise Unprocessable("bad_token", "Send the token that the page gave.")
        start = int(continuation or 0)
        rest = self._of(export)[start:]
        return RunPage(runs=tuple(rest[:top]), next=str(start + top) if len(rest) > top else None)

    def rows(self, export: str, asked: RunsAsked, *, top: int) -> RunRows:
        if asked.after and not asked.after.isdigit():
            raise Unprocessable("bad_token", "Send the token that the page gave.")
        start = int(asked.after or 0)
        states = GROUPS.get(asked.state)
        found = [each for each in self._of(export) if states is None or each.state in states][start:]
        rows = tuple(RunRow(**dict(summary(each)), added=len(each.run)) for each in found[:top])
        return RunRows(rows, str(start + top) if len(found) > top else "")

    def rows_of_all(self, asked: RunsAsked, *, top: int) -> RunRows:
        states = GROUPS.get(asked.state)
        found = [
            each
            for each in self._service.past
            if (states is None or each.state in states)
            and (asked.exports is None or each.export in asked.exports)
            and (asked.since is None or each.started_at.date() >= asked.since)
            and (asked.until is None or each.started_at.date() <= asked.until)
        ][int(asked.after or 0) :]
        rows = tuple(RunRow(**dict(summary(each)), added=len(each.run)) for each in found[:top])
        following = str(int(asked.after or 0) + top) if len(found) > top else ""
        return RunRows(rows, following, self._service.looked_back_to)

    def points(self, export: str, *, top: int) -> Sequence[RunPoint]:
        return [RunPoint(**dict(summary(each)), seconds=1, members=2) for each in self._of(export)[:top]]

    def report(self, export: str, run: str) -> Report | None:
        found = self.view(export, run)
        return Report(run=found) if found and found.state is State.SUCCEEDED else None

    def planned(self, export: str, run: str, target: int = 0) -> PlannedView | None:
        return self._service.plans.get(target) if self.view(export, run) else None

    def sample(self, export: str, run: str, target: int = 0) -> Sequence[Mapping[str, Any]] | None:
        self._service.fail()
        return self._service.samples.get(target)

    def rejected_rows(self, export: str, run: str, target: int = 0) -> Sequence[RejectedRow]:
        return []

    def link(self, file: RunFile, export: str, run: str, target: int = 0) -> FileLink | None:
        found = self.view(export, run)
        if found is None or target >= len(found.targets):
            return None
        return FileLink(url=f"https://blobs.example/{file}.csv?sig=x", expires_at=START + timedelta(minutes=5))

    def _of(self, export: str) -> list[RunView]:
        return [each for each in self._service.past if each.export == export]


@dataclass
class FakeService(Service):
    """The service without Azure."""

    world: World = field(default_factory=World)
    version: str = "1.2.3"
    found: list[SegmentFound] = field(default_factory=list)
    check: Callable[[], CheckResult] = lambda: CheckResult(True, "Fine.", "acc-1", details={"contacts": "7"})
    past: list[RunView] = field(default_factory=list)
    """Runs, newest first."""
    explained: list[dict[str, Any]] = field(default_factory=list)
    """What is known of whoever is asked about, by target."""
    landed: OptOutRecord | None = None
    """What is known of the opt-outs of the connection."""
    looked_back_to: datetime | None = None
    """Where the looking for runs of all exports ended early."""
    decided: list[dict[str, Any]] = field(default_factory=list)
    left: dict[str, int] = field(default_factory=dict)
    """People still on targets, by target key."""
    forewarned: list[Issue] = field(default_factory=list)
    """What the vendor tells of an export's targets."""
    cells: list[tuple[str | None, ...]] = field(default_factory=list)
    """First rows of whichever snapshot, where one column is asked for."""
    rows: dict[str, int] = field(default_factory=lambda: {"blob/ci:VIP": 3})
    """Of the snapshots that are counted."""
    plans: dict[int, PlannedView] = field(default_factory=dict)
    samples: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    """By target, of whichever run."""
    unready: dict[str, str] = field(default_factory=dict)
    """Part of the surroundings -> what is wrong with it."""
    notified: Notifications = NOTIFIED
    looked_at_all: bool = True
    """Whether a look for a person comes to its end."""
    forgotten: list[ForgettingView] = field(default_factory=lambda: [FORGOTTEN])
    """Requests to forget somebody, the newest first; whoever asks for one gets the first."""
    test_problem: Message = NOTHING
    """What stands in the way of a test notification."""
    vault: FakeVault = field(default_factory=FakeVault)
    canaries: list[str] = field(default_factory=list)
    """What probes were to make test contacts of."""
    failure: Exception | None = None
    """Raised by the next call that asks a vendor."""

    def __post_init__(self) -> None:
        self.found = [_landed(id_, columns, START - timedelta(minutes=2)) for id_, columns in sorted(COLUMNS.items())]

    @cached_property
    def runs(self) -> RunReader:
        return FakeRuns(self)

    @cached_property
    def trail(self) -> Trail:
        return Trail(MemoryTable())

    @property
    def catalog(self) -> Catalog:
        return self.world.catalog

    def readiness(self) -> Mapping[str, str]:
        return self.unready

    @cached_property
    def authorizing(self) -> Authorizing:
        return Authorizing(cast(Cloud, self.vault), lambda: self.world.now)

    def check_connection(self, name: str) -> CheckResult:
        self.fail()
        return self.check()

    def connection_targets(self, name: str) -> Sequence[TargetFound]:
        self.fail()
        return [TargetFound("7", "VIP"), TargetFound("9", "Lapsed", warnings=["Everyone who is added gets an e-mail."])]

    def start_probe(self, name: str, canary: str, by: str) -> Probed:
        self.fail()
        self.catalog.connection(name)
        self.canaries.append(canary)
        return Probed(mark="0a1b2c", state=ProbeState.RUNNING, started_at=START, started_by=by)

    def opt_outs(self, name: str) -> OptOutsView:
        self.fail()
        return OptOutsView.of(self.catalog.connection(name).item, self.landed)

    def collect_opt_outs(self, name: str, by: str, *, afresh: bool = False) -> OptOutsView:
        connection = self.catalog.connection(name).item
        collecting.require_ready(connection)
        reading = OptOutReading(mark="ab12", started=START.timestamp(), started_by=by, afresh=afresh)
        self.landed = replace(collecting.blank(connection), reading=reading)
        return self.opt_outs(name)

    def doctor(self, name: str, target: int) -> Doctor:
        self.fail()
        self.catalog.export(name)
        return Doctor(cost=CheckUpCost(count_requests=1, full_requests=3, not_in_full=""), latest=None)

    def start_check_up(self, name: str, target: int, *, full: bool, by: str) -> CheckUpView:
        self.fail()
        self.catalog.export(name)
        return CheckUpView(target=target, state="running", full=full, started_at=START, started_by=by)

    def differences_link(self, name: str, target: int) -> FileLink | None:
        return FileLink(url="https://storage.test/differences.csv", expires_at=START) if target == 0 else None

    def overlook(self, export: str, references: Sequence[str]) -> None:
        """Nothing lies there."""

    def target_warnings(self, export: Export) -> Sequence[Issue]:
        return self.forewarned

    def segments(self) -> Sequence[SegmentFound]:
        return self.found

    def first_rows(self, snapshot: Snapshot, columns: Sequence[str], most: int) -> Sequence[tuple[str | None, ...]]:
        self.fail()
        if len(columns) == 1:
            return self.cells
        return [tuple(f"{column} of the first" for column in columns)][:most]

    def row_counts(self, references: Sequence[str]) -> Mapping[str, int]:
        return {each: self.rows[each] for each in references if each in self.rows}

    def is_running(self, export: str) -> bool:
        last = self.runs.last(export)
        return last is not None and last.state in UNFINISHED

    def cancel(self, export: str, run: str) -> RunView | None:
        found = self.runs.view(export, run)
        if found and found.state is State.SUCCEEDED:
            raise NotNow("ended", "The run has ended.")
        return found

    def begin(self, name: str, kind: RunKind = RunKind.DELIVERY, *, by: str = "") -> Started:
        self.fail()
        made = Run(name, "r9", State.QUEUED, "on demand", "{}", 1, kind, START, started_by=by)
        return Started(made, new=not self.is_running(name))

    def preview(
        self,
        connection: Connection,
        references: Sequence[str],
        address_column: str,
        matching: Sequence[Match],
        country: str,
    ) -> Sequence[Mapping[str, Any]]:
        return []

    def identity(self) -> Identity:
        return Identity(name=None, segments=("segments",), key_vault=None)

    def members(self, export: Export) -> Mapping[str, int]:
        return self.left

    def explain(self, export: str, address: str) -> Mapping[str, Any]:
        self.fail()
        return {"export": export, "address": "valid", "targets": self.explained}

    def members_on(self, export: str, target: int, day: date) -> Any:
        self.fail()
        if target >= len(self.catalog.export(export).item.targets):
            raise NotFound("target", str(target))
        raise Unprocessable("not_known", say("Who was on the list on that day is not known."))

    def kept(self, address: str) -> Kept:
        self.fail()
        found = (1, 2) if address == "ada@example.com" else (0, 0)
        return Kept(*found, complete=self.looked_at_all)

    def notifications(self) -> Notifications:
        return self.notified

    def test_notification(self) -> Message:
        return self.test_problem

    def forget(self, address: str, by: str) -> ForgettingView:
        self.fail()
        return self.forgotten[0]

    def forgetting(self, request: str) -> ForgettingView | None:
        return next((each for each in self.forgotten if each.id == request), None)

    def forgettings(self) -> Sequence[ForgettingView]:
        return self.forgotten

    def decide(self, export: str, run: str, *, plan: str, decision: DecisionWord, by: str) -> RunView | None:
        if plan != "plan-1":
            raise NotNow("superseded", "The plan was superseded: look at the new one.")
        self.decided.append({"export": export, "run": run, "decision": decision, "by": by})
        return self.runs.view(export, run)

    def fail(self) -> None:
        if self.failure is not None:
            raise self.failure


def _landed(reference: str, columns: tuple[str, ...], at: datetime) -> SegmentFound:
    """A segment with one file of ten bytes."""
    place, _, name = reference.rpartition(":")
    container, _, folder = place.partition("/")
    file = SnapshotFile(container, f"{folder}/{name}/1", "etag", 10)
    snapshot = Snapshot(reference, name, at, "1", (file,), ParquetFormat(), columns)
    return SegmentFound(name, container, folder, Layout.DATED_FOLDERS, columns, snapshot)


def info(service: FakeService, index: int, **changes: Any) -> None:
    """Change one of the segments."""
    service.found[index] = replace(service.found[index], **changes)
