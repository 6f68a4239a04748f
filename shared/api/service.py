"""What the API needs of the rest of the service; it holds no FastAPI, so anything may implement it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

from shared.api.views import Link, Report, RunPage, RunSummary, RunView
from shared.catalog.catalog import Caller, Catalog
from shared.catalog.models import Export
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

    def caller(self, headers: Mapping[str, str]) -> Caller:
        """Who is asking, from the headers alone (names are lower-case); believe those of the platform only where
        the platform sets them. Raises Forbidden."""
        ...

    def check_connection(self, name: str) -> CheckResult:
        """A live check. The API stores what it found; a UserMustAct counts as a check that failed."""
        ...

    def connection_targets(self, name: str) -> Sequence[TargetFound]:
        """Live: the lists that an export may write to."""
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
