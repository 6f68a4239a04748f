"""Whether somebody whose address left the segment is in it under another one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.catalog.models import Export, Target
from shared.cloud.cloud import Cloud
from shared.delivery import segments
from shared.delivery.plan.operations import Source, Wish, staging_query
from shared.errors import UserMustAct
from shared.snapshots.reading import reader


def is_in_segment(cloud: Cloud, export: Export, target: Target, row: Mapping[str, Any] | None) -> bool:
    """By the id that the ledger's row of the old address has; false where a segment cannot be read."""
    person = (row or {}).get("person")
    if person is None or export.id_column is None:
        return False
    return any(_has(cloud, export, segment, int(person)) for segment in target.segments)


def _has(cloud: Cloud, export: Export, segment: str, person: int) -> bool:
    wish = Wish(export.address_column, (), str(export.mode), id_column=export.id_column)
    try:
        snapshot = segments.newest(cloud, segment)
        with reader(cloud.segments, cloud.settings) as opened:
            query = staging_query(wish, [Source(opened.scan(snapshot, wish.columns).sql)], 1)
            found = opened.connection.execute(f"SELECT 1 FROM ({query}) WHERE person = {person} LIMIT 1").fetchall()
    except UserMustAct:  # said of the segment itself
        return False
    return bool(found)
