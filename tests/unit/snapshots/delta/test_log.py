"""Which files of a log are read, and which logs are refused."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from shared.snapshots.blob import Blob
from shared.snapshots.delta import log
from shared.snapshots.delta.errors import BadTable
from shared.snapshots.snapshot import last
from tests.unit.snapshots.listed import WRITTEN, blob

SEGMENTS = Path(__file__).parents[4] / "docs" / "segments.md"
OTHER = "checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11"


def version(number: int, ending: str = "json") -> str:
    return f"{number:020}.{ending}"


def part(number: int, which: int, of: int) -> str:
    return version(number, f"checkpoint.{which:010}.{of:010}.parquet")


def whole(number: int) -> str:
    return version(number, "checkpoint.parquet")


def commits(first: int, behind: int) -> list[str]:
    return [version(number) for number in range(first, behind)]


def listed(names: Iterable[str], size: int = 10) -> list[Blob]:
    return [blob(f"crm/loyal/_delta_log/{name}", size=size) for name in names]


def read(*names: str) -> tuple[int, list[str]]:
    """The version, and which files are read for it, without the commit that only tells when a checkpoint was made."""
    found = log.chosen(listed(names))
    return found.version, [last(each.name) for each in (*found.checkpoint, *found.commits)]


READ = {
    "commits alone": (commits(0, 3), 2, commits(0, 3)),
    "in any order": (commits(0, 3)[::-1], 2, commits(0, 3)),
    "a checkpoint, and what came after it": ([*commits(0, 4), whole(1)], 3, [whole(1), version(2), version(3)]),
    "a checkpoint of version 0 without its commit": ([whole(0), *commits(1, 3)], 2, [whole(0), *commits(1, 3)]),
    "a checkpoint that was written twice": (
        [*commits(0, 4), part(2, 1, 2), whole(2), part(2, 2, 2)],
        3,
        [whole(2), version(3)],
    ),
    "the newest of two checkpoints": ([*commits(0, 4), whole(1), whole(2)], 3, [whole(2), version(3)]),
    "a checkpoint of the newest version": ([*commits(0, 4), whole(3)], 3, [whole(3)]),
    "a log whose beginning was cleared away": ([*commits(5, 7), whole(5)], 6, [whole(5), version(6)]),
    "a checkpoint whose own commit is gone": ([whole(5)], 5, [whole(5)]),
    "a checkpoint in parts": (
        [*commits(0, 4), part(2, 2, 2), part(2, 1, 2)],
        3,
        [part(2, 1, 2), part(2, 2, 2), version(3)],
    ),
    "a part is missing, so the checkpoint before": (
        [*commits(0, 4), whole(0), part(2, 1, 2)],
        3,
        [whole(0), *commits(1, 4)],
    ),
    "parts of two divisions are no whole": ([*commits(0, 4), part(2, 1, 2), part(2, 2, 3)], 3, commits(0, 4)),
    "a checkpoint of the other kind is not needed": (
        [*commits(0, 3), version(2, f"{OTHER}.parquet")],
        2,
        commits(0, 3),
    ),
    "what else lies there": (
        [*commits(0, 2), version(1, "crc"), "00000000000000000000.00000000000000000001.compacted.json", "x.tmp"],
        1,
        commits(0, 2),
    ),
}


@pytest.mark.parametrize(("names", "newest", "expected"), READ.values(), ids=READ)
def test_the_newest_version_is_read_from_its_newest_whole_checkpoint(
    names: list[str], newest: int, expected: list[str]
) -> None:
    assert read(*names) == (newest, expected)
    assert read(*(last(each.name) for each in log.kept(listed(names)))) == (newest, expected)


REFUSED = {
    "nothing": ([], "its log holds no version"),
    "a gap": ([version(0), version(2)], "its log lacks version 1"),
    "a gap behind the checkpoint": ([whole(3), version(4), version(6)], "its log lacks version 5"),
    "no beginning": (commits(3, 6), "its log begins with version 3 and has no whole checkpoint"),
    "the beginning is half a checkpoint": ([part(3, 1, 2), *commits(3, 6)], "its log begins with version 3"),
    "the beginning is a checkpoint of the other kind": (
        [version(3, f"{OTHER}.json"), *commits(3, 6)],
        "uses v2Checkpoint, which is not read; lower the table as Customer Insights asks for it",
    ),
    "many versions without a checkpoint": (
        commits(0, log.MOST_COMMITS + 1),
        "has 1,001 versions since the last checkpoint, of which 1,000 are read; let its writer make a checkpoint",
    ),
}


@pytest.mark.parametrize(("names", "words"), REFUSED.values(), ids=REFUSED)
def test_a_log_that_is_not_whole_is_refused(names: list[str], words: str) -> None:
    with pytest.raises(BadTable, match=words):
        read(*names)


def test_as_many_versions_as_may_be_are_read() -> None:
    assert read(*commits(0, log.MOST_COMMITS))[0] == log.MOST_COMMITS - 1


@pytest.mark.parametrize("names", [commits(0, 4), [whole(3)]], ids=["commits", "a checkpoint"])
def test_a_log_of_hundreds_of_megabytes_is_refused_before_it_is_read(names: list[str]) -> None:
    with pytest.raises(BadTable, match=r"\d+ MB of its log would have to be read, and 64 MB are; let its writer"):
        log.chosen(listed(names, size=log.MOST_BYTES + 1))


def test_a_commit_without_content_is_being_written() -> None:
    with pytest.raises(BadTable, match=r"00000000000000000001\.json in its log is empty, so it is still being written"):
        log.chosen([*listed([version(0)]), *listed([version(1)], size=0)])


def test_as_many_bytes_as_may_be_are_read() -> None:
    assert log.chosen(listed([version(0)], size=log.MOST_BYTES)).version == 0


def test_limits_and_names_are_those_of_the_documentation_and_of_delta() -> None:
    told = SEGMENTS.read_text()
    assert f"more than {log.MOST_COMMITS:,} commits since a checkpoint, {log.MOST_BYTES >> 20} MB of them" in told
    assert (log.FOLDER, log.HINT) == ("_delta_log", "_last_checkpoint")


def test_storage_knows_when_it_got_a_version() -> None:
    names = [whole(1), version(1), version(2)]
    blobs = [blob(f"t/_delta_log/{name}", minutes) for minutes, name in enumerate(names)]
    for many in (3, 2, 1):
        assert log.chosen(blobs[:many]).written_at == WRITTEN + timedelta(minutes=many - 1)


def test_of_a_long_log_little_is_kept_while_it_is_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    lengths: list[int] = []
    real = log._newest

    def noted(blobs: Sequence[Blob]) -> list[Blob]:
        lengths.append(len(blobs))
        return real(blobs)

    monkeypatch.setattr(log, "_newest", noted)
    names = [
        name for number in range(5_000) for name in (version(number), *([whole(number)] if number % 10 == 9 else []))
    ]
    kept = [last(each.name) for each in log.kept(listed(sorted(names)))]
    assert sorted(kept) == sorted([version(4999), whole(4999)])
    assert 10 <= len(lengths) <= 20
    assert max(lengths) <= 500


def test_a_log_is_listed_in_blocks_of_a_thousand_versions() -> None:
    assert version(12_345).startswith(log.block_of(12_345))
    assert log.block_of(12_000) == log.block_of(12_999) != log.block_of(13_000)
    assert log.ends_block(listed([version(12_999)]))
    assert not log.ends_block(listed([version(12_998)]))
    assert not log.ends_block(listed([whole(12_999)]))
    assert log.newest_commit([]) == 0
    assert not log.ends_block([])


@pytest.mark.parametrize(
    ("names", "good"),
    [
        ([whole(5), version(5), version(6)], True),
        ([version(5), whole(6), version(6)], True),
        ([whole(5), version(6)], False),
        ([version(5), version(6)], False),
        ([whole(4), version(5)], False),
    ],
)
def test_a_hint_is_good_where_its_checkpoint_and_its_commit_are_there(names: list[str], *, good: bool) -> None:
    assert log.begins_with(listed(names), 5) is good
