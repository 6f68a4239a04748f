from __future__ import annotations

import pytest

from shared.snapshots.increments import increment


@pytest.mark.parametrize(
    ("path", "columns", "words"),
    [
        ("loyal", ["Id", "IsDelete"], "a column 'IsDelete'"),
        ("loyal", ["SinkCreatedOn", "SinkModifiedOn", "EMail"], "a column 'SinkModifiedOn'"),
        ("loyal", ["EMail", "__op"], "a column '__op'"),
        ("loyal/Upserts", ["EMail"], "a folder Upserts"),
        ("ChangeFeed/loyal", ["EMail"], "a folder ChangeFeed"),
    ],
)
def test_changes_are_no_snapshot(path: str, columns: list[str], words: str) -> None:
    assert words in str(increment(path, columns))


@pytest.mark.parametrize("columns", [["EMail", "Operation"], ["EMail", "DeletedAt"], []])
def test_everyone_is(columns: list[str]) -> None:
    assert increment("crm/loyal", columns) is None
