"""Claims of exports on targets, kept in step with what is stored: taken before an export is written, freed after it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

from shared.catalog.export_validation import owned_issue
from shared.catalog.issues import Invalid
from shared.catalog.models import Export, ExportInput
from shared.catalog.store import DefinitionStore, Held
from shared.catalog.targets import Claim, Owned, TargetStore, rival, target_key

ABANDONED = timedelta(minutes=15)
"""A claim whose export does not use it may be in the middle of being saved; after so long it is a leftover."""


class Claims:
    """Which export owns which targets."""

    def __init__(self, targets: TargetStore, exports: DefinitionStore[Export], now: Callable[[], datetime]) -> None:
        self._targets = targets
        self._exports = exports
        self._now = now

    @contextmanager
    def held(self, export: Export) -> Iterator[None]:
        """Claim the export's targets, and free the new ones again where what follows fails. Raises Invalid where
        one is another export's."""
        fresh: list[Claim] = []
        try:
            for index, target in enumerate(export.targets):
                fresh += self._claim(export, index, target_key(target))
            yield
        except BaseException:
            self.release(fresh)
            raise

    def dropped(self, before: Export, after: Export | None) -> list[Claim]:
        """Claims that `after` no longer needs, as they are before it is written."""
        gone = _places(before) - (_places(after) if after else set())
        claims = [self._targets.owner(account, key) for account, key in sorted(gone)]
        return [claim for claim in claims if claim and claim.export == before.name]

    def delete(self, held: Held[Export]) -> None:
        """Delete an export and free its targets. Raises Conflict."""
        dropped = self.dropped(held.item, None)
        self._exports.delete(held.item.name, held.etag)
        self.release(dropped)

    def release(self, claims: Sequence[Claim]) -> None:
        """Free the targets; one that changed since it was read stays as it is."""
        for claim in claims:
            self._targets.release(claim, self._now())

    def of_account(self, account: str) -> list[Claim]:
        """All claims in an account, free ones too."""
        return self._targets.claims(account)

    def owners(self, claims: list[Claim], name: str, sent: ExportInput) -> dict[str, str]:
        """Target key -> the other export that owns it; leftovers of interrupted saves are freed on the way."""
        found = {target_key(target): rival(claims, target_key(target), name) for target in sent.targets}
        return {key: claim.export for key, claim in found.items() if claim and not self._freed(claim)}

    def _freed(self, claim: Claim) -> bool:
        owner = self._exports.get(claim.export)
        used = owner is not None and (claim.account, claim.key) in _places(owner.item)
        if used or self._now() - claim.touched_at < ABANDONED:
            return False
        return self._targets.release(claim, self._now())

    def _claim(self, export: Export, index: int, key: str) -> list[Claim]:
        try:
            claim = self._targets.claim(export.account, key, export.name, self._now())
        except Owned as error:
            raise Invalid([owned_issue(index, export, error.export)]) from None
        return [claim] if claim.fresh else []


def _places(export: Export) -> set[tuple[str, str]]:
    return {(export.account, target_key(target)) for target in export.targets}
