"""Where people have their addresses: files of deliveries, found by one listing of all of them; and their ledgers.

| place | erased by | when |
| --- | --- | --- |
| ledgers, the people who were on a list before us | `ledgers.py` | no delivery to the list is half done |
| plans, refused and planned people, and so on | `deliveries.py` | the delivery has ended, or is blocked |
| who differed in a check-up | `shared/delivery/verify/doctor.py` | at once: the file goes |
| events | `events.py` | no ledger has the person any more |
| opt-outs that were landed | `shared/delivery/opt_outs/erasing.py` | under the account's lease |

A file that is to be forgotten from joins here: in `deliveries.py` where it lies in a delivery's folder, else as a stage
of `forgetting.py`; and by its name in `PLACES`, which says what the certificate calls it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from typing import NamedTuple

from shared.cloud.cloud import Cloud
from shared.cloud.tables import Stored
from shared.delivery.state import layout
from shared.delivery.state.records import ENDED, State, Step

PLACES = (
    "ledgers",
    "protected",
    "runs",
    "plans",
    "rejected",
    "planned",
    "holdouts",
    "rehearsals",
    "samples",
    "check_ups",
    "opt_outs",
    "events",
)
"""`runs` are the deliveries that held the person in one of the next six."""
LINES = {
    "rejected": layout.rejected(""),
    "planned": layout.planned(""),
    "holdouts": layout.holdout(""),
    "rehearsals": layout.rehearsed(""),
}
"""Place -> its file in a delivery's folder, of lines that begin with an address."""


@dataclass(frozen=True, slots=True)
class DeliveryFiles:
    """What a delivery left: names within its folder -> bytes."""

    folder: str
    files: Mapping[str, int]

    @property
    def export(self) -> str:
        return self.folder.split("/")[1]

    @property
    def run(self) -> str:
        return self.folder.split("/")[2]

    @property
    def index(self) -> int:
        return int(self.folder.split("/")[3])


class HowFar(NamedTuple):
    """How far a delivery is, and in which account; one whose row is gone is expiring."""

    account: str
    ended: bool
    blocked: bool


EXPIRING = HowFar("", ended=True, blocked=False)


def deliveries(cloud: Cloud) -> Iterator[DeliveryFiles]:
    """Every delivery that left files, in the order of their folders."""
    listed = ((name, size) for name, size in cloud.blobs.sizes(layout.RUNS) if name.count("/") > 3)
    for folder, found in groupby(listed, key=lambda each: "/".join(each[0].split("/")[:4]) + "/"):
        yield DeliveryFiles(folder, {name.removeprefix(folder): size for name, size in found})


class EachHowFar:
    """How far deliveries are; one query for each export."""

    def __init__(self, cloud: Cloud) -> None:
        self._of_export = cache(lambda export: dict(_standings(cloud, export)))

    def of(self, delivery: DeliveryFiles) -> HowFar:
        found: HowFar = self._of_export(delivery.export).get((delivery.run, delivery.index), EXPIRING)
        return found


_COLUMNS = ("PartitionKey", "RowKey", "run", "index", "account", "state", "step")


def _standings(cloud: Cloud, export: str) -> Iterator[tuple[tuple[str, int], HowFar]]:
    for stored in cloud.runs.query(export, first="delivery:", last="delivery:~", columns=_COLUMNS):
        yield (str(stored.entity["run"]), int(stored.entity["index"])), how_far(stored)


def how_far(stored: Stored) -> HowFar:
    row = stored.entity
    ended = row["state"] in ENDED and row["step"] == Step.DONE
    return HowFar(str(row["account"]), ended=ended, blocked=row["state"] == State.BLOCKED)
