from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from shared.errors import UserMustAct
from shared.snapshots.snapshot import (
    CsvFormat,
    Format,
    Layout,
    ParquetFormat,
    SegmentFound,
    Snapshot,
    SnapshotFile,
    resolve,
)
from shared.wording import Message


@pytest.mark.parametrize("kind", [CsvFormat(delimiter="\t", quote="", header=False), ParquetFormat()])
def test_a_snapshot_survives_json(kind: Format) -> None:
    files = (SnapshotFile("c", "a/1.csv", '"0x1"', 7), SnapshotFile("c", "a/2.csv", '"0x2"', 8, "2026-11-22T00:00:00Z"))
    moment = datetime(2026, 11, 22, 14, 33, tzinfo=UTC)
    snapshot = Snapshot("c/a:Ünited", "Ünited", moment, "key", files, kind, ("Id", "EMail"))
    assert Snapshot.from_json(json.loads(json.dumps(snapshot.to_json()))) == snapshot


def test_its_size_is_that_of_all_files() -> None:
    files = (SnapshotFile("c", "1", "", 7), SnapshotFile("c", "2", "", 8))
    assert segment("a", "A").with_snapshot(datetime.now(UTC), files, ParquetFormat(), ()).snapshot.size == 15  # type: ignore[union-attr]  # just given


def segment(folder: str, name: str) -> SegmentFound:
    return SegmentFound(name, "landing", folder, Layout.DATED_FOLDERS, (), None)


def test_the_id_of_a_segment_says_where_it_lies() -> None:
    assert segment("exports/daily", "Loyal").id == "landing/exports/daily:Loyal"
    assert segment("", "Loyal").id == "landing:Loyal"


SEGMENTS = [segment("a", "Loyal"), segment("b", "Loyal"), segment("b", "New")]


def test_a_reference_is_an_id() -> None:
    assert resolve(SEGMENTS, "landing/b:Loyal") is SEGMENTS[1]


def test_or_a_name_that_only_one_segment_has() -> None:
    assert resolve(SEGMENTS, "New") is SEGMENTS[2]


def test_a_name_that_several_have_is_refused_with_their_ids() -> None:
    with pytest.raises(UserMustAct, match=r"landing/a:Loyal, landing/b:Loyal") as caught:
        resolve(SEGMENTS, "Loyal")
    assert caught.value.code == "ambiguous_segment"
    assert "New" not in caught.value.message


def test_an_unknown_name_is_refused_with_what_there_is() -> None:
    with pytest.raises(UserMustAct, match="landing/b:New") as caught:
        resolve(SEGMENTS, "Lost")
    assert caught.value.code == "unknown_segment"


def test_a_long_list_of_candidates_is_cut() -> None:
    with pytest.raises(UserMustAct, match=r"and 80 more\.$"):
        resolve([segment("a", f"S{number}") for number in range(100)], "Lost")


def test_an_unknown_name_is_refused_with_why_the_others_are_not_used() -> None:
    broken = [
        replace(segment("b", f"B{number}"), problems=(Message(f"reason {number}"), Message("another")))
        for number in range(7)
    ]
    with pytest.raises(UserMustAct) as caught:
        resolve([*SEGMENTS, *broken], "Lost")
    assert "landing/b: reason 0; landing/b: reason 1" in caught.value.message
    assert caught.value.message.endswith("reason 4; and 2 more.")


def test_where_nothing_lies_the_setting_is_named() -> None:
    with pytest.raises(UserMustAct, match="SEGMENT_LOCATIONS"):
        resolve([], "Lost")
