"""Segments whose people are kept off: their snapshots, or why nobody may be delivered to for now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import count

from shared.delivery import segments
from shared.delivery.work import Work
from shared.errors import RetryAfter, UserMustAct
from shared.snapshots.snapshot import Snapshot
from shared.wording import say, together

PATIENCE = timedelta(hours=1)
"""For a newer state that is not complete: segments often land together."""
LOOK_AGAIN_SECONDS = 60.0
UNUSABLE = "excluded_segment"


@dataclass(frozen=True, slots=True)
class Barring:
    """A snapshot of an excluded segment: `rule` is the rule's number, `number` the segment's among all that are read,
    `column` holds the addresses."""

    rule: int
    number: int
    snapshot: Snapshot
    column: str

    @contextmanager
    def said(self) -> Iterator[None]:
        """What is wrong with it is said of an excluded segment."""
        try:
            yield
        except UserMustAct as error:
            raise _unusable(self.snapshot.name, error) from None


def find(work: Work, own: Sequence[Snapshot]) -> list[Barring]:
    """The newest snapshots of the excluded segments.

    Raises UserMustAct where one cannot be used, RetryAfter where a newer one is not complete yet.
    """
    numbers = count(len(own))
    return [_find(work, rule, next(numbers), own) for rule in range(len(work.export.rules.exclude))]


def _find(work: Work, rule: int, number: int, own: Sequence[Snapshot]) -> Barring:
    wanted = work.export.rules.exclude[rule]
    try:
        snapshot = segments.newest(work.cloud, wanted.segment)
    except UserMustAct as error:
        raise _unusable(wanted.segment, error) from None
    if snapshot.segment_id in {each.segment_id for each in own}:
        raise UserMustAct(
            UNUSABLE,
            say("The export excludes its own segment %(segment)s: nobody would be left.", segment=wanted.segment),
        )
    if snapshot.passed_over:
        _wait(work, snapshot)
    return Barring(rule, number, snapshot, wanted.address_column or work.export.address_column)


def _wait(work: Work, snapshot: Snapshot) -> None:
    """An older state would let people through who were added to the segment since."""
    words = say(
        "A newer state of the excluded segment %(segment)s cannot be used: %(why)s. Nobody is delivered to without it, "
        "since it may name people who have to be kept off.",
        segment=snapshot.name,
        why=together(snapshot.passed_over, "; "),
    )
    if work.clock() - (work.delivery.stalled_since or work.clock()) < PATIENCE:
        raise RetryAfter(LOOK_AGAIN_SECONDS, words)
    raise UserMustAct(UNUSABLE, words)


def _unusable(segment: str, error: UserMustAct) -> UserMustAct:
    words = say(
        "The excluded segment %(segment)s cannot be used: %(why)s Nobody is delivered to without it, since it may name "
        "people who have to be kept off.",
        segment=segment,
        why=error.message,
    )
    return UserMustAct(UNUSABLE, words)
