"""A blob as a listing shows it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from shared.snapshots.snapshot import SnapshotFile
from shared.wording import NOTHING, Message, say

if TYPE_CHECKING:
    from azure.storage.blob import BlobProperties


@dataclass(frozen=True, slots=True)
class Blob:
    """One version of a blob. `archived` says why its content cannot be had, in words that follow its name; empty where
    it can."""

    file: SnapshotFile
    modified_at: datetime
    archived: Message = NOTHING
    directory: bool = False
    """Only stands for a folder: accounts with a hierarchical namespace list folders as blobs without content."""

    @property
    def name(self) -> str:
        return self.file.name


def blob_of(container: str, properties: BlobProperties) -> Blob:
    """Listings leave out the quotation marks that an ETag has everywhere else."""
    etag = f'"{str(properties.etag).strip(chr(34))}"'
    file = SnapshotFile(container, properties.name, etag, properties.size, properties.snapshot)
    return Blob(file, properties.last_modified, _archived(properties), _is_directory(properties))


def _archived(properties: BlobProperties) -> Message:
    if str(properties.blob_tier) not in ("Archive", "StandardBlobTier.ARCHIVE"):
        return NOTHING
    if str(properties.archive_status or "").startswith("rehydrate-pending"):
        return say("is being brought back from the archive tier, which takes up to 15 hours")
    return say("is in the archive tier; rehydrate it, or land a newer one")


def _is_directory(properties: BlobProperties) -> bool:
    if properties.size:
        return False
    metadata = {str(key).lower(): value for key, value in (properties.metadata or {}).items()}
    return metadata.get("hdi_isfolder") == "true" or properties.name.endswith(("/", "_$folder$"))
