"""A commit that goes on over slices: what became of a part is recorded once, and the next slice goes on behind it.

Records are of one plan, one version of the ledger and one version of the code: where any of them changed meanwhile, as
when a person is forgotten, the parts are committed again. A single part is committed without a record.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import fields, replace

from shared.cloud.blobs import Blobs
from shared.delivery.commit.new_ledger import Outcomes
from shared.delivery.plan.attempt import code
from shared.delivery.state import layout, once
from shared.delivery.state import plan as plans
from shared.delivery.state.ledger import Ledger
from shared.delivery.state.plan import Plan
from shared.wording import kept, read


class PartRecords:
    """The records of one commit. `none_yet`: no slice before can have written any. Whoever counts what was committed
    already (`counting`) has records of its own, and so has whoever writes down what became known of people (`learns`).
    """

    def __init__(
        self, blobs: Blobs, folder: str, plan: Plan, before: Ledger, *, counting: bool, learns: bool, none_yet: bool
    ) -> None:
        self._blobs = blobs
        self._folder = folder
        self._several = plan.parts > 1
        self._before = {each.file.name for each in before.files}
        self._of = _digest(plan, before, counting, learns) if self._several else ""
        self._there = set(blobs.names(layout.committing(folder))) if self._several and not none_yet else set[str]()
        self._used: list[Outcomes] = []

    def read(self, part: int) -> Outcomes | None:
        """What an earlier slice recorded of a part."""
        name = self._name(part)
        found = once.read(self._blobs, name, Outcomes) if name in self._there else None
        if found is None:
            return None
        self._used.append(found)
        return _with_words(found, read)

    def records(self, outcomes: Outcomes) -> bool:
        """Whether these outcomes are recorded: no work leaves no record, so that a slice must not end behind it."""
        return self._several and bool(outcomes.counts or self._names(outcomes))

    def keep(self, part: int, outcomes: Outcomes) -> Outcomes:
        """Record a part unless another execution was first; the outcomes that count."""
        if not self.records(outcomes):
            return outcomes
        return _with_words(once.keep(self._blobs, self._name(part), _with_words(outcomes, kept)), read)

    def require_files(self) -> None:
        """Raise Unusable where a file is gone that an earlier slice wrote."""
        named = {name for each in self._used for name in self._names(each)}
        if named and not named <= {name for place in _folders(named) for name in self._blobs.names(place)}:
            raise once.Unusable(self._folder)

    def _name(self, part: int) -> str:
        return layout.committed_part(self._folder, self._of, part)

    def _names(self, outcomes: Outcomes) -> set[str]:
        """Blobs that were written for a part."""
        files = [*(each.file for each in outcomes.files), *outcomes.rejected, *outcomes.values_left_out]
        return {each.name for each in files} - self._before


def clear(blobs: Blobs, folder: str) -> None:
    """Delete a delivery's records, before any of the files that they name."""
    for name in list(blobs.names(layout.committing(folder))):
        blobs.delete(name)


def _digest(plan: Plan, before: Ledger, *how: bool) -> str:
    told = f"{plans.fingerprint(plan.to_json())} {before.etag} {how} {code()}"
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def _folders(names: Iterable[str]) -> set[str]:
    return {f"{name.rpartition('/')[0]}/" for name in names}


def _with_words(outcomes: Outcomes, change: Callable[[str], str]) -> Outcomes:
    """The outcomes with each reason as it is stored, or as it is said."""
    reasons = {replace(why, reason=change(why.reason)): people for why, people in outcomes.reasons.items()}
    return replace(outcomes, reasons=reasons)


def add(total: Outcomes, part: Outcomes) -> None:
    """Add a part's outcomes to those of the parts before it."""
    for each in fields(Outcomes):
        sums, more = getattr(total, each.name), getattr(part, each.name)
        if isinstance(sums, list):
            sums += more
        elif isinstance(sums, dict):
            for name, count in more.items():
                sums[name] = sums.get(name, 0) + count
