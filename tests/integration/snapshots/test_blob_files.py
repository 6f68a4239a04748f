from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from typing import Any

import duckdb
import pytest

from shared.cloud.blob_files import BLOCK_BYTES, BlobChanged, BlobFiles, Pin
from tests.integration.snapshots.landing import Landing


@pytest.fixture
def files(landing: Landing) -> BlobFiles:
    return BlobFiles(landing.client, "staging")


@pytest.fixture
def duck(files: BlobFiles) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(config={"threads": 2}) as connection:
        connection.register_filesystem(files)
        yield connection
        connection.unregister_filesystem("staging")


def names(landing: Landing) -> list[str]:
    return [str(blob.name) for blob in landing.container.list_blobs()]


def test_a_file_is_read_by_ranges(landing: Landing, files: BlobFiles) -> None:
    content = random.Random(1).randbytes(2 * BLOCK_BYTES + 17)
    landing.put("a b/ü?.bin", content)
    with files.open(files.url(landing.container.container_name, "a b/ü?.bin"), "rb") as file:
        file.seek(-7, 2)
        assert file.read() == content[-7:]
        file.seek(5)
        assert file.read(10) == content[5:15]
        assert file.tell() == 15
        assert b"".join(iter(lambda: file.read(100_000), b"")) == content[15:]
        assert file.read(1) == b""


def test_small_reads_are_read_ahead(landing: Landing, files: BlobFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    content = random.Random(1).randbytes(BLOCK_BYTES + 100)
    landing.put("x", content)
    fetched = []
    fetch = BlobFiles._fetch

    def noted(*arguments: Any) -> bytes:
        fetched.append(arguments[-1])
        return fetch(*arguments)

    monkeypatch.setattr(BlobFiles, "_fetch", noted)
    with files.open(files.url(landing.container.container_name, "x"), "rb") as file:
        assert b"".join(iter(lambda: file.read(32_768), b"")) == content
    assert fetched == [BLOCK_BYTES, 100]


def test_threads_that_share_a_file_do_not_disturb_each_other(landing: Landing, files: BlobFiles) -> None:
    content = random.Random(2).randbytes(1 << 20)
    landing.put("x", content)
    file = files.open(files.url(landing.container.container_name, "x"), "rb")
    all_sought = threading.Barrier(4)
    found: dict[int, bytes] = {}

    def read(start: int) -> None:
        for _ in range(5):
            file.seek(start)
            all_sought.wait()
            found[start] = file.read(1000)
            all_sought.wait()

    threads = [threading.Thread(target=read, args=(start,)) for start in (0, 5000, 300_000, 900_000)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {start: content[start : start + 1000] for start in found}


def test_a_blob_without_a_pin_is_pinned_when_it_is_first_looked_at(landing: Landing, files: BlobFiles) -> None:
    landing.put("x", "before")
    file = files.open(files.url(landing.container.container_name, "x"), "rb")
    landing.put("x", "behind")
    with pytest.raises(BlobChanged):
        file.read()
    assert isinstance(files.failure, BlobChanged)


def test_a_pinned_version_is_the_only_one_that_is_read(landing: Landing, files: BlobFiles) -> None:
    landing.put("x", "before")
    container = landing.container.container_name
    files.pin(container, "x", Pin('"0x0"', 6))
    with pytest.raises(BlobChanged):
        files.open(files.url(container, "x"), "rb").read()


def test_what_is_not_there_is_said(landing: Landing, files: BlobFiles) -> None:
    with pytest.raises(BlobChanged):
        files.open(files.url(landing.container.container_name, "x"), "rb")


def test_each_blob_has_its_own_failure_where_several_are_read_at_once(landing: Landing, files: BlobFiles) -> None:
    for name in ("first.csv", "second.csv"):
        with pytest.raises(BlobChanged):
            files.open(f"{landing.container.container_name}/{name}", "rb").read()
    for name in ("second.csv", "first.csv"):
        assert name in str(files.take_failure(landing.container.container_name, name))
        assert files.take_failure(landing.container.container_name, name) is None
    assert files.failure is None


def test_a_file_shows_up_when_writing_ends_well(
    landing: Landing, files: BlobFiles, duck: duckdb.DuckDBPyConnection
) -> None:
    url = files.url(landing.container.container_name, "out/x.parquet")
    with files.writing():
        duck.execute(f"COPY (SELECT range AS n, md5(range::VARCHAR) AS text FROM range(300_000)) TO '{url}'")
        assert names(landing) == []
    assert names(landing) == ["out/x.parquet"]
    assert landing.container.get_blob_client("out/x.parquet").get_blob_properties().size > BLOCK_BYTES
    assert duck.execute(f"SELECT count(DISTINCT text) FROM read_parquet('{url}')").fetchall() == [(300_000,)]


def test_a_file_that_is_written_holds_no_more_than_a_block_in_memory(landing: Landing, files: BlobFiles) -> None:
    content = random.Random(1).randbytes(2500)
    with files.writing(block=1000), files.open(files.url(landing.container.container_name, "x"), "wb") as file:
        for start in range(0, len(content), 700):
            file.write(content[start : start + 700])
    blob = landing.container.get_blob_client("x")
    committed, _ = blob.get_block_list("committed")
    assert [block.size for block in committed] == [1000, 1000, 500]
    assert blob.download_blob().readall() == content


def test_one_query_may_write_many_files(landing: Landing, files: BlobFiles, duck: duckdb.DuckDBPyConnection) -> None:
    url = files.url(landing.container.container_name, "out")
    with files.writing():
        rows = "SELECT range % 3 AS part, range AS n FROM range(9000)"
        duck.execute(f"COPY ({rows}) TO '{url}' (FORMAT parquet, PARTITION_BY (part))")
    assert {name.rpartition("/")[0] for name in names(landing)} == {"out/part=0", "out/part=1", "out/part=2"}
    urls = [files.url(landing.container.container_name, name) for name in names(landing)]
    assert duck.execute(f"SELECT count(*), sum(n) FROM read_parquet({urls})").fetchall() == [(9000, 9000 * 8999 // 2)]


def test_nothing_shows_up_when_the_query_fails(
    landing: Landing, files: BlobFiles, duck: duckdb.DuckDBPyConnection
) -> None:
    """DuckDB has closed the file by then, as it does when all is well."""
    container = landing.container.container_name
    landing.put("kept", "before")
    bad = "SELECT CASE WHEN range = 290_000 THEN error('no') ELSE md5(range::VARCHAR) END AS n FROM range(300_000)"
    with pytest.raises(duckdb.InvalidInputException), files.writing():
        duck.execute(f"COPY (SELECT 1 AS n) TO '{files.url(container, 'first.parquet')}'")
        duck.execute(f"COPY ({bad}) TO '{files.url(container, 'kept')}' (FORMAT parquet)")
    assert names(landing) == ["kept"]
    assert landing.container.download_blob("kept").readall() == b"before"


def test_a_file_that_was_replaced_can_be_read_again(
    landing: Landing, files: BlobFiles, duck: duckdb.DuckDBPyConnection
) -> None:
    url = files.url(landing.container.container_name, "x.parquet")
    for number in (1, 2):
        with files.writing():
            duck.execute(f"COPY (SELECT {number} AS n) TO '{url}'")
        assert duck.execute(f"SELECT n FROM read_parquet('{url}')").fetchall() == [(number,)]


def test_files_cannot_be_written_by_the_way(landing: Landing, files: BlobFiles) -> None:
    url = files.url(landing.container.container_name, "x")
    with pytest.raises(ValueError, match="writing"):
        files.open(url, "wb")
    with files.writing(), pytest.raises(ValueError, match="whole"):
        files.open(url, "ab")
