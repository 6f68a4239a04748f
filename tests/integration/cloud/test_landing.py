"""What segments land in, which is read with Azure's own clients: listings, pinned versions, ranges, blocks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.storage.blob import BlobBlock, BlobServiceClient, ContainerClient

from shared.cloud import storage
from shared.cloud.blob_files import BlobFiles
from shared.cloud.settings import StorageAddress
from tests.memory import in_memory


@pytest.fixture
def service(account: StorageAddress) -> BlobServiceClient:
    return storage.blob_client(account)


@pytest.fixture
def container(service: BlobServiceClient, unique: str) -> ContainerClient:
    client = service.get_container_client(unique)
    client.create_container()
    return client


def test_a_container_is_made_once(container: ContainerClient) -> None:
    assert container.exists()
    with pytest.raises(ResourceExistsError):
        container.create_container()


def test_a_container_that_is_missing_says_so(service: BlobServiceClient, unique: str) -> None:
    missing = service.get_container_client(unique)
    assert not missing.exists()
    for act in (
        lambda: list(missing.list_blobs()),
        lambda: list(missing.list_blob_names()),
        lambda: missing.upload_blob("blob", b""),
        lambda: missing.get_blob_client("blob").download_blob(),
    ):
        with pytest.raises(ResourceNotFoundError):
            act()


def test_a_listing_tells_what_a_version_is_pinned_by(container: ContainerClient) -> None:
    container.upload_blob("folder/b", b"12345")
    container.upload_blob("folder/a", "text", overwrite=True)
    container.upload_blob("other", b"")
    a, b = container.list_blobs(name_starts_with="folder/")
    assert [(each.name, each.size, each.snapshot) for each in (a, b)] == [("folder/a", 4, None), ("folder/b", 5, None)]
    assert datetime.now(UTC) - b.last_modified < timedelta(minutes=1)
    pinned = f'"{str(b.etag).strip(chr(34))}"'
    blob = container.get_blob_client("folder/b")
    assert str(blob.get_blob_properties().etag) == pinned
    condition: dict[str, Any] = {"etag": pinned, "match_condition": MatchConditions.IfNotModified}
    assert blob.download_blob(offset=1, length=2, **condition).readall() == b"23"
    blob.upload_blob(b"54321", overwrite=True)
    with pytest.raises(ResourceModifiedError):
        blob.download_blob(offset=1, length=2, **condition)
    blob.delete_blob()
    with pytest.raises((ResourceModifiedError, ResourceNotFoundError)):
        blob.download_blob(offset=1, length=2, **condition)


def test_a_range_ends_where_the_blob_ends(container: ContainerClient) -> None:
    blob = container.upload_blob("blob", b"0123456789")
    assert blob.download_blob(offset=8, length=10).readall() == b"89"
    assert blob.download_blob(offset=4).readall() == b"456789"
    assert blob.get_blob_properties().size == 10


def test_blocks_show_up_when_they_are_committed(container: ContainerClient) -> None:
    blob = container.get_blob_client("blob")
    blob.stage_block("000001", b"one")
    blob.stage_block("000002", b"two")
    assert not blob.exists()
    assert list(container.list_blob_names()) == []
    blob.commit_block_list([BlobBlock("000002"), BlobBlock("000001")])
    assert blob.download_blob().readall() == b"twoone"
    with pytest.raises(HttpResponseError):
        blob.commit_block_list([BlobBlock("000009")])
    assert blob.download_blob().readall() == b"twoone"


def test_files_are_read_by_pin_and_written_whole(service: BlobServiceClient, container: ContainerClient) -> None:
    files = BlobFiles(service, "test")
    url = files.url(container.container_name, "folder/file")
    with files.writing(), files.open(url, "wb") as file:
        file.write(b"0123456789")
    with files.open(url, "rb") as file:
        assert (file.read(3), file.seek(7), file.read()) == (b"012", 7, b"789")
    assert files.info(url)["size"] == 10


def test_two_accounts_are_open_at_once() -> None:
    with in_memory() as first:
        with in_memory() as second:
            for address in (first, second):
                storage.blob_client(address).get_container_client("same").create_container()
        assert storage.blob_client(first).get_container_client("same").exists()


def test_other_accounts_are_not_in_memory() -> None:
    with in_memory():
        client = storage.blob_client(StorageAddress(blob="https://account.blob.example/", client_id=""))
        assert isinstance(client, BlobServiceClient)
