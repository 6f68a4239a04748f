"""What a slice needs does not grow with the segment: a large one is staged part by part, and nothing is spilled."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import pytest

from dev.bench.people import Day
from shared.cloud.settings import StorageAddress
from shared.delivery.state.records import State
from tests.integration.bench.days import define, land_day
from tests.integration.delivery import engine as engines

DAY = Day(500_000)
MEMORY_MB = 300
"""Less than the rows of such a segment take."""


def test_a_large_segment_is_staged_in_little_memory_and_no_disk(
    storage: StorageAddress, unique: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = tmp_path / "no folder"
    nowhere.write_text("whoever spills fails")
    monkeypatch.setattr("shared.snapshots.reading.TemporaryDirectory", lambda prefix: nullcontext(str(nowhere)))
    with engines.engine(storage, unique, rows_per_file=DAY.rows // 12, memory_mb=MEMORY_MB) as engine:
        engine.connect()
        define(engine)
        land_day(engine, DAY)
        run = engine.service.start("newsletter", b'{"kind": "dry_run"}').run
        engine.pump()
        assert engine.delivery(run).state is State.SUCCEEDED
        assert engine.delivery(run).counts["add"] == DAY.rows
