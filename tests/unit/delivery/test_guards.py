"""Guards stop a delivery before its first write, and say why with numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.catalog.models import Guards
from shared.delivery.plan.guards import RUNS, Facts, findings, may_be_unreadable, may_go_on
from shared.delivery.plan.persons import SECOND_ADDRESS, IdFacts
from shared.delivery.state.plan import Balance

NOW = datetime(2026, 11, 22, 14, 0, tzinfo=UTC)
QUIET = Facts(
    balance=Balance(rows_read=98_000, unchanged=98_000),
    members_before=98_000,
    snapshot_taken_at=NOW - timedelta(hours=1),
    delivered_before=NOW - timedelta(days=1),
    now=NOW,
    max_profiles=1_000_000,
)
DEFAULTS = Guards()


def facts(**balance: Any) -> Facts:
    return replace(QUIET, balance=Balance(**balance))


def removing(remove: int, *, of: int, usually: Sequence[int] = ()) -> Facts:
    left = of - remove
    given = facts(rows_read=left, unchanged=left, remove=remove)
    return replace(given, members_before=of, removed_before=usually)


def everyone(count: int) -> Facts:
    """They leave a segment that has rows, but nobody with a valid address."""
    refused = {"address_invalid": 1}
    return replace(facts(rows_read=3, unchanged=0, held=0, remove=count, refused=refused), members_before=count)


def unreadable(lost: int, *, of: int, before: int | None = 0) -> Facts:
    """So many leave, and so many rows have no usable address; `before` had none in the last delivery."""
    given = facts(rows_read=of, unchanged=of - lost, remove=lost, refused={"address_invalid": lost})
    return replace(given, members_before=of, refused_before=before)


def moving(moved: int, *, of: int, leavers: int = 0) -> Facts:
    """So many of the members have another address now, and so many left."""
    balance = {"rows_read": of, "unchanged": of - moved - leavers, "add": moved + leavers, "remove": moved + leavers}
    return replace(facts(**balance, moved=moved), members_before=of)


def second(addresses: int, *, people: int) -> Facts:
    """So many addresses are second ones, and so many people are left."""
    rows = addresses + people
    return facts(rows_read=rows, unchanged=people, kept_back={SECOND_ADDRESS: addresses, "limit": 5_000})


EXCHANGED = IdFacts(compared=209, exchanged=21)
MOVES_CASES = {
    "moves are no removals": (moving(50, of=100), DEFAULTS, []),
    "leavers beside moves": (moving(50, of=100, leavers=21), DEFAULTS, ["would remove 21 of 100 (21%), limit 20%"]),
    "leavers beside moves, few of them": (moving(50, of=100, leavers=20), DEFAULTS, []),
    "most of a list moves": (
        moving(51, of=100),
        DEFAULTS,
        ["51 of 100 people (51%) would move to another address, limit 50%"],
    ),
    "all of a small list moves": (moving(20, of=20), DEFAULTS, []),
    "one more": (
        moving(21, of=21),
        DEFAULTS,
        ["21 of 21 people (100%) would move to another address, limit 50%"],
    ),
    "moves may be more": (moving(51, of=100), Guards(max_moved_share=0.51), []),
    "ids that were exchanged": (
        replace(moving(1, of=100), ids=EXCHANGED),
        DEFAULTS,
        [
            "21 of 209 people who keep their address have the id of somebody else now, and others would move to "
            "another address (1): the id column may be broken"
        ],
    ),
    "ids that were exchanged, and nobody moves": (replace(moving(0, of=100), ids=EXCHANGED), DEFAULTS, []),
    "a tenth of ids was exchanged": (
        replace(moving(1, of=100), ids=replace(EXCHANGED, compared=210)),
        DEFAULTS,
        [],
    ),
    "few ids were exchanged": (replace(moving(1, of=100), ids=IdFacts(compared=20, exchanged=20)), DEFAULTS, []),
    "many second addresses": (
        second(1_001, people=9_000),
        DEFAULTS,
        [
            "1,001 of 10,001 addresses in the segment are second ones of people with the same id: the id column may "
            "not tell people apart"
        ],
    ),
    "a tenth are second addresses": (second(1_000, people=9_000), DEFAULTS, []),
    "few second addresses": (second(20, people=1), DEFAULTS, []),
    "no guard for moves": (
        replace(moving(100, of=100), ids=replace(EXCHANGED, exchanged=200)),
        Guards(max_moved_share=None),
        [],
    ),
}


CASES = {
    "nothing wrong": (QUIET, DEFAULTS, []),
    "a column that lost its values": (
        replace(QUIET, emptied=["City is empty in 97% of the rows of Loyal, 4% before"]),
        DEFAULTS,
        ["City is empty in 97% of the rows of Loyal, 4% before"],
    ),
    "too many removals": (
        facts(rows_read=56_770, unchanged=56_770, remove=41_230),
        DEFAULTS,
        ["would remove 41,230 of 98,000 (42%), limit 20%"],
    ),
    "removals that rules make": (
        facts(
            rows_read=56_770,
            unchanged=16_770,
            remove=41_230,
            kept_back={"require/0": 40_000},
            removed_by_rules={"require/0": 39_000, "limit": 1_000},
        ),
        DEFAULTS,
        ["would remove 41,230 of 98,000 (42%), limit 20%; 40,000 of them are kept back by rules of the export"],
    ),
    "one unusual removal that a rule makes": (
        replace(
            facts(rows_read=979, unchanged=979, remove=21, removed_by_rules={"require/0": 1}),
            members_before=1000,
            removed_before=(1, 1, 1),
        ),
        Guards(max_removed_share=None),
        [
            "would remove 21 of 1,000, and at most 1 in any of the last 3 runs; "
            "1 of them is kept back by a rule of the export"
        ],
    ),
    "everyone whom a rule keeps back": (
        replace(
            facts(rows_read=3, unchanged=0, held=0, remove=3, kept_back={"limit": 3}, removed_by_rules={"limit": 3}),
            members_before=3,
        ),
        DEFAULTS,
        ["would remove 3 of 3 (100%), limit 20%; 3 of them are kept back by rules of the export"],
    ),
    "rows without an address while a rule explains who leaves": (
        replace(
            unreadable(30, of=1000),
            balance=Balance(
                rows_read=1000,
                unchanged=970,
                remove=30,
                refused={"address_invalid": 30},
                removed_by_rules={"limit": 28},
            ),
        ),
        DEFAULTS,
        [],
    ),
    "a large share of a small list": (removing(19, of=20), DEFAULTS, []),
    "a large share of a list that is not small": (
        removing(5, of=21),
        DEFAULTS,
        ["would remove 5 of 21 (24%), limit 20%"],
    ),
    "a list of 90 down to one": (removing(89, of=90), DEFAULTS, ["would remove 89 of 90 (99%), limit 20%"]),
    "as many as are always fine": (removing(89, of=90), Guards(max_removed_people=89), []),
    "more than are always fine": (
        removing(89, of=90),
        Guards(max_removed_people=88),
        ["would remove 89 of 90 (99%), limit 20%"],
    ),
    "everyone of a small list": (
        everyone(3),
        Guards(max_removed_people=1000, max_removed_share=1.0),
        ["would remove 3 of 3 (100%), limit 100%"],
    ),
    "one that takes the place of everyone": (
        replace(everyone(3), balance=Balance(rows_read=1, add=1, remove=3)),
        DEFAULTS,
        [],
    ),
    "everyone, and the guard off": (everyone(3), Guards(max_removed_share=None), []),
    "a daily churn of 1% of a million": (removing(10_000, of=1_000_000, usually=[9_000] * 10), DEFAULTS, []),
    "nineteen percent where it used to be one": (
        removing(190_000, of=1_000_000, usually=[10_000, 9_000, 500]),
        DEFAULTS,
        ["would remove 190,000 of 1,000,000, and at most 10,000 in any of the last 3 runs"],
    ),
    "ten times as many as ever": (removing(10_000, of=100_000, usually=[1_000] * 10), DEFAULTS, []),
    "unusual, and few people": (removing(20, of=1000, usually=[0] * 10), DEFAULTS, []),
    "unusual, and a small share": (removing(100, of=10_000, usually=[0] * 10), DEFAULTS, []),
    "the first that ever left": (
        removing(21, of=1000, usually=[0] * 10),
        DEFAULTS,
        ["would remove 21 of 1,000, and at most 0 in any of the last 10 runs"],
    ),
    "hardly any history": (removing(150, of=1000, usually=[0, 0]), DEFAULTS, []),
    "the guard of what is usual off": (removing(150, of=1000, usually=[0] * 10), Guards(max_removed_times=None), []),
    "exactly the limit": (facts(rows_read=78_400, unchanged=78_400, remove=19_600), DEFAULTS, []),
    "removals guard off": (
        facts(rows_read=1, unchanged=1, remove=97_999),
        Guards(max_removed_share=None, max_removed_people=None),
        [],
    ),
    "empty snapshot": (
        replace(facts(remove=20), members_before=20),
        DEFAULTS,
        ["the snapshot is empty, and 20 people are on the list"],
    ),
    "empty from the start": (replace(facts(), members_before=0), DEFAULTS, []),
    "mostly invalid": (
        facts(rows_read=100, add=20, refused={"address_invalid": 70, "address_missing": 10}),
        DEFAULTS,
        ["80 of 100 rows (80%) have no valid address, limit 50%"],
    ),
    "forty of ninety lost their address": (
        unreadable(40, of=90),
        Guards(max_removed_people=100),
        ["40 of 90 people would leave because their address cannot be read, limit 2%"],
    ),
    "as many had none before": (unreadable(40, of=90, before=40), Guards(max_removed_people=100), []),
    "some more than before": (
        unreadable(40, of=90, before=33),
        Guards(max_removed_people=100),
        ["7 of 90 people would leave because their address cannot be read, limit 2%"],
    ),
    "five lost it": (unreadable(5, of=90), Guards(max_removed_people=100), []),
    "a small share lost it": (unreadable(20, of=1000), DEFAULTS, []),
    "more lost it than leave": (
        replace(unreadable(40, of=90), balance=Balance(rows_read=90, unchanged=50, remove=10, refused={"x": 40})),
        Guards(max_removed_people=100),
        ["10 of 90 people would leave because their address cannot be read, limit 2%"],
    ),
    "nobody knows how many had none before": (unreadable(40, of=90, before=None), Guards(max_removed_people=100), []),
    "the guard of lost addresses off": (
        unreadable(40, of=90),
        Guards(max_removed_people=100, max_unreadable_share=None),
        [],
    ),
    "stale": (
        replace(QUIET, snapshot_taken_at=NOW - timedelta(days=40), delivered_before=None),
        DEFAULTS,
        ["the snapshot is 40 days old, limit 30 days"],
    ),
    "backwards": (
        replace(QUIET, snapshot_taken_at=NOW - timedelta(days=2)),
        DEFAULTS,
        ["the snapshot of 2026-11-20 14:00 is older than the one last delivered (2026-11-21 14:00)"],
    ),
    "too many people": (
        replace(facts(rows_read=1_000_001, add=1_000_001), members_before=990_000),
        DEFAULTS,
        ["the segment has 1,000,001 people, limit 1,000,000"],
    ),
    "too few people": (
        facts(rows_read=5, unchanged=5),
        Guards(min_profiles=10),
        ["the segment has 5 people, at least 10 are expected"],
    ),
    "sudden growth": (
        facts(rows_read=200_000, add=102_000, unchanged=98_000),
        Guards(max_deviation_share=0.5),
        ["the segment has 200,000 people after 98,000, limit 50%"],
    ),
}


TWO_DAYS = timedelta(days=2)
EDGES = {
    "the snapshot is empty, and so is the list": (replace(facts(), members_before=0), DEFAULTS, []),
    "one is on the list": (replace(facts(), members_before=1), DEFAULTS, ["empty"]),
    "everyone leaves, and one row has an address": (replace(everyone(3), members_before=4), DEFAULTS, []),
    "one member, who leaves": (everyone(1), DEFAULTS, ["removals"]),
    "one leaves, and not even one is always fine": (
        removing(1, of=21),
        Guards(max_removed_share=0.01, max_removed_people=None),
        ["removals"],
    ),
    "one who is held back stays, so it is not everyone": (
        replace(everyone(3), balance=Balance(rows_read=2, held=1, remove=3)),
        DEFAULTS,
        [],
    ),
    "one who changes stays, so it is not everyone": (
        replace(everyone(3), balance=Balance(rows_read=2, change=1, remove=3)),
        DEFAULTS,
        [],
    ),
    "half of the rows invalid": (facts(rows_read=100, add=50, refused={"x": 50}), Guards(max_deviation_share=None), []),
    "one row more": (facts(rows_read=100, add=49, refused={"x": 51}), Guards(max_deviation_share=None), ["invalid"]),
    "six lost their address": (unreadable(6, of=90), Guards(max_removed_people=100), ["unreadable"]),
    "as large a share as may lose it": (unreadable(20, of=1000), DEFAULTS, []),
    "one more than may lose it": (unreadable(21, of=1000), DEFAULTS, ["unreadable"]),
    "just as old as may be": (
        replace(QUIET, snapshot_taken_at=NOW - TWO_DAYS, delivered_before=None),
        Guards(max_age_days=2),
        [],
    ),
    "a second older": (
        replace(QUIET, snapshot_taken_at=NOW - TWO_DAYS - timedelta(seconds=1), delivered_before=None),
        Guards(max_age_days=2),
        ["age"],
    ),
    "the one last delivered": (replace(QUIET, delivered_before=QUIET.snapshot_taken_at), DEFAULTS, []),
    "older than the one last delivered": (replace(QUIET, delivered_before=NOW), DEFAULTS, ["older"]),
    "as many people as may be": (replace(QUIET, max_profiles=98_000), DEFAULTS, []),
    "one more than may be": (replace(QUIET, max_profiles=97_999), DEFAULTS, ["size"]),
    "one more than may be, of every kind": (
        replace(facts(rows_read=10, add=4, change=3, unchanged=2, held=1), members_before=10, max_profiles=9),
        DEFAULTS,
        ["size"],
    ),
    "as few people as may be": (QUIET, Guards(min_profiles=98_000), []),
    "one fewer than may be": (QUIET, Guards(min_profiles=98_001), ["few"]),
    "a thousand more, whatever their share": (
        replace(facts(rows_read=1010, add=1010), members_before=10),
        Guards(max_deviation_share=0.1),
        [],
    ),
    "a thousand and one more": (
        replace(facts(rows_read=1011, add=1011), members_before=10),
        Guards(max_deviation_share=0.1),
        ["deviation"],
    ),
    "just as much more as may be": (
        replace(facts(rows_read=3000, add=1500, change=750, held=750), members_before=1500),
        Guards(max_deviation_share=1.0),
        [],
    ),
    "a column that lost its values": (replace(QUIET, emptied=["City"]), DEFAULTS, ["emptied"]),
}


@pytest.mark.parametrize(("given", "guards", "expected"), MOVES_CASES.values(), ids=MOVES_CASES.keys())
def test_moves_are_told_from_removals(given: Facts, guards: Guards, expected: list[str]) -> None:
    found = findings(given, guards)
    assert [finding.message for finding in found] == expected
    assert {finding.guard for finding in found} <= {"moves", "removals"}


@pytest.mark.parametrize(("given", "guards", "expected"), EDGES.values(), ids=EDGES.keys())
def test_the_edge_of_each_guard(given: Facts, guards: Guards, expected: list[str]) -> None:
    assert [finding.guard for finding in findings(given, guards)] == expected


@pytest.mark.parametrize(
    ("refused", "remove", "matters"),
    [(5, 100, False), (6, 6, True), (100, 5, False), (100, 6, True), (0, 0, False)],
)
def test_how_many_had_no_address_before_is_looked_up_where_it_matters(refused: int, remove: int, matters: bool) -> None:
    assert may_be_unreadable(Balance(remove=remove, refused={"x": refused})) is matters


def test_nobody_is_lost_where_it_is_not_known_or_fewer_rows_lack_an_address_than_before() -> None:
    assert [unreadable(40, of=90, before=before).unreadable for before in (None, 40, 41, 39)] == [0, 0, 0, 1]


@pytest.mark.parametrize(("given", "guards", "expected"), CASES.values(), ids=CASES.keys())
def test_each_guard(given: Facts, guards: Guards, expected: list[str]) -> None:
    assert [finding.message for finding in findings(given, guards)] == expected


def test_only_a_decision_to_deliver_lets_a_guarded_plan_go_on() -> None:
    stopped = findings(CASES["too many removals"][0], DEFAULTS)
    assert may_go_on([], "")
    assert [may_go_on(stopped, decision) for decision in ("", "deliver", "additions_only", "discard")] == [
        False,
        True,
        True,
        False,
    ]


OFF = {
    "max_removed_share",
    "max_removed_times",
    "max_moved_share",
    "max_invalid_share",
    "max_unreadable_share",
    "max_age_days",
    "min_profiles",
    "max_deviation_share",
}
"""Guards that `null` switches off; of the others it says which number holds."""


def test_null_switches_a_guard_off_only_where_the_documentation_says_so() -> None:
    said = {name: str(field.description) for name, field in Guards.model_fields.items()}
    assert {name for name, text in said.items() if "`null`: off" in text} == OFF
    assert all("`null`" in text for text in said.values())
    every = removing(50, of=60, usually=[0] * 10)
    messages = {
        name: [each.guard for each in findings(every, Guards(**{name: None}))]
        for name in ("max_removed_share", "max_removed_people", "max_removed_times")
    }
    assert messages == {
        "max_removed_share": ["unusual"],
        "max_removed_people": ["removals", "unusual"],
        "max_removed_times": ["removals"],
    }


def test_what_is_usual_is_said_by_as_many_runs_as_the_setting_says() -> None:
    assert f"last {'ten' if RUNS == 10 else RUNS} runs" in str(Guards.model_fields["max_removed_times"].description)
