"""What the API asks of the rest: the one place where catalog, snapshots and delivery meet."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from functools import cached_property
from itertools import islice
from typing import Any

from pydantic import ValidationError

from shared.access.audit import Trail
from shared.api.check_ups import CheckUpCost, CheckUpView, Doctor
from shared.api.export_views import PreviewRow
from shared.api.run_views import (
    Counts,
    Progress,
    Reason,
    RejectedRow,
    Report,
    RunPage,
    RunPoint,
    RunSummary,
    RunView,
    SnapshotUsed,
    StartInput,
    TargetRun,
    Verification,
)
from shared.api.service import DecisionWord, SegmentInfo
from shared.api.views import Identity, Link
from shared.catalog.catalog import Catalog
from shared.catalog.issues import Invalid, Issue, NotNow, issues_of
from shared.catalog.models import NAME, Export, Match, Probed
from shared.cloud.cloud import Cloud
from shared.cloud.readiness import Readiness
from shared.delivery import (
    doctor,
    expiring,
    explaining,
    forewarning,
    forgetting,
    history,
    layout,
    looking,
    previewing,
    probes,
    segments,
    starting,
    verifying,
)
from shared.delivery.authorizing import Authorizing
from shared.delivery.connecting import open_connection
from shared.delivery.records import ENDED, Delivery, Run, State, Step, now
from shared.delivery.runs import Runs
from shared.delivery.transitions import RunKind
from shared.errors import Unprocessable
from shared.notify import telling
from shared.snapshots.snapshot import SegmentFound
from shared.vendors.contract import CheckResult, Outcome, TargetFound, Vendor
from shared.vendors.limits import INTERACTIVE_SHARE
from shared.vendors.registry import DEFINITIONS

VERSION = "0.1.0"
LINK_SECONDS = 600


class LiveService:
    """The service over Azure."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._runs = Runs(cloud.runs)

    @property
    def version(self) -> str:
        return VERSION

    @cached_property
    def _readiness(self) -> Readiness:
        return Readiness(self._cloud)

    def readiness(self) -> Mapping[str, str]:
        return self._readiness.problems()

    @cached_property
    def trail(self) -> Trail:
        return Trail(self._cloud.audit)

    @cached_property
    def catalog(self) -> Catalog:
        return Catalog(
            connections=self._cloud.connections,
            exports=self._cloud.exports,
            targets=self._cloud.targets,
            definitions=DEFINITIONS,
            segments=self._columns,
        )

    @cached_property
    def authorizing(self) -> Authorizing:
        return Authorizing(self._cloud, now)

    def check_connection(self, name: str) -> CheckResult:
        return self._vendor(name).check()

    def connection_targets(self, name: str) -> Sequence[TargetFound]:
        return self._vendor(name).targets()

    def start_probe(self, name: str, canary: str, by: str) -> Probed:
        return probes.start(self._cloud, name, canary, by)

    def doctor(self, name: str, target: int) -> Doctor:
        export = self.catalog.export(name).item
        cost = CheckUpCost.model_validate(doctor.cost(self._cloud, export, target))
        latest = doctor.read(self._cloud, name, target)
        return Doctor(cost=cost, latest=_check_up(latest) if latest else None)

    def start_check_up(self, name: str, target: int, *, full: bool, by: str) -> CheckUpView:
        return _check_up(doctor.start(self._cloud, self.catalog.export(name).item, target, full=full, by=by))

    def differences_link(self, name: str, target: int) -> Link | None:
        file, latest = layout.differences(name, target), doctor.read(self._cloud, name, target)
        account = self.catalog.export(name).item.account
        # A deleted export's file stays for a day, and another export may have its name by now.
        if latest is None or latest.account != account or not self._cloud.blobs.exists(file):
            return None
        url, ends = self._cloud.blobs.link(file, seconds=LINK_SECONDS, file_name=f"differences-{name}.csv")
        return Link(url=url, expires_at=ends)

    def target_warnings(self, export: Export) -> Sequence[Issue]:
        return list(forewarning.warnings(self._cloud, export, self._vendor(export.connection)))

    def segments(self) -> Sequence[SegmentInfo]:
        return [_segment(found) for found in segments.found(self._cloud)]

    def segment(self, reference: str) -> SegmentInfo | None:
        found = segments.named(self._cloud, reference)
        return _segment(found) if found else None

    def row_counts(self, references: Sequence[str]) -> Mapping[str, int]:
        wanted = [found for found in segments.found(self._cloud) if found.id in references]
        return segments.counts(self._cloud, wanted)

    def last_run(self, export: str) -> RunSummary | None:
        return next((_summary(run) for run in self._runs.history(export)), None)

    def runs(self, export: str, *, top: int, continuation: str | None) -> RunPage:
        if continuation is not None and not self._is_run(export, continuation):
            raise Unprocessable("bad_token", "This page does not exist: start again without `continue`.")
        found = list(islice(self._runs.history(export, after=continuation or ""), top + 1))
        following = found[top - 1].run if len(found) > top else None
        return RunPage(runs=tuple(_summary(run) for run in found[:top]), next=following)

    def run(self, export: str, run: str) -> RunView | None:
        held = self._runs.run(export, run)
        return _view(held.value, self._deliveries(export, run)) if held else None

    def report(self, export: str, run: str) -> Report | None:
        view = self.run(export, run)
        if view is None or view.state not in ENDED:
            return None
        reports = [self._report(delivery) for delivery in self._deliveries(export, run)]
        used = [SnapshotUsed(**each) for report in reports for each in report["snapshots"]]
        reasons = [
            Reason(target=report["target"]["key"], **reason) for report in reports for reason in report["reasons"]
        ]
        return Report(run=view, snapshots=tuple(dict.fromkeys(used)), reasons=tuple(reasons))

    def rejected_link(self, export: str, run: str, target: int = 0) -> Link | None:
        name = layout.rejected(layout.delivery_folder(export, run, target))
        if self._runs.run(export, run) is None or not self._cloud.blobs.exists(name):
            return None
        url, ends = self._cloud.blobs.link(name, seconds=LINK_SECONDS, file_name=f"rejected-{export}-{run}.csv")
        return Link(url=url, expires_at=ends)

    def cancel(self, export: str, run: str) -> RunView | None:
        held = self._runs.run(export, run)
        if held is not None and held.value.state in ENDED:
            raise NotNow("run_ended", f"The run has ended already ({held.value.state}).")
        if starting.cancel(self._cloud, export, run) is None:
            return None
        return self.run(export, run)

    def decide(self, export: str, run: str, *, plan: str, decision: DecisionWord, by: str) -> RunView | None:
        held = self._runs.run(export, run)
        if held is None:
            return None
        if held.value.state is not State.BLOCKED:
            raise NotNow("run_not_blocked", f"The run waits for no decision ({held.value.state}).")
        try:
            starting.decide(self._cloud, export, run, plan, decision)
        except Unprocessable as error:
            raise NotNow(error.code, error.message) from None
        return self.run(export, run)

    def start(self, name: str, body: bytes = b"") -> starting.Started:
        """Start a run on demand; the body may name its kind. Raises NotFound, Invalid and Unprocessable."""
        return self.begin(name, _kind(body))

    def begin(self, name: str, kind: RunKind = RunKind.DELIVERY) -> starting.Started:
        """Start a run of this kind on demand. Raises NotFound and Unprocessable."""
        return starting.start_run(self._cloud, self.catalog.export(name).item, "on demand", kind=kind)

    def members(self, export: Export) -> Mapping[str, int]:
        """People whom the export added and who are still on its targets, by target key."""
        return looking.members(self._cloud, export)

    def explain(self, export: str, address: str) -> Mapping[str, Any]:
        return explaining.explain(self._cloud, self.catalog.export(export).item, address)

    def forget(self, address: str, by: str) -> Mapping[str, int]:
        return forgetting.forget(self._cloud, address, by)

    def sample(self, export: str, run: str, target: int = 0) -> Sequence[Mapping[str, Any]] | None:
        if self._runs.run(export, run) is None:
            return None
        stored = self._cloud.blobs.read(layout.sample(layout.delivery_folder(export, run, target)))
        return json.loads(stored[0]) if stored else None

    def history(self, export: str, *, top: int) -> Sequence[RunPoint]:
        points = history.points(self._cloud, islice(self._runs.history(export), top))
        return [
            RunPoint(**_summary(each.run).model_dump(), seconds=each.seconds, members=each.members) for each in points
        ]

    def rejected_rows(self, export: str, run: str, target: int = 0) -> Sequence[RejectedRow]:
        if self._runs.run(export, run) is None:
            return []
        return [RejectedRow(**row) for row in history.rejected_samples(self._cloud, export, run, target)]

    def preview(
        self, vendor: str, references: Sequence[str], address_column: str, matching: Sequence[Match]
    ) -> Sequence[PreviewRow]:
        known = {each.name: each.type for each in self.catalog.definitions[vendor].fields}
        matches = previewing.typed(matching, known)
        found = previewing.preview(self._cloud, references, address_column, matches)
        return [PreviewRow(**row) for row in found]

    def identity(self) -> Identity:
        settings = self._cloud.settings
        return Identity(
            name=settings.identity_client_id,
            segments=tuple("/".join(filter(None, asdict(each).values())) for each in settings.segment_locations),
            key_vault=settings.key_vault_url or None,
        )

    def tick(self) -> list[Run]:
        """What the timer does."""
        started = starting.tick(self._cloud, newest=segments.Newest(self._cloud))
        expiring.expire(self._cloud)
        probes.wake(self._cloud)
        verifying.wake(self._cloud)
        doctor.wake(self._cloud)
        telling.tell(self._cloud)
        return started

    def _vendor(self, name: str) -> Vendor:
        connection = self.catalog.connection(name).item
        return open_connection(self._cloud, connection, share=INTERACTIVE_SHARE).vendor

    def _columns(self, references: Sequence[str]) -> Mapping[str, Sequence[str]]:
        return segments.columns(self._cloud, references)

    def _deliveries(self, export: str, run: str) -> list[Delivery]:
        return [each.value for each in self._runs.deliveries(export, run)]

    def _is_run(self, export: str, run: str) -> bool:
        """No table is asked for anything but a slug."""
        return NAME.fullmatch(run) is not None and self._runs.run(export, run) is not None

    def _report(self, delivery: Delivery) -> dict[str, Any]:
        folder = layout.delivery_folder(delivery.export, delivery.run, delivery.index)
        stored = self._cloud.blobs.read(layout.report(folder))
        return json.loads(stored[0]) if stored else {"snapshots": [], "reasons": [], "target": {"key": ""}}


def _kind(body: bytes) -> RunKind:
    """`{"kind": "…"}`, or nothing for a delivery. Raises Invalid."""
    try:
        return StartInput.model_validate_json(body or b"{}").kind
    except ValidationError as error:
        raise Invalid(issues_of(error.errors())) from None


def _segment(found: SegmentFound) -> SegmentInfo:
    snapshot = found.snapshot
    return SegmentInfo(
        id=found.id,
        name=found.name,
        columns=tuple(found.columns),
        taken_at=snapshot.taken_at if snapshot else None,
        bytes=snapshot.size if snapshot else 0,
        files=len(snapshot.files) if snapshot else 0,
        problems=found.problems,
    )


def _summary(run: Run) -> RunSummary:
    return RunSummary(
        run=run.run,
        export=run.export,
        state=run.state,
        trigger=run.trigger,
        kind=run.kind,
        started_at=run.created_at,
        finished_at=run.finished_at,
        message=run.message,
    )


def _view(run: Run, deliveries: Sequence[Delivery]) -> RunView:
    progress = _progress(deliveries)
    targets = tuple(_target(each) for each in deliveries)
    connection = str(json.loads(run.definition).get("connection", ""))
    return RunView(**_summary(run).model_dump(), connection=connection, progress=progress, targets=targets)


def _check_up(made: doctor.CheckUp) -> CheckUpView:
    at = datetime.fromtimestamp(made.started, UTC)
    finished = datetime.fromtimestamp(made.finished, UTC) if made.finished else None
    return CheckUpView.model_validate({**asdict(made), "started_at": at, "finished_at": finished})


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


def _target(delivery: Delivery) -> TargetRun:
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
    )


def _counts(counts: Mapping[str, int]) -> Counts:
    """Planned counts as they are; outcomes summed over the kinds of operation (`add accepted` and the like)."""
    outcomes = {
        str(outcome): sum(number for name, number in counts.items() if name.endswith(f" {outcome}"))
        for outcome in Outcome
    }
    planned = {name: number for name, number in counts.items() if name in Counts.model_fields}
    return Counts(**planned | outcomes)
