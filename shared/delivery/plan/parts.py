"""Plan one part after the other: a part that is planned is recorded, and the next slice goes on behind it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from shared.catalog.rules import Limit
from shared.delivery.plan import attempt as attempts
from shared.delivery.plan import kept_back, known_people, operations, protected_people
from shared.delivery.plan.operations import Tally, Wish
from shared.delivery.plan.staging import Staged
from shared.delivery.state import layout, once
from shared.delivery.state.found import Findings
from shared.delivery.state.ledger import Ledger
from shared.delivery.work import Work

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True, slots=True)
class LimitLine:
    """Where a rule's limit cuts, as texts: the first of the candidates who is too many; nothing where all may come."""

    place: str | None = None
    key: str | None = None


def plan_parts(work: Work, wish: Wish, staged: Staged, before: Ledger, findings: Findings | None = None) -> Tally:
    """Plan all parts, those of a repair by its findings; what was counted. Raises SliceOver where the next slice has to
    go on."""
    protected = protected_people.protected(work)
    stay = [*staged.spellings, *([protected] if protected else ())]
    total, folder = Tally(), layout.plan_folder(work.folder, attempts.execution(work))
    with work.scratch.database() as connection:
        people = known_people.recorded(work, connection, staged) if wish.id_column else None
        looks = wish.id_column is not None and people is None
        if looks:
            people = known_people.look(work, connection, wish, staged, before)
        if wish.rules.limit and staged.parts > 1:
            _make_line(work, connection, wish, wish.rules.limit, staged, again=looks)
        if people:
            total.ids = people.facts
            if looks:
                known_people.record(work, connection, staged, people)
        for part in range(staged.parts):
            recorded = _recorded(work, staged, part)
            if recorded is None:
                tally = Tally()
                operations.plan_part(
                    connection,
                    work.files,
                    tally,
                    wish=wish,
                    staged=staged.fetch(part),
                    ledger_before=before,
                    part=part,
                    parts=staged.parts,
                    folder=folder,
                    where=work.where,
                    stay=stay,
                    findings=findings,
                )
                staged.release(part)
                work.scratch.give_back()
                recorded = _keep(work, staged, part, tally)
            add(total, recorded)
    return total


def _recorded(work: Work, staged: Staged, part: int) -> Tally | None:
    """What an earlier slice counted of a part."""
    if staged.attempt is None or staged.attempt.begun:
        return None
    return once.read(work.cloud.blobs, layout.part(staged.attempt.folder(work), part), Tally)


def _keep(work: Work, staged: Staged, part: int, tally: Tally) -> Tally:
    """Record a part unless another execution was first; then its rows are not needed any more."""
    if staged.attempt is None:
        return tally
    kept = once.keep(work.cloud.blobs, layout.part(staged.attempt.folder(work), part), tally)
    staged.drop(part)
    work.may_go_on()
    return kept


_EARLIEST = "starts"
"""The count of which the least is right, and not the sum."""


def add(total: Tally, tally: Tally) -> None:
    """Add a part's counts to those of the parts before it."""
    for each in fields(Tally):
        sums, more = getattr(total, each.name), getattr(tally, each.name)
        if isinstance(sums, list):
            sums += more
            continue
        for name, count in more.items():
            known = sums.get(name)
            if known is None:
                sums[name] = count
            else:
                sums[name] = min(known, count) if each.name == _EARLIEST else known + count


def _make_line(
    work: Work, connection: DuckDBPyConnection, wish: Wish, limit: Limit, staged: Staged, *, again: bool
) -> None:
    """Who is too many shows when all parts were looked at; that is recorded too. It is drawn `again` where it is not
    known yet which of those who move are too many."""
    stored = staged.attempt
    assert stored
    name = layout.line(stored.folder(work))
    line = None if stored.begun or again else once.read(work.cloud.blobs, name, LimitLine)
    if line is None:
        kept_back.begin_line(connection, limit)
        for part in range(staged.parts):
            operations.find_candidates(connection, wish, staged.fetch(part), part)
            staged.release(part)
            work.lease.check()
        kept_back.draw_line(connection, limit)
        line = once.keep(work.cloud.blobs, name, LimitLine(*kept_back.drawn_line(connection)))
    kept_back.make_line(connection, limit, line.place, line.key)
