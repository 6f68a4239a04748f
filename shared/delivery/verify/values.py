"""The values that the vendor shows of people, beside those that were delivered to them.

What was delivered is known by its hash only, so the segment is read again: where its values have the hash of those last
accepted, they are what the vendor should show. Whoever changed in the segment since is left to the next delivery.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from shared.delivery.plan import attempt as attempts
from shared.delivery.plan.operations import Wish, find_firsts
from shared.delivery.plan.staging import Staged, stage
from shared.delivery.plan.step import wish_of
from shared.delivery.sql import literal
from shared.delivery.state.ledger import Ledger
from shared.delivery.work import Work
from shared.vendors.contract import Row, Seen, TargetFound, Vendor

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MOST_LOOKED_AT = 2_000
"""People who are looked up one by one, at a vendor that does not show its people's values in lists."""
_AT_ONCE = 1_000
_LOOKED_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Values:
    """Values of the people of a target, part by part."""

    vendor: Vendor
    target: TargetFound
    lists_values: bool
    wish: Wish
    staged: Staged
    where: Path

    def compare(self, connection: DuckDBPyConnection, part: int) -> int:
        """Fill the table `other` with the members of a part whose values differ; of how many they were compared. Needs
        the views `ledger` and `here` of the part."""
        find_firsts(connection, self.wish, self.staged.fetch(part), part)
        shown = "here.shown IS NOT NULL" if self.lists_values else "true"
        asked = connection.execute(f"""
            SELECT staged.address, staged."values", ledger.vendor_id, here.shown
            FROM staged JOIN firsts ON staged.n = firsts.n
                 JOIN ledger ON ledger.address = staged.address AND ledger.hash = staged.hash
                 JOIN here ON here.address = staged.address
            WHERE ledger.status = 'member' AND {shown}
        """)
        lines, compared = self.where / "other.txt", 0
        with lines.open("w", encoding="utf-8") as stream:
            for address, differs in self._seen(iter(lambda: asked.fetchmany(_AT_ONCE), [])):
                compared += 1
                if differs:
                    stream.write(f"{address}\n")
        connection.execute(f"INSERT INTO other FROM read_csv({literal(str(lines))}, {_LINES})")
        lines.unlink()
        connection.execute("DROP TABLE firsts")
        self.staged.release(part)
        return compared

    def _seen(self, pages: Iterable[list[tuple[str, str, str | None, str | None]]]) -> Iterator[tuple[str, bool]]:
        for page in pages:
            rows = [Row(address, values, vendor_id) for address, values, vendor_id, _ in page]
            seen = self._beside(rows, [shown or "" for *_, shown in page])
            yield from ((row.address, bool(each.differing)) for row, each in zip(rows, seen, strict=True))

    def _beside(self, rows: Sequence[Row], shown: Sequence[str]) -> Iterator[Seen]:
        if self.lists_values:
            yield from (self.vendor.beside(self.target, row, each) for row, each in zip(rows, shown, strict=True))
            return
        for start in range(0, len(rows), _LOOKED_AT_ONCE):
            yield from self.vendor.look_at(self.target, rows[start : start + _LOOKED_AT_ONCE])


_LINES = "columns={address: 'VARCHAR'}, header=false, auto_detect=false, delim='\\t', quote='', escape=''"


@contextmanager
def values(work: Work, target: TargetFound, before: Ledger) -> Iterator[Values]:
    """Values of a target's people, with the segment as it is now. Raises what staging it raises."""
    wish, opened = wish_of(work), work.opened
    staged = stage(work, wish, before)
    try:
        yield Values(opened.vendor, target, opened.definition.lists_values, wish, staged, work.where)
    finally:
        if staged.attempt:
            attempts.clear(work)
