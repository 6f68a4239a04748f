"""The first rows of segments as a vendor would get them, before anything is saved or run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from shared.cloud.cloud import Cloud
from shared.delivery import addresses, segments
from shared.delivery.plan.cell_values import REASONS, LeftOut, Matched
from shared.delivery.plan.operations import Source, Wish, staging_query
from shared.delivery.send import isolating
from shared.mailbox import with_ascii_domain
from shared.snapshots.reading import reader
from shared.vendors.contract import Row, Vendor

ROWS = 10


def preview(
    cloud: Cloud,
    vendor: Vendor,
    references: Sequence[str],
    address_column: str,
    matches: Sequence[Matched],
    most: int = ROWS,
) -> list[dict[str, Any]]:
    """At most so many rows of the newest snapshots: `address`, `problem` (in words, None for a row that a run would
    send), `values` by vendor field, and `left_out`, the fields whose value does not arrive as it is, with the reason.
    Holds addresses.

    Raises UserMustAct where a segment or column is missing.
    """
    wish = Wish(address_column, matches, "add")
    snapshots = [segments.newest(cloud, reference) for reference in references]
    flags = "".join(f", left_out_{number}" for number in range(len(matches)))
    with reader(cloud.segments, cloud.settings) as opened:
        scans = [opened.scan(each, wish.columns).sql for each in snapshots]
        sources = [Source(f"SELECT * FROM ({sql}) LIMIT {most}", place) for place, sql in enumerate(scans)]
        query = f'SELECT address, problem, "values" {flags} FROM ({staging_query(wish, sources, 1)}) ORDER BY n'
        rows = opened.connection.execute(f"{query} LIMIT {most}").fetchall()
    return [_shown(vendor, row[0], row[1], row[2], row[3:], matches) for row in rows]


def _shown(
    vendor: Vendor,
    address: str,
    problem: str | None,
    values: str,
    left_out: Sequence[str | None],
    matches: Sequence[Matched],
) -> dict[str, Any]:
    address = with_ascii_domain(address)
    return {
        "address": address,
        "problem": _words(address, problem) or _cannot_be_built(vendor, Row(address, values)),
        "values": json.loads(values),
        "left_out": {match.field: REASONS[LeftOut(why)] for match, why in zip(matches, left_out, strict=True) if why},
    }


def _words(address: str, problem: str | None) -> str | None:
    if problem == addresses.DOUBTFUL:
        problem = addresses.INVALID if list(addresses.invalid([address])) else None
    return addresses.REASONS[problem] if problem else None


def _cannot_be_built(vendor: Vendor, row: Row) -> str | None:
    return None if isolating.can_be_built(vendor, row) else isolating.REASON
