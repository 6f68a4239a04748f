"""What is wrong with a file is said with its name, the line and the reason, and never with what is in it."""

from __future__ import annotations

import gzip
import logging
import random
import traceback
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from azure.core.exceptions import ServiceRequestError
from azure.core.pipeline.transport import RequestsTransport
from azure.storage.blob import BlobServiceClient

from shared.cloud.settings import StorageAddress
from shared.snapshots.counts import count_rows
from shared.snapshots.heads import HEAD_BYTES
from shared.snapshots.reading import reader
from shared.snapshots.snapshot import CsvFormat, ParquetFormat, Snapshot
from shared.snapshots.unreadable import QueryFailed, SnapshotChanged, SnapshotUnreadable, translate
from tests.integration.snapshots.landing import SETTINGS, Landing

SECRET = "bob@example.com"
GZIP = CsvFormat(compression="gzip")
ROWS = gzip.compress(b"a,b\n" + b"".join(b"%d,%d\n" % (n, n * 7919 % 1_000_003) for n in range(50_000)))


def failure(landing: Landing, snapshot: Snapshot) -> SnapshotUnreadable:
    with pytest.raises(SnapshotUnreadable) as caught:
        landing.rows(snapshot, "a", "b")
    said = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    assert SECRET not in said
    assert "bob" not in said
    assert caught.value.file == snapshot.files[-1].path
    assert caught.value.file in caught.value.message
    return caught.value


@pytest.mark.parametrize(
    ("content", "line", "reason"),
    [
        (f"a,b\n1,x\n2,{SECRET},3\n", 3, "3 cells where 2 are expected"),
        (f"a,b\n1,x\n{SECRET}\n", 3, "1 cells where 2 are expected"),
        (f'a,b\n1,"x\ny"\n2,{SECRET},3\n', 3, "3 cells where 2 are expected"),
        (f'a,b\n1,"{SECRET}"x\n', None, "is not doubled"),
        (f'a,b\n1,x\n2,"{SECRET}\n3,y\n', None, "never closed"),
        (f'a,b\n1,{SECRET}"\n', None, "never closed"),
        (b"a,b\n1,bob\xff@example.com\n", 2, "encoding"),
        (b"a,b\n1,bob\xff@example.com Expected Number of Columns: 7 Found: 9\n", 2, "encoding"),
        (f"a,b\n1,{SECRET}{'x' * 1_100_000}\n", 2, "longer than"),
        (f'a,b\n1,"{SECRET}{"x" * 1_100_000}"\n', 2, "longer than"),
        (f"a,b\r\n1,{SECRET}\n2,y\r\n", None, "mixed up"),
        (f"a,b\n1,{SECRET}\r\n2,y\n", None, "mixed up"),
        (f"a,b\n1,{SECRET} GZIP Parquet unterminated quote,3\n", 2, "3 cells where 2 are expected"),
        (f'a,b\n1,"{SECRET}\nPossible fixes:\nfile = segments://x/y",3\n', 2, "3 cells where 2 are expected"),
        (f"{SECRET},b\n1,2\n", 1, "no header"),
        (f'a,"{SECRET}\n', 1, "quoting is malformed"),
    ],
)
def test_csv(landing: Landing, content: bytes | str, line: int | None, reason: str) -> None:
    error = failure(landing, landing.snapshot("a,b\n1,x\n", content))
    assert reason in error.reason
    assert error.line == line
    assert error.code == "snapshot_unreadable"


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(ROWS[: len(ROWS) // 2], id="cut in the middle"),
        pytest.param(ROWS[:-1], id="cut at the end"),
        pytest.param(ROWS[:5], id="cut in the header"),
        pytest.param(ROWS[:-8] + b"\0\0\0\0" + ROWS[-4:], id="wrong checksum"),
        pytest.param(ROWS[:9000] + b"\xff" * 50 + ROWS[9050:], id="other bytes"),
        pytest.param(f"a,b\n1,{SECRET}\n".encode(), id="not compressed"),
        pytest.param(ROWS + b"rubbish", id="rubbish behind"),
    ],
)
def test_gzip(landing: Landing, content: bytes) -> None:
    assert "gzip" in failure(landing, landing.snapshot(gzip.compress(b"a,b\n"), content, kind=GZIP)).reason


def test_a_gzip_file_with_one_endless_line_is_not_unpacked_into_memory(landing: Landing) -> None:
    bomb = gzip.compress(b"a,b\n1," + b"x" * (64 << 20))
    assert len(bomb) < 100_000
    assert "longer than" in failure(landing, landing.snapshot(bomb, kind=GZIP)).reason


@pytest.fixture
def parquet(tmp_path: Path) -> bytes:
    with duckdb.connect() as duck:
        duck.execute(f"COPY (SELECT range AS a, '{SECRET}' || range AS b FROM range(50_000)) TO '{tmp_path}/x.parquet'")
    return (tmp_path / "x.parquet").read_bytes()


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda data: b"", id="empty"),
        pytest.param(lambda data: data[:-1000], id="cut"),
        pytest.param(lambda data: data[:-8] + b"\xff\xff\xff\x0fPAR1", id="footer's length"),
        pytest.param(lambda data: data[:-500] + b"\xff" * 400 + data[-100:], id="footer"),
        pytest.param(lambda data: data[:100_000] + b"\xff" * 300 + data[100_300:], id="data"),
    ],
)
def test_parquet(landing: Landing, parquet: bytes, damage: Callable[[bytes], bytes]) -> None:
    failure(landing, landing.snapshot(damage(parquet), kind=ParquetFormat()))


LONG = "1,x\n" * HEAD_BYTES
"""What is fetched whole with its head is not asked for again."""


def test_a_small_file_that_changes_is_read_as_it_was_pinned(landing: Landing) -> None:
    snapshot = landing.snapshot("a,b\n1,x\n")
    with reader(landing.client, SETTINGS) as opened:
        source = opened.scan(snapshot, ["a"]).sql
        landing.put("seg/part-0", "a,b\n3,z\n")
        assert opened.connection.execute(source).fetchall() == [("1", 0)]


@pytest.mark.parametrize("change", ["replaced", "deleted"])
def test_a_file_that_changes_is_to_be_found_and_read_again(landing: Landing, change: str) -> None:
    snapshot = landing.snapshot("a,b\n1,x\n", "a,b\n2,y\n" + LONG)

    def change_it() -> None:
        if change == "replaced":
            landing.put("seg/part-1", "a,b\n3,z\n")
        else:
            landing.container.delete_blob("seg/part-1")

    with pytest.raises(SnapshotChanged), reader(landing.client, SETTINGS) as opened:
        source = opened.scan(snapshot, ["a", "b"]).sql
        change_it()
        opened.connection.execute(source).fetchall()
    with reader(landing.client, SETTINGS) as opened, pytest.raises(SnapshotChanged):
        opened.scan(snapshot, ["a", "b"])


def test_a_parquet_file_that_changes_too(landing: Landing, parquet: bytes) -> None:
    snapshot = landing.snapshot(parquet, kind=ParquetFormat())
    landing.put("seg/part-0", parquet)
    with pytest.raises(SnapshotChanged), reader(landing.client, SETTINGS) as opened:
        opened.scan(snapshot, ["a"])


def test_storage_that_does_not_answer_is_said_as_azure_says_it(
    landing: Landing, storage: StorageAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = landing.snapshot("a,b\n1,x\n" + LONG)
    impatient = BlobServiceClient.from_connection_string(str(storage.connection_string), retry_total=0)

    def refuse(*_: object, **__: object) -> None:
        raise ServiceRequestError("no route")

    with pytest.raises(ServiceRequestError, match="no route"), reader(impatient, SETTINGS) as opened:
        source = opened.scan(snapshot, ["a"]).sql
        monkeypatch.setattr(RequestsTransport, "send", refuse)
        opened.connection.execute(source).fetchall()


def test_other_failures_of_a_query_show_nothing_of_the_rows(landing: Landing) -> None:
    snapshot = landing.snapshot(f"a,b\n1,{SECRET}\n")
    with pytest.raises(QueryFailed) as caught, reader(landing.client, SETTINGS) as opened:
        opened.connection.execute(f"SELECT cell_0::INTEGER FROM ({opened.scan(snapshot, ['b']).sql})").fetchall()
    assert SECRET not in "".join(traceback.format_exception(caught.value))


def test_mistakes_in_the_sql_stay_what_they_are(landing: Landing) -> None:
    with pytest.raises(duckdb.BinderException, match="nonsense"), reader(landing.client, SETTINGS) as opened:
        opened.connection.execute("SELECT nonsense FROM (SELECT 1)")


def test_nothing_of_a_row_is_logged(landing: Landing, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        failure(landing, landing.snapshot(f"a,b\n1,{SECRET},3\n"))
    assert "bob" not in caplog.text


def test_what_duckdb_quotes_never_gets_into_words() -> None:
    """The quoted line may look like anything."""
    chance = random.Random(5)
    scraps = [
        SECRET,
        "\n",
        "\n\n",
        "Possible fixes:",
        "file = segments://c/other.csv",
        "Expected Number of Columns: 7 ",
    ]
    for _ in range(200):
        quoted = "".join(chance.choices(scraps, k=8))
        text = (
            f"Invalid Input Error: CSV Error on Line: 9\nOriginal Line: {quoted}\n"
            "Expected Number of Columns: 2 Found: 3\nPossible fixes:\n* Enable\n\n  file = segments://c/bad.csv\n"
        )
        error = translate(duckdb.InvalidInputException(text), ["segments://c/other.csv", "segments://c/bad.csv"])
        assert isinstance(error, SnapshotUnreadable)
        assert (error.file, error.line) == ("c/bad.csv", 9)
        assert "bob" not in str(error)


def test_reading_leaves_nothing_behind(landing: Landing) -> None:
    with reader(landing.client, SETTINGS) as opened:
        count_rows(opened, landing.snapshot("a\n1\n"))
    with pytest.raises(duckdb.ConnectionException):
        opened.connection.execute("SELECT 1")
