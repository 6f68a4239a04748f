"""An id column is refused where it cannot work, with the place and what to do."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.catalog.test_validation import issues


def test_an_id_column_that_every_segment_has_is_saved() -> None:
    assert issues(id_column="FirstName") == []
    assert issues(id_column=None) == []


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"id_column": "firstname"}, 'write it "FirstName"'),
        ({"id_column": "EMail"}, "cannot be the id"),
        ({"id_column": "FirstName", "mode": "add"}, "choose the mode mirror, or no id column"),
    ],
)
def test_what_cannot_work_is_refused(given: dict[str, Any], words: str) -> None:
    [found] = issues(**given)
    assert found.pointer == "/id_column"
    assert words in found.message
