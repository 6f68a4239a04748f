"""What a reading of an answer says, person by person."""

from __future__ import annotations

from shared.vendors.batches import Reading
from shared.vendors.contract import Receipt


def told(reading: Reading, rows: int) -> dict[int, Receipt]:
    """The receipts of all rows that are not asked for again."""
    others = set(range(rows)) - reading.receipts.keys() - reading.asks_again()
    return {**reading.receipts, **dict.fromkeys(others, reading.rest)}
