"""Jobs at the vendor that a delivery left behind: it ended, or gave them up, before they did.

Such a job may yet write what is old by now over what a later delivery writes. So the target remembers which deliveries
left any, and the next one to it first waits until they have ended, for `PATIENCE` at the most.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from shared.delivery.send.opted_out_before import has_ended
from shared.delivery.state import journal
from shared.delivery.state import plan as plans
from shared.delivery.state.plan import Plan
from shared.delivery.work import Work
from shared.vendors.contract import Kind
from shared.wording import say

PATIENCE = timedelta(hours=6)
"""From the end of the delivery that left them; every delivery was patient for hours before that."""

_LATE = say(
    "%(vendor)s has not ended within 6 hours what an earlier run sent it. If it ends yet, older values may "
    "replace those of this run: then run the export with the kind full_resync."
)

Left = list[dict[str, Any]]


def with_another(work: Work, folder: str) -> Left:
    """What the target remembers, and the delivery in this folder, which ends now."""
    before: Left = work.memory().get("left") or []
    return [*(each for each in before if each["folder"] != folder), {"folder": folder, "at": work.clock().isoformat()}]


def wait_for(work: Work, wait: Callable[[], object]) -> Sequence[str]:
    """Look at what earlier deliveries to the target left behind, and forget it once nothing is to be waited for; what
    people should know of what has not ended. Calls `wait`, which raises, while there is something to wait for."""
    left: Left = work.memory().get("left") or []
    if not left:
        return ()
    open_since = [datetime.fromisoformat(each["at"]) for each in left if _is_under_way(work, each["folder"])]
    if any(work.clock() - at < PATIENCE for at in open_since):
        wait()
    work.remember(left=[])
    return [_LATE.filled(vendor=work.opened.definition.label)] if open_since else ()


def _is_under_way(work: Work, folder: str) -> bool:
    found = plans.read(work.cloud.blobs, folder)
    if found is None:  # expired
        return False
    jobs = journal.fold(work.cloud.blobs, folder).left_behind()
    kinds = dict(_kinds(found[0]))
    return any(not has_ended(work.opened.vendor, kinds[batch], job) for batch, job in jobs.items())


def _kinds(made: Plan) -> Iterator[tuple[int, Kind]]:
    for file in made.files:
        yield from ((batch, file.kind) for batch in made.batches(file))
