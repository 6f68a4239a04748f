"""Looking costs what it needs: how often storage is asked and DuckDB opened, however many segments there are."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from shared.cloud.settings import Location
from shared.errors import UserMustAct
from shared.snapshots import shelves
from shared.snapshots.finding import newest_of
from tests.corpus.landed import Landing
from tests.memory import in_memory
from tests.memory.blobs import MemoryBlob, MemoryContainer

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
    ("location", "page", "listings"),
    [
        (lambda number: f"S{number}.csv", 5_000, 1),
        (lambda number: f"S{number}/a.csv", 5_000, 1),
        (lambda number: f"S{number}/a.csv", 1, 1 + SEGMENTS),
    ],
    ids=["in one folder", "in folders of their own", "in folders of their own, with years beside them"],
)
def test_the_tables_of_a_model_cost_a_listing_together_or_one_for_each_folder(
    landing: Landing,
    listed: list[str | None],
    location: Callable[[int], str],
    page: int,
    listings: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shelves, "_PAGE", page)
    tables = [
        {"name": f"S{number}", "attributes": [{"name": "EMail"}], "partitions": [{"location": location(number)}]}
        for number in range(SEGMENTS)
    ]
    landing.put("export/model.json", json.dumps({"entities": tables}).encode())
    for number in range(SEGMENTS):
        landing.put(f"export/{location(number)}", b"a@example.com\n")
    found = landing.found()
    assert sum(segment.snapshot is not None for segment in found) == SEGMENTS
    assert len(listed) == 1 + listings


def test_what_was_seen_in_a_file_is_not_looked_for_again(landing: Landing, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(SEGMENTS):
        landing.put(f"s{number}/2026-11-22/a.csv", b"EMail,City\na@example.com,B\n")
    downloads: list[str] = []
    real = MemoryBlob.download_blob

    def noted(blob: MemoryBlob, *given: Any, **options: Any) -> Any:
        downloads.append(blob.blob_name)
        return real(blob, *given, **options)

    monkeypatch.setattr(MemoryBlob, "download_blob", noted)
    first = landing.found()
    assert len(downloads) == SEGMENTS
    landing.put("s7/2026-11-22/a.csv", b"EMail,Town\na@example.com,B\n")
    again = landing.found()
    assert downloads[SEGMENTS:] == ["s7/2026-11-22/a.csv"]
    assert [segment.columns for segment in again if segment.name == "s7"] == [("EMail", "Town")]
    assert [segment for segment in again if segment.name != "s7"] == [each for each in first if each.name != "s7"]


@pytest.mark.parametrize(
    ("reference", "prefixes"),
    [("crm/eu:Loyal", ["crm/eu/Loyal/"]), ("export:Loyal", ["export/Loyal/"]), (":Loyal", ["Loyal/"])],
    ids=["dated folders", "a model", "at the top"],
)
def test_a_segment_is_looked_for_where_its_id_says(
    landing: Landing, listed: list[str | None], reference: str, prefixes: list[str]
) -> None:
    table = {
        "name": "Loyal",
        "attributes": [{"name": "EMail"}],
        "partitions": [{"location": "Loyal/2026/11/22/1433/a.csv"}],
    }
    landing.put("export/model.json", json.dumps({"entities": [table]}).encode())
    landing.put("export/Loyal/2026/11/22/1433/a.csv", b"a@example.com\n")
    for name in ("crm/eu/Loyal", "crm/us/Loyal", "Loyal", "another"):
        landing.put(f"{name}/2026-11-22/a.csv", b"EMail\na@example.com\n")
    container = landing.container.container_name
    wanted = f"{container}/{reference}" if reference[0] != ":" else f"{container}{reference}"
    snapshot = newest_of(landing.client, [Location(container)], wanted, datetime.now(UTC) + timedelta(hours=1))
    assert snapshot.segment_id == wanted
    assert [each for each in listed if not str(each).startswith(prefixes[0])] == []
    [by_listing] = [segment.snapshot for segment in landing.found() if segment.id == wanted]
    assert by_listing == replace(snapshot, passed_over=(), beside=())


def test_an_id_below_a_models_folder_is_no_segment_of_its_own(landing: Landing) -> None:
    landing.put("export/model.json", b'{"entities": []}')
    landing.put("export/Loyal/2026-11-22/a.csv", b"EMail\na@example.com\n")
    container = landing.container.container_name
    with pytest.raises(UserMustAct, match="no segment"):
        newest_of(landing.client, [Location(container)], f"{container}/export:Loyal", datetime.now(UTC))
