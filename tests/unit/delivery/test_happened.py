"""Files of events: their names, and who may write one again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from shared.cloud.blobs import Blobs
from shared.cloud.cloud import Cloud
from shared.cloud.settings import Settings, from_environment
from shared.delivery.commit.happened import EventLog
from shared.delivery.sql import literal
from shared.delivery.state import events, layout
from shared.delivery.state.events import EventFile
from shared.errors import LeaseLost
from tests.memory import in_memory
from tests.unit.delivery.parts import bucket, database

FOLDER, COMMIT = "events/acc/list/", "20261129-120000-000-aaaa-000"
ANN, BOB = "ann@example.com", "bob@example.com"
NAME = layout.events(FOLDER, COMMIT, 0, 255)


@dataclass
class World:
    blobs: Blobs
    where: Path
    held: bool = True

    def log(self) -> EventLog:
        return EventLog(
            blobs=self.blobs,
            folder=FOLDER,
            commit=COMMIT,
            generation=3,
            at=datetime(2026, 11, 29, 12, tzinfo=UTC),
            facts={"export": "newsletter", "run": COMMIT[:-4]},
            salt=events.salt(self.blobs),
            addresses=True,
            lists=False,
            hold=self.hold,
        )

    def hold(self) -> None:
        if not self.held:
            raise LeaseLost("it is another worker's")

    def write(self, *people: str, log: EventLog | None = None) -> None:
        rows = ", ".join(f"({literal(each)}, {bucket(each)}, 'add', 'accepted', '', 'member')" for each in people)
        database().execute(f"""
            CREATE OR REPLACE TEMP VIEW became AS
            SELECT *, NULL::BOOLEAN AS moved, NULL::VARCHAR AS rule, NULL::UBIGINT AS person
            FROM (VALUES {rows}) AS t(address, bucket, kind, outcome, code, status)
        """)
        (log or self.log()).write_outcomes(database(), 0, 255, self.where)
        assert list(self.where.iterdir()) == [], "nothing is left on disk"

    def people(self) -> list[str]:
        path = self.where / "read.parquet"
        assert self.blobs.fetch(NAME, path) is not None
        found = database().execute(f"SELECT address FROM read_parquet({literal(str(path))})").fetchall()
        path.unlink()
        return sorted(address for (address,) in found)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with in_memory() as address:
        yield World(Cloud(Settings(state_storage=address, segment_storage=address)).blobs, tmp_path)


def test_who_commits_again_writes_the_same_file(world: World) -> None:
    world.write(ANN)
    world.write(ANN, BOB)
    assert world.people() == [ANN, BOB]
    assert list(world.blobs.names(FOLDER)) == [NAME]


def test_columns_that_are_written_as_enumerations_are_texts_to_whoever_reads_them(world: World) -> None:
    world.write(ANN, BOB)
    path = world.where / "read.parquet"
    assert world.blobs.fetch(NAME, path) is not None
    file = literal(str(path))
    described = database().execute(f"DESCRIBE FROM read_parquet({file})").fetchall()
    stored = "SELECT name, converted_type FROM parquet_schema($1) WHERE type = 'BYTE_ARRAY'"
    assert {name: kind for name, kind, *_ in described} == events.COLUMNS
    texts = {name for name, kind in events.COLUMNS.items() if kind == "VARCHAR"}
    assert dict(database().execute(stored, [str(path)]).fetchall()) == dict.fromkeys(texts, "UTF8")
    told = database().execute(f"SELECT DISTINCT export, run, vendor, operation, status FROM read_parquet({file})")
    assert told.fetchall() == [("newsletter", COMMIT[:-4], None, "add", "member")]
    path.unlink()


def test_a_worker_that_lost_the_account_writes_over_nothing(world: World) -> None:
    late = world.log()
    world.write(ANN)
    world.held = False
    with pytest.raises(LeaseLost):
        world.write(ANN, BOB, log=late)
    assert world.people() == [ANN]


def test_a_worker_that_lost_the_account_just_then_writes_over_nothing(
    world: World, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Somebody is forgotten between its look at the file and its write."""
    world.write(ANN, BOB)
    late, other = world.log(), World(world.blobs, tmp_path_factory.mktemp("other"))

    def loses_it() -> None:
        other.write(ANN)

    with pytest.raises(LeaseLost):
        world.write(ANN, BOB, log=replace(late, hold=loses_it))
    assert world.people() == [ANN]


def test_where_everybody_was_forgotten_a_file_stands_in_a_late_workers_way(world: World) -> None:
    world.write("forgotten")
    assert world.people() == []
    world.held = False
    with pytest.raises(LeaseLost):
        world.write(ANN)


def test_a_name_tells_of_its_run_its_commit_and_its_buckets() -> None:
    file = EventFile.of(layout.event_list(FOLDER, COMMIT, 16, 31))
    assert file == EventFile(f"{FOLDER}{COMMIT}-10-1f-list.parquet", COMMIT, 16, 31, listing=True)
    assert file.began == datetime(2026, 11, 29, 12, tzinfo=UTC)
    assert [file.has(*each) for each in ((0, 15), (15, 16), (31, 31), (32, 255))] == [False, True, True, False]
    assert EventFile.of(f"{FOLDER}other.parquet") is None


def test_a_list_is_complete_where_each_bucket_was_written() -> None:
    half = [EventFile("", "half", 0, 127, True), EventFile("", "half", 128, 255, False)]
    whole = [EventFile("", "whole", 0, 127, True), EventFile("", "whole", 128, 255, True)]
    assert events.complete_lists([*half, *whole]) == {"whole"}


@pytest.mark.parametrize(
    ("listed", "days", "expected"),
    [
        ("", 400, True),
        ("20261128-120000-000-aaaa-000", 400, False),
        ("20261031-120000-000-aaaa-000", 400, False),
        ("20261030-120000-000-aaaa-000", 400, True),
        ("20261124-120000-000-aaaa-000", 20, True),
        ("20261125-120000-000-aaaa-000", 20, False),
    ],
)
def test_a_list_is_written_by_the_first_commit_and_every_month(listed: str, days: int, expected: bool) -> None:
    assert events.lists_again(listed, COMMIT, days) is expected


def test_a_person_has_one_hash_however_the_address_is_written(world: World) -> None:
    salt = events.salt(world.blobs)
    assert events.salt(world.blobs) == events.known_salt(world.blobs) == salt
    [(in_sql,)] = database().execute(f"SELECT {events.hashed(salt, literal(ANN))}").fetchall()
    assert events.address_hash(salt, f" {ANN.upper()} ") == in_sql
    assert len(in_sql) == events.HASH_LENGTH
    assert events.address_hash("other", ANN) != in_sql


def test_settings_say_whether_addresses_are_written_and_for_how_long() -> None:
    storage = {"AzureWebJobsStorage": "UseDevelopmentStorage=true"}
    usual = from_environment(storage)
    assert (usual.event_days, usual.event_addresses) == (400, False)
    other = from_environment({**storage, "EVENT_DAYS": "0", "EVENT_ADDRESSES": "plain"})
    assert (other.event_days, other.event_addresses) == (0, True)
    with pytest.raises(ValueError, match="EVENT_ADDRESSES must be 'hashed' or 'plain'"):
        from_environment({**storage, "EVENT_ADDRESSES": "salted"})
