"""A ledger's manifest and files: written, swapped and read again, and what is said where they are not right."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from shared.delivery.state import ledger
from shared.delivery.state.files import DataFile
from shared.delivery.state.ledger import COLUMNS, Commit, Ledger, LedgerFile
from shared.errors import Blocked, Conflict
from tests.unit.delivery import parts
from tests.unit.delivery.parts import LONG_AGO, Blobs, bucket, database

FOLDER = "ledgers/acc/list/"
MANIFEST = "ledgers/acc/list/manifest.json"
FIRST, SECOND = "20261129-120000-000-aaaa-000", "20261129-120200-000-bbbb-000"
FILE = DataFile("ledgers/acc/list/a/000.parquet", "md5", 100, 7)
MADE = Ledger(FIRST, (LedgerFile(0, 127, 5, FILE, 2), LedgerFile(128, 255, 1, FILE, 0)), ("old",), 3, ({"key": "k"},))


@pytest.fixture
def blobs() -> Any:
    return Blobs()


def saved(blobs: Any, made: Ledger = MADE) -> Ledger:
    ledger.save(blobs, FOLDER, made, etag=None)
    return ledger.read(blobs, FOLDER)


def refused(act: Callable[[], object]) -> str:
    with pytest.raises(Blocked) as raised:
        act()
    assert raised.value.message
    return raised.value.code


def test_a_ledger_is_read_as_it_was_written(blobs: Any) -> None:
    found = saved(blobs)
    assert found.etag
    assert found == Ledger(MADE.commit, MADE.files, MADE.previous, 3, MADE.snapshots, found.etag)
    assert found.members == 6
    assert json.loads(blobs.contents[MANIFEST])["version"] == 1
    assert "etag" not in json.loads(blobs.contents[MANIFEST])


def test_an_older_version_counted_neither_generations_nor_the_unsure(blobs: Any) -> None:
    saved(blobs)
    plain = json.loads(blobs.contents[MANIFEST])
    del plain["generation"], plain["files"][0]["maybe"]
    blobs.contents[MANIFEST] = json.dumps(plain).encode()
    found = ledger.read(blobs, FOLDER)
    assert (found.generation, found.files[0].maybe) == (0, 0)


def test_it_is_swapped_only_where_it_is_the_one_that_was_read(blobs: Any) -> None:
    found = saved(blobs)
    with pytest.raises(Conflict):
        ledger.save(blobs, FOLDER, MADE, etag=None)
    with pytest.raises(Conflict):
        ledger.save(blobs, FOLDER, MADE, etag="another")
    ledger.save(blobs, FOLDER, Ledger(SECOND, generation=4), etag=found.etag)
    assert ledger.read(blobs, FOLDER).commit == SECOND


def test_where_none_was_ever_there_is_an_empty_one(blobs: Any) -> None:
    assert ledger.read(blobs, FOLDER) == Ledger()
    assert refused(lambda: ledger.read(blobs, FOLDER, committed=Commit(FIRST, 1))) == "ledger_missing"


DAMAGED = [b"", b"{", b"[]", b"null", b"{}", b'{"version": 1}']


@pytest.mark.parametrize("content", DAMAGED)
def test_one_that_cannot_be_read_is_damaged(blobs: Any, content: bytes) -> None:
    blobs.contents[MANIFEST] = content
    assert refused(lambda: ledger.read(blobs, FOLDER)) == "ledger_damaged"
    assert ledger.emptied(blobs, FOLDER, unless="").etag == blobs.read(MANIFEST)[1]


@pytest.mark.parametrize("field", ["version", "commit", "files", "previous", "snapshots"])
def test_one_that_lacks_something_or_is_of_another_version_is_damaged(blobs: Any, field: str) -> None:
    saved(blobs)
    plain = json.loads(blobs.contents[MANIFEST])
    for wrong in ({**plain, "version": 2}, {name: value for name, value in plain.items() if name != field}):
        blobs.contents[MANIFEST] = json.dumps(wrong).encode()
        assert refused(lambda: ledger.read(blobs, FOLDER)) == "ledger_damaged"


def test_one_that_was_put_back_from_a_backup_is_not_used(blobs: Any) -> None:
    saved(blobs)
    assert ledger.read(blobs, FOLDER, committed=Commit(FIRST, 3)).commit == FIRST
    assert ledger.read(blobs, FOLDER, committed=Commit(FIRST, 2)).commit == FIRST
    assert refused(lambda: ledger.read(blobs, FOLDER, committed=Commit(SECOND, 4))) == "ledger_older"


def test_an_empty_one_takes_its_place(blobs: Any) -> None:
    assert ledger.emptied(blobs, FOLDER) == Ledger()
    found = saved(blobs)
    assert ledger.emptied(blobs, FOLDER) == Ledger(etag=found.etag)
    assert ledger.emptied(blobs, FOLDER, unless=SECOND) == Ledger(etag=found.etag)
    assert ledger.emptied(blobs, FOLDER, unless=FIRST) == found


def test_one_without_a_name_is_not_taken_for_the_commit_without_one(blobs: Any) -> None:
    found = saved(blobs, Ledger("", MADE.files))
    assert ledger.emptied(blobs, FOLDER) == Ledger(etag=found.etag)


PEOPLE = [f"p{number}@example.com" for number in range(16)]


def known(who: str) -> dict[str, object]:
    return {
        "address": who,
        "status": "member",
        "hash": 18_446_744_073_709_551_615,
        "vendor_id": "v",
        "code": "c",
        "retry": "never",
        "refused_hash": 7,
        "changed_at": LONG_AGO,
        "removed_at": LONG_AGO,
        "run": "r",
        "person": 18_446_744_073_709_551_614,
        "row": 18_446_744_073_709_551_613,
    }


@pytest.mark.parametrize(
    ("first", "last", "read"), [(0, 255, 4), (64, 127, 1), (100, 200, 3), (127, 128, 2), (0, 0, 1)]
)
def test_rows_of_some_buckets_are_loaded(blobs: Any, tmp_path: Path, first: int, last: int, read: int) -> None:
    made = parts.ledger(blobs, tmp_path, *map(known, PEOPLE), parts=4)
    paths = ledger.load(parts.files(blobs), database(), made, first, last, tmp_path)
    assert len(paths) == read
    assert set(paths) == set(tmp_path.iterdir())
    found = database().execute("FROM ledger").fetchall()
    assert {row[0] for row in found} == {who for who in PEOPLE if first <= bucket(who) <= last}
    for row in found:
        assert dict(zip(COLUMNS, row, strict=True)) == {**known(row[0]), "bucket": bucket(row[0])}


def test_an_empty_ledger_has_the_same_columns(blobs: Any, tmp_path: Path) -> None:
    assert ledger.load(parts.files(blobs), database(), Ledger(), 0, 255, tmp_path) == []
    empty = database().execute("DESCRIBE ledger").fetchall()
    ledger.load(parts.files(blobs), database(), parts.ledger(blobs, tmp_path, known("a@b.de")), 0, 255, tmp_path)
    assert database().execute("DESCRIBE ledger").fetchall() == empty
    assert {name: kind for name, kind, *_ in empty} == COLUMNS


def test_a_file_that_is_gone_is_damage(blobs: Any, tmp_path: Path) -> None:
    made = parts.ledger(blobs, tmp_path, *map(known, PEOPLE), parts=2)
    del blobs.contents[made.files[1].file.name]
    kept = cast("Any", parts.files(blobs))
    assert refused(lambda: ledger.load(kept, database(), made, 0, 255, tmp_path)) == "ledger_damaged"
    assert len(ledger.load(kept, database(), made, 0, 127, tmp_path)) == 1
