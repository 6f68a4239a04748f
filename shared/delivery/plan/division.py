"""Into how many parts a segment is divided. Pure.

A part is worked on in memory; there is a power of two of them. A segment that is not much larger than `rows_per_file`
is a single one, which is staged in a local file and needs no records. Larger ones have parts of half that size at most:
besides a part their memory holds what a run of many rows keeps, and so they need hardly more than a single one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from shared.delivery.plan import parted, pieces
from shared.delivery.state.files import BUCKETS
from shared.delivery.state.ledger import Ledger
from shared.snapshots.snapshot import Snapshot

SINGLE = 1.25
"""A single part has so many times `rows_per_file` rows at the most."""
OF_SEVERAL = 0.5
"""Each of several has so many times `rows_per_file` rows at the most."""
TOO_COARSE = 8
"""A segment that is divided into so many times fewer parts than it should be is divided anew."""


def parts_for(rows: float, rows_per_file: int) -> int:
    """How many parts so many rows should have."""
    if rows <= SINGLE * rows_per_file:
        return 1
    return min(BUCKETS, 1 << math.ceil(math.log2(rows / (OF_SEVERAL * rows_per_file))))


def division(read: Sequence[Snapshot], before: Ledger, rows_per_file: int) -> int:
    """How many parts there are, by the rows of the segments or of the ledger, whichever has more: as many as the
    segments are divided into already, where that serves, and no fewer than the ledger has while there are several."""
    rows = max(sum(map(pieces.rows_guessed, read)), sum(each.file.rows for each in before.files))
    wanted, own = parts_for(rows, rows_per_file), parted.parts_of(read)
    if wanted == 1:
        return 1
    return own if own and own >= wanted // TOO_COARSE else max(wanted, _parts(before))


def _parts(before: Ledger) -> int:
    """The smallest division that a ledger's files fit into."""
    return max((BUCKETS // (each.last - each.first + 1) for each in before.files), default=1)
