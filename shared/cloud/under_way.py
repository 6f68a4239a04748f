"""Which exports the timer has to look at: those that may have a run under way, or a notice to tell.

Runs and notices are rows of the table `runs`, which keeps all that ran for months, each in its export's partition. A
row of the table `underway` names such an export; it is written before the run or the notice is, and goes when a tick
finds neither. So what a tick reads follows what is under way, not what ever ran.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from shared.cloud.tables import Stored, Table
from shared.errors import Conflict

EXPORTS = "exports"
LOOKS = "looks"
GRACE = timedelta(minutes=10)
"""A row that is younger may belong to a run that is just being written."""
DAY = timedelta(days=1)


class UnderWay:
    """The table `underway`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def mark(self, export: str) -> None:
        """From now on the timer looks at the export; before its run or notice is written."""
        self._table.put({"PartitionKey": EXPORTS, "RowKey": export, "since": datetime.now(UTC)})

    def marked(self) -> list[Stored]:
        """Rows of all exports that are marked."""
        return list(self._table.query(EXPORTS))

    def exports(self) -> list[str]:
        """Names of all that are marked."""
        return [str(each.entity["RowKey"]) for each in self.marked()]

    def may_go(self, row: Stored, at: datetime) -> bool:
        """Whether it was marked long enough ago to go, where nothing is found."""
        since: datetime = row.entity["since"]
        return at - since > GRACE

    def drop(self, row: Stored) -> None:
        """Unless it was marked again since it was read."""
        try:
            self._table.delete(EXPORTS, str(row.entity["RowKey"]), row.etag)
        except Conflict:
            return

    def is_day_over(self, at: datetime) -> bool:
        """Whether everything was last looked at more than a day ago."""
        found = self.looked("daily")
        return found is None or at - found > DAY

    def begin_day(self, at: datetime) -> None:
        """Everything was looked at."""
        self.look("daily", at)

    def looked(self, what: str) -> datetime | None:
        """When this was last looked at to the end; None where it never was."""
        found = self._table.get(LOOKS, what)
        return found.entity["at"] if found else None

    def look(self, what: str, at: datetime) -> None:
        """This was looked at to the end."""
        self._table.put({"PartitionKey": LOOKS, "RowKey": what, "at": at})
