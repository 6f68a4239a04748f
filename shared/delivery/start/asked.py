"""Whether somebody is asked about the very snapshots that a schedule fires for: then the question stays.

A run that was started by hand and is blocked has planned them. A run of the schedule would take its place, ask the same
again, and leave whoever is about to answer with a question that is gone.
"""

from __future__ import annotations

from collections.abc import Mapping

from shared.catalog.models import Export
from shared.catalog.schedules import refreshed
from shared.cloud.cloud import Cloud
from shared.delivery.state import layout, plan
from shared.delivery.state.records import Delivery, State
from shared.delivery.state.runs import Runs
from shared.errors import UserMustAct


def waits_for_an_answer(cloud: Cloud, export: Export, keys: Mapping[str, str]) -> bool:
    """Whether the export's run, of the definition as it is, is blocked with plans of these snapshots or newer ones.

    `keys` are segments with the keys of their newest snapshots.
    """
    runs = Runs(cloud.runs)
    active = runs.active(export.name)
    if active is None or active.value.state is not State.BLOCKED or active.value.created_at < export.updated_at:
        return False
    deliveries = (held.value for held in runs.deliveries(export.name, active.value.run))
    blocked = [each for each in deliveries if each.state is State.BLOCKED]
    return bool(blocked) and all(_planned(cloud, each, keys) for each in blocked)


def _planned(cloud: Cloud, delivery: Delivery, keys: Mapping[str, str]) -> bool:
    """A plan that cannot be read answers nothing, so that a newer run may take its place."""
    folder = layout.delivery_folder(delivery.export, delivery.run, delivery.index)
    try:
        found = plan.read(cloud.blobs, folder)
    except UserMustAct:
        return False
    seen = found[0].keys if found else {}
    return bool(seen) and not any(refreshed(keys.get(segment), key) for segment, key in seen.items())
