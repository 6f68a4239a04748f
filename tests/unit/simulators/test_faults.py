"""Which calls a fault strikes."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from dev.simulators.common.faults import Fault, Faults

SUBSCRIBE = "POST /api/lists/subscribe"
LISTS = "GET /api/lists"


def struck(calls: int = 10, **rule: Any) -> list[int]:
    faults = Faults([SUBSCRIBE, LISTS], [Fault(kind="drop", **rule)])
    return [number for number in range(1, calls + 1) if faults.next(SUBSCRIBE)]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({}, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
        ({"call": 3}, [3]),
        ({"every": 4}, [4, 8]),
        ({"times": 2}, [1, 2]),
        ({"every": 3, "times": 2}, [3, 6]),
        ({"chance": 0.0}, []),
        ({"chance": 1.0, "times": 1}, [1]),
        ({"endpoint": SUBSCRIBE, "call": 1}, [1]),
        ({"endpoint": LISTS}, []),
    ],
)
def test_the_rule_says_which_calls(rule: dict[str, Any], expected: list[int]) -> None:
    assert struck(**rule) == expected


def test_chance_is_the_same_for_the_same_seed() -> None:
    first = struck(calls=200, chance=0.2, seed=7)
    assert first == struck(calls=200, chance=0.2, seed=7)
    assert first != struck(calls=200, chance=0.2, seed=8)
    assert 10 < len(first) < 80


def test_only_calls_of_the_faults_own_endpoint_are_counted() -> None:
    faults = Faults([SUBSCRIBE, LISTS], [Fault(kind="drop", endpoint=LISTS, call=2)])
    for _ in range(5):
        assert faults.next(SUBSCRIBE) is None
    assert faults.next(LISTS) is None
    assert faults.next(LISTS) is not None


def test_of_two_faults_that_are_due_the_first_strikes() -> None:
    faults = Faults([], [Fault(kind="drop", call=2), Fault(kind="error")])
    kinds = [fault.kind for _ in range(3) if (fault := faults.next("any call"))]
    assert kinds == ["error", "drop", "error"]
    assert [(row["seen"], row["fired"]) for row in faults.describe()] == [(3, 1), (3, 2)]


def test_a_fault_of_an_endpoint_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no such endpoint: GET /api/list$"):
        Faults([SUBSCRIBE, LISTS], [Fault(kind="drop", endpoint="GET /api/list")])


def test_a_fault_with_two_rules_is_refused() -> None:
    with pytest.raises(ValidationError, match="at most one"):
        Fault(kind="drop", call=1, every=2)
