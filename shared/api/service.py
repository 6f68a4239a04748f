"""What the API needs of the rest of the service; it holds no FastAPI, so anything may implement it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

from shared.access.audit import Trail
from shared.api.check_ups import CheckUpView, Doctor
from shared.api.export_views import PreviewRow
from shared.api.run_views import RejectedRow, Report, RunPage, RunPoint, RunSummary, RunView
from shared.api.views import Identity, Link
from shared.catalog.catalog import Catalog
from shared.catalog.issues import Issue
from shared.catalog.models import Export, Match, Probed
from shared.delivery.authorizing import Authorizing
from shared.delivery.records import Run
from shared.delivery.transitions import RunKind
from shared.vendors.contract import CheckResult, TargetFound

DecisionWord = Literal["deliver", "additions_only", "discard"]


@dataclass(frozen=True, slots=True)
class SegmentInfo:
    """A segment and its newest snapshot, as found in storage; `taken_at` is None without a complete one."""

    id: str
    name: str
    columns: tuple[str, ...] = ()
    taken_at: datetime | None = None
    bytes: int = 0
    files: int = 0
    problems: tuple[str, ...] = ()


class Started(Protocol):
    """A run, and whether asking made it."""

    @property
    def run(self) -> Run: ...
    @property
    def new(self) -> bool: ...


class Service(Protocol):
    """Any method may raise the errors of shared/errors.py and shared/catalog/issues.py; each becomes its problem.

    None means that there is no such thing. Names of exports and connections were checked by the caller to exist,
    except where a method says otherwise.
    """

    @property
    def version(self) -> str:
        """What is deployed."""
        ...

    @property
    def catalog(self) -> Catalog: ...

    @property
    def trail(self) -> Trail:
        """The audit trail."""
        ...

    def readiness(self) -> Mapping[str, str]:
        """Part of what the service runs on -> what is wrong with it, empty where nothing is; within seconds."""
        ...

    @property
    def authorizing(self) -> Authorizing:
        """Sign-ins at vendors, and credentials that people type."""
        ...

    def check_connection(self, name: str) -> CheckResult:
        """A live check. The API stores what it found; a UserMustAct counts as a check that failed."""
        ...

    def connection_targets(self, name: str) -> Sequence[TargetFound]:
        """Live: the lists that an export may write to."""
        ...

    def start_probe(self, name: str, canary: str, by: str) -> Probed:
        """Start a probe with test contacts made of `canary`, an address or a domain, or tell of the one under way.
        Raises Invalid, and Unprocessable where the connection cannot be probed."""
        ...

    def doctor(self, name: str, target: int) -> Doctor:
        """The latest check-up of a target, and what another one takes. Raises NotFound."""
        ...

    def start_check_up(self, name: str, target: int, *, full: bool, by: str) -> CheckUpView:
        """Start a check-up, or tell of the one under way. Raises NotFound, NotNow while a run is under way, and
        Unprocessable where there is nothing to check, or too many people to read them all."""
        ...

    def differences_link(self, name: str, target: int) -> Link | None:
        """A link to who differed in the latest full check-up; it works for minutes."""
        ...

    def target_warnings(self, export: Export) -> Sequence[Issue]:
        """Live: what people should know of the export's targets before they are written to; none where the vendor
        cannot be asked."""
        ...

    def segments(self) -> Sequence[SegmentInfo]:
        """All segments, by id."""
        ...

    def segment(self, reference: str) -> SegmentInfo | None: ...

    def row_counts(self, references: Sequence[str]) -> Mapping[str, int]:
        """Rows of the newest snapshots, where they are counted already."""
        ...

    def last_run(self, export: str) -> RunSummary | None:
        """The newest run, under way or not."""
        ...

    def runs(self, export: str, *, top: int, continuation: str | None) -> RunPage:
        """Newest first, also of an export that is deleted. Raises Unprocessable for a token it did not give."""
        ...

    def run(self, export: str, run: str) -> RunView | None:
        """Also of an export that is deleted, like the next two."""
        ...

    def report(self, export: str, run: str) -> Report | None: ...

    def rejected_link(self, export: str, run: str, target: int) -> Link | None:
        """A link to the `rejected.csv` of one of the run's targets, counted from 0; it works for minutes."""
        ...

    def cancel(self, export: str, run: str) -> RunView | None:
        """Ask a run to stop. Raises NotNow where it has ended."""
        ...

    def begin(self, name: str, kind: RunKind = RunKind.DELIVERY) -> Started:
        """Start a run, or give back the active one. Raises NotFound, and Unprocessable where it cannot run now."""
        ...

    def history(self, export: str, *, top: int) -> Sequence[RunPoint]:
        """The newest runs that ended, newest first."""
        ...

    def rejected_rows(self, export: str, run: str, target: int = 0) -> Sequence[RejectedRow]:
        """A few refused people for each reason."""
        ...

    def preview(
        self, vendor: str, references: Sequence[str], address_column: str, matching: Sequence[Match]
    ) -> Sequence[PreviewRow]:
        """The first rows of segments as a vendor (which exists) would get them."""
        ...

    def identity(self) -> Identity:
        """Whom exports run as."""
        ...

    def members(self, export: Export) -> Mapping[str, int]:
        """People whom the export added and who are still on its targets, by target key."""
        ...

    def explain(self, export: str, address: str) -> Mapping[str, Any]:
        """Why a person is or is not on the export's targets."""
        ...

    def forget(self, address: str, by: str) -> Mapping[str, int]:
        """Erase an address; how many ledgers and runs held it. Raises NotNow while a run is under way."""
        ...

    def sample(self, export: str, run: str, target: int = 0) -> Sequence[Mapping[str, Any]] | None:
        """Operations of a dry run as the vendor would get them."""
        ...

    def decide(self, export: str, run: str, *, plan: str, decision: DecisionWord, by: str) -> RunView | None:
        """Answer a guard. Raises NotNow where the run is not blocked, or on another plan."""
        ...
