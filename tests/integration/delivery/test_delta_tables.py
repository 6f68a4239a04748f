"""Whoever is in the newest version of a Delta table is on the list; nobody of an older one comes back, and a table that
is not understood takes nobody off."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from shared.control import segments as control
from shared.delivery.state.records import Run, State
from shared.snapshots.reading import Reader
from shared.snapshots.snapshot import Snapshot
from tests.delta_tables import Row, Table
from tests.integration.delivery.engine import Engine, people

ROWS: list[Row] = [(person.email, person.first, person.city) for person in people(20)]
ADDRESSES = [str(row[0]) for row in ROWS]


def land(engine: Engine, table: Table, folder: str = "Loyal") -> None:
    """Files that are there stay, but for those that the writer takes away."""
    there = {blob.name: blob.etag for blob in engine.landing.list_blobs(name_starts_with=f"{folder}/")}
    for name, content in table.files.items():
        if f"{folder}/{name}" not in there or name.endswith("_last_checkpoint"):
            engine.upload(f"{folder}/{name}", content)
    for name in there.keys() - {f"{folder}/{name}" for name in table.files}:
        engine.landing.delete_blob(name)


def well(run: Run) -> None:
    assert run.state in (State.SUCCEEDED, State.WARNINGS), run.message


def on_the_list(engine: Engine) -> list[str]:
    return sorted(engine.members(), key=ADDRESSES.index)


def vacuum(table: Table) -> None:
    kept = {name for name in table.files if name.startswith("_delta_log/")} | table.names
    table.files = {name: content for name, content in table.files.items() if name in kept}


def test_a_list_follows_the_versions_of_a_table(engine: Engine) -> None:
    table = Table().create().append(ROWS)
    land(engine, table)
    engine.define()
    well(engine.run())
    assert on_the_list(engine) == ADDRESSES
    land(engine, table.overwrite(ROWS[:15]).delete(lambda row: row == ROWS[3]))
    well(engine.run())
    gone = [address for address in ADDRESSES[:15] if address != ADDRESSES[3]]
    assert on_the_list(engine) == gone, "fourteen, and nobody of the versions before"
    land(engine, table.overwrite(table.rows).checkpoint())
    assert engine.run().state is State.NOTHING, "the same people in other files"
    vacuum(table)
    land(engine, table.append([ROWS[19]]))
    well(engine.run())
    assert on_the_list(engine) == [*gone, ADDRESSES[19]]


def test_a_table_that_is_not_understood_any_more_takes_nobody_off(engine: Engine) -> None:
    table = Table().create().append(ROWS)
    land(engine, table)
    engine.define()
    well(engine.run())
    table.append([])
    path = next(iter(table.live))
    table.commit({"remove": {"path": path}})
    spoilt: list[tuple[dict[str, Any], str]] = [
        ({"protocol": {"minReaderVersion": 3, "readerFeatures": ["deletionVectors"]}}, "reader version 3"),
        ({"add": table.live[path][0] | {"deletionVector": {"storageType": "u"}}}, "deletionVectors"),
        ({"add": {"path": "gone.parquet", "size": 9, "partitionValues": {}}}, "was taken away"),
        ({"future": {}}, "the action future"),
    ]
    before = dict(table.files)
    version = table.version
    for action, words in spoilt:
        table.files, table.version = dict(before), version
        table.commit(action)
        land(engine, table)
        run = engine.run()
        assert run.state is State.FAILED
        assert words in run.message
        assert on_the_list(engine) == ADDRESSES
        engine.landing.delete_blob(f"Loyal/_delta_log/{table.version:020}.json")


def test_a_version_that_would_empty_a_list_waits_for_a_person(engine: Engine) -> None:
    table = Table().create().append(ROWS)
    land(engine, table)
    engine.define(guards={})
    well(engine.run())
    land(engine, table.overwrite([]))
    assert engine.run().state is State.BLOCKED
    assert on_the_list(engine) == ADDRESSES


def test_a_table_for_each_date(engine: Engine) -> None:
    engine.land(people(20))
    engine.define()
    well(engine.run())
    engine.at += timedelta(minutes=1)
    for day, left in (("2062-01-01", 20), (f"{engine.at:%Y%m%dT%H%M%SZ}", 14)):
        table = Table().create().append(ROWS).overwrite(ROWS[:15]).delete(lambda row: row == ROWS[3])
        table.files["_SUCCESS"] = b""
        land(engine, table, f"Loyal/{day}")
        run = engine.run()
        assert len(engine.members()) == left, run.message
    assert "a Delta table; before: CSV with a header" in " ".join(engine.delivery(run).warnings)


def test_the_segments_page_says_which_version_is_read(engine: Engine) -> None:
    land(engine, Table().create().append(ROWS[:2]).append(ROWS[2:4]))
    [view] = control.views(engine.service)
    assert (view.read_as, view.files, view.problems) == ("a Delta table, version 2", 2, ())
    assert len(control.first_rows(engine.service, view.id).rows) == 2


def test_a_column_that_is_added_is_told_of_and_one_that_goes_is_missed(engine: Engine) -> None:
    table = Table().create().append(ROWS)
    land(engine, table)
    engine.define()
    well(engine.run())
    land(engine, table.add_column("Tier").append([]))
    run = engine.run()
    assert engine.delivery(run).message == "New in Loyal: Tier."
    assert "written in another way" not in " ".join(engine.delivery(run).warnings), "a version is no other way"
    other = Table(("EMail", "FirstName")).metadata["schemaString"]
    table.commit({"metaData": table.metadata | {"schemaString": other}})
    land(engine, table)
    run = engine.run()
    assert run.state is State.FAILED
    assert "'City'" in run.message
    assert on_the_list(engine) == ADDRESSES


def test_a_run_stays_at_the_version_that_it_found(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    table = Table().create().append(ROWS[:5])
    land(engine, table)
    engine.define()
    real = Reader.add
    newer = [table.overwrite]

    def slow(reader: Reader, snapshot: Snapshot) -> None:
        if newer:  # it comes once the run knows what it is to read, and has not read it yet
            land(engine, newer.pop()(ROWS[5:10]))
        real(reader, snapshot)

    monkeypatch.setattr(Reader, "add", slow)
    well(engine.run())
    assert on_the_list(engine) == ADDRESSES[:5]
    well(engine.run())
    assert on_the_list(engine) == ADDRESSES[5:10]
