"""The service's own container of blobs: conditional writes, append blobs, leases, files, short-lived links."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.cloud.settings import StorageAddress
from shared.errors import Conflict, LeaseLost

if TYPE_CHECKING:
    from azure.storage.blob import BlobClient, BlobServiceClient, ContainerClient

CONTAINER = "segment-exports"


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file kept as a blob; `md5` (hex) and `size` (bytes) are what was uploaded."""

    name: str
    md5: str
    size: int


class Blobs:
    """The container, made on first use."""

    def __init__(self, address: StorageAddress, container: str = CONTAINER) -> None:
        self._address = address
        self.container = container

    @cached_property
    def service(self) -> BlobServiceClient:
        from shared.cloud.storage import blob_client

        return blob_client(self._address)

    @cached_property
    def _client(self) -> ContainerClient:
        from azure.core.exceptions import ResourceExistsError

        client = self.service.get_container_client(self.container)
        try:
            client.create_container()
        except ResourceExistsError:
            return client
        return client

    def _blob(self, name: str) -> BlobClient:
        return self._client.get_blob_client(name)

    def read(self, name: str) -> tuple[bytes, str] | None:
        """Content and ETag, or None where there is no such blob."""
        from azure.core.exceptions import ResourceNotFoundError

        try:
            download = self._blob(name).download_blob()
        except ResourceNotFoundError:
            return None
        return download.readall(), str(download.properties.etag)

    def head(self, name: str, length: int) -> bytes | None:
        """The first bytes, or None where there is no such blob."""
        from azure.core.exceptions import ResourceNotFoundError

        try:
            return self._blob(name).download_blob(offset=0, length=length).readall()
        except ResourceNotFoundError:
            return None

    def create(self, name: str, data: bytes) -> str:
        """Write a blob that must not exist yet; its ETag. Raises Conflict where it does."""
        with _conflicts(held=Conflict):
            return str(self._blob(name).upload_blob(data, overwrite=False)["etag"])

    def write(self, name: str, data: bytes, *, etag: str | None = None, lease: str | None = None) -> str:
        """Write a blob; with `etag` only over that version, with `lease` only while it is held; the new ETag."""
        condition: dict[str, Any] = {"lease": lease, **_if_match(etag)}
        with _conflicts(held=LeaseLost if lease else None):
            return str(self._blob(name).upload_blob(data, overwrite=True, **condition)["etag"])

    def exists(self, name: str) -> bool:
        return bool(self._blob(name).exists())

    def append(self, name: str, data: bytes, *, create: bool = False) -> None:
        """Add a block to an append blob, made where it is missing; with `create` it is expected to be. After a failure
        the block may be there twice."""
        from azure.core.exceptions import ResourceNotFoundError

        blob = self._blob(name)
        if create:
            _create_append_blob(blob)
        try:
            blob.append_block(data)
        except ResourceNotFoundError:
            _create_append_blob(blob)
            blob.append_block(data)

    def upload(self, name: str, path: Path) -> StoredFile:
        """Store a local file, whatever its size."""
        with path.open("rb") as file:
            md5 = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
            file.seek(0)
            self._blob(name).upload_blob(file, overwrite=True, max_concurrency=2)
        return StoredFile(name, md5, path.stat().st_size)

    def upload_new(self, name: str, path: Path) -> None:
        """Store a local file as a blob that must not exist yet. Raises Conflict where it does."""
        with path.open("rb") as file, _conflicts(held=Conflict):
            self._blob(name).upload_blob(file, overwrite=False, max_concurrency=2)

    def fetch(self, name: str, path: Path) -> str | None:
        """Copy a blob to a local file; its ETag, or None where there is no such blob."""
        from azure.core.exceptions import ResourceNotFoundError

        try:
            download = self._blob(name).download_blob(max_concurrency=2)
        except ResourceNotFoundError:
            return None
        with path.open("wb") as file:
            download.readinto(file)
        return str(download.properties.etag)

    def compose(self, name: str, pieces: Iterable[Path], *, etag: str | None = None) -> None:
        """Store local files one after the other as one blob; each is removed once it is stored. With `etag` only over
        that version: raises Conflict where it changed or is gone."""
        from azure.storage.blob import BlobBlock

        blob, blocks = self._blob(name), []
        for number, path in enumerate(pieces):
            block = f"{number:06d}"
            if size := path.stat().st_size:
                with path.open("rb") as file:
                    blob.stage_block(block, file, length=size)
                blocks.append(BlobBlock(block_id=block))
            path.unlink()
        with _conflicts():
            blob.commit_block_list(blocks, **_if_match(etag))

    def download(self, stored: StoredFile, path: Path) -> bool:
        """Fetch a file; False where it is missing or not what was uploaded."""
        from azure.core.exceptions import ResourceNotFoundError

        digest = hashlib.md5(usedforsecurity=False)
        try:
            with path.open("wb") as file:
                for chunk in self._blob(stored.name).download_blob(max_concurrency=2).chunks():
                    digest.update(chunk)
                    file.write(chunk)
        except ResourceNotFoundError:
            return False
        return digest.hexdigest() == stored.md5

    def names(self, prefix: str) -> Iterator[str]:
        for blob in self._client.list_blob_names(name_starts_with=prefix):
            yield str(blob)

    def sizes(self, prefix: str) -> Iterator[tuple[str, int]]:
        """Names, each with how many bytes it has."""
        for blob in self._client.list_blobs(name_starts_with=prefix):
            yield str(blob.name), int(blob.size)

    def delete(self, name: str) -> None:
        """No error where it is gone already. Snapshots of it, as backups take them, go too: they hold the same people,
        and storage deletes no blob that has some."""
        from azure.core.exceptions import ResourceNotFoundError

        try:
            self._blob(name).delete_blob(delete_snapshots="include")
        except ResourceNotFoundError:
            return

    def acquire(
        self, name: str, seconds: int, *, etag: str | None = None, hear: Callable[[float], None] = lambda at: None
    ) -> str | None:
        """Lease a blob (made when missing); the lease's id, or None where somebody else holds it, or has changed it
        since it was read with this ETag. `hear` is told what storage's own clock says, in seconds since 1970."""
        from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

        def answered(response: Any) -> None:
            if date := response.http_response.headers.get("Date"):
                hear(parsedate_to_datetime(date).timestamp())

        blob = self._blob(name)
        try:
            return str(blob.acquire_lease(seconds, raw_response_hook=answered, **_if_match(etag)).id)
        except ResourceNotFoundError:
            self._create_empty(name)
            return self.acquire(name, seconds, hear=hear)
        except HttpResponseError as error:
            if _code(error) in ("LeaseAlreadyPresent", "ConditionNotMet"):
                return None
            raise

    def _create_empty(self, name: str) -> None:
        try:
            self.create(name, b"{}")
        except Conflict:
            return

    def renew(self, name: str, lease: str) -> None:
        """Raises LeaseLost where somebody else has it, or it ended."""
        with _lease_errors():
            self._lease(name, lease).renew()

    def release(self, name: str, lease: str) -> None:
        with _lease_errors():
            self._lease(name, lease).release()

    def _lease(self, name: str, lease: str) -> Any:
        from azure.storage.blob import BlobLeaseClient

        return BlobLeaseClient(self._blob(name), lease_id=lease)

    def link(self, name: str, *, seconds: int, file_name: str) -> tuple[str, datetime]:
        """A read-only link to one blob, and when it ends. By identity it is signed with a user delegation key."""
        from azure.storage.blob import BlobSasPermissions, generate_blob_sas

        blob, now = self._blob(name), datetime.now(UTC)
        ends = now + timedelta(seconds=seconds)
        key = getattr(self.service.credential, "account_key", None)
        sign: dict[str, Any] = {"account_key": key}
        if key is None:
            sign = {"user_delegation_key": self.service.get_user_delegation_key(now - timedelta(minutes=5), ends)}
        token = generate_blob_sas(
            str(self.service.account_name),
            self.container,
            name,
            permission=BlobSasPermissions(read=True),
            start=now - timedelta(minutes=5),
            expiry=ends,
            content_disposition=f'attachment; filename="{file_name}"',
            content_type="text/csv; charset=utf-8",
            protocol="https" if blob.url.startswith("https:") else None,
            **sign,
        )
        return f"{blob.url}?{token}", ends


def _create_append_blob(blob: BlobClient) -> None:
    from azure.core import MatchConditions
    from azure.core.exceptions import ResourceExistsError

    with suppress(ResourceExistsError):
        blob.create_append_blob(match_condition=MatchConditions.IfMissing)


def _if_match(etag: str | None) -> dict[str, Any]:
    from azure.core import MatchConditions

    return {} if etag is None else {"etag": etag, "match_condition": MatchConditions.IfNotModified}


def _code(error: Exception) -> str:
    """Storage's own word for an error, which the library adds to its exceptions as it goes."""
    code = getattr(error, "error_code", "")
    return str(getattr(code, "value", code))


@contextmanager
def _conflicts(*, held: type[Conflict | LeaseLost] | None = None) -> Iterator[None]:
    """Name what storage calls a conflict; `held` is what it means that somebody else has a lease on the blob. All else
    stays as it is, since no repetition mends it: a blob of another kind, a frozen one, one that others hold."""
    from azure.core.exceptions import HttpResponseError, ResourceModifiedError

    try:
        yield
    except HttpResponseError as error:
        if "Lease" in _code(error):
            if held:
                raise held(_code(error)) from None
            raise
        if isinstance(error, ResourceModifiedError) or _code(error) == "BlobAlreadyExists":
            raise Conflict(f"the blob is not as it was read: {_code(error)}") from None
        raise


@contextmanager
def _lease_errors() -> Iterator[None]:
    from azure.core.exceptions import HttpResponseError

    try:
        yield
    except HttpResponseError as error:
        if error.status_code in (404, 409, 412):
            raise LeaseLost(_code(error)) from None
        raise
