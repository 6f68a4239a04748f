"""The database that a slice's steps share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.cloud.settings import Settings, StorageAddress
from shared.delivery.state.scratch import Scratch, scratch

NOWHERE = StorageAddress("UseDevelopmentStorage=true")
MILLION_TEXTS = "CREATE TEMP TABLE texts AS SELECT md5(range::VARCHAR) AS text FROM range(1_000_000)"
THEIRS, HARDLY_ANY = 25 << 20, 12 << 20


@pytest.fixture
def room() -> Iterator[Scratch]:
    with scratch(Settings(NOWHERE, NOWHERE, memory_mb=300)) as made:
        yield made


def in_use() -> int:
    """Bytes of memory that this process has from the system."""
    [line] = [each for each in Path("/proc/self/status").read_text().splitlines() if each.startswith("VmRSS")]
    return int(line.split()[1]) << 10


def test_when_a_step_ends_its_memory_goes_back_to_the_system(room: Scratch) -> None:
    with room.database() as connection:
        before = in_use()
        connection.execute(MILLION_TEXTS)
        assert in_use() - before > THEIRS
    assert in_use() - before < HARDLY_ANY


def test_between_parts_what_was_freed_goes_back(room: Scratch) -> None:
    with room.database() as connection:
        before = in_use()
        connection.execute(MILLION_TEXTS)
        connection.execute("DROP TABLE texts")
        assert in_use() - before > THEIRS, "DuckDB keeps it"
        room.give_back()
        assert in_use() - before < HARDLY_ANY
        assert connection.execute("SELECT 1").fetchall() == [(1,)]
