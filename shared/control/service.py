"""Everything that pages, API and timer ask of the rest: where catalog, snapshots, delivery and notices meet."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date
from functools import cached_property
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
from shared.control import forgetting, links
from shared.control.check_ups import CheckUpCost, CheckUpView, Doctor, Mendable
from shared.control.following import Following
from shared.control.forgetting import ForgettingView
from shared.control.opt_outs import OptOutsView
from shared.control.run_reader import RunReader
from shared.control.runs import (
    DecisionWord,
    RunView,
    StartInput,
)
from shared.control.views import FileLink, Identity, Notifications
from shared.delivery import inbox, probes, segments, upkeep
from shared.delivery.account.authorizing import Authorizing
from shared.delivery.account.connecting import open_connection
from shared.delivery.erase import kept
from shared.delivery.lookups import compared, explain, happened, preview, vendor_warnings
from shared.delivery.lookups.compared import Comparison
from shared.delivery.opt_outs import collecting, places, record
from shared.delivery.opt_outs.excluding import with_opt_outs
from shared.delivery.plan.cell_values import matched
from shared.delivery.start import due_times, repairing, starting, together
from shared.delivery.state import lookup
from shared.delivery.state.found import CHECK_FIRST
from shared.delivery.state.records import ENDED, Run, State, now
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
    def runs(self) -> RunReader:
        """What is known of runs."""
        return RunReader(self._cloud)

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
        return links.of_differences(self._cloud, name, target)

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

    def is_running(self, export: str) -> bool:
        """Is a run of it under way, or waiting for a decision? A dry run is in nobody's way."""
        return self._runs.active(export) is not None

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
        return self.runs.view(export, run)

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
        return self.runs.view(export, run)

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
