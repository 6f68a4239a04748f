"""Checks that stop a delivery before its first write, with numbers. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.catalog.models import Guards
from shared.delivery.plan.drift import EMPTIED
from shared.delivery.plan.persons import NO_IDS, SECOND_ADDRESS, IdFacts
from shared.delivery.state.plan import Balance
from shared.wording import say, say_many

FEW = 1000
"""People; a smaller change of a segment is nobody's mishap, whatever its share."""

SMALL = 20
"""People; of a smaller list any share may leave, but not everyone."""

FEW_UNREADABLE = 5
"""People; so many rows may lose their address from one day to the next."""

UNUSUAL = 0.01
"""Share of the members; fewer removals are nobody's mishap, however unusual."""

MOVES = "moves"
"""Name of the guard of the id column."""

BROKEN = 0.1
"""Share; of fewer people ids may be exchanged, or the same, before the id column looks broken."""

RUNS = 10
ENOUGH_RUNS = 3
"""How many of the last runs say what is usual, and with how few of them nothing is."""

DELIVER = "deliver"
ADDITIONS_ONLY = "additions_only"
START_SMALL = "start_small"
"""What a person may decide about a delivery that a guard stopped, besides discarding it."""

FIRST_RUN = "first_run"
"""Name of the guard that asks before very many people join at once."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the guards look at."""

    balance: Balance
    members_before: int
    snapshot_taken_at: datetime
    delivered_before: datetime | None
    now: datetime
    max_profiles: int
    removed_before: Sequence[int] = ()
    """Removals of the last runs, as far as they are of interest: see `may_be_unusual`."""
    emptied: Sequence[str] = ()
    """Columns that were full and are bare, each in words: see `drift`."""

    refused_before: int | None = None
    """Rows without a usable address in the last delivery; None where that is not known."""

    ids: IdFacts = NO_IDS

    agreed: int = 0
    """People whom a person agreed to at the last question, of whom some are still to come."""
    lost: bool = False
    """There were people on the target before, and the ledger that names them is not used."""

    @property
    def base(self) -> int:
        """People whom the numbers of this run are compared with."""
        return max(self.members_before, self.agreed)

    @property
    def after(self) -> int:
        """People on the target when this plan was carried out. Whom a run does not concern is there or not: only its
        additions join."""
        balance = self.balance
        return min(self.people - balance.held + balance.left, self.members_before + balance.add)

    @property
    def grows_much(self) -> bool:
        """Whether very many people would join at once: the export's first, or more than there are."""
        if self.members_before == 0:
            return self.balance.add > FEW and not self.lost
        return self.base > FEW and self.after > 2 * self.base

    @property
    def unreadable(self) -> int:
        """People who would leave while as many rows have lost their address. Who they are is not known: a row without
        an address names nobody."""
        if self.refused_before is None:
            return 0
        lost = sum(self.balance.refused.values()) - self.refused_before
        return min(self.balance.leavers - self.kept_back, max(lost, 0))

    @property
    def kept_back(self) -> int:
        """People who would leave because a rule keeps them back."""
        return sum(self.balance.removed_by_rules.values())

    @property
    def people(self) -> int:
        """Different valid addresses in the segment."""
        balance = self.balance
        return balance.add + balance.change + balance.unchanged + balance.held + balance.outside


@dataclass(frozen=True, slots=True)
class Finding:
    """A guard that stops the delivery."""

    guard: str
    message: str


def findings(facts: Facts, guards: Guards) -> list[Finding]:
    """Every guard that is not satisfied, in words."""
    return [finding for check in _CHECKS for finding in check(facts, guards)]


def _empty(facts: Facts, guards: Guards) -> Iterator[Finding]:
    if facts.balance.rows_read == 0 and facts.members_before > 0:
        yield Finding(
            "empty", say("the snapshot is empty, and %(people)s people are on the list", people=facts.members_before)
        )


_MINUTE = "%Y-%m-%d %H:%M"


def _removals(facts: Facts, guards: Guards) -> Iterator[Finding]:
    remove, before, most = facts.balance.leavers, facts.members_before, guards.max_removed_share
    if most is None or not remove or not before:
        return
    share = remove / before
    fine = before <= SMALL or share <= most or remove <= (guards.max_removed_people or 0)
    everyone = remove >= before and not facts.people and facts.balance.rows_read
    if everyone or not fine:
        message = say(
            "would remove %(people)s of %(members)s (%(share)s%%), limit %(limit)s%%",
            people=remove,
            members=before,
            share=round(100 * share),
            limit=round(100 * most),
        )
        yield Finding("removals", _with_rules(message, facts))


def may_be_unusual(remove: int, before: int) -> bool:
    """Whether it matters how many were removed in earlier runs, so that it is worth looking up."""
    return remove > max(SMALL, UNUSUAL * before)


def _unusual(facts: Facts, guards: Guards) -> Iterator[Finding]:
    remove, before, times = facts.balance.leavers, facts.members_before, guards.max_removed_times
    if times is None or len(facts.removed_before) < ENOUGH_RUNS or not may_be_unusual(remove, before):
        return
    usual = max(facts.removed_before)
    if remove > times * max(usual, 1):
        message = say(
            "would remove %(people)s of %(members)s, and at most %(most)s in any of the last %(runs)s runs",
            people=remove,
            members=before,
            most=usual,
            runs=len(facts.removed_before),
        )
        yield Finding("unusual", _with_rules(message, facts))


def _with_rules(message: str, facts: Facts) -> str:
    """Removals with those that come of the export's rules."""
    if not facts.kept_back:
        return message
    return say_many(
        "%(removals)s; %(num)s of them is kept back by a rule of the export",
        "%(removals)s; %(num)s of them are kept back by rules of the export",
        facts.kept_back,
        removals=message,
    )


def _moves(facts: Facts, guards: Guards) -> Iterator[Finding]:
    moved, before, most = facts.balance.moved, facts.members_before, guards.max_moved_share
    if most is None:
        return
    if moved > SMALL and moved > most * before:
        yield Finding(
            MOVES,
            say(
                "%(people)s of %(members)s people (%(share)s%%) would move to another address, limit %(limit)s%%",
                people=moved,
                members=before,
                share=round(100 * moved / before),
                limit=round(100 * most),
            ),
        )
    exchanged, compared = facts.ids.exchanged, facts.ids.compared
    if moved and exchanged > SMALL and exchanged > BROKEN * compared:
        yield Finding(
            MOVES,
            say(
                "%(exchanged)s of %(compared)s people who keep their address have the id of somebody else now, and "
                "others would move to another address (%(moved)s): the id column may be broken",
                moved=moved,
                exchanged=exchanged,
                compared=compared,
            ),
        )
    second = facts.balance.kept_back.get(SECOND_ADDRESS, 0)
    if second > SMALL and second > BROKEN * (facts.people + second):
        yield Finding(
            MOVES,
            say(
                "%(second)s of %(people)s addresses in the segment are second ones of people with the same id: the id "
                "column may not tell people apart",
                second=second,
                people=facts.people + second,
            ),
        )


def _invalid(facts: Facts, guards: Guards) -> Iterator[Finding]:
    refused, read, most = sum(facts.balance.refused.values()), facts.balance.rows_read, guards.max_invalid_share
    if most is not None and read and refused / read > most:
        yield Finding(
            "invalid",
            say(
                "%(refused)s of %(rows)s rows (%(share)s%%) have no valid address, limit %(limit)s%%",
                refused=refused,
                rows=read,
                share=round(100 * refused / read),
                limit=round(100 * most),
            ),
        )


def may_be_unreadable(balance: Balance) -> bool:
    """Whether it matters how many rows had no usable address before, so that it is worth looking up."""
    return min(sum(balance.refused.values()), balance.leavers) > FEW_UNREADABLE


def _unreadable(facts: Facts, guards: Guards) -> Iterator[Finding]:
    people, before, most = facts.unreadable, facts.members_before, guards.max_unreadable_share
    if most is not None and people > FEW_UNREADABLE and people > most * before:
        message = say(
            "%(people)s of %(members)s people would leave because their address cannot be read, limit %(limit)s%%",
            people=people,
            members=before,
            limit=round(100 * most),
        )
        yield Finding("unreadable", message)


def _age(facts: Facts, guards: Guards) -> Iterator[Finding]:
    days = (facts.now - facts.snapshot_taken_at).total_seconds() / 86400
    if guards.max_age_days is not None and days > guards.max_age_days:
        yield Finding(
            "age",
            say("the snapshot is %(days)s days old, limit %(limit)s days", days=round(days), limit=guards.max_age_days),
        )


def _backwards(facts: Facts, guards: Guards) -> Iterator[Finding]:
    if facts.delivered_before and facts.snapshot_taken_at < facts.delivered_before:
        yield Finding(
            "older",
            say(
                "the snapshot of %(taken)s is older than the one last delivered (%(delivered)s)",
                taken=format(facts.snapshot_taken_at, _MINUTE),
                delivered=format(facts.delivered_before, _MINUTE),
            ),
        )


def _most(facts: Facts, guards: Guards) -> Iterator[Finding]:
    if facts.people > facts.max_profiles:
        yield Finding(
            "size",
            say("the segment has %(people)s people, limit %(limit)s", people=facts.people, limit=facts.max_profiles),
        )


def _fewest(facts: Facts, guards: Guards) -> Iterator[Finding]:
    if guards.min_profiles is not None and facts.people < guards.min_profiles:
        yield Finding(
            "few",
            say(
                "the segment has %(people)s people, at least %(least)s are expected",
                people=facts.people,
                least=guards.min_profiles,
            ),
        )


def _deviation(facts: Facts, guards: Guards) -> Iterator[Finding]:
    before, most = facts.base if facts.members_before else 0, guards.max_deviation_share
    change = abs(facts.people - before)
    if most is not None and before and change > FEW and change / before > most:
        yield Finding(
            "deviation",
            say(
                "the segment has %(people)s people after %(before)s, limit %(limit)s%%",
                people=facts.people,
                before=before,
                limit=round(100 * most),
            ),
        )


def _emptied(facts: Facts, guards: Guards) -> Iterator[Finding]:
    for why in facts.emptied:
        yield Finding(EMPTIED, why)


_CHECKS: tuple[Callable[[Facts, Guards], Iterator[Finding]], ...] = (
    _empty,
    _removals,
    _unusual,
    _moves,
    _invalid,
    _unreadable,
    _age,
    _backwards,
    _most,
    _fewest,
    _deviation,
    _emptied,
)


def may_go_on(found: Sequence[Finding], decision: str) -> bool:
    """Nothing was found, or a person decided to deliver (all of it, without removals, or a few people first)."""
    return not found or decision in (DELIVER, ADDITIONS_ONLY, START_SMALL)
