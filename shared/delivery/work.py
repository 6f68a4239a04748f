"""What a slice works with: the delivery's row, its pinned definition, the lease and the vendor."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from shared.catalog.models import Connection, Export, Guards, Target
from shared.catalog.targets import Claim, Owned, TargetStore, target_name
from shared.cloud.cloud import Cloud
from shared.delivery.account.connecting import Opened
from shared.delivery.account.lease import AccountLease
from shared.delivery.state import layout
from shared.delivery.state import plan as plans
from shared.delivery.state.files import Files
from shared.delivery.state.journal import Folded
from shared.delivery.state.ledger import Ledger
from shared.delivery.state.plan import Plan
from shared.delivery.state.records import Delivery, Run, now
from shared.delivery.state.runs import Runs, Versioned
from shared.delivery.state.scratch import Scratch
from shared.delivery.state.transitions import RunKind
from shared.errors import Conflict, ExportError, LeaseLost
from shared.vendors.contract import TargetFound, TargetWanted

PROGRESS_SECONDS = 1.0


class Cancelled(ExportError):
    """A person, or a disabled connection, ended the run."""


class SliceOver(Exception):
    """The slice's time is over. What was done is recorded, and the next slice goes on from there."""


@dataclass(slots=True)
class Work:
    """One slice. `held` is the delivery's row as this worker last wrote it."""

    cloud: Cloud
    runs: Runs
    targets: TargetStore
    held: Versioned[Delivery]
    first: bool
    """No slice of this delivery began before, so there is no plan and no journal of it yet."""
    run: Run
    export: Export
    connection: Connection
    lease: AccountLease
    opened: Opened
    scratch: Scratch
    files: Files
    deadline: float
    clock: Callable[[], datetime] = now
    requests_before: int = 0
    retries_before: int = 0
    throttled_before: float = 0.0
    saved_at: float = 0.0
    done: int = 0
    open_jobs: int = 0
    jobs_elsewhere: int = 0
    """Jobs that other deliveries have open on this account."""
    known: Claim | None = None
    """The target's row as this slice read or wrote it last: under the account's lease nobody else writes its memory."""

    planned: tuple[Plan, str] | None = None
    """The delivery's plan and its fingerprint as this slice read or made it: while it runs nobody changes it."""

    base: Ledger | None = None
    """The ledger that this slice planned from."""

    folded: Folded | None = None
    """The delivery's journal as this slice knows it whole, None where it has to be read."""

    @property
    def where(self) -> Path:
        """The slice's folder."""
        return self.scratch.where

    @property
    def delivery(self) -> Delivery:
        return self.held.value

    @property
    def folder(self) -> str:
        return layout.delivery_folder(self.run.export, self.run.run, self.delivery.index)

    @property
    def commit_name(self) -> str:
        return f"{self.run.run}-{self.delivery.index:03d}"

    @property
    def identity(self) -> dict[str, Any]:
        """Which delivery this is, for the target's memory."""
        return {"export": self.run.export, "run": self.run.run, "index": self.delivery.index}

    @property
    def guards(self) -> Guards:
        return self.export.guards

    @property
    def target(self) -> Target:
        return self.export.targets[self.delivery.index]

    @property
    def wanted(self) -> TargetWanted:
        return TargetWanted(self.target.list_id, target_name(self.target))

    def remembered(self) -> TargetFound | None:
        """The list that earlier runs wrote to; None where there is none, or where this run makes another."""
        memory = self.memory()
        known = memory.get("list_id") if self.run.kind is not RunKind.REBUILD else None
        return TargetFound(str(known), str(memory["list_name"])) if known else None

    @property
    def ledger_folder(self) -> str:
        """Where the target's ledger lies: a list keeps it under whichever name an export calls it."""
        remembered = self.memory().get("ledger")
        return str(remembered or layout.ledger_folder(self.delivery.account, self.delivery.target_key))

    def plan(self) -> tuple[Plan, str] | None:
        """The delivery's plan and its fingerprint, None where there is none yet. Raises Blocked `plan_unreadable`."""
        if self.planned is None:
            self.planned = plans.read(self.cloud.blobs, self.folder)
        return self.planned

    def required_plan(self) -> Plan:
        """The delivery's plan. Raises Blocked: `plan_missing`, `plan_unreadable`."""
        if (found := self.plan()) is None:
            raise plans.missing()
        return found[0]

    def out_of_time(self) -> bool:
        return time.monotonic() > self.deadline

    def may_go_on(self) -> None:
        """Ask between two pieces of work that are recorded. Raises SliceOver, and what the lease's check raises."""
        self.lease.check()
        self.end_in_time()

    def end_in_time(self) -> None:
        """The same for work that a cancellation does not end. Raises SliceOver."""
        if self.out_of_time():
            raise SliceOver

    def memory(self) -> dict[str, Any]:
        """What earlier runs remembered of the target."""
        if self.known is None:
            self.known = self.targets.owner(self.delivery.account, self.delivery.target_key)
        return dict(self.known.memory) if self.known else {}

    def require_owned(self) -> None:
        """Raise Owned where the list is not the export's any more: it was deleted, or gave the list up."""
        self.memory()
        owner = self.known.export if self.known else ""
        if owner != self.export.name:
            raise Owned(owner)

    def remember(self, **facts: Any) -> None:
        """Add to the target's memory. Raises Owned where another export has the list, LeaseLost as `hold` does."""
        account, key, known, self.known = self.delivery.account, self.delivery.target_key, self.known, None
        self.known = self.targets.remember(
            account, key, self.export.name, facts, self.clock(), still=self.lease.hold, known=known
        )

    def found_target(self) -> TargetFound:
        """The target as `prepare` found it."""
        target = self.delivery.target
        return TargetFound(str(target["list_id"]), str(target["name"]), details=target["details"])

    def note(self, **changes: Any) -> None:
        """Change the delivery's row when it is written next. What a repeated step finds again needs no write alone."""
        self.held = replace(self.held, value=replace(self.held.value, **changes))

    def save(self, **changes: Any) -> None:
        """Write the delivery's row with a heartbeat and the counters. Raises LeaseLost where another wrote it."""
        self._write(self.runs.save, changes)

    def finish(self, **changes: Any) -> None:
        """Write that the delivery is over, and end its run if it was the last. Raises LeaseLost as `save` does."""
        self._write(self.runs.finish, changes)

    def _write(self, write: Callable[..., Versioned[Delivery]], changes: Mapping[str, Any]) -> None:
        counters = self.opened.sent
        measured = {
            "requests": self.requests_before + counters.requests,
            "retries": self.retries_before + counters.retries,
            "throttled_seconds": round(self.throttled_before + counters.throttled_seconds, 3),
        }
        try:
            self.held = write(self.held, heartbeat=self.clock(), **measured, **changes)
        except Conflict:
            raise LeaseLost("another worker goes on with this delivery") from None
        self.saved_at = time.monotonic()

    def progress(self, rows: int) -> None:
        """Hear of answered rows; the row is written once a second at the most."""
        self.done += rows
        if time.monotonic() - self.saved_at >= PROGRESS_SECONDS:
            self.save(done=self.done)
