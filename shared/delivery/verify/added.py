"""Which strangers on a target earlier runs of the export put there, by the plans and journals that are still kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from shared.cloud.cloud import Cloud
from shared.delivery.sql import literal
from shared.delivery.state import journal, layout
from shared.delivery.state import plan as plans
from shared.delivery.state.files import buckets
from shared.delivery.state.journal import Folded
from shared.delivery.state.plan import Plan, PlanFile
from shared.delivery.state.runs import Runs
from shared.errors import Blocked
from shared.vendors.contract import Kind, Outcome

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_AT_ONCE = 10_000


@dataclass
class EarlierRuns:
    """Deliveries of an export to one target, and whom they asked the vendor to add."""

    cloud: Cloud
    export: str
    index: int
    account: str
    target_key: str
    where: Path

    def find(self, connection: DuckDBPyConnection, first: int, last: int) -> None:
        """Fill the table `ours` with those of the table `unknown`, of the buckets first..last, whom a run added: the
        vendor was asked to, and did not say no."""
        if not connection.execute("SELECT 1 FROM unknown LIMIT 1").fetchall():
            return
        for folder, plan in self._plans:
            for file in plan.files:
                if file.kind is Kind.ADD and _overlaps(plan, file, first, last):
                    self._of_file(connection, folder, plan, file)

    @cached_property
    def _plans(self) -> list[tuple[str, Plan]]:
        """Folder and plan of each delivery that can be read still."""
        return list(self._read())

    def _read(self) -> Iterator[tuple[str, Plan]]:
        runs = Runs(self.cloud.runs)
        for run in runs.history(self.export):
            held = runs.delivery(self.export, run.run, self.index)
            if held is None or (held.value.account, held.value.target_key) != (self.account, self.target_key):
                continue
            folder = layout.delivery_folder(self.export, run.run, self.index)
            try:
                found = plans.read(self.cloud.blobs, folder)
            except Blocked:  # a plan that nobody can read proves nothing
                continue
            if found is not None:
                yield folder, found[0]

    def _of_file(self, connection: DuckDBPyConnection, folder: str, plan: Plan, file: PlanFile) -> None:
        path = self.where / "earlier.parquet"
        if not self.cloud.blobs.download(file.file.stored, path):
            return
        source = f"read_parquet({literal(str(path))}, file_row_number=true)"
        query = f"SELECT address, file_row_number FROM {source} WHERE address IN (SELECT address FROM unknown)"
        matching = connection.execute(query).fetchall()
        path.unlink()
        if not matching:
            return
        folded = journal.fold(self.cloud.blobs, folder)
        ours = [address for address, row in matching if _was_sent(folded, *plan.place(file, row))]
        for start in range(0, len(ours), _AT_ONCE):
            connection.execute("INSERT INTO ours SELECT unnest($1)", [ours[start : start + _AT_ONCE]])


def _overlaps(plan: Plan, file: PlanFile, first: int, last: int) -> bool:
    low, high = buckets(file.part, plan.parts)
    return low <= last and high >= first


def _was_sent(folded: Folded, batch: int, index: int) -> bool:
    """Whether the vendor was asked, and did not say that it left the person out."""
    receipt = folded.receipt(batch, index)
    if receipt is None:
        return batch in folded.sent or batch in folded.staged
    return receipt.outcome in (Outcome.ACCEPTED, Outcome.UNKNOWN)
