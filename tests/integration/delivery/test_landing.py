"""What writers leave behind costs nobody a place on the list, and changes nobody's values, without a word."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb

from shared.catalog.dialects import UNDECLARED, DialectInput, SegmentInput
from shared.control import segments as control
from shared.delivery.state.records import Run, State
from tests.delta_tables import Table
from tests.integration.delivery.engine import ADMINISTRATOR, Engine, as_csv, people

ROWS = [[person.email, person.first, person.city] for person in people(20)]
SOME = as_csv(ROWS[:13])
NEWER = {**Table(protocol={"minReaderVersion": 3}).create().append([]).files, "part-0.csv": SOME, "_SUCCESS": b""}
TID = "part-00000-tid-4545-aa-1-1-c000.csv"

PASSED_OVER = {
    "Databricks is at it": ({TID: SOME, "_started_4545": b""}, "started the write 4545 and has not committed it"),
    "Hadoop is at it": ({"part-0.csv": SOME, "_temporary/0/part-1.csv": b""}, "there is a folder _temporary in it"),
    "a part has no content yet": ({"part-0.csv": SOME, "part-1.csv": b""}, "has no file _SUCCESS, which earlier"),
    "the mark is missing": ({"part-0.csv": SOME}, "has no file _SUCCESS, which earlier folders of this segment have"),
    "a Delta table that only newer readers understand": (NEWER, "is a Delta table that uses reader version 3"),
    "a Hudi table": ({".hoodie/hoodie.properties": b"", "part-0.csv": SOME, "_SUCCESS": b""}, "is a Hudi table"),
    "parts in a subfolder": (
        {"part-0.csv": SOME, "tier=x/y/part-1.csv": SOME, "_SUCCESS": b""},
        "holds files in a folder",
    ),
    "a part of another ending": ({"part-0.csv": SOME, "part-1.jsonl": b"{}", "_SUCCESS": b""}, "JSON lines"),
}


def well(run: Run) -> None:
    """It may have been warned: the simulator tells of fields that it had to make."""
    assert run.state in (State.SUCCEEDED, State.WARNINGS), run.message


def test_a_snapshot_that_is_not_complete_or_not_understood_takes_nobody_off(engine: Engine) -> None:
    engine.land(people(20))
    engine.define()
    well(engine.run())
    for files, words in PASSED_OVER.values():
        engine.at += timedelta(minutes=1)
        folder = f"Loyal/{engine.at:%Y%m%dT%H%M%SZ}"
        for name, content in files.items():
            engine.upload(f"{folder}/{name}", content)
        run = engine.run()
        assert run.state is State.NOTHING, run.message
        assert words in " ".join(engine.delivery(run).warnings)
        assert len(engine.members()) == 20
        for name in files:
            engine.landing.delete_blob(f"{folder}/{name}")


def test_what_lies_beside_the_snapshots_is_a_warning(engine: Engine) -> None:
    engine.land(people(3))
    engine.upload("Loyal/2026-13-45/part-0.csv", SOME)
    engine.define()
    run = engine.run()
    assert run.state is State.WARNINGS
    assert (
        "Something in the segment's folder was not used: Loyal/2026-13-45 looks like a date and cannot be read as one, "
        "so it is not used; call it 2026-11-22T14-33-00Z."
    ) in engine.delivery(run).warnings


def test_a_newer_folder_in_another_spelling_is_used(engine: Engine) -> None:
    engine.land(people(2))
    engine.define()
    engine.run()
    spellings = ("%Y-%m-%dT%H:%M:%S.1234567Z", "%Y-%m-%dT%H:%M:%S+00:00", "dt=%Y-%m-%dT%H_%M_%S")
    for number, spelling in enumerate(spellings):
        engine.at += timedelta(minutes=1)
        folder = f"Loyal/{engine.at:{spelling}}"
        engine.upload(f"{folder}/part-0.csv", as_csv(ROWS[: 3 + number]))
        engine.upload(f"{folder}/_SUCCESS", b"")
        run = engine.run()
        well(run)
        assert len(engine.members()) == 3 + number


def described(engine: Engine, content: bytes, *entities: str) -> None:
    attributes = [{"name": name} for name in ("EMail", "FirstName", "City")]
    tables = [{"name": name, "attributes": attributes, "partitions": [{"location": "a.csv"}]} for name in entities]
    engine.upload("export/a.csv", content)
    engine.upload("export/model.json", json.dumps({"entities": tables}).encode())


def values(engine: Engine, of: str = "Told") -> dict[str, Any]:
    return {address: dict(fields) for address, fields in engine.members(of).items()}


def test_a_header_that_is_not_declared_shifts_nobodys_values(engine: Engine) -> None:
    described(engine, b"EMail,FirstName,City\na@example.com,Ann,Lund\n", "Told")
    engine.define(targets=[{"segments": ["Told"]}])
    well(engine.run())
    before = values(engine)
    assert before
    described(engine, b"City,EMail,FirstName\nLund,a@example.com,Ann\n", "Told")
    assert engine.run().state is State.NOTHING
    described(engine, b"Town,EMail,FirstName\nLund,a@example.com,Ann\n", "Told")
    run = engine.run()
    assert run.state is State.FAILED
    assert "nobody can tell which column is which" in run.message
    assert values(engine) == before


def test_two_tables_of_one_name_take_nobody_off(engine: Engine) -> None:
    described(engine, as_csv(ROWS), "Told")
    engine.define(targets=[{"segments": ["Told"]}])
    engine.run()
    described(engine, SOME, "Told", "Told")
    run = engine.run()
    assert run.state is State.FAILED
    assert "2 tables of this name" in run.message
    assert len(engine.members("Told")) == 20


def parquet(tmp_path: Path, query: str) -> bytes:
    with duckdb.connect() as duck:
        duck.execute(f"COPY ({query}) TO '{tmp_path}/x.parquet' (FORMAT parquet)")
    return (tmp_path / "x.parquet").read_bytes()


def test_numbers_and_missing_values_are_delivered_as_what_they_are(engine: Engine, tmp_path: Path) -> None:
    rows = "('a@example.com', 441234567890.0, 1e22), ('b@example.com', 'nan'::DOUBLE, NULL)"
    query = f"SELECT EMail, FirstName::DOUBLE AS FirstName, City FROM (VALUES {rows}) AS p(EMail, FirstName, City)"
    engine.upload("Loyal/part-0.parquet", parquet(tmp_path, query))
    engine.upload("Loyal/_SUCCESS", b"")
    engine.define()
    well(engine.run())
    numbers = values(engine, "Loyal")
    assert sorted(numbers["a@example.com"].values()) == ["10000000000000000000000", "441234567890"]
    assert not any(numbers["b@example.com"].values())
    engine.upload("Null/part-0.csv", b"EMail,FirstName,City\nc@example.com,\\N,\\N\n")
    engine.upload("Null/_SUCCESS", b"")
    engine.define("null", targets=[{"segments": ["Null"]}])
    well(engine.run("null"))
    assert not any(values(engine, "Null")["c@example.com"].values())


def test_a_write_under_way_is_seen_where_there_is_no_date(engine: Engine) -> None:
    engine.upload("Loyal/part-0.csv", as_csv(ROWS))
    engine.upload("Loyal/_SUCCESS", b"")
    engine.define()
    well(engine.run())
    engine.landing.delete_blob("Loyal/_SUCCESS")
    engine.upload("Loyal/part-0.csv", SOME)
    engine.upload("Loyal/_temporary/0/part-1.csv", b"")
    run = engine.run()
    assert run.state is State.FAILED
    assert "is still being written: there is a folder _temporary in it" in run.message
    assert len(engine.members()) == 20


def test_many_more_removals_than_ever_wait_for_a_decision(engine: Engine) -> None:
    engine.define(guards={})
    for left in (400, 399, 398, 397):
        engine.land(people(left))
        well(engine.run())
    engine.land(people(370))
    run = engine.run()
    assert run.state is State.BLOCKED
    assert "would remove 27 of 397, and at most 1 in any of the last 4 runs" in run.message
    engine.define(guards={"max_removed_times": 30})
    well(engine.run())


def test_an_export_on_a_segment_that_nobody_finds_says_what_lies_there(engine: Engine) -> None:
    engine.upload("Loyl/people.xlsx", b"PK")
    engine.upload("people.csv", SOME)
    engine.define()
    run = engine.run()
    assert run.state is State.FAILED
    assert "There is no segment 'Loyal'." in run.message
    assert "people.xlsx is an Excel workbook; save it as 'CSV UTF-8'" in run.message
    assert "people.csv lies in no segment's folder" in run.message


def test_changes_are_not_taken_for_everyone(engine: Engine) -> None:
    engine.land(people(20))
    engine.define()
    engine.run()
    engine.at += timedelta(minutes=1)
    folder = f"Loyal/{engine.at:%Y%m%dT%H%M%SZ}"
    changes = as_csv([[*row, "d"] for row in ROWS[:3]], ("EMail", "FirstName", "City", "__op"))
    engine.upload(f"{folder}/part-0.csv", changes)
    engine.upload(f"{folder}/_SUCCESS", b"")
    run = engine.run()
    assert run.state is State.FAILED
    assert "a column '__op', as files of changes have" in run.message
    assert len(engine.members()) == 20


def rows_of(count: int, city: str = "'Lund'") -> str:
    return f"SELECT 'p' || i || '@example.com' AS EMail, 'Ann' AS FirstName, {city} AS City FROM range({count}) t(i)"


def land_parquet(engine: Engine, tmp_path: Path, query: str) -> None:
    engine.at += timedelta(minutes=1)
    engine.upload(f"Loyal/{engine.at:%Y%m%dT%H%M%SZ}/part-0.parquet", parquet(tmp_path, query))
    engine.upload(f"Loyal/{engine.at:%Y%m%dT%H%M%SZ}/_SUCCESS", b"")


def test_a_column_that_loses_its_values_waits_for_a_person(engine: Engine, tmp_path: Path) -> None:
    land_parquet(engine, tmp_path, rows_of(30))
    engine.define()
    well(engine.run())
    before = values(engine, "Loyal")
    land_parquet(engine, tmp_path, rows_of(31, "CASE WHEN i = 0 THEN 'Lund' END"))
    run = engine.run()
    assert run.state is State.BLOCKED
    assert "City is empty in 97% of the rows of Loyal, 0% before" in run.message
    assert values(engine, "Loyal") == before
    blocked = engine.delivery(run)
    engine.service.decide(run.export, run.run, plan=blocked.plan, decision="deliver", by="admin")
    engine.pump()
    well(engine.current(run))
    assert engine.run().state is State.NOTHING  # who decided is not asked again


def test_what_else_changes_in_a_segment_is_said(engine: Engine, tmp_path: Path) -> None:
    land_parquet(engine, tmp_path, rows_of(3))
    engine.define()
    well(engine.run())
    land_parquet(engine, tmp_path, rows_of(3, "i::INTEGER").replace("AS City", "AS City, 'x' AS Tier"))
    run = engine.run()
    well(run)
    told = engine.delivery(run)
    assert "The column City of Loyal is a whole number now, and was text before." in told.warnings
    assert told.message == "New in Loyal: Tier."
    engine.land(people(3))
    run = engine.run()
    told = engine.delivery(run)
    assert (
        "The files of Loyal are written in another way: CSV with a header, separated by commas, UTF-8; before: Parquet."
    ) in told.warnings
    assert told.message == ""


def test_a_text_for_nothing_is_delivered_and_warned_of(engine: Engine) -> None:
    engine.upload("Loyal/part-0.csv", as_csv([["a@example.com", "Ann", "NULL"], ["b@example.com", "Null", "Lund"]]))
    engine.upload("Loyal/_SUCCESS", b"")
    engine.define()
    run = engine.run()
    well(run)
    assert [text for text in engine.delivery(run).warnings if "NULL" in text] == [
        "50% of the cells of City in Loyal are the text NULL, None or NaN, and are delivered as that: let the writer "
        "leave them empty."
    ]
    assert "NULL" in values(engine, "Loyal")["a@example.com"].values()


def test_a_declared_dialect_is_used_from_the_next_run_on(engine: Engine) -> None:
    text = "EMail,FirstName,City\na@example.com,Zoë,NULL\n".encode("cp1252")
    engine.upload("Loyal/part-0.csv", text)
    engine.upload("Loyal/_SUCCESS", b"")
    engine.define()
    refused = engine.run()
    assert refused.state is State.FAILED
    assert "mostly windows-1252" in refused.message
    [segment] = engine.service.segments()
    declared = SegmentInput(dialect=DialectInput(encoding="windows-1252", nulls=("NULL",)))
    control.declare(engine.service, segment.id, declared, UNDECLARED, ADMINISTRATOR)
    well(engine.run())
    assert [value for value in values(engine, "Loyal")["a@example.com"].values() if value] == ["Zoë"]
    assert control.first_rows(engine.service, segment.id).rows == [("a@example.com", "Zoë", None)]


def test_a_declaration_that_cannot_be_read_is_its_segments_own_trouble(engine: Engine) -> None:
    engine.land(people(3), "Healthy")
    engine.land(people(3), "Ill")
    [ill] = [each.id for each in engine.service.segments() if each.name == "Ill"]
    engine.define(targets=[{"segments": ["Ill"]}])
    engine.define("healthy", targets=[{"segments": ["Healthy"]}])
    engine.catalog.dialects.declare(ill, DialectInput(nulls=("NULL",)), UNDECLARED)
    [stored] = engine.cloud.snapshots.query("dialects")
    engine.cloud.snapshots.replace({**stored.entity, "definition": '{"nulls'}, stored.etag)
    run = engine.run()
    assert run.state is State.FAILED
    assert "of the table 'snapshots' cannot be read" in run.message
    assert not engine.members("Ill")
    assert engine.run("healthy").state in (State.SUCCEEDED, State.WARNINGS)
    assert {each.name for each in control.views(engine.service)} == {"Healthy", "Ill"}


def test_a_declaration_of_a_newer_version_is_read(engine: Engine) -> None:
    engine.land(people(3))
    [segment] = [each.id for each in engine.service.segments()]
    engine.catalog.dialects.declare(segment, DialectInput(nulls=("NULL",)), UNDECLARED)
    [stored] = engine.cloud.snapshots.query("dialects")
    newer = {**json.loads(stored.entity["definition"]), "later": "more"}
    engine.cloud.snapshots.replace({**stored.entity, "definition": json.dumps(newer)}, stored.etag)
    engine.define()
    assert engine.run().state in (State.SUCCEEDED, State.WARNINGS)
