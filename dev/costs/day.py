"""`python -m dev.costs.day`: what ten exports of a million profiles cost in a day, from the figures in this file.

The figures are those that `python -m dev.costs --vendor iterable --rows 20000 100000` printed on two shared cores. The
machine was busy (load 40), so seconds are the processor time of the process, the simulator's share in it, and rows of
tables that follow the clock (progress) stand in `A_SECOND` alone. Blocks of the journal follow the clock too, and so
are more here than on a quiet machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dev.costs.deriving import TICKS_A_DAY, Day, Line, minutes
from shared.vendors.campaign_monitor.definition import IMPORT
from shared.vendors.iterable.definition import SUBSCRIBE
from shared.vendors.omnisend.definition import TAGS
from shared.vendors.registry import DEFINITIONS

EXPORTS, ROWS, CHANGED = 10, 1_000_000, 0.01
SEGMENT_BYTES_PER_ROW, READ_BYTES = 150, 4 << 20
"""Of a segment with twelve columns; and how much one read of a segment file fetches."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One kind of run: lines over the segment's rows."""

    seconds: Line
    storage: Mapping[str, Line]


FIRST = Measured(
    Line(0.5, 0.03),
    {
        "blob write": Line(12.5, 0.38),
        "blob read": Line(10, 0),
        "blob list": Line(1, 0),
        "table write": Line(15.2, 0),
        "table read": Line(15.2, 0),
        "queue write": Line(2, 0),
    },
)
DAILY = Measured(
    Line(0.4, 0.01),
    {
        "blob write": Line(14, 0),
        "blob read": Line(10, 0),
        "blob list": Line(2, 0),
        "table write": Line(11.8, 0),
        "table read": Line(14.2, 0),
        "queue write": Line(1, 0),
    },
)
TICK = {"table read": 6, "blob list": 5}
"""An idle tick, as `python -m dev.costs --tick 10` counts it; with 60 exports it is the same."""
A_SECOND = {"table write": 1.0, "table read": 0.5, "blob write": 1 / 15}
"""While a slice delivers: progress, looking for a cancellation, renewing the lease (constants of the code)."""

WIDTHS = {
    "iterable": (SUBSCRIBE, 1000.0),
    "campaign-monitor": (IMPORT, 1000.0),
    "omnisend": (TAGS, 250.0),
}
"""Vendor -> the endpoint that is its narrowest for additions, and rows of one request to it. Dotdigital's imports are
bound by its own work, which no rate tells."""


def vendor_minutes(vendor: str, rows: float) -> float:
    endpoint, width = WIDTHS[vendor]
    return minutes(DEFINITIONS[vendor], endpoint, int(rows), rows_per_request=int(width))


def describe(name: str, measured: Measured, sent: float, accounts: int) -> str:
    """One line: Iterable, all exports due at once, each account's one after another."""
    delivering = vendor_minutes("iterable", sent) * 60
    day = Day(EXPORTS, int(sent), measured.seconds.at(ROWS) + delivering, accounts)
    operations = {kind: line.at(ROWS) + A_SECOND.get(kind, 0) * delivering for kind, line in measured.storage.items()}
    operations["blob read"] += ROWS * SEGMENT_BYTES_PER_ROW / READ_BYTES
    a_day = {kind: EXPORTS * each + TICKS_A_DAY * TICK.get(kind, 0) for kind, each in operations.items()}
    told = ", ".join(f"{kind} {number:,.0f}" for kind, number in sorted(a_day.items()))
    return (
        f"{name}, {accounts} account(s): {day.working:,.0f} s a run, {day.executions:,} executions "
        f"({day.waits:,} of them waits), {day.gigabyte_seconds:,.0f} GB-s; {told}"
    )


def main() -> None:
    for vendor in WIDTHS:
        print(f"{vendor}: {vendor_minutes(vendor, ROWS):.1f} minutes for {ROWS:,} additions")
    for accounts in (1, EXPORTS):
        print(describe("first day", FIRST, ROWS, accounts))
        print(describe("every day", DAILY, ROWS * CHANGED, accounts))


if __name__ == "__main__":
    main()
