"""What the vendor tells of an export's targets before anything is written to them."""

from __future__ import annotations

from collections.abc import Iterator

from shared.catalog.issues import Issue
from shared.catalog.models import Export, Target
from shared.catalog.targets import target_name
from shared.cloud.cloud import Cloud
from shared.delivery.state.lookup import targets
from shared.errors import ExportError, UserMustAct
from shared.vendors.contract import TargetFound, TargetWanted, Vendor
from shared.wording import say


def warnings(cloud: Cloud, export: Export, vendor: Vendor, label: str) -> Iterator[Issue]:
    """Asks the vendor, called `label`. What stands in the way of a run is a warning here: it may be gone by then."""
    for index, (target, known) in enumerate(zip(export.targets, targets(cloud, export), strict=True)):
        list_id = known.memory.get("list_id")
        remembered = TargetFound(str(list_id), str(known.memory["list_name"])) if list_id else None
        try:
            found = vendor.warnings_of(TargetWanted(target.list_id, target_name(target)), remembered)
        except UserMustAct as error:
            yield _in_the_way(index, target, error, label)
            continue
        except ExportError:  # the vendor cannot be asked now; the run tells the same again
            continue
        yield from (Issue(f"/targets/{index}", words) for words in found)


_OF_THE_ID = frozenset({"target_vanished", "target_not_static", "target_reserved"})
"""Codes that say that the list of an id cannot be written to, whatever else is as it should be."""


def _in_the_way(index: int, target: Target, error: UserMustAct, label: str) -> Issue:
    """At `list_id` where that is what is wrong."""
    if target.list_id is None or error.code not in _OF_THE_ID:
        return Issue(f"/targets/{index}", error.message)
    if error.code != "target_vanished":
        return Issue(f"/targets/{index}/list_id", error.message)
    words = say(
        "%(vendor)s has no list with the id %(id)s: give the id of one that exists (GET .../targets of the connection "
        "lists them), or leave list_id out and set list_name.",
        vendor=label,
        id=target.list_id,
    )
    return Issue(f"/targets/{index}/list_id", words)
