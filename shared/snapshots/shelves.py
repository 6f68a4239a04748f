"""The folders that the files of a model.json lie in: each is listed once, however many files are looked for, and many
of them in one listing where little else lies there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from posixpath import commonpath
from typing import TYPE_CHECKING

from azure.storage.blob import BlobPrefix

from shared.snapshots.blob import Blob, blob_of
from shared.snapshots.places import Place
from shared.snapshots.snapshot import parent

if TYPE_CHECKING:
    from azure.storage.blob import ContainerClient

_AT_ONCE = 8
_MANY = 20
"""Folders from which on all that lies above them is listed instead, as long as that takes fewer requests."""
_PAGE = 5_000

_Shelf = dict[tuple[str, str | None], Blob]


class Shelves:
    """What was listed stays known, so an instance is good for one look."""

    def __init__(self, container: ContainerClient) -> None:
        self._container = container
        self._listed: dict[tuple[str, bool], _Shelf] = {}

    def fetch(self, places: Iterable[Place]) -> None:
        """List the folders that the files most probably lie in, several at once."""
        wanted = dict.fromkeys((parent(place.names[0]), bool(place.blob_snapshot)) for place in places)
        plain = [folder for folder, snapshots in wanted if not snapshots]
        if len(plain) >= _MANY and (shelves := self._flat(plain, most=len(plain) // 4)) is not None:
            self._listed |= {(folder, False): shelf for folder, shelf in shelves.items()}
            wanted = {shelf: None for shelf in wanted if shelf not in self._listed}
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            self._listed |= zip(wanted, pool.map(lambda shelf: self._list(*shelf), wanted), strict=True)

    def find(self, place: Place) -> Blob | None:
        """The blob at this place, None where there is none."""
        names = ((name, self._shelf(parent(name), bool(place.blob_snapshot))) for name in place.names)
        found = (shelf.get((name, place.blob_snapshot)) for name, shelf in names)
        return next((blob for blob in found if blob), None)

    def _shelf(self, folder: str, snapshots: bool) -> _Shelf:
        if (folder, snapshots) not in self._listed:
            self._listed[folder, snapshots] = self._list(folder, snapshots)
        return self._listed[folder, snapshots]

    def _flat(self, folders: Sequence[str], most: int) -> dict[str, _Shelf] | None:
        """These folders out of one listing of what they have above them in common; None where that has more pages."""
        shelves: dict[str, _Shelf] = {folder: {} for folder in folders}
        above = commonpath(folders) if all(folders) else ""
        listed = self._container.list_blobs(name_starts_with=f"{above}/" if above else "", include=["metadata"])
        for number, item in enumerate(listed):
            if number == most * _PAGE:
                return None
            blob = blob_of(self._container.container_name, item)
            if (shelf := shelves.get(parent(blob.name))) is not None:
                shelf[blob.name, None] = blob
        return shelves

    def _list(self, folder: str, snapshots: bool) -> _Shelf:
        prefix = f"{folder}/" if folder else ""
        include = ["metadata", "snapshots"] if snapshots else ["metadata"]
        items = self._container.walk_blobs(name_starts_with=prefix, include=include)
        blobs = (blob_of(self._container.container_name, item) for item in items if not isinstance(item, BlobPrefix))
        return {(blob.name, blob.file.blob_snapshot): blob for blob in blobs}
