"""Blob Storage in memory: conditions, append and block blobs, leases, listings."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import formatdate
from itertools import count
from types import SimpleNamespace
from typing import IO, Any
from uuid import uuid4

from azure.core import MatchConditions
from azure.storage.blob import BlobBlock, BlobLeaseClient, BlobPrefix

from tests.memory.errors import refused

_ETAGS = count(0x8DC0_0000_0000_0000)
_MOST_BLOCKS = 50_000
_LEASE_SECONDS = range(15, 61)


@dataclass(slots=True)
class Lease:
    """Somebody's, until `ends`; after that nobody's, but its id is still known."""

    id: str
    seconds: int
    ends: float


@dataclass(slots=True)
class Blob:
    """A version of a blob, with the lease that outlives versions. `data` is None where it was only staged for."""

    kind: str = "BlockBlob"
    data: bytes | None = None
    etag: str = ""
    modified_at: datetime = datetime.min
    blocks: int = 0
    staged: dict[str, bytes] = field(default_factory=dict)
    lease: Lease | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    tier: str = "Hot"


Containers = dict[str, dict[str, Blob]]


class MemoryBlobService:
    """Stands where a BlobServiceClient does."""

    account_name = "memory"
    credential = SimpleNamespace(account_key="bWVtb3J5")
    url = "https://memory.blob.invalid/"

    def __init__(self, containers: Containers, lock: threading.RLock, clock: Callable[[], float]) -> None:
        self.containers = containers
        self.lock = lock
        self.clock = clock

    def get_container_client(self, container: str) -> MemoryContainer:
        return MemoryContainer(self, container)

    def get_blob_client(self, container: str, blob: str, snapshot: str | None = None) -> MemoryBlob:
        if snapshot is not None:
            raise NotImplementedError("snapshots of blobs")
        return MemoryBlob(self, container, blob)


class MemoryContainer:
    """Stands where a ContainerClient does."""

    def __init__(self, service: MemoryBlobService, name: str) -> None:
        self.container_name = name
        self.url = self.primary_endpoint = f"{service.url}{name}"
        self._service = service

    def create_container(self) -> None:
        with self._service.lock:
            if self.container_name in self._service.containers:
                raise refused(409, "ContainerAlreadyExists")
            self._service.containers[self.container_name] = {}

    def exists(self) -> bool:
        return self.container_name in self._service.containers

    def get_blob_client(self, blob: str) -> MemoryBlob:
        return MemoryBlob(self._service, self.container_name, blob)

    def upload_blob(self, name: str, data: Any, **options: Any) -> MemoryBlob:
        blob = self.get_blob_client(name)
        blob.upload_blob(data, **options)
        return blob

    def delete_blob(self, blob: str) -> None:
        self.get_blob_client(blob).delete_blob()

    def list_blob_names(self, name_starts_with: str | None = None) -> Iterator[str]:
        for found in self.list_blobs(name_starts_with):
            yield found.name

    def download_blob(self, blob: str, **options: Any) -> Download:
        return self.get_blob_client(blob).download_blob(**options)

    def walk_blobs(self, name_starts_with: str | None = None, include: Sequence[str] | None = None) -> Iterator[Any]:
        """What lies straight in a folder, and the folders in it."""
        if "snapshots" in (include or ()):
            raise NotImplementedError("snapshots of blobs")
        folders: set[str] = set()
        start = len(name_starts_with or "")
        for found in self.list_blobs(name_starts_with):
            inside, below, _ = found.name[start:].partition("/")
            folder = f"{found.name[:start]}{inside}/"
            if not below:
                yield found
            elif folder not in folders:
                folders.add(folder)
                yield BlobPrefix(None, container=self.container_name, prefix=folder)

    def list_blobs(self, name_starts_with: str | None = None, include: Sequence[str] | None = None) -> Iterator[Any]:
        """By name, as they are when the first of them is asked for; metadata is always with them."""
        with self._service.lock:
            if not self.exists():
                raise refused(404, "ContainerNotFound")
            blobs = self._service.containers[self.container_name]
            names = sorted(name for name in blobs if name.startswith(name_starts_with or ""))
            found = [_properties(name, blobs[name]) for name in names if blobs[name].data is not None]
        yield from found


class MemoryBlob:
    """Stands where a BlobClient does."""

    def __init__(self, service: MemoryBlobService, container: str, name: str) -> None:
        self.container_name = container
        self.blob_name = name
        self.url = f"{service.url}{container}/{name}"
        self._service = service
        self._client = SimpleNamespace(blob=_Leasing(self))
        """Where a BlobLeaseClient looks for what it calls."""

    # Reading

    def exists(self) -> bool:
        with self._service.lock:
            return self._found() is not None

    def get_blob_properties(self) -> Any:
        with self._service.lock:
            return _properties(self.blob_name, self.there())

    def download_blob(
        self,
        offset: int | None = None,
        length: int | None = None,
        *,
        etag: str | None = None,
        match_condition: MatchConditions | None = None,
        **_: Any,
    ) -> Download:
        with self._service.lock:
            blob = self.there()
            _meet(blob, etag, match_condition)
            if blob.tier == "Archive":
                raise refused(409, "BlobArchived")
            data = blob.data or b""
            start = offset or 0
            if start >= len(data) and offset is not None:
                raise refused(416, "InvalidRange")
            return Download(data[start : None if length is None else start + length], _properties(self.blob_name, blob))

    # Writing

    def upload_blob(
        self,
        data: bytes | str | IO[bytes],
        *,
        overwrite: bool = False,
        lease: str | None = None,
        etag: str | None = None,
        match_condition: MatchConditions | None = None,
        metadata: dict[str, str] | None = None,
        **_: Any,
    ) -> dict[str, Any]:
        content = data.encode() if isinstance(data, str) else data if isinstance(data, bytes) else data.read()
        with self._service.lock:
            blob = self._found()
            if blob and not overwrite:
                raise refused(409, "BlobAlreadyExists")
            self._may_write(blob, lease, etag, match_condition)
            written = self._put("BlockBlob", content)
            self._held().metadata = dict(metadata or {})
            return written

    def set_standard_blob_tier(self, standard_blob_tier: str) -> None:
        with self._service.lock:
            self.there()
            self._held().tier = standard_blob_tier

    def create_append_blob(self, *, match_condition: MatchConditions | None = None) -> dict[str, Any]:
        with self._service.lock:
            self._may_write(self._found(), None, None, match_condition)
            return self._put("AppendBlob", b"")

    def append_block(self, data: bytes) -> dict[str, Any]:
        with self._service.lock:
            blob = self.there()
            if blob.kind != "AppendBlob":
                raise refused(409, "InvalidBlobType")
            self._may_write(blob, None, None, None)
            if blob.blocks == _MOST_BLOCKS:
                raise refused(409, "BlockCountExceedsLimit")
            written = self._put("AppendBlob", (blob.data or b"") + data)
            self._held().blocks = blob.blocks + 1
            return written

    def stage_block(self, block_id: str, data: bytes | IO[bytes], length: int | None = None) -> None:
        content = data if isinstance(data, bytes) else data.read(-1 if length is None else length)
        with self._service.lock:
            self._may_write(self._found(), None, None, None)
            blobs = self._blobs()
            blobs.setdefault(self.blob_name, Blob()).staged[block_id] = content

    def commit_block_list(
        self,
        blocks: Sequence[BlobBlock],
        *,
        etag: str | None = None,
        match_condition: MatchConditions | None = None,
    ) -> dict[str, Any]:
        with self._service.lock:
            self._may_write(self._found(), None, etag, match_condition)
            staged = self._blobs().get(self.blob_name, Blob()).staged
            if any(block.id not in staged for block in blocks):
                raise refused(400, "InvalidBlockList")
            return self._put("BlockBlob", b"".join(staged[str(block.id)] for block in blocks))

    def delete_blob(self, delete_snapshots: str | None = None) -> None:
        with self._service.lock:
            self._may_write(self.there(), None, None, None)
            del self._blobs()[self.blob_name]

    def acquire_lease(self, lease_duration: int, **options: Any) -> BlobLeaseClient:
        lease = BlobLeaseClient(self)  # type: ignore[arg-type]  # it only asks for the parts that are here
        lease.acquire(lease_duration, **options)
        return lease

    # What is there

    def there(self) -> Blob:
        blob = self._found()
        if blob is None:
            raise refused(404, "BlobNotFound")
        return blob

    def holder(self) -> Lease | None:
        """The lease, while somebody has it."""
        lease = self.there().lease
        return lease if lease and self._service.clock() < lease.ends else None

    @property
    def lock(self) -> threading.RLock:
        return self._service.lock

    def ends(self, seconds: int) -> float:
        return self._service.clock() + seconds

    def _blobs(self) -> dict[str, Blob]:
        if self.container_name not in self._service.containers:
            raise refused(404, "ContainerNotFound")
        return self._service.containers[self.container_name]

    def _held(self) -> Blob:
        return self._blobs()[self.blob_name]

    def _found(self) -> Blob | None:
        blob = self._service.containers.get(self.container_name, {}).get(self.blob_name)
        return blob if blob and blob.data is not None else None

    def _may_write(
        self, blob: Blob | None, lease: str | None, etag: str | None, condition: MatchConditions | None
    ) -> None:
        held = self.holder() if blob else None
        if held and lease != held.id:
            raise refused(412, "LeaseIdMismatchWithBlobOperation" if lease else "LeaseIdMissing")
        if lease and not held:
            raise refused(412, "LeaseLost" if blob and blob.lease else "LeaseNotPresentWithBlobOperation")
        _meet(blob, etag, condition)

    def _put(self, kind: str, data: bytes) -> dict[str, Any]:
        blobs = self._blobs()
        before = blobs.get(self.blob_name)
        lease = before.lease if before else None
        if lease and self._service.clock() >= lease.ends:
            lease = None  # who wrote in between, so that its holder cannot renew it any more
        now = datetime.now(UTC).replace(microsecond=0)
        blobs[self.blob_name] = Blob(kind, data, f'"0x{next(_ETAGS):X}"', now, lease=lease)
        return {"etag": blobs[self.blob_name].etag, "last_modified": now}


@dataclass(frozen=True, slots=True)
class Download:
    """Stands where a StorageStreamDownloader does."""

    _data: bytes
    properties: Any

    @property
    def size(self) -> int:
        return len(self._data)

    def readall(self) -> bytes:
        return self._data

    def readinto(self, stream: IO[bytes]) -> int:
        return stream.write(self._data)

    def chunks(self) -> Iterator[bytes]:
        yield self._data


@dataclass(frozen=True, slots=True)
class _Leasing:
    """The requests of a BlobLeaseClient."""

    blob: MemoryBlob

    def acquire_lease(
        self,
        *,
        duration: int,
        proposed_lease_id: str | None = None,
        raw_response_hook: Callable[[Any], None] = lambda response: None,
        modified_access_conditions: Any = None,
        **_: Any,
    ) -> dict[str, Any]:
        raw_response_hook(SimpleNamespace(http_response=SimpleNamespace(headers={"Date": formatdate(usegmt=True)})))
        if duration != -1 and duration not in _LEASE_SECONDS:
            raise refused(400, "InvalidHeaderValue")
        with self.blob.lock:
            found, held = self.blob.there(), self.blob.holder()
            if held and held.id != proposed_lease_id:
                raise refused(409, "LeaseAlreadyPresent")
            wanted = getattr(modified_access_conditions, "if_match", None)
            if wanted is not None and wanted != found.etag:
                raise refused(412, "ConditionNotMet")
            found.lease = Lease(proposed_lease_id or str(uuid4()), duration, self._ends(duration))
            return self._answer(found)

    def renew_lease(self, lease_id: str, **_: Any) -> dict[str, Any]:
        with self.blob.lock:
            found = self._of(lease_id)
            assert found.lease is not None
            found.lease.ends = self._ends(found.lease.seconds)
            return self._answer(found)

    def release_lease(self, lease_id: str, **_: Any) -> dict[str, Any]:
        with self.blob.lock:
            found = self._of(lease_id)
            found.lease = None
            return self._answer(found)

    def break_lease(self, break_period: int | None = None, **_: Any) -> dict[str, Any]:
        if break_period != 0:
            raise NotImplementedError("a lease that is broken later")
        with self.blob.lock:
            found = self.blob.there()
            if found.lease is None:
                raise refused(409, "LeaseNotPresentWithLeaseOperation")
            found.lease = None
            return {**self._answer(found), "lease_time": 0}

    def _of(self, lease_id: str) -> Blob:
        found = self.blob.there()
        if found.lease is None or found.lease.id != lease_id:
            raise refused(409, "LeaseIdMismatchWithLeaseOperation")
        return found

    def _ends(self, seconds: int) -> float:
        return float("inf") if seconds == -1 else self.blob.ends(seconds)

    @staticmethod
    def _answer(found: Blob) -> dict[str, Any]:
        lease = found.lease.id if found.lease else None
        return {"lease_id": lease, "etag": found.etag, "last_modified": found.modified_at}


def _meet(blob: Blob | None, etag: str | None, condition: MatchConditions | None) -> None:
    match condition:
        case None:
            return
        case MatchConditions.IfNotModified:
            if blob is None or blob.etag != etag:
                raise refused(412, "ConditionNotMet")
        case MatchConditions.IfMissing:
            if blob is not None:
                raise refused(409, "BlobAlreadyExists")
        case _:
            raise NotImplementedError(condition)


def _properties(name: str, blob: Blob) -> Any:
    """As much of BlobProperties as is looked at."""
    return SimpleNamespace(
        name=name,
        etag=blob.etag,
        size=len(blob.data or b""),
        last_modified=blob.modified_at,
        snapshot=None,
        metadata=dict(blob.metadata),
        blob_tier=blob.tier,
        archive_status=None,
    )
