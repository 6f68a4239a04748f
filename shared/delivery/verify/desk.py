"""What a check-up works with: the same as a slice of a delivery has, of a delivery that is stored nowhere."""

from __future__ import annotations

import math
from datetime import datetime
from typing import TYPE_CHECKING

from shared.catalog.models import Connection, Export
from shared.catalog.rules import NO_RULES
from shared.catalog.targets import TargetStore, target_key
from shared.cloud.cloud import Cloud
from shared.delivery.account.connecting import Opened
from shared.delivery.account.lease import AccountLease
from shared.delivery.state import layout
from shared.delivery.state.files import Files
from shared.delivery.state.records import Delivery, Run, State
from shared.delivery.state.runs import Runs, Versioned
from shared.delivery.state.scratch import Scratch
from shared.delivery.state.transitions import RunKind
from shared.delivery.work import Work
from shared.vendors.contract import TargetFound

if TYPE_CHECKING:
    from shared.delivery.state.ledger import Ledger


class Desk(Work):
    """A slice that only reads. What it leaves of the segment lies with the findings, and goes with them."""

    @property
    def folder(self) -> str:
        return layout.found_folder(self.run.export, self.delivery.index)


def desk(
    cloud: Cloud,
    export: Export,
    target: int,
    *,
    mark: str,
    at: datetime,
    connection: Connection,
    lease: AccountLease,
    opened: Opened,
    room: Scratch,
) -> Desk:
    """A desk for one target of an export. No rule keeps anybody back here: what was delivered is compared."""
    unruled = export.model_copy(update={"rules": NO_RULES})
    run = Run(export.name, mark, State.RUNNING, "", "", len(export.targets), RunKind.DELIVERY, at)
    delivery = Delivery(export.name, mark, target, target_key(export.targets[target]), export.account, worker=mark)
    return Desk(
        cloud=cloud,
        runs=Runs(cloud.runs),
        targets=TargetStore(cloud.targets),
        held=Versioned(delivery, ""),
        first=False,
        run=run,
        export=unruled,
        connection=connection,
        lease=lease,
        opened=opened,
        scratch=room,
        files=Files(cloud.blobs),
        deadline=math.inf,
    )


def delivered_target(cloud: Cloud, export: str, ledger: Ledger) -> TargetFound | None:
    """The target as the delivery prepared it that wrote this ledger, with the details that its fields are read by; None
    where the delivery's row has expired."""
    run, _, index = ledger.commit.rpartition("-")
    held = Runs(cloud.runs).delivery(export, run, int(index)) if run and index.isdigit() else None
    found = held.value.target if held else {}
    if "list_id" not in found:
        return None
    return TargetFound(str(found["list_id"]), str(found["name"]), details=found["details"])
