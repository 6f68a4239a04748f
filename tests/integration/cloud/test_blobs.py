"""Blob Storage does what plans, journals, ledgers and leases rely on."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests

from shared.cloud.blobs import Blobs, StoredFile
from shared.cloud.settings import StorageAddress
from shared.errors import Conflict, LeaseLost


@pytest.fixture
def blobs(storage: StorageAddress, unique: str) -> Blobs:
    return Blobs(storage, unique)


def test_what_is_not_there_reads_as_none(blobs: Blobs) -> None:
    assert blobs.read("nothing") is None


def test_a_blob_is_created_once(blobs: Blobs) -> None:
    blobs.create("manifest", b"first")
    with pytest.raises(Conflict):
        blobs.create("manifest", b"second")
    found = blobs.read("manifest")
    assert found is not None and found[0] == b"first"


def test_a_blob_is_swapped_only_over_the_version_that_was_read(blobs: Blobs) -> None:
    etag = blobs.create("manifest", b"1")
    blobs.write("manifest", b"2", etag=etag)
    with pytest.raises(Conflict):
        blobs.write("manifest", b"3", etag=etag)


def test_appending_makes_the_blob_and_keeps_the_order(blobs: Blobs) -> None:
    blobs.append("journal", b"one\n")
    blobs.append("journal", b"two\n")
    found = blobs.read("journal")
    assert found is not None and found[0] == b"one\ntwo\n"


def test_a_file_comes_back_as_it_was_or_not_at_all(blobs: Blobs, tmp_path: Path) -> None:
    path, back = tmp_path / "file", tmp_path / "back"
    path.write_bytes(b"x" * 5_000_000)
    stored = blobs.upload("data", path)
    assert blobs.download(stored, back)
    assert back.read_bytes() == path.read_bytes()
    blobs.write("data", b"tampered with")
    assert not blobs.download(stored, back)
    assert not blobs.download(StoredFile("gone", "", 0), back)


def test_pieces_become_one_blob_and_are_removed(blobs: Blobs, tmp_path: Path) -> None:
    pieces = [tmp_path / name for name in ("a", "b", "c")]
    for piece, text in zip(pieces, ("head\n", "", "tail\n"), strict=True):
        piece.write_text(text)
    blobs.compose("csv", iter(pieces))
    found = blobs.read("csv")
    assert found is not None and found[0] == b"head\ntail\n"
    assert not any(piece.exists() for piece in pieces)


def test_a_lease_is_held_by_one(blobs: Blobs) -> None:
    lease = blobs.acquire("account", 60)
    assert lease is not None
    assert blobs.acquire("account", 60) is None
    blobs.renew("account", lease)
    with pytest.raises(LeaseLost):
        blobs.write("account", b"{}", lease="00000000-0000-0000-0000-000000000000")
    blobs.write("account", b"{}", lease=lease)
    blobs.release("account", lease)
    with pytest.raises(LeaseLost):
        blobs.renew("account", lease)
    assert blobs.acquire("account", 60) is not None


def test_a_link_reads_one_blob_and_nothing_else(blobs: Blobs) -> None:
    blobs.create("rejected.csv", b"address\n")
    blobs.create("other", b"secret")
    url, _ = blobs.link("rejected.csv", seconds=60, file_name="rejected.csv")
    answer = requests.get(url, timeout=10)
    assert answer.content == b"address\n"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="rejected.csv"'
    assert requests.get(url.replace("rejected.csv", "other", 1), timeout=10).status_code == 403
