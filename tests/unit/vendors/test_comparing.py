"""Values that were sent beside what vendors show: a difference means something."""

from __future__ import annotations

from typing import Any

import pytest

from shared.vendors.comparing import alike, seen_as

SAME: tuple[tuple[Any, Any], ...] = (
    ("Zoë", "Zoë"),
    (" two  words", "two words"),
    (None, ""),
    ("", None),
    (5, "5"),
    (5.0, "5"),
    ("07030", "07030"),
    (True, "true"),
    ("2026-11-22", "2026/11/22"),
    ("2026-11-22", "2026-11-22T00:00:00Z"),
    ("2026-11-22", "2026-11-22 00:00:00 +00:00"),
)
OTHER: tuple[tuple[Any, Any], ...] = (
    ("Zoë", "Zoe"),
    ("Ann", "ann"),
    ("Ann", None),
    (None, "Ann"),
    (5, 6),
    (True, False),
    ("2026-11-22", "2026-11-23T00:00:00Z"),
)


@pytest.mark.parametrize(("sent", "shown"), SAME)
def test_forms_of_the_same_value(sent: Any, shown: Any) -> None:
    assert alike(sent, shown)


@pytest.mark.parametrize(("sent", "shown"), OTHER)
def test_other_values(sent: Any, shown: Any) -> None:
    assert not alike(sent, shown)


def test_what_is_not_shown_and_what_has_no_common_form_is_not_compared() -> None:
    sent = {"city": "Rome", "secret": "x", "seen": "2026-11-22 10:00:00", "tags": ["a"], "name": "Ann"}
    seen = seen_as(sent, {"city": "Milan", "seen": "2026-11-22T11:00", "tags": [], "name": "Ann"}, on_target=True)
    assert (sorted(seen.compared), sorted(seen.differing)) == (["city", "name"], ["city"])
