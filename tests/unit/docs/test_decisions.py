"""Decisions are called by their numbers."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

DECISIONS = sorted((Path(__file__).parents[3] / "docs/decisions").glob("*.md"))


def test_each_decision_has_a_number_of_its_own() -> None:
    numbers = Counter(each.name[:4] for each in DECISIONS)
    assert numbers
    assert [number for number, count in numbers.items() if count > 1] == []
