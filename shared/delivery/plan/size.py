"""The limit of people, looked at before a segment is read, or as soon as what was read so far is beyond it.

How many people there are is known when all was read, as rows may be duplicates or refused: the guard `size` says it
then. Far too many rows are told of before, so that nobody waits for a plan that no guard would let through.
"""

from __future__ import annotations

from collections.abc import Sequence

from shared.delivery.work import Work
from shared.errors import UserMustAct
from shared.snapshots.reading import Reader
from shared.snapshots.snapshot import Snapshot
from shared.wording import say

ROWS_A_PERSON = 2
"""A segment whose people have more rows than this each, on average, is not what anybody meant."""
LEAST_ROW_BYTES = 4
"""No row with an address of its own takes less, however it is packed."""
CODE = "size"


def most_people(work: Work) -> int:
    """The export's own limit, else the vendor's."""
    return work.guards.max_profiles or work.opened.definition.max_profiles


def most_rows(work: Work) -> int | None:
    """With more rows than this a segment is not read. None where a rule chooses how many of them come."""
    return None if work.export.rules.limit else ROWS_A_PERSON * most_people(work)


def look_before(work: Work, opened: Reader, snapshots: Sequence[Snapshot]) -> None:
    """Raise UserMustAct where the files say that there are far too many rows. CSV says nothing."""
    most = most_rows(work)
    if most is None or sum(each.size for each in snapshots) < most * LEAST_ROW_BYTES:
        return
    look(work, sum(opened.rows_told(each) for each in snapshots))


def look(work: Work, rows: int) -> None:
    """Raise UserMustAct where these are far too many rows."""
    most = most_rows(work)
    if most is not None and rows > most:
        raise UserMustAct(
            CODE,
            say(
                "The segment has %(rows)s rows or more, and the limit is %(limit)s people: nothing was planned. Raise "
                "the export's limit of people if that many are meant, and run it again.",
                rows=rows,
                limit=most_people(work),
            ),
        )
