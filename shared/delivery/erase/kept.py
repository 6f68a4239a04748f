"""What is kept of a person: what forgetting would erase. Only reads."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import chain

from shared.catalog.targets import Claim
from shared.cloud.cloud import Cloud
from shared.delivery import sql
from shared.delivery.erase.forget import deliveries, ledgers
from shared.delivery.sql import literal
from shared.delivery.state import layout, lookup, rejected_rows
from shared.delivery.state import plan as plans
from shared.delivery.state.files import DataFile
from shared.delivery.state.scratch import folder
from shared.errors import Blocked
from shared.mailbox import normalised

LOOK_SECONDS = 60.0
"""A person waits for the look, and the host for no request longer than four minutes."""


@dataclass(frozen=True, slots=True)
class Kept:
    """How many ledgers and runs hold an address, as `forget` counts them; at least so many where not all was seen."""

    ledgers: int
    runs: int
    complete: bool


def kept(
    cloud: Cloud, address: str, *, seconds: float = LOOK_SECONDS, clock: Callable[[], float] = time.monotonic
) -> Kept:
    """Look for an address, for so many seconds at the most."""
    wanted, protected, ends = normalised(address), _protected(cloud), clock() + seconds
    looks = chain(
        (("ledgers", partial(_in_ledger, cloud, place, protected, wanted)) for _, place in ledgers(cloud)),
        (("runs", partial(_in_delivery, cloud, place, wanted)) for place in deliveries(cloud)),
    )
    found: Counter[str] = Counter()
    for kind, look in looks:
        if clock() > ends:
            return Kept(found["ledgers"], found["runs"], complete=False)
        found[kind] += look()
    return Kept(found["ledgers"], found["runs"], complete=True)


def _protected(cloud: Cloud) -> dict[str, DataFile]:
    """The files of people who were on lists before us, by name."""
    claims = (Claim.of(stored.entity, stored.etag) for stored in cloud.targets.scan("RowKey ne ''", {}))
    known = [claim.memory["protected"] for claim in claims if claim.memory.get("protected")]
    return {each["name"]: DataFile.of(each) for each in known}


def _in_ledger(cloud: Cloud, place: str, protected: dict[str, DataFile], address: str) -> bool:
    if lookup.ledger_row(cloud, place, address) is not None:
        return True
    file = protected.get(layout.protected(place))
    return file is not None and next(lookup.rows(cloud, file, f"address = {literal(address)}"), None) is not None


def _in_delivery(cloud: Cloud, place: str, address: str) -> bool:
    """Whether a delivery's files hold it; not for one that expires meanwhile."""
    try:
        return (
            _in_plan(cloud, place, address)
            or _in_csv(cloud, layout.rejected(place), address)
            or _in_csv(cloud, layout.planned(place), address)
            or _in_csv(cloud, layout.holdout(place), address)
            or _in_sample(cloud, place, address)
        )
    except Blocked:
        if any(cloud.blobs.names(place)):
            raise
        return False


def _in_plan(cloud: Cloud, place: str, address: str) -> bool:
    found = plans.read(cloud.blobs, place)
    if found is None:
        return False
    same = f"{sql.address(sql.trimmed('address'))} = {literal(address)}"
    return any(next(lookup.rows(cloud, file, same), None) is not None for file in found[0].holding_addresses)


def _in_csv(cloud: Cloud, name: str, address: str) -> bool:
    with folder() as where:
        path = where / "lines.csv"
        return cloud.blobs.fetch(name, path) is not None and rejected_rows.hold(address, path)


def _in_sample(cloud: Cloud, place: str, address: str) -> bool:
    stored = cloud.blobs.read(layout.sample(place))
    return stored is not None and any(normalised(row["address"]) == address for row in json.loads(stored[0]))
