"""Repairs: whether there is something to mend, and those that an export starts by itself."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace

from shared.catalog.models import Export
from shared.catalog.store import export_store
from shared.cloud.cloud import Cloud
from shared.delivery.jobs import Clock
from shared.delivery.messages import RepairMessage
from shared.delivery.start.starting import Started, start_run
from shared.delivery.state import found, ledger, lookup
from shared.delivery.state.found import CHECK_FIRST, Findings
from shared.delivery.state.records import now
from shared.delivery.state.runs import Runs
from shared.delivery.state.transitions import RunKind
from shared.delivery.verify import doctor
from shared.delivery.verify.doctor import CheckState
from shared.errors import Blocked, Unprocessable, UserMustAct
from shared.wording import say

log = logging.getLogger(__name__)

TRIGGER = "verification"
NOTHING_TO_MEND = say("The latest check-up found nothing to mend.")


def findings(cloud: Cloud, export: Export, *, clock: Clock = now) -> Iterator[tuple[int, Findings]]:
    """What can be mended, by target."""
    for number in range(len(export.targets)):
        known = finding(cloud, export, number, clock=clock)
        if known is not None:
            yield number, known


def finding(cloud: Cloud, export: Export, number: int, *, clock: Clock = now) -> Findings | None:
    """What can be mended of a target: findings of the last day, where its record did not change since."""
    known = found.read(cloud.blobs, export.name, number)
    if known is None:
        return None
    record = ledger.read(cloud.blobs, lookup.target(cloud, export, number).ledger)
    return known if known.fits(record, clock().timestamp()) else None


def require(cloud: Cloud, export: Export, *, clock: Clock = now) -> None:
    """Raises Unprocessable `check_first` where nothing was checked, and `nothing_to_mend` where all was well."""
    try:
        known = list(findings(cloud, export, clock=clock))
    except Blocked as error:
        raise Unprocessable(error.code, error.message) from None
    if not known:
        raise Unprocessable("check_first", CHECK_FIRST)
    if not any(each.total for _, each in known):
        raise Unprocessable("nothing_to_mend", NOTHING_TO_MEND)


def repair_by_itself(cloud: Cloud, message: RepairMessage, *, clock: Clock = now) -> Started | None:
    """Start the repair that a check-up asks for, then remember that it did: one that dies in between is asked again,
    and finds the run under way, or nothing left to mend. A run that is there already is left in peace; where it
    delivers, it is verified itself."""
    made = doctor.read(cloud, message.export, message.target)
    if made is None or made.mark != message.mark or not made.mends or made.state is not CheckState.ENDED:
        return None
    started = _start(cloud, message.export, clock)
    doctor.KIND.write(cloud, replace(made, mends=False))
    return started


def _start(cloud: Cloud, name: str, clock: Clock) -> Started | None:
    try:
        stored = export_store(cloud.exports).get(name)
        if stored is None or Runs(cloud.runs).active(name) is not None:
            return None
        require(cloud, stored.item, clock=clock)
        return start_run(cloud, stored.item, TRIGGER, kind=RunKind.REPAIR, clock=clock)
    except UserMustAct as error:  # the same would happen whenever the message is sent again
        log.warning("The export %s is not repaired: %s", name, error.message)
        return None
