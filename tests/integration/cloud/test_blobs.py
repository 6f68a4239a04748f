"""Blob Storage does what plans, journals, ledgers and leases rely on."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from azure.core.exceptions import AzureError, HttpResponseError

from dev.faults.passing import let_go
from shared.cloud.blobs import Blobs, StoredFile
from shared.cloud.settings import StorageAddress
from shared.errors import Conflict, LeaseLost
from tests.integration.cloud.conftest import Clock

STRANGER = "00000000-0000-0000-0000-000000000000"
SHORTEST = 15
"""Seconds of a lease."""


@pytest.fixture
def blobs(account: StorageAddress, unique: str) -> Blobs:
    return Blobs(account, unique)


def content(blobs: Blobs, name: str) -> bytes:
    found = blobs.read(name)
    assert found is not None
    return found[0]


def etag(blobs: Blobs, name: str) -> str:
    found = blobs.read(name)
    assert found is not None
    return found[1]


def test_what_is_not_there_reads_as_none(blobs: Blobs, tmp_path: Path) -> None:
    assert blobs.read("nothing") is None
    assert blobs.head("nothing", 10) is None
    assert blobs.fetch("nothing", tmp_path / "file") is None
    assert not blobs.exists("nothing")
    assert list(blobs.names("")) == []
    blobs.delete("nothing")


def test_what_was_written_is_read_whole_in_part_and_with_the_version_that_was_written(
    blobs: Blobs, tmp_path: Path
) -> None:
    written = blobs.write("blob", b"0123456789")
    assert blobs.read("blob") == (b"0123456789", written)
    assert blobs.head("blob", 4) == b"0123"
    assert blobs.head("blob", 400) == b"0123456789"
    assert blobs.fetch("blob", tmp_path / "file") == written
    assert (tmp_path / "file").read_bytes() == b"0123456789"
    assert blobs.exists("blob")
    blobs.delete("blob")
    assert blobs.read("blob") is None
    assert not blobs.exists("blob")


def test_an_empty_blob_is_there(blobs: Blobs) -> None:
    blobs.create("empty", b"")
    assert (content(blobs, "empty"), list(blobs.names(""))) == (b"", ["empty"])
    with pytest.raises(HttpResponseError):
        blobs.head("empty", 10)


def test_a_blob_is_created_once(blobs: Blobs) -> None:
    blobs.create("manifest", b"first")
    with pytest.raises(Conflict):
        blobs.create("manifest", b"second")
    assert content(blobs, "manifest") == b"first"


def test_a_blob_is_swapped_only_over_the_version_that_was_read(blobs: Blobs) -> None:
    first = blobs.create("manifest", b"1")
    second = blobs.write("manifest", b"2", etag=first)
    assert first != second == etag(blobs, "manifest")
    with pytest.raises(Conflict):
        blobs.write("manifest", b"3", etag=first)
    assert content(blobs, "manifest") == b"2"
    blobs.delete("manifest")
    with pytest.raises(Conflict):
        blobs.write("manifest", b"3", etag=second)
    assert not blobs.exists("manifest")


def test_the_same_content_is_another_version(blobs: Blobs) -> None:
    assert blobs.write("blob", b"same") != blobs.write("blob", b"same")


def test_one_of_many_who_swap_at_once_wins(blobs: Blobs) -> None:
    read, won = blobs.create("manifest", b"0"), list[int]()

    def swap(number: int) -> None:
        try:
            blobs.write("manifest", str(number).encode(), etag=read)
        except Conflict:
            return
        won.append(number)

    together([lambda number=number: swap(number) for number in range(1, 6)])  # type: ignore[misc]
    assert [str(number).encode() for number in won] == [content(blobs, "manifest")]


def together(works: list[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_appending_makes_the_blob_and_keeps_the_order(blobs: Blobs) -> None:
    blobs.append("journal", b"one\n")
    before = etag(blobs, "journal")
    blobs.append("journal", b"two\n")
    assert content(blobs, "journal") == b"one\ntwo\n"
    assert etag(blobs, "journal") != before


def test_what_many_append_at_once_is_all_there(blobs: Blobs) -> None:
    together([lambda: blobs.append("journal", b"line\n") for _ in range(5)])
    assert content(blobs, "journal") == b"line\n" * 5


def test_a_blob_that_was_written_whole_is_not_appended_to(blobs: Blobs) -> None:
    blobs.write("blob", b"whole")
    with pytest.raises(AzureError):
        blobs.append("blob", b"more")
    assert content(blobs, "blob") == b"whole"


def test_a_journal_can_be_written_anew(blobs: Blobs) -> None:
    blobs.append("journal", b"one\n")
    blobs.write("journal", b"new")
    assert content(blobs, "journal") == b"new"


def test_a_file_comes_back_as_it_was_or_not_at_all(blobs: Blobs, tmp_path: Path) -> None:
    path, back = tmp_path / "file", tmp_path / "back"
    path.write_bytes(b"x" * 5_000_000)
    stored = blobs.upload("data", path)
    assert stored.size == 5_000_000
    assert blobs.download(stored, back)
    assert back.read_bytes() == path.read_bytes()
    blobs.write("data", b"tampered with")
    assert not blobs.download(stored, back)
    assert not blobs.download(StoredFile("gone", "", 0), back)


@pytest.fixture
def pieces(tmp_path: Path) -> list[Path]:
    made = [tmp_path / name for name in ("a", "b", "c")]
    for piece, text in zip(made, ("head\n", "", "tail\n"), strict=True):
        piece.write_text(text)
    return made


def test_pieces_become_one_blob_and_are_removed(blobs: Blobs, pieces: list[Path]) -> None:
    blobs.compose("csv", iter(pieces))
    assert content(blobs, "csv") == b"head\ntail\n"
    assert not any(piece.exists() for piece in pieces)


def test_pieces_replace_only_the_version_that_was_read(blobs: Blobs, pieces: list[Path], tmp_path: Path) -> None:
    read = blobs.create("csv", b"old")
    blobs.compose("csv", iter(pieces), etag=read)
    assert content(blobs, "csv") == b"head\ntail\n"
    late = tmp_path / "late"
    for gone in (False, True):
        late.write_text("late\n")
        with pytest.raises(Conflict):
            blobs.compose("csv", [late], etag=read)
        if gone:
            assert not blobs.exists("csv")
        else:
            assert content(blobs, "csv") == b"head\ntail\n"
            blobs.delete("csv")


def test_no_pieces_are_an_empty_blob(blobs: Blobs) -> None:
    blobs.compose("csv", [])
    assert content(blobs, "csv") == b""


def test_names_are_listed_in_order_below_a_prefix(blobs: Blobs) -> None:
    for name in ("b/2", "a/1", "b/10", "b", "b/1/x", "c/1"):
        blobs.write(name, b"")
    assert list(blobs.names("b/")) == ["b/1/x", "b/10", "b/2"]
    assert list(blobs.names("nothing")) == []
    assert len(list(blobs.names(""))) == 6


@pytest.mark.parametrize("name", ["with space", "späť/李", "a+b%20c", "quote'd", "~!$&()=@,;:"])
def test_names_are_taken_as_they_are(blobs: Blobs, name: str) -> None:
    blobs.write(name, name.encode())
    assert list(blobs.names("")) == [name]
    assert content(blobs, name) == name.encode()


# Leases


def test_a_lease_is_held_by_one(blobs: Blobs) -> None:
    lease = blobs.acquire("account", 60)
    assert lease is not None
    assert blobs.acquire("account", 60) is None
    blobs.renew("account", lease)
    with pytest.raises(LeaseLost):
        blobs.write("account", b"{}", lease=STRANGER)
    blobs.write("account", b"{}", lease=lease)
    blobs.release("account", lease)
    with pytest.raises(LeaseLost):
        blobs.renew("account", lease)
    assert blobs.acquire("account", 60) is not None


def test_a_lease_can_be_had_of_a_blob_as_it_was_read_only(blobs: Blobs) -> None:
    before = blobs.create("account", b"1")
    after = blobs.write("account", b"2")
    assert blobs.acquire("account", 60, etag=before) is None
    assert blobs.acquire("account", 60, etag=after) is not None


def test_what_is_leased_is_made_where_it_is_missing_and_keeps_what_it_has(blobs: Blobs) -> None:
    blobs.acquire("new", 60)
    assert content(blobs, "new") == b"{}"
    blobs.write("old", b"kept")
    blobs.acquire("old", 60)
    assert content(blobs, "old") == b"kept"


def test_a_lease_is_got_by_one_of_many_who_want_it_at_once(blobs: Blobs) -> None:
    got = list[str | None]()
    together([lambda: got.append(blobs.acquire("account", 60)) for _ in range(5)])
    assert len(got) == 5
    assert sum(lease is not None for lease in got) == 1


def test_who_has_no_lease_changes_nothing_of_what_is_leased(blobs: Blobs) -> None:
    before = blobs.create("account", b"1")
    lease = blobs.acquire("account", 60)
    assert lease is not None
    for conditions in ({"lease": STRANGER}, {"lease": STRANGER, "etag": before}):
        with pytest.raises(LeaseLost):
            blobs.write("account", b"2", **conditions)
    for conditions in ({}, {"etag": before}):  # a stranger holds what nobody here takes a lease on
        with pytest.raises(HttpResponseError):
            blobs.write("account", b"2", **conditions)
    with pytest.raises(HttpResponseError):
        blobs.delete("account")
    for act in (blobs.renew, blobs.release):
        with pytest.raises(LeaseLost):
            act("account", STRANGER)
    with pytest.raises(Conflict):
        blobs.create("account", b"2")
    assert content(blobs, "account") == b"1"


def test_a_lease_stays_while_its_holder_writes_version_after_version(blobs: Blobs) -> None:
    lease = blobs.acquire("account", 60)
    assert lease is not None
    first = blobs.write("account", b"1", lease=lease)
    blobs.write("account", b"2", lease=lease, etag=first)
    with pytest.raises(Conflict):
        blobs.write("account", b"3", lease=lease, etag=first)
    assert blobs.acquire("account", 60) is None
    blobs.renew("account", lease)
    assert content(blobs, "account") == b"2"


def test_who_let_go_can_neither_write_nor_let_go_again(blobs: Blobs) -> None:
    lease = blobs.acquire("account", 60)
    assert lease is not None
    blobs.release("account", lease)
    with pytest.raises(LeaseLost):
        blobs.write("account", b"late", lease=lease)
    with pytest.raises(LeaseLost):
        blobs.release("account", lease)
    assert content(blobs, "account") == b"{}"


def test_whoever_has_lost_the_lease_to_another_is_told_so(blobs: Blobs) -> None:
    first = blobs.acquire("account", 60)
    assert first is not None
    let_go(blobs.service.get_container_client(blobs.container), "account")
    for act in (blobs.renew, blobs.release):
        with pytest.raises(LeaseLost):
            act("account", first)
    second = blobs.acquire("account", 60)
    assert second is not None
    for act in (blobs.renew, blobs.release):
        with pytest.raises(LeaseLost):
            act("account", first)
    with pytest.raises(LeaseLost):
        blobs.write("account", b"late", lease=first)
    blobs.write("account", b"mine", lease=second)
    with pytest.raises(LeaseLost):
        blobs.renew("never made", first)


@pytest.mark.slow
def test_a_lease_that_nobody_renews_ends_by_itself(blobs: Blobs, clock: Clock) -> None:
    """Whoever had it renews it as long as nobody else came or wrote; then they have lost it."""
    old = {name: blobs.acquire(name, SHORTEST) for name in ("written", "untouched", "deleted", "taken")}
    begun = clock()
    while blobs.acquire("taken", 60) is None:
        clock.wait(0.2)
    assert clock() - begun > SHORTEST - 1.5
    with pytest.raises(LeaseLost):
        blobs.renew("taken", str(old["taken"]))
    with pytest.raises(LeaseLost):
        blobs.write("untouched", b"late", lease=old["untouched"])
    blobs.renew("untouched", str(old["untouched"]))
    assert blobs.acquire("untouched", 60) is None
    blobs.write("written", b"by somebody")
    with pytest.raises(LeaseLost):
        blobs.renew("written", str(old["written"]))
    blobs.delete("deleted")
    assert not blobs.exists("deleted")


def test_a_link_to_azure_works_over_https_alone(unique: str) -> None:
    key = base64.b64encode(b"k" * 32).decode()
    account = f"DefaultEndpointsProtocol=https;AccountName=a;AccountKey={key};EndpointSuffix=core.windows.net"
    blobs = Blobs(StorageAddress(connection_string=account), unique)
    blobs.__dict__["_client"] = blobs.service.get_container_client(unique)  # which asks Azure for nothing
    url, _ = blobs.link("r.csv", seconds=60, file_name="r.csv")
    assert parse_qs(urlsplit(url).query)["spr"] == ["https"]


def test_a_link_reads_one_blob_and_nothing_else(storage: StorageAddress, unique: str) -> None:
    """Over HTTP, so by the real one only."""
    blobs = Blobs(storage, unique)
    blobs.create("rejected.csv", b"address\n")
    blobs.create("other", b"secret")
    url, _ = blobs.link("rejected.csv", seconds=60, file_name="rejected.csv")
    answer = requests.get(url, timeout=10)
    assert answer.content == b"address\n"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="rejected.csv"'
    assert requests.get(url.replace("rejected.csv", "other", 1), timeout=10).status_code == 403
