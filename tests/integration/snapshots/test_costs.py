"""Looking costs what it needs: how often storage is asked and DuckDB opened, however many segments there are."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from shared.errors import UserMustAct
from shared.snapshots import shelves, walking
from shared.snapshots.finding import find_if_few, newest_of
from shared.snapshots.names import KEPT_FOR
from tests.corpus.landed import Landing, later
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
    ("reference", "own", "above"),
    [("crm/eu:Loyal", "crm/eu/Loyal/", ["crm/eu/"]), ("export:Loyal", "export/Loyal/", []), (":Loyal", "Loyal/", [""])],
    ids=["dated folders", "a model", "at the top"],
)
def test_a_segment_is_looked_for_where_its_id_says(
    landing: Landing, listed: list[str | None], reference: str, own: str, above: list[str]
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
    snapshot = newest_of(landing.client, landing.locations, wanted, later())
    assert snapshot.segment_id == wanted
    elsewhere = [each for each in listed if not str(each).startswith(own)]
    assert elsewhere == above, "where a manifest may lie, by delimiter"
    newest_of(landing.client, landing.locations, wanted, later())
    assert [each for each in listed if not str(each).startswith(own)] == above, "and not again for some minutes"
    [by_listing] = [segment.snapshot for segment in landing.found() if segment.id == wanted]
    assert by_listing == replace(snapshot, passed_over=(), beside=())


def test_an_id_below_a_models_folder_is_no_segment_of_its_own(landing: Landing) -> None:
    landing.put("export/model.json", b'{"entities": []}')
    landing.put("export/Loyal/2026-11-22/a.csv", b"EMail\na@example.com\n")
    container = landing.container.container_name
    with pytest.raises(UserMustAct, match="no segment"):
        newest_of(landing.client, landing.locations, f"{container}/export:Loyal", later())


DAYS = 40


def history(landing: Landing, segment: str, folder: Callable[[int], str], *, marked: bool = True) -> None:
    """One state for each of 40 days."""
    for day in range(DAYS):
        landing.put(f"{segment}/{folder(day)}/a.csv", f"EMail\np{day}@example.com\n".encode())
        if marked:
            landing.put(f"{segment}/{folder(day)}/_SUCCESS", b"")


@pytest.fixture
def much(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two weeks of one segment are more than one request lists."""
    monkeypatch.setattr(walking, "FEW", 20)


FLAT = "by the day", lambda day: f"{date(2026, 9, 1) + timedelta(days=day)}"
DEEP = "year, month, day and hour", lambda day: f"{date(2026, 9, 1) + timedelta(days=day):%Y/%m/%d}/0600"
HIVE = "keys", lambda day: f"{date(2026, 9, 1) + timedelta(days=day):year=%Y/month=%m/day=%d}"


@pytest.mark.parametrize(("marked", "most"), [(True, 7), (False, 20)], ids=["with marks", "without marks"])
@pytest.mark.parametrize("folder", [FLAT[1], DEEP[1], HIVE[1]], ids=[FLAT[0], DEEP[0], HIVE[0]])
@pytest.mark.usefixtures("much")
def test_of_a_long_history_only_the_newest_states_are_listed(
    landing: Landing, listed: list[str | None], folder: Callable[[int], str], *, marked: bool, most: int
) -> None:
    history(landing, "crm/Loyal", folder, marked=marked)
    landing.put("crm/Loyal/notes.xlsx", b"x")
    wanted = f"{landing.container.container_name}/crm:Loyal"
    snapshot = newest_of(landing.client, landing.locations, wanted, later())
    assert [file.name for file in snapshot.files] == [f"crm/Loyal/{folder(DAYS - 1)}/a.csv"]
    assert "notes.xlsx" in str(snapshot.beside)
    assert len(listed) <= most, listed
    assert all(str(prefix).startswith("crm/Loyal/") for prefix in listed if prefix != "crm/")


@pytest.mark.usefixtures("much")
def test_the_state_before_counts_where_the_newest_is_not_usable(landing: Landing) -> None:
    history(landing, "Loyal", FLAT[1])
    landing.put("Loyal/2026-11-01/a.csv", b"EMail\na@example.com\n")
    landing.put("Loyal/2026-11-01/strange.orc", b"x")
    landing.put("Loyal/2026-11-01/_SUCCESS", b"")
    snapshot = newest_of(landing.client, landing.locations, f"{landing.container.container_name}:Loyal", later())
    assert snapshot.taken_at.date() == date(2026, 10, 10)
    assert "strange.orc" in str(snapshot.passed_over)


@pytest.mark.usefixtures("much")
def test_marks_are_missed_though_they_are_long_ago(landing: Landing) -> None:
    history(landing, "Loyal", FLAT[1], marked=False)
    landing.put(f"Loyal/{FLAT[1](0)}/_SUCCESS", b"")
    with pytest.raises(UserMustAct, match="which earlier folders of this segment have"):
        newest_of(landing.client, landing.locations, f"{landing.container.container_name}:Loyal", later())


@pytest.mark.usefixtures("much")
def test_a_name_is_looked_for_everywhere_once_and_then_in_its_folder(
    landing: Landing, listed: list[str | None]
) -> None:
    for segment in ("crm/Loyal", "crm/New", "Old"):
        history(landing, segment, FLAT[1])
    now = later()
    newest_of(landing.client, landing.locations, "Loyal", now)
    assert listed.count("") == 1
    newest_of(landing.client, landing.locations, "Loyal", now)
    assert listed.count("") == 1, "its id is remembered"
    newest_of(landing.client, landing.locations, "Loyal", now + KEPT_FOR)
    assert listed.count("") == 2, "not for ever: another may have its name by now"


@pytest.mark.usefixtures("much")
def test_a_name_that_nobody_has_is_not_looked_for_at_every_tick(landing: Landing, listed: list[str | None]) -> None:
    history(landing, "Loyal", FLAT[1])
    now = later()
    for _ in range(3):
        with pytest.raises(UserMustAct, match="no segment 'Loyl'"):
            newest_of(landing.client, landing.locations, "Loyl", now, thorough=False)
    asked = listed.count("")
    history(landing, "Loyl", FLAT[1])
    assert newest_of(landing.client, landing.locations, "Loyl", now).name == "Loyl", "people see it at once"
    assert listed.count("") == asked + 1


@pytest.mark.usefixtures("much")
def test_whether_little_lies_there_takes_one_request(landing: Landing, listed: list[str | None]) -> None:
    assert find_if_few(landing.client, landing.locations, later()) == []
    history(landing, "Loyal", FLAT[1])
    assert find_if_few(landing.client, landing.locations, later()) is None
    assert listed == ["", ""]
