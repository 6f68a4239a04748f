"""Looking costs what it needs: how often storage is asked and DuckDB opened, however many segments there are."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.corpus.landed import Landing
from tests.memory import in_memory
from tests.memory.blobs import MemoryContainer

SEGMENTS = 100


@pytest.fixture
def landing(unique: str) -> Iterator[Landing]:
    with in_memory() as address:
        yield Landing(address, unique)


@pytest.fixture
def listed(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """Prefixes that were listed."""
    prefixes: list[str | None] = []
    real = MemoryContainer.list_blobs

    def noted(container: MemoryContainer, name_starts_with: str | None = None, **options: object) -> object:
        prefixes.append(name_starts_with)
        return real(container, name_starts_with)

    monkeypatch.setattr(MemoryContainer, "list_blobs", noted)
    return prefixes


def test_many_parquet_segments_share_a_few_databases(
    landing: Landing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with duckdb.connect() as duck:
        duck.execute(f"COPY (SELECT 'a@example.com' AS EMail) TO '{tmp_path}/x.parquet'")
    for number in range(SEGMENTS):
        landing.put(f"s{number}/2026-11-22/a.parquet", (tmp_path / "x.parquet").read_bytes())
    landing.put("broken/2026-11-22/a.parquet", b"PAR1")
    opened: list[object] = []
    connect = duckdb.connect

    def noted(**options: Any) -> duckdb.DuckDBPyConnection:
        opened.append(options)
        return connect(**options)

    monkeypatch.setattr(duckdb, "connect", noted)
    found = landing.found()
    assert sum(segment.columns == ("EMail",) for segment in found) == SEGMENTS
    assert [segment.name for segment in found if not segment.snapshot] == ["broken"]
    assert len(opened) <= 8


@pytest.mark.parametrize(
    ("location", "folders"),
    [(lambda number: f"S{number}.csv", 1), (lambda number: f"S{number}/a.csv", SEGMENTS)],
    ids=["in one folder", "in folders of their own"],
)
def test_the_tables_of_a_model_cost_one_listing_for_each_folder(
    landing: Landing, listed: list[str | None], location: Callable[[int], str], folders: int
) -> None:
    tables = [
        {"name": f"S{number}", "attributes": [{"name": "EMail"}], "partitions": [{"location": location(number)}]}
        for number in range(SEGMENTS)
    ]
    landing.put("export/model.json", json.dumps({"entities": tables}).encode())
    for number in range(SEGMENTS):
        landing.put(f"export/{location(number)}", b"a@example.com\n")
    found = landing.found()
    assert sum(segment.snapshot is not None for segment in found) == SEGMENTS
    assert len(listed) == 1 + folders
