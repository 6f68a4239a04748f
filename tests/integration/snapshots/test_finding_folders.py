"""Segments in dated folders."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from azure.core.pipeline.transport import RequestsTransport

from shared.cloud.settings import Location
from shared.errors import UserMustAct
from shared.snapshots.completion import SETTLED_AFTER, Completion
from shared.snapshots.finding import find_segments, newest_of, newest_snapshot
from shared.snapshots.snapshot import CsvFormat, Layout, ParquetFormat
from tests.integration.snapshots.landing import Landing, later, table


def test_a_segment_with_everything_that_is_known_of_it(landing: Landing) -> None:
    landing.put("crm/loyal/2026-11-22T14-33-00Z/part-1.csv", "Id,EMail\n1,x\n")
    landing.put("crm/loyal/2026-11-22T14-33-00Z/part-0.csv", "Id,EMail\n")
    landing.put("crm/loyal/2026-11-22T14-33-00Z/_SUCCESS", "")

    segment = landing.only()

    assert segment.id == f"{landing.container.container_name}/crm:loyal"
    assert (segment.layout, segment.problems) == (Layout.DATED_FOLDERS, ())
    snapshot = segment.snapshot
    assert snapshot
    assert snapshot.taken_at == datetime(2026, 11, 22, 14, 33, tzinfo=UTC)
    assert [file.name[-10:] for file in snapshot.files] == ["part-0.csv", "part-1.csv"]
    assert snapshot.columns == segment.columns == ("Id", "EMail")
    assert snapshot.format == CsvFormat(header=True)


def test_parquet_tells_its_columns(landing: Landing, tmp_path: Path) -> None:
    with duckdb.connect() as duck:
        duck.execute(f"COPY (SELECT 1 AS Id, 'x' AS EMail) TO '{tmp_path}/x.parquet'")
    landing.put("loyal/2026-11-22/part-0.parquet", (tmp_path / "x.parquet").read_bytes())
    snapshot = landing.only().snapshot
    assert snapshot
    assert (snapshot.format, snapshot.columns) == (ParquetFormat(), ("Id", "EMail"))


def test_the_newest_complete_folder_counts_and_the_newer_one_is_a_problem(landing: Landing) -> None:
    landing.put("loyal/2026-11-21/part-0.csv", "old\n")
    landing.put("loyal/2026-11-22/part-0.csv", "EMail\n")
    landing.put("loyal/2026-11-23/_SUCCESS", "")
    segment = landing.only()
    assert segment.snapshot
    assert segment.snapshot.taken_at.day == 22
    assert segment.problems == ("loyal/2026-11-23 holds no data files yet",)


def test_files_that_were_just_written_are_left_alone_until_they_rest_or_are_declared_done(landing: Landing) -> None:
    landing.put("loyal/2026-11-22/part-0.csv", "EMail\n")
    now = landing.container.get_blob_client("loyal/2026-11-22/part-0.csv").get_blob_properties().last_modified
    [segment] = landing.found(now=now)
    assert segment.snapshot is None
    assert "still being written" in segment.problems[0]
    with pytest.raises(UserMustAct, match="still being written"):
        newest_snapshot(landing.client, segment, now)
    newest_snapshot(landing.client, segment, now, rule=Completion(settled_after=timedelta(0)))
    newest_snapshot(landing.client, segment, now + SETTLED_AFTER)
    landing.put("loyal/2026-11-22/_SUCCESS", "")
    newest_snapshot(landing.client, segment, now)


@pytest.mark.parametrize("content", ["bob@example.com\n", '"Id,EMail\n', b"\xff\n"])
def test_a_first_line_that_is_no_header_is_a_problem_and_not_shown(landing: Landing, content: bytes | str) -> None:
    landing.put("loyal/2026-11-21/part-0.csv", "EMail\n")
    landing.put("loyal/2026-11-22/part-0.csv", content)
    segment = landing.only()
    assert segment.snapshot is None, "an older snapshot must not stand in for a broken one"
    assert "first line" in segment.problems[0]
    assert "example.com" not in repr(segment)


def test_parquet_that_is_none_is_a_problem(landing: Landing) -> None:
    landing.put("loyal/2026-11-22/part-0.parquet", "EMail\n")
    assert "not readable as Parquet" in landing.only().problems[0]


def test_what_lies_in_an_export_of_customer_insights_is_not_taken_for_a_segment(landing: Landing) -> None:
    landing.put("export/loyal/2026-11-22/part-0.csv", "1,x\n")
    landing.export(table("Loyal", "loyal/2026-11-22/part-0.csv"), folder="export")
    landing.put("exported/2026-11-22/part-0.csv", "EMail\n")
    assert [segment.name for segment in landing.found()] == ["Loyal", "exported"]


def test_the_newest_snapshot_is_looked_up_again(landing: Landing) -> None:
    landing.put("loyal/2026-11-21/part-0.csv", "EMail\n")
    segment = landing.only()
    landing.put("loyal/2026-11-22/part-0.csv", "EMail,City\n")
    assert newest_snapshot(landing.client, segment, later()).columns == ("EMail", "City")


def test_a_segment_that_went_away_cannot_be_read(landing: Landing) -> None:
    landing.put("loyal/2026-11-21/part-0.csv", "EMail\n")
    segment = landing.only()
    landing.container.delete_blob("loyal/2026-11-21/part-0.csv")
    with pytest.raises(UserMustAct, match="no longer there"):
        newest_snapshot(landing.client, segment, later())


def test_a_location_that_does_not_exist_is_said(landing: Landing) -> None:
    with pytest.raises(UserMustAct, match="missing-container") as caught:
        find_segments(landing.client, [Location("missing-container")], later())
    assert caught.value.code == "no_such_container"


def test_the_same_segment_in_two_locations_is_found_once(landing: Landing) -> None:
    landing.put("crm/loyal/2026-11-21/part-0.csv", "EMail\n")
    name = landing.container.container_name
    assert len(find_segments(landing.client, [Location(name), Location(name, "crm")], later())) == 1


def test_a_long_history_costs_one_listing_and_a_few_calls(landing: Landing, monkeypatch: pytest.MonkeyPatch) -> None:
    for day in range(1, 29):
        for segment in ("loyal", "new"):
            landing.put(f"{segment}/2026-10-{day:02}/part-0.csv", "EMail\n")
    landing.export(*(table(name, "x.csv") for name in "ABC"))
    calls = []
    send = RequestsTransport.send

    def noted(transport: RequestsTransport, request: Any, **options: Any) -> Any:
        calls.append(request.url)
        return send(transport, request, **options)

    monkeypatch.setattr(RequestsTransport, "send", noted)
    landing.found()
    listing, header, model, folders = 1, 2, 1, 2
    assert len(calls) == listing + header + model + folders


def test_files_without_a_header_have_the_columns_that_are_declared(landing: Landing) -> None:
    landing.put("loyal/2026-11-22/tier=a/part-0.csv", "1;x\n")
    landing.put("loyal/2026-11-22/tier=b/part-1.csv", "EMail;Id\ny;2\n")
    landing.put("wide/2026-11-22/part-0.csv", "1;x;y\n")
    place = Location(landing.container.container_name, "", ("Id", "EMail"), ";")
    found = {segment.name: segment for segment in find_segments(landing.client, [place], later())}
    assert "3 cells, and 2 columns are declared" in found["wide"].problems[0]
    snapshot = newest_of(landing.client, [place], "loyal", later())
    assert snapshot.columns == ("Id", "EMail", "tier")
    assert landing.rows(snapshot, "EMail", "Id", "tier") == [("x", "1", "a", 0), ("y", "2", "b", 1)]
