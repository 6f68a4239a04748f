"""Guards stop a delivery before its first write, and say why with numbers."""

from __future__ import annotations

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


CASES = {
    "nothing wrong": (QUIET, DEFAULTS, []),
    "too many removals": (
        facts(rows_read=56_770, unchanged=56_770, remove=41_230),
        DEFAULTS,
        ["would remove 41,230 of 98,000 (42%), limit 20%"],
    ),
    "a large share of a few people": (
        replace(facts(rows_read=1, unchanged=1, remove=99), members_before=100),
        DEFAULTS,
        [],
    ),
    "exactly the limit": (facts(rows_read=78_400, unchanged=78_400, remove=19_600), DEFAULTS, []),
    "removals guard off": (
        facts(rows_read=1, unchanged=1, remove=97_999),
        Guards(max_removed_share=None),
        [],
    ),
    "empty snapshot": (
        replace(facts(remove=50), members_before=50),
        DEFAULTS,
        ["the snapshot is empty, and 50 people are on the list"],
    ),
    "empty from the start": (replace(facts(), members_before=0), DEFAULTS, []),
    "mostly invalid": (
        facts(rows_read=100, add=20, refused={"address_invalid": 70, "address_missing": 10}),
        DEFAULTS,
        ["80 of 100 rows (80%) have no valid address, limit 50%"],
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
