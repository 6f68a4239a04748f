"""What is kept of a person: what forgetting would erase. Only reads."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain

from shared.catalog.targets import Claim
from shared.cloud.cloud import Cloud
from shared.delivery.erase import events as happened
from shared.delivery.erase.places import DeliveryFiles, deliveries
from shared.delivery.erase.searching import Holding, batches, search
from shared.delivery.erase.whom import Whom
from shared.delivery.opt_outs import erasing as opt_outs
from shared.delivery.sql import literal
from shared.delivery.state import events, layout, lookup
from shared.delivery.state.files import DataFile
from shared.delivery.state.scratch import Scratch, scratch
from shared.mailbox import normalised

LOOK_SECONDS = 60.0
"""A person waits for the look, and the host for no request longer than four minutes."""


@dataclass(frozen=True, slots=True)
class Kept:
    """How many ledgers, runs, connections' opt-outs and files of events hold an address, as forgetting counts them; at
    least so many where not all was seen."""

    ledgers: int
    runs: int
    complete: bool
    opt_outs: int = 0
    events: int = 0


def kept(
    cloud: Cloud, address: str, *, seconds: float = LOOK_SECONDS, clock: Callable[[], float] = time.monotonic
) -> Kept:
    """Look for an address, for so many seconds at the most."""
    wanted, protected, ends = normalised(address), _protected(cloud), clock() + seconds
    whom, found = Whom.of(address, events.known_salt(cloud.blobs)), Counter[str]()
    with scratch(cloud.settings) as room:
        looks: Iterator[tuple[str, Callable[[], int]]] = chain(
            (("ledgers", partial(_in_ledger, cloud, place, protected, wanted)) for place in _ledgers(cloud)),
            (("opt_outs", look) for look in opt_outs.holders(cloud, whom.row)),
            (("events", partial(happened.holding, cloud, room, whom, each)) for each in happened.batches(cloud, whom)),
            (("runs", partial(_in_deliveries, cloud, room, whom, each)) for each in batches(deliveries(cloud))),
        )
        for kind, look in looks:
            if clock() > ends:
                return _kept(found, complete=False)
            found[kind] += look()
    return _kept(found, complete=True)


def _kept(found: Counter[str], *, complete: bool) -> Kept:
    return Kept(found["ledgers"], found["runs"], complete, found["opt_outs"], found["events"])


def _ledgers(cloud: Cloud) -> Iterator[str]:
    """Folder of every ledger."""
    manifests = [name for name in cloud.blobs.names(layout.LEDGERS) if name == layout.ledger_manifest(_folder(name))]
    yield from map(_folder, manifests)


def _folder(name: str) -> str:
    return name.rpartition("/")[0] + "/"


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


def _in_deliveries(cloud: Cloud, room: Scratch, whom: Whom, batch: Sequence[DeliveryFiles]) -> int:
    """How many deliveries' files hold the person; not those of one that expires meanwhile."""
    return Counter(search(cloud, room, whom, batch).values())[Holding.YES]
