"""What an export is judged by: its connection, its segments, and what other exports of the account have."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from shared.catalog.claims import Claims
from shared.catalog.default_lists import default_list
from shared.catalog.export_validation import SegmentKnown, Surroundings, target_identity
from shared.catalog.holdout import NamedElsewhere
from shared.catalog.models import Connection, Export, ExportInput, Mode
from shared.catalog.store import DefinitionStore
from shared.catalog.targets import Claim, target_key
from shared.vendors.contract import Definition

SegmentsSeen = Callable[[Sequence[str]], Mapping[str, SegmentKnown]]
"""References of segments -> those that exist."""


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Where the surroundings of an export are read."""

    exports: DefinitionStore[Export]
    claims: Claims
    definitions: Mapping[str, Definition]
    segments: SegmentsSeen

    def around(self, name: str, sent: ExportInput, connection: Connection | None, family: str = "") -> Surroundings:
        """The surroundings of an export of this name; `family` is the owner of a companion."""
        definition = self.definitions.get(connection.vendor) if connection else None
        account = connection.account if connection else None
        everyone = [held.item for held in self.exports.all()]
        claims = self.claims.of_account(account) if account else []
        others = [each for each in everyone if each.name != name and each.account == account]
        seen = self.segments(sent.followed)
        return Surroundings(
            connection=connection,
            definition=definition,
            default_list=default_list(connection, self.definitions),
            segments={reference: each.columns for reference, each in seen.items()},
            ids={reference: each.id for reference, each in seen.items()},
            owners={**_owned(others, sent, definition), **self.claims.owners(claims, name, sent)} if account else {},
            writers=_writers(others) if account and definition and not definition.fields_of_list else {},
            holdouts=_holdouts(everyone, family or name),
            stays=_stays(claims, sent, [each for each in everyone if each.name == name]),
        )


def _owned(others: Sequence[Export], sent: ExportInput, definition: Definition | None) -> dict[str, str]:
    """Target key -> the other export that has the same list under another name."""
    taken = {target_identity(target, definition): each.name for each in others for target in each.targets}
    found = {target_key(target): taken.get(target_identity(target, definition)) for target in sent.targets}
    return {key: owner for key, owner in found.items() if owner}


def _writers(others: Sequence[Export]) -> dict[str, list[str]]:
    """Field, its case folded -> the exports that fill it."""
    found: dict[str, list[str]] = {}
    for each in others:
        for match in each.matching:
            found.setdefault(match.field.casefold(), []).append(each.name)
    return found


def _holdouts(everyone: Sequence[Export], family: str) -> dict[str, NamedElsewhere]:
    """Name of a holdout -> an export outside the family that has it."""
    return {
        each.rules.holdout.name: NamedElsewhere(each.name, each.rules.holdout.share)
        for each in everyone
        if each.rules.holdout and family not in (each.name, each.owned_by)
    }


def _stays(claims: Sequence[Claim], sent: ExportInput, before: Sequence[Export]) -> bool:
    """Whether somebody may be on its lists whom its holdout came too late for and whom it never takes off."""
    if sent.mode is not Mode.ADD or any(each.rules.holdout == sent.rules.holdout for each in before):
        return False
    keys = [target_key(target) for target in sent.targets]
    return any(claim.memory.get("ledger") for claim in claims if any(map(claim.covers, keys)))
