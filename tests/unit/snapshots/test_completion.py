"""When a folder is complete: what each way of writing leaves behind, and what is said of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.snapshots.blob import Blob
from shared.snapshots.completion import Completion
from tests.unit.snapshots.listed import SETTLED, WRITTEN, blob, seen, verdict

S = "s/2026-11-22"
DATA, DONE = f"{S}/part-0.csv", f"{S}/_SUCCESS"
TID = f"{S}/part-00000-tid-4545-aa-1-1-c000.csv"
OTHER = f"{S}/part-00000-tid-7777-aa-1-1-c000.csv"

COMPLETE = {
    "a mark": [DATA, DONE],
    "a mark of the manifest committer, which is JSON": [DATA, blob(DONE, size=900)],
    "a mark, and an empty part that it vouches for": [DATA, blob(f"{S}/part-1.csv", size=0), DONE],
    "a mark that came after what a failed attempt left": [DATA, f"{S}/_temporary/0/part-0.csv", blob(DONE, 1)],
    "a write that Databricks committed": [TID, f"{S}/_started_4545", f"{S}/_committed_4545"],
    "a write that was committed and cleaned up": [TID, f"{S}/_committed_4545", f"{S}/_committed_vacuum77"],
    "a folder that a writer called by a file's name": [f"{S}/people.csv/part-0.csv", f"{S}/people.csv/_SUCCESS"],
    "no mark, and nothing changed for a while": [DATA],
}
UNFINISHED: dict[str, tuple[list[Blob | str], str]] = {
    "a folder _temporary": ([DATA, f"{S}/_temporary/0/_attempt/part-1.csv"], "folder _temporary"),
    "a folder _temporary that is empty": ([DATA, blob(f"{S}/_temporary", size=0, directory=True)], "folder _temporary"),
    "a folder _temporary that is newer than the mark": ([DATA, DONE, blob(f"{S}/_temporary/0/x", 1)], "_temporary"),
    "a write that Databricks did not commit": ([TID, f"{S}/_started_4545"], "started the write 4545"),
    "the same beside one that it did": ([TID, OTHER, f"{S}/_committed_4545", f"{S}/_started_7777"], "write 7777"),
    "the same with a mark of an earlier job": ([TID, DONE, f"{S}/_started_4545"], "started the write 4545"),
    "a part of a write that nobody tells of": ([TID, OTHER, f"{S}/_committed_4545"], "write 7777"),
    "two writes": ([TID, OTHER, f"{S}/_committed_4545", f"{S}/_committed_7777"], "2 writes"),
    "a part without content": ([DATA, blob(f"{S}/part-1.csv", size=0)], "part-1.csv is empty"),
    "nothing but a part without content": ([blob(DATA, size=0)], "part-0.csv is empty"),
    "only a mark": ([DONE], "no data files yet"),
    "only a folder": ([blob(S, size=0, directory=True)], "no data files yet"),
}


@pytest.mark.parametrize("blobs", COMPLETE.values(), ids=COMPLETE)
def test_complete(blobs: list[str]) -> None:
    assert verdict(*blobs) is None


@pytest.mark.parametrize(("blobs", "words"), UNFINISHED.values(), ids=UNFINISHED)
def test_unfinished_however_long_ago(blobs: list[Blob | str], words: str) -> None:
    assert words in str(verdict(*blobs))
    assert words in str(verdict(*blobs, now=WRITTEN + timedelta(hours=23)))
    later = str(verdict(*blobs, now=WRITTEN + timedelta(days=3)))
    assert words in later
    assert "no data" in words or "probably failed" in later


@pytest.mark.parametrize(("blobs", "words"), UNFINISHED.values(), ids=UNFINISHED)
def test_unfinished_without_a_date_too(blobs: list[Blob | str], words: str) -> None:
    undated = [
        replace(each, file=replace(each.file, name=each.name.replace(S, "s")))
        for each in (blob(one) if isinstance(one, str) else one for one in blobs)
    ]
    if words == "no data files yet":
        assert seen(*undated) == [], "nothing says that it is a segment"
    else:
        assert words in str(verdict(*undated))


def test_without_a_mark_the_file_that_changed_last_counts() -> None:
    before = SETTLED - timedelta(seconds=1)
    assert "less than 10 minutes ago" in str(verdict(DATA, now=before))
    assert "still being written" in str(verdict(DATA, blob(f"{S}/part-1.csv", 5)))
    assert verdict(DATA, DONE, now=WRITTEN) is None
    assert "2 minutes" in str(verdict(DATA, now=WRITTEN, rule=Completion(timedelta(minutes=2))))


def test_what_comes_after_the_mark_has_to_settle() -> None:
    late = blob(f"{S}/part-1.csv", 5)
    assert "still being written" in str(verdict(DATA, DONE, late))
    assert verdict(DATA, DONE, late, now=SETTLED + timedelta(minutes=5)) is None


def test_a_segment_whose_earlier_folders_had_a_mark_needs_one() -> None:
    earlier = ["s/2026-11-21/part-0.csv", "s/2026-11-21/_SUCCESS"]
    later = ["s/2026-11-23/part-0.csv", "s/2026-11-23/_SUCCESS"]
    assert "earlier folders of this segment have" in str(verdict(DATA, *earlier))
    assert "earlier folders" in str(verdict(TID, "s/2026-11-21/part-0.csv", "s/2026-11-21/_committed_1"))
    assert verdict(DATA, DONE, *earlier) is None
    assert verdict(DATA, *later) is None


def test_the_mark_of_the_earlier_folders_is_known_however_many_came_since() -> None:
    since = [f"s/2026-10-{day}/part-0.csv" for day in range(10, 29)]
    assert "earlier folders" in str(verdict("s/2026-10-01/x.csv", "s/2026-10-01/_SUCCESS", *since, DATA))


def test_the_marks_name_is_a_setting() -> None:
    rule = Completion(marks=("*.done", "manifest.json"))
    assert verdict(DATA, f"{S}/people.done", now=WRITTEN, rule=rule) is None
    assert verdict(DATA, f"{S}/manifest.json", now=WRITTEN, rule=rule) is None
    assert "no file *.done or manifest.json" in str(verdict(DATA, DONE, now=WRITTEN, rule=rule))
    assert "manifest.json" in str(verdict(DATA, f"{S}/manifest.json"))
