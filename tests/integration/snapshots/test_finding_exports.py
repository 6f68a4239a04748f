"""Segments of Customer Insights: found by their model.json."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from shared.errors import UserMustAct
from shared.snapshots import model_segments
from shared.snapshots.finding import newest_snapshot
from shared.snapshots.snapshot import CsvFormat, Layout, ParquetFormat
from tests.integration.snapshots.landing import EXPORT, Landing, later, table

RUN = f"{EXPORT}/Loyal/2026/11/22/1433"
NOON = {"refreshTime": "2026-11-22T12:00:00Z"}


def test_a_segment_with_everything_that_is_known_of_it(landing: Landing) -> None:
    urls = [landing.put(f"{RUN}/Loyal_{number}.csv", f"{number},x\n") for number in (1, 2, 10)]
    landing.put(f"{EXPORT}/Loyal/2026/11/21/1433/Loyal_1.csv", "old")
    landing.export(table("Loyal", *urls, **NOON))

    segment = landing.only()

    assert segment.id == f"{landing.container.container_name}/{EXPORT}:Loyal"
    assert (segment.name, segment.layout, segment.problems) == ("Loyal", Layout.CUSTOMER_INSIGHTS, ())
    snapshot = segment.snapshot
    assert snapshot
    assert snapshot.taken_at == datetime(2026, 11, 22, 12, tzinfo=UTC)
    assert snapshot.columns == segment.columns == ("Id", "EMail")
    assert snapshot.format == CsvFormat(header=False)
    assert [file.name for file in snapshot.files] == [f"{RUN}/Loyal_{number}.csv" for number in (1, 2, 10)]
    assert snapshot.size == 4 + 4 + 5
    etag = landing.container.get_blob_client(f"{RUN}/Loyal_1.csv").get_blob_properties().etag
    assert snapshot.files[0].etag == etag


def test_a_model_at_any_depth_describes_several_segments(landing: Landing) -> None:
    landing.put("deep/down/A.csv", "1,x\n")
    landing.put("top.csv", "1,x\n")
    landing.export(table("A", "A.csv"), table("B", "A.csv"), folder="deep/down")
    landing.put(
        "model.json",
        '{"tables": [{"name": "C", "attributes": [{"name": "x"}], "partitions": [{"location": "top.csv"}]}]}',
    )
    assert [segment.id.partition("/")[2] or segment.name for segment in landing.found() if segment.snapshot] == [
        "deep/down:A",
        "deep/down:B",
        "C",
    ]


def test_only_what_is_below_the_location_is_found(landing: Landing) -> None:
    for folder in ("in/a", "in/b", "inside"):
        landing.put(f"{folder}/x.csv", "1")
        landing.export(table("S", "x.csv"), folder=folder)
    assert [segment.folder for segment in landing.found("in")] == ["in/a", "in/b"]


@pytest.mark.parametrize("location", ["Loyal/a%20b.csv", f"{EXPORT}/Loyal/a b.csv", "../BlobExport/Loyal/a b.csv"])
def test_locations_may_be_relative_and_encoded(landing: Landing, location: str) -> None:
    landing.put(f"{EXPORT}/Loyal/a b.csv", "1,x\n")
    landing.export(table("Loyal", location))
    assert landing.only().snapshot


def test_a_signature_in_a_location_does_not_matter(landing: Landing) -> None:
    landing.export(table("Loyal", landing.put(f"{RUN}/1.csv", "1,x\n") + "?sv=2020&sig=abc"))
    assert landing.only().snapshot


def test_a_pinned_blob_snapshot_is_read_instead_of_the_blob(landing: Landing) -> None:
    url = landing.put(f"{RUN}/1.csv", "1,then\n")
    pinned = landing.container.get_blob_client(f"{RUN}/1.csv").create_snapshot()["snapshot"]
    landing.put(f"{RUN}/1.csv", "1,later\n")
    landing.export(table("Loyal", f"{url}?snapshot={pinned}"))
    snapshot = landing.only().snapshot
    assert snapshot
    assert landing.rows(snapshot, "EMail") == [("then", 0)]


@pytest.mark.parametrize(
    ("refreshed", "modified", "expected"),
    [
        ("2026-11-22T12:00:00Z", "2026-11-23T00:00:00Z", datetime(2026, 11, 22, 12, tzinfo=UTC)),
        (None, "2026-11-23T00:00:00Z", datetime(2026, 11, 23, tzinfo=UTC)),
        (None, None, datetime(2026, 11, 22, 14, 33, tzinfo=UTC)),
    ],
)
def test_when_it_was_taken(landing: Landing, refreshed: str | None, modified: str | None, expected: datetime) -> None:
    url = landing.put(f"{RUN}/1.csv", "1,x\n")
    landing.export(table("Loyal", url, refreshTime=refreshed), modifiedTime=modified)
    snapshot = landing.only().snapshot
    assert snapshot
    assert snapshot.taken_at == expected


def test_without_any_date_the_files_tell(landing: Landing) -> None:
    landing.export(table("Loyal", landing.put(f"{EXPORT}/1.csv", "1,x\n")))
    snapshot = landing.only().snapshot
    assert snapshot
    assert snapshot.taken_at == landing.container.get_blob_client(f"{EXPORT}/1.csv").get_blob_properties().last_modified


def test_the_format_is_as_declared(landing: Landing) -> None:
    url = landing.put(f"{RUN}/1.csv.gz", b"")
    landing.export(table("Loyal", url, fileFormatSettings={"columnHeaders": True, "delimiter": ";"}))
    snapshot = landing.only().snapshot
    assert snapshot
    assert snapshot.format == CsvFormat(delimiter=";", header=True, compression="gzip")


def test_parquet_is_found_too(landing: Landing) -> None:
    landing.export(table("Loyal", landing.put(f"{RUN}/1.parquet", b"?")))
    snapshot = landing.only().snapshot
    assert snapshot
    assert snapshot.format == ParquetFormat()


def problems(landing: Landing) -> str:
    segment = landing.only()
    assert segment.snapshot is None
    return "; ".join(segment.problems)


def test_a_snapshot_whose_files_are_not_all_there_is_not_used(landing: Landing) -> None:
    url = landing.put(f"{RUN}/Loyal_1.csv", "1,x\n")
    landing.export(table("Loyal", url, url.replace("_1", "_2"), url.replace("_1", "_3")))
    assert "2 of the 3 files" in problems(landing)
    assert landing.only().columns == ("Id", "EMail")


def test_files_in_another_container_are_refused(landing: Landing) -> None:
    url = landing.put(f"{RUN}/1.csv", "1,x\n")
    landing.export(table("Loyal", url.replace(landing.container.container_name, "other")))
    assert "another storage account or container" in problems(landing)


def test_files_of_different_formats_are_refused(landing: Landing) -> None:
    landing.export(table("Loyal", landing.put(f"{RUN}/1.csv", "1,x\n"), landing.put(f"{RUN}/2.parquet", "?")))
    assert "different formats" in problems(landing)


def test_a_table_with_a_problem_does_not_hide_the_others(landing: Landing) -> None:
    landing.export(table("Empty", "missing.csv"), table("Loyal", landing.put(f"{RUN}/1.csv", "1,x\n")))
    assert {segment.name: bool(segment.snapshot) for segment in landing.found()} == {"Empty": False, "Loyal": True}


@pytest.mark.parametrize("content", ["", "{", "[]", '{"entities": 7}'])
def test_a_broken_model_is_listed_with_its_problem(landing: Landing, content: str) -> None:
    landing.put(f"{EXPORT}/model.json", content)
    assert "model.json" in problems(landing)


def test_a_model_that_is_too_large_is_not_read(landing: Landing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_segments, "MODEL_BYTES", 1 << 20)
    landing.put(f"{EXPORT}/model.json", b" " * (1 << 20) + b"{}")
    assert "larger than 1 MB" in problems(landing)


def test_the_newest_snapshot_is_looked_up_again(landing: Landing) -> None:
    landing.export(table("Loyal", landing.put(f"{RUN}/1.csv", "1,x\n"), **NOON))
    segment = landing.only()
    landing.export(table("Loyal", landing.put(f"{RUN}/1.csv", "2,y\n"), **NOON))
    newest = newest_snapshot(landing.client, segment, later())
    assert segment.snapshot
    assert newest.key == segment.snapshot.key
    assert newest != segment.snapshot
    assert newest == landing.only().snapshot


def test_its_key_changes_with_its_date(landing: Landing) -> None:
    url = landing.put(f"{RUN}/1.csv", "1,x\n")
    keys = set()
    for moment in ("2026-11-22T12:00:00Z", "2026-11-22T18:00:00Z"):
        landing.export(table("Loyal", url, refreshTime=moment))
        keys.add(newest_snapshot(landing.client, landing.only(), later()).key)
    assert len(keys) == 2


@pytest.mark.parametrize(("name", "reason"), [("Loyal", "1 of the 1 files"), ("Gone", "no longer there")])
def test_a_segment_without_a_complete_snapshot_cannot_be_read(landing: Landing, name: str, reason: str) -> None:
    landing.export(table(name, landing.put(f"{RUN}/1.csv", "1,x\n")))
    segment = landing.only()
    landing.export(table("Loyal", "missing.csv"))
    with pytest.raises(UserMustAct, match=reason) as caught:
        newest_snapshot(landing.client, segment, later())
    assert caught.value.code == "segment_not_ready"
    landing.container.delete_blob(f"{EXPORT}/model.json")
    with pytest.raises(UserMustAct, match=r"model\.json is gone"):
        newest_snapshot(landing.client, segment, later())


def test_a_segment_of_made_up_people_can_be_found_and_read(landing: Landing) -> None:
    from dev.demo.people import COLUMNS, make_people, write_snapshot

    people = make_people(1000, 3)
    moment = datetime(2026, 11, 22, 14, 33, tzinfo=UTC)
    for name in ("Loyal", "New"):
        identity = write_snapshot(
            landing.container, instance="abcd", export="Export", segment=name, taken_at=moment, people=people
        )
        assert identity in {segment.id for segment in landing.found()}
    for segment in landing.found():
        assert segment.snapshot
        assert segment.snapshot.taken_at == moment
        assert len(segment.snapshot.files) == 4
        rows = landing.rows(segment.snapshot, *COLUMNS)
        assert [row[:-1] for row in rows] == [tuple(cell or None for cell in person[:12]) for person in people]
