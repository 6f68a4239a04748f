"""What the vendor tells of an export's targets before anything is written to them."""

from __future__ import annotations

from collections.abc import Iterator

from shared.catalog.issues import Issue
from shared.catalog.models import Export
from shared.catalog.targets import target_name
from shared.cloud.cloud import Cloud
from shared.delivery.state.lookup import targets
from shared.errors import ExportError, UserMustAct
from shared.vendors.contract import TargetFound, TargetWanted, Vendor


def warnings(cloud: Cloud, export: Export, vendor: Vendor) -> Iterator[Issue]:
    """Asks the vendor. What stands in the way of a run is a warning here: it may be gone by then."""
    for index, (target, known) in enumerate(zip(export.targets, targets(cloud, export), strict=True)):
        list_id = known.memory.get("list_id")
        remembered = TargetFound(str(list_id), str(known.memory["list_name"])) if list_id else None
        try:
            found = vendor.warnings_of(TargetWanted(target.list_id, target_name(target)), remembered)
        except UserMustAct as error:
            found = [error.message]
        except ExportError:  # the vendor cannot be asked now; the run tells the same again
            found = []
        yield from (Issue(f"/targets/{index}", words) for words in found)
