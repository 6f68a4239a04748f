"""One export, several connections: for each other connection the export keeps a *companion*, an export of its own that
follows from its definition alone. So runs, leases, guards and ledgers stay as they are, one account each. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from shared.catalog.export_validation import target_identity
from shared.catalog.issues import Issue
from shared.catalog.models import Also, AlsoTarget, Connection, Export, ExportInput, Target
from shared.vendors.contract import Definition
from shared.wording import say

_LONGEST_NAME = 63
_LONGEST_TITLE = 100
_OWN = re.compile(r"/(connection|matching|settings|targets/\d+(/(list_id|list_name|existing))?$)")
"""Places of a companion's definition that are its entry's; all others are the owner's."""


class ListAt(NamedTuple):
    """Where one target goes: account and list."""

    account: str
    list: str


def companion_name(owner: str, connection: str) -> str:
    """Name of the companion on a connection: the same at every save, so that its runs stay its own."""
    digest = hashlib.sha256(f"{owner}/{connection}".encode()).hexdigest()[:8]
    return f"{owner[: _LONGEST_NAME - 9]}-{digest}"


def wanted(name: str, export: ExportInput) -> dict[str, ExportInput]:
    """Name -> definition of each companion that an export of this name has."""
    return {companion_name(name, each.connection): definition(export, each) for each in export.also}


def definition(export: ExportInput, entry: Also) -> ExportInput:
    """The definition of one companion. An export without a connection does not run, and neither do they."""
    ours = {name: getattr(export, name) for name in ExportInput.model_fields}
    title = f" ({entry.connection})"
    own = {
        "display_name": export.display_name[: _LONGEST_TITLE - len(title)] + title,
        "connection": entry.connection,
        "targets": targets(export, entry),
        "matching": entry.matching,
        "settings": entry.settings,
        "paused": export.paused or not export.connection,
        "also": (),
    }
    return ExportInput.model_validate({**ours, **own})


def targets(export: ExportInput, entry: Also) -> tuple[Target, ...]:
    """The export's targets as they are on another connection."""
    given = entry.targets or tuple(AlsoTarget(list_name=each.list_name) for each in export.targets)
    return tuple(
        Target(segments=ours.segments, list_id=own.list_id, list_name=own.list_name, existing=own.existing)
        for ours, own in zip(export.targets, given, strict=False)
    )


def differs(export: Export, wanted: ExportInput) -> bool:
    """Whether a stored companion is not as its owner has it."""
    return any(getattr(export, name) != getattr(wanted, name) for name in ExportInput.model_fields)


def shape_issues(export: ExportInput) -> Iterator[Issue]:
    """What is wrong with the entries beside each other and the export."""
    seen = {export.connection}
    for index, each in enumerate(export.also):
        if each.connection in seen:
            yield Issue(
                f"/also/{index}/connection",
                say("The export has this connection already: choose another, or leave it out."),
            )
        seen.add(each.connection)
        if each.targets and len(each.targets) != len(export.targets):
            yield Issue(
                f"/also/{index}/targets",
                say(
                    "Give as many targets as the export has (%(wanted)s), in the same order; or none, so "
                    "that the lists have the same names.",
                    wanted=len(export.targets),
                ),
            )


def same_lists(places: Sequence[Sequence[ListAt]]) -> Iterator[Issue]:
    """Entries that write to a list that is written to already; the first of `places` are the export's own."""
    seen: set[ListAt] = set()
    for number, some in enumerate(places):
        for target, place in enumerate(some):
            if place in seen and number:
                yield Issue(
                    f"/also/{number - 1}/targets/{target}",
                    say(
                        "This connection leads to the same account and the same list as another one of this export: "
                        "give it a list_name of its own."
                    ),
                )
            seen.add(place)


def places(
    export: ExportInput, connection: Connection | None, definitions: Mapping[str, Definition]
) -> Sequence[ListAt]:
    """Where the targets go; nowhere that is known yet without an account."""
    if connection is None or not connection.account:
        return ()
    vendor = definitions.get(connection.vendor)
    return [ListAt(connection.account, target_identity(target, vendor)) for target in export.targets]


def placed(issues: Iterable[Issue], index: int) -> Iterator[Issue]:
    """What is said of a companion, where its owner's definition has it."""
    for issue in issues:
        own = _OWN.match(issue.pointer) is not None
        yield Issue(f"/also/{index}{issue.pointer}" if own else issue.pointer, issue.message)
