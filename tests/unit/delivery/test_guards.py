"""Guards stop a delivery before its first write, and say why with numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.catalog.models import Guards
from shared.delivery.plan.guards import Facts, findings, may_go_on
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
