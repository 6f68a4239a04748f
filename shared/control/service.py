"""Everything that pages, API and timer ask of the rest: where catalog, snapshots, delivery and notices meet."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from shared.access.audit import Trail
from shared.catalog.catalog import Catalog
from shared.catalog.companions import wanted
from shared.catalog.issues import Invalid, Issue, NotFound, NotNow, issues_of
from shared.catalog.models import NAME, Connection, Export, Match, Probed
from shared.cloud.apart import apart
from shared.cloud.cloud import Cloud
from shared.cloud.readiness import Readiness
from shared.cloud.under_way import UnderWay
from shared.control import forgetting, runs
from shared.control.check_ups import CheckUpCost, CheckUpView, Doctor, Mendable
from shared.control.following import Following
from shared.control.forgetting import ForgettingView
from shared.control.opt_outs import OptOutsView
from shared.control.runs import (
    DecisionWord,
    PlannedView,
    RejectedRow,
    Report,
    RunPage,
    RunPoint,
    RunRows,
    RunsAsked,
    RunSummary,
    RunView,
    StartInput,
)
from shared.control.views import FileLink, Identity, Notifications
from shared.delivery import inbox, probes, segments, upkeep
from shared.delivery.account.authorizing import Authorizing
from shared.delivery.account.connecting import open_connection
from shared.delivery.erase import kept
from shared.delivery.lookups import compared, explain, happened, history, planned, preview, vendor_warnings
from shared.delivery.lookups.compared import Comparison
from shared.delivery.opt_outs import collecting, places, record
from shared.delivery.opt_outs.excluding import with_opt_outs
from shared.delivery.plan.cell_values import matched
from shared.delivery.start import due_times, repairing, starting, together
from shared.delivery.state import every_run, latest, layout, lookup
from shared.delivery.state.found import CHECK_FIRST
from shared.delivery.state.records import ENDED, GROUPS, Delivery, Run, State, now
from shared.delivery.state.runs import Runs
from shared.delivery.state.transitions import RunKind
from shared.delivery.verify import doctor
from shared.errors import Forbidden, Unprocessable
from shared.notify import telling
from shared.notify.outbox import Outbox
from shared.snapshots.snapshot import SegmentFound, Snapshot
from shared.vendors.contract import CheckResult, TargetFound, Vendor
from shared.vendors.limits import INTERACTIVE_SHARE
from shared.vendors.registry import DEFINITIONS
from shared.wording import Message, say

LINK_SECONDS = 600


class Service:
    """Any method may raise the errors of shared/errors.py and shared/catalog/issues.py; each becomes its problem.

    None means that there is no such thing. Names of exports and connections were checked by the caller to exist,
    except where a method says otherwise.
    """

    version = "0.1.0"
    """What is deployed."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._runs = Runs(cloud.runs)

    # What it is made of

    @cached_property
    def catalog(self) -> Catalog:
        """Connections, exports and the owners of targets."""
        return Catalog(
            connections=self._cloud.connections,
            exports=self._cloud.exports,
            targets=self._cloud.targets,
            dialects=self._cloud.snapshots,
            definitions=DEFINITIONS,
            segments=lambda references: segments.seen(self._cloud, references),
            place=lambda name, wanted: places.issues(self._cloud, name, wanted),
        )

    @cached_property
    def following(self) -> Following:
        """What keeps other connections of exports as the exports say."""
        return Following(self.catalog, self.is_running, self.overlook)

    @cached_property
    def trail(self) -> Trail:
        """The audit trail."""
        return Trail(self._cloud.audit)

    @cached_property
    def authorizing(self) -> Authorizing:
        """Sign-ins at vendors, and credentials that people type."""
        return Authorizing(self._cloud, now)

    @cached_property
    def _readiness(self) -> Readiness:
        return Readiness(self._cloud)

    def readiness(self) -> Mapping[str, str]:
        """Part of what the service runs on -> what is wrong with it, empty where nothing is; within seconds."""
        return self._readiness.problems()

    def identity(self) -> Identity:
        """Whom exports run as."""
        settings = self._cloud.settings
        places = ((each.container, each.prefix) for each in settings.segment_locations)
        return Identity(
            name=settings.identity_client_id,
            segments=tuple("/".join(filter(None, place)) for place in places),
            key_vault=settings.key_vault_url or None,
        )

    def notifications(self) -> Notifications:
        """Where notices go, and how many the receiver has not taken yet."""
        settings = self._cloud.settings
        pending = Outbox(self._cloud.runs).pending(UnderWay(self._cloud.underway).exports())
        waiting = [each.notice.at for each in pending if each.logged]
        return Notifications(
            receiver=telling.receiver(settings.notify_url),
            secret=settings.notify_secret,
            public_url=settings.public_url,
            rejected_share=settings.rejected_share,
            missed_minutes=settings.missed_minutes,
            waiting=len(waiting),
            waiting_since=min(waiting, default=None),
        )

    def test_notification(self) -> Message:
        """Send a test notification; what stood in the way, empty where the receiver took it. Raises Unprocessable."""
        if not self._cloud.settings.notify_url:
            raise Unprocessable("no_receiver", say("There is no receiver of notifications to send a test to."))
        return telling.try_out(self._cloud)

    def tick(self) -> list[Run]:
        """What the timer does; the runs that it started."""
        started: list[Run] = []
        with apart("start"):
            newest = segments.Newest(self._cloud)
            started = starting.tick(self._cloud, newest=newest, first=self.following.heal)
        with apart("wake"):
            inbox.wake(self._cloud)
        with apart("expire"):
            upkeep.look_daily(self._cloud)
        marked = None
        with apart("tell"):
            marked = UnderWay(self._cloud.underway).marked()
            telling.tell(self._cloud, exports=[str(row.entity["RowKey"]) for row in marked])
        with apart("tidy"):
            upkeep.tidy(self._cloud, marked=marked)
        return started

    # Vendors

    def check_connection(self, name: str) -> CheckResult:
        """A live check. The caller stores what it found; a UserMustAct counts as a check that failed."""
        return self._vendor(name).check()

    def connection_targets(self, name: str) -> Sequence[TargetFound]:
        """Live: the lists that an export may write to."""
        return self._vendor(name).targets()

    def target_warnings(self, export: Export) -> Sequence[Issue]:
        """Live: what people should know of the export's targets before they are written to; none where the vendor
        cannot be asked."""
        connection = self.catalog.connection(export.connection).item
        opened = open_connection(self._cloud, connection, share=INTERACTIVE_SHARE)
        return list(vendor_warnings.warnings(self._cloud, export, opened.vendor, opened.definition.label))

    def start_probe(self, name: str, canary: str, by: str) -> Probed:
        """Start a probe with test contacts made of `canary`, an address or a domain, or tell of the one under way.
        Raises Invalid, and Unprocessable where the connection cannot be probed."""
        return probes.start(self._cloud, name, canary, by)

    def doctor(self, name: str, target: int) -> Doctor:
        """The latest check-up of a target, and what another one takes. Raises NotFound."""
        export = self.catalog.export(name).item
        cost = doctor.cost(self._cloud, export, target)
        latest = doctor.read(self._cloud, name, target)
        mendable = repairing.finding(self._cloud, export, target)
        return Doctor(
            cost=CheckUpCost.model_validate(cost),
            latest=CheckUpView.of(latest) if latest else None,
            repair=Mendable.model_validate(mendable.people) if mendable else Mendable(why_not=CHECK_FIRST),
        )

    def start_check_up(self, name: str, target: int, *, full: bool, by: str) -> CheckUpView:
        """Start a check-up, or tell of the one under way. Raises NotFound, NotNow while a run is under way, and
        Unprocessable where there is nothing to check, or too many people to read them all."""
        export = self.catalog.export(name).item
        return CheckUpView.of(doctor.start(self._cloud, export, target, full=full, by=by))

    def differences_link(self, name: str, target: int) -> FileLink | None:
        """A link to who differed in the latest full check-up; it works for minutes."""
        latest, account = doctor.read(self._cloud, name, target), self.catalog.export(name).item.account
        # A deleted export's file stays for a day, and another export may have its name by now.
        if latest is None or latest.account != account:
            return None
        return self._link(layout.differences(name, target), f"differences-{name}.csv")

    def opt_outs(self, name: str) -> OptOutsView:
        """How far the connection's opt-outs were read, and what was landed. Raises NotFound."""
        connection = self.catalog.connection(name).item
        return OptOutsView.of(connection, record.read(self._cloud, name))

    def collect_opt_outs(self, name: str, by: str, *, afresh: bool = False) -> OptOutsView:
        """Start to read who opted out, or tell of the reading under way. Raises NotFound, and Unprocessable."""
        collecting.start(self._cloud, name, by, afresh=afresh)
        return self.opt_outs(name)

    # Segments

    def segments(self) -> Sequence[SegmentFound]:
        """All segments, by id."""
        return segments.found(self._cloud)

    def first_rows(self, snapshot: Snapshot, columns: Sequence[str], most: int) -> Sequence[tuple[str | None, ...]]:
        """Cells of a snapshot's first rows. Holds people. Raises UserMustAct."""
        return segments.first_rows(self._cloud, snapshot, columns, most)

    def row_counts(self, references: Sequence[str]) -> Mapping[str, int]:
        """Rows of the newest snapshots, where they are counted already."""
        return segments.counts(self._cloud, [found for found in self.segments() if found.id in references])

    def preview(
        self,
        connection: Connection,
        references: Sequence[str],
        address_column: str,
        matching: Sequence[Match],
        country: str,
    ) -> Sequence[Mapping[str, Any]]:
        """The first rows of segments as the connection's vendor would get them; it is asked nothing. `country` is that
        of telephone numbers."""
        opened = open_connection(self._cloud, connection)
        matches = matched(matching, opened.definition, country)
        return preview.preview(self._cloud, opened.vendor, references, address_column, matches)

    # Runs

    def overlook(self, export: str, references: Sequence[str]) -> None:
        """Have the export's schedule look only at snapshots of these segments that land from now on."""
        due_times.overlook(self._cloud, export, references, segments.Newest(self._cloud))

    def start(self, name: str, body: bytes = b"", *, only: Collection[RunKind] = tuple(RunKind)) -> starting.Started:
        """As `begin`; the body may name the kind, `{"kind": "…"}`. Raises Invalid too, and Forbidden for a kind that
        is not among `only`."""
        try:
            kind = StartInput.model_validate_json(body or b"{}").kind
        except ValidationError as error:
            raise Invalid(issues_of(error.errors())) from None
        if kind not in only:
            raise Forbidden(
                say(
                    "The function key starts runs of these kinds of this export: %(only)s. Sign in to start a run of "
                    "another kind, or allow it in the export.",
                    only=", ".join(only),
                )
            )
        return self.begin(name, kind)

    def begin(self, name: str, kind: RunKind = RunKind.DELIVERY, *, by: str = "") -> starting.Started:
        """Start a run in the name of a person, or give back the active one; beside it those on the export's other
        connections. Raises NotFound, and Unprocessable where it cannot run now, as a repair where no check-up found
        anything."""
        if kind is RunKind.REPAIR and not self.is_running(name):
            repairing.require(self._cloud, self.catalog.export(name).item)
        return together.start(self._cloud, self.catalog.export(name).item, kind, by)

    def last_run(self, export: str) -> RunSummary | None:
        """The newest run, under way or not."""
        return next((runs.summary(run) for run in self._runs.history(export, at_once=1)), None)

    def is_running(self, export: str) -> bool:
        """Is a run of it under way, or waiting for a decision? A dry run is in nobody's way."""
        return self._runs.active(export) is not None

    def latest_runs(self) -> Mapping[str, RunSummary]:
        """Export -> its newest run, of those that have one. One query, however many exports and runs there are."""
        return {export: runs.summary(run) for export, run in latest.every(self._cloud.runs).items() if run}

    def runs(self, export: str, *, top: int, continuation: str | None) -> RunPage:
        """Newest first, also of an export that is deleted. Raises Unprocessable for a token it did not give."""
        if continuation is not None and not self._is_run(export, continuation):
            raise _bad_token()
        found = list(islice(self._runs.history(export, after=continuation or "", at_once=top + 1), top + 1))
        following = found[top - 1].run if len(found) > top else None
        return RunPage(runs=tuple(runs.summary(run) for run in found[:top]), next=following)

    def run_rows(self, export: str, asked: RunsAsked, *, top: int) -> RunRows:
        """Runs that the address asks for, newest first, each with its counts. Also of an export that is deleted. Raises
        Unprocessable for a token it did not give."""
        if asked.after and not self._is_run(export, asked.after):
            raise _bad_token()
        alone = not asked.state or bool(asked.where)
        history = self._runs.listed(
            export,
            after=asked.after,
            since=asked.since,
            until=asked.until,
            where=asked.where,
            at_once=top + 1 if alone else None,
        )
        found, last, early = runs.page_of_runs(history, asked, top)
        counted = self._runs.deliveries_of(export, [run.run for run in found if not run.counts])
        rows = tuple(runs.row(run, counted.get(run.run, ())) for run in found)
        return RunRows(rows, last.run if last else "", last.created_at if last and early else None)

    def all_runs(self, asked: RunsAsked, *, top: int) -> RunRows:
        """Runs of all exports that the address asks for, newest first, each with its counts once it ended: one query.
        Also of exports that are deleted. Raises Unprocessable for a token it did not give."""
        after = self._place(asked.after)
        where = {"group": asked.state} if asked.state in GROUPS else {}
        where |= {"vendor": asked.vendor} if asked.vendor else {}
        history = every_run.newest_first(
            self._cloud.runs,
            after=after,
            since=asked.since,
            until=asked.until,
            where=where,
            at_once=top + 1 if asked.exports is None else 4 * top,
        )
        found, last, early = runs.page_of_runs(history, asked, top)
        following = f"{last.run}.{last.export}" if last else ""
        return RunRows(
            tuple(runs.row(run, ()) for run in found), following, last.created_at if last and early else None
        )

    @staticmethod
    def _place(token: str) -> tuple[str, str] | None:
        """The export and the run that a page of all runs goes on after."""
        if not token:
            return None
        run, _, export = token.partition(".")
        if not (NAME.fullmatch(run) and NAME.fullmatch(export)):
            raise _bad_token()
        return export, run

    def history(self, export: str, *, top: int) -> Sequence[RunPoint]:
        """The newest runs that ended, newest first."""
        points = history.points(self._cloud, islice(self._runs.listed(export, at_once=top), top))
        return [RunPoint(**dict(runs.summary(each.run)), seconds=each.seconds, members=each.members) for each in points]

    def run(self, export: str, run: str) -> RunView | None:
        """Also of an export that is deleted, like the next two."""
        held = self._runs.run(export, run)
        return runs.view(held.value, self._deliveries(export, run)) if held else None

    def report(self, export: str, run: str) -> Report | None:
        """What it did, once it has ended."""
        view = self.run(export, run)
        if view is None or view.state not in ENDED:
            return None
        return runs.report(view, [self._report(delivery) for delivery in self._deliveries(export, run)])

    def rejected_link(self, export: str, run: str, target: int = 0) -> FileLink | None:
        """A link to the `rejected.csv` of one of the run's targets, counted from 0; it works for minutes."""
        if self._runs.run(export, run) is None:
            return None
        return self._link(layout.rejected(layout.delivery_folder(export, run, target)), f"rejected-{export}-{run}.csv")

    def planned(self, export: str, run: str, target: int = 0) -> PlannedView | None:
        """What the plan of one of the run's targets says of itself, None where there is none that can be read."""
        found = planned.read(self._cloud, export, run, target)
        return PlannedView.model_validate(found) if found else None

    def before(self, view: RunView) -> RunView | None:
        """The last run before this one that left the lists as the segments say."""
        run = planned.before(self._runs, view.export, view.run)
        return runs.view(run, self._deliveries(run.export, run.run)) if run else None

    def left_out_link(self, export: str, run: str, target: int = 0) -> FileLink | None:
        """A link to the `left-out.csv` of one of the run's targets, None where every value arrived."""
        if self._runs.run(export, run) is None:
            return None
        return self._link(layout.left_out(layout.delivery_folder(export, run, target)), f"left-out-{export}-{run}.csv")

    def holdout_link(self, export: str, run: str, target: int = 0) -> FileLink | None:
        """A link to the `holdout.csv` of one of the run's targets, None where nobody was to be held out."""
        if self._runs.run(export, run) is None:
            return None
        return self._link(layout.holdout(layout.delivery_folder(export, run, target)), f"holdout-{export}-{run}.csv")

    def rejected_rows(self, export: str, run: str, target: int = 0) -> Sequence[RejectedRow]:
        """A few refused people for each reason."""
        if self._runs.run(export, run) is None:
            return []
        return [RejectedRow(**row) for row in history.rejected_samples(self._cloud, export, run, target)]

    def planned_link(self, export: str, run: str, target: int = 0) -> FileLink | None:
        """A link to the `planned.csv` of one of the run's targets: everybody of a plan that a guard stopped or that a
        dry run made."""
        if self._runs.run(export, run) is None:
            return None
        return self._link(layout.planned(layout.delivery_folder(export, run, target)), f"planned-{export}-{run}.csv")

    def rehearsal_link(self, export: str, run: str, target: int = 0) -> FileLink | None:
        """A link to the `rehearsal.csv` of one of the run's targets: what a rehearsal foresees for each person."""
        if self._runs.run(export, run) is None:
            return None
        folder = layout.delivery_folder(export, run, target)
        return self._link(layout.rehearsed(folder), f"rehearsal-{export}-{run}.csv")

    def sample(self, export: str, run: str, target: int = 0) -> Sequence[Mapping[str, Any]] | None:
        """A few people of each kind whom a plan holds that a guard stopped or that a dry run made, each with the
        reason and as the vendor would get it."""
        if self._runs.run(export, run) is None:
            return None
        found: list[dict[str, Any]] | None = self._json(layout.sample(layout.delivery_folder(export, run, target)))
        return found

    def cancel(self, export: str, run: str) -> RunView | None:
        """Ask a run to stop, and those of its kind on other connections. Raises NotNow where it has ended."""
        held = self._runs.run(export, run)
        if held is not None and held.value.state in ENDED:
            raise NotNow("run_ended", say("The run has ended already (%(state)s).", state=Message(held.value.state)))
        cancelled = starting.cancel(self._cloud, export, run)
        if cancelled is None:
            return None
        if own := self.catalog.exports.get(export):
            together.cancel(self._cloud, own.item, cancelled.kind)
        return self.run(export, run)

    def decide(self, export: str, run: str, *, plan: str, decision: DecisionWord, by: str) -> RunView | None:
        """Answer a guard. Raises NotNow where the run is not blocked, or on another plan."""
        held = self._runs.run(export, run)
        if held is None:
            return None
        if held.value.state is not State.BLOCKED:
            raise NotNow(
                "run_not_blocked", say("The run waits for no decision (%(state)s).", state=Message(held.value.state))
            )
        try:
            starting.decide(self._cloud, export, run, plan, decision, by=by)
        except Unprocessable as error:
            raise NotNow(error.code, error.message) from None
        return self.run(export, run)

    # People

    def members(self, export: Export) -> Mapping[str, int]:
        """People whom the export added and who are still on its targets, by target key."""
        return lookup.members(self._cloud, export)

    def explain(self, export: str, address: str) -> Mapping[str, Any]:
        """Why a person is or is not on the export's targets, on all its connections."""
        connections = [held.item for held in self.catalog.connections.all()]
        own = self.catalog.export(export).item
        others = [held.item for name in wanted(own.name, own) if (held := self.catalog.exports.get(name))]
        first, *more = (
            explain.explain(self._cloud, with_opt_outs(self._cloud, each, connections), address)
            for each in (own, *others)
        )
        return {**first, "targets": [target for found in (first, *more) for target in found["targets"]]}

    def compare(self, here: Export, there: Export) -> Comparison:
        """Who is on the lists of one export and not on those of another, by reason. Raises Blocked."""
        return compared.compare(self._cloud, here, there)

    def compared_people(self, here: Export, there: Export) -> AbstractContextManager[Path]:
        """The same as a file of addresses, which is gone after the block. Raises Blocked."""
        return compared.people(self._cloud, here, there)

    def members_on(self, export: str, target: int, day: date) -> AbstractContextManager[Path]:
        """A CSV file of who was on a target at the end of a day, UTC, which is gone after the block. Raises NotFound,
        and Unprocessable where that is not known, or too much."""
        own = self.catalog.export(export).item
        if not target < len(own.targets):
            raise NotFound("target", str(target))
        return happened.members_on(self._cloud, lookup.target(self._cloud, own, target).ledger, day)

    def kept(self, address: str) -> kept.Kept:
        """How many ledgers and runs hold an address; at least so many where looking takes too long."""
        return kept.kept(self._cloud, address)

    def forget(self, address: str, by: str) -> ForgettingView:
        """Start to erase an address, or tell of the request that is under way for it."""
        return forgetting.start(self._cloud, address, by)

    def forgetting(self, request: str) -> ForgettingView | None:
        """A request to forget somebody, and its certificate once it has ended."""
        return forgetting.read(self._cloud, request) if NAME.fullmatch(request) else None

    def forgettings(self) -> Sequence[ForgettingView]:
        """The newest requests to forget somebody; those that are under way come first."""
        return forgetting.newest(self._cloud)

    def _vendor(self, name: str) -> Vendor:
        connection = self.catalog.connection(name).item
        return open_connection(self._cloud, connection, share=INTERACTIVE_SHARE).vendor

    def _deliveries(self, export: str, run: str) -> list[Delivery]:
        return [each.value for each in self._runs.deliveries(export, run)]

    def _is_run(self, export: str, run: str) -> bool:
        """No table is asked for anything but a slug."""
        return NAME.fullmatch(run) is not None and self._runs.run(export, run) is not None

    def _report(self, delivery: Delivery) -> Mapping[str, Any]:
        folder = layout.delivery_folder(delivery.export, delivery.run, delivery.index)
        return self._json(layout.report(folder)) or {"snapshots": [], "reasons": [], "target": {"key": ""}}

    def _json(self, file: str) -> Any:
        """A stored file; None where there is none."""
        stored = self._cloud.blobs.read(file)
        return json.loads(stored[0]) if stored else None

    def _link(self, file: str, name: str) -> FileLink | None:
        """A link to a stored file, which browsers save under this name; None where there is no such file."""
        if not self._cloud.blobs.exists(file):
            return None
        url, ends = self._cloud.blobs.link(file, seconds=LINK_SECONDS, file_name=name)
        return FileLink(url=url, expires_at=ends)


def _bad_token() -> Unprocessable:
    return Unprocessable("bad_token", say("This page does not exist: start again without `continue`."))
