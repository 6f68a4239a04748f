"""What a vendor's count and a few of its people say about a delivery."""

from __future__ import annotations

import pytest

from shared.delivery.state.records import Verdict
from shared.delivery.verify.verdicts import Expected, Naming, Sample, evidence, judge
from shared.vendors.contract import Count

NAMING = Naming("Letterbox", "list")
FINE = Sample(looked_at=20, proven=8)
TEN = Expected(10)

CASES = (
    (TEN, Count(10), FINE, Verdict.AGREES, ""),
    (TEN, None, FINE, Verdict.AGREES, ""),
    (TEN, None, Sample(), Verdict.NOT_VERIFIED, "no way to verify"),
    (Expected(10, maybe=3), Count(12), FINE, Verdict.AGREES, ""),
    (Expected(10, maybe=3), Count(15), FINE, Verdict.EXPLAINED, "2 people on the list are not from this export"),
    (Expected(10, strangers=7), Count(16), FINE, Verdict.EXPLAINED, "7 were on it before"),
    (TEN, Count(8, inactive=2), FINE, Verdict.EXPLAINED, "2 people have unsubscribed or bounced"),
    (TEN, Count(8, inactive=1), FINE, Verdict.DIFFERS, "2 people fewer"),
    (TEN, Count(8), FINE, Verdict.DIFFERS, "full resync"),
    (TEN, Count(10), Sample(20, missing=1), Verdict.DIFFERS, "1 of 20 people looked up are not on the list"),
    (TEN, Count(10), Sample(20, still_there=2), Verdict.DIFFERS, "still on the list"),
    (TEN, Count(10), Sample(20, differing={"City": 4}), Verdict.DIFFERS, "City (4)"),
    (TEN, Count(10), Sample(20, inactive=1), Verdict.AGREES, ""),
)


@pytest.mark.parametrize(("expected", "count", "sample", "verdict", "words"), CASES)
def test_every_case_has_a_verdict_and_words(
    expected: Expected, count: Count | None, sample: Sample, verdict: Verdict, words: str
) -> None:
    found, message = judge(expected, count, sample, NAMING)
    assert found is verdict
    assert words in message and bool(words) == bool(message)


def test_what_was_acknowledged_is_confirmed_where_the_count_fits_exactly() -> None:
    before = {"acknowledged": 100, "confirmed": 5}
    assert evidence(before, Verdict.AGREES, TEN, Count(10), FINE) == {"acknowledged": 0, "confirmed": 105}
    for expected, count in ((TEN, None), (TEN, Count(11)), (Expected(10, maybe=1), Count(10))):
        assert evidence(before, Verdict.AGREES, expected, count, FINE) == {"acknowledged": 92, "confirmed": 13}
    assert evidence({}, Verdict.DIFFERS, TEN, Count(10), FINE) == {"acknowledged": 0, "confirmed": 0}
