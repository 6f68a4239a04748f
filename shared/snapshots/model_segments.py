"""The segments that a model.json in storage describes, each with the snapshot that it names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import BlobProperties

from shared.snapshots import model_json
from shared.snapshots.folders import Blob, blob_of, run_folder_date
from shared.snapshots.places import Place, place
from shared.snapshots.snapshot import Layout, SegmentFound, join, parent

if TYPE_CHECKING:
    from azure.storage.blob import ContainerClient

MODEL = "model.json"
MODEL_BYTES = 16 << 20


def segments_of(container: ContainerClient, folder: str, only: str | None = None) -> Iterator[SegmentFound]:
    """The segments of `<folder>/model.json`, or `only` the one of that name; a few calls for each.

    What cannot be read comes with its problems; where that is the model.json itself, under its name.
    """
    blank = SegmentFound(only or MODEL, container.container_name, folder, Layout.CUSTOMER_INSIGHTS, (), None)
    try:
        model = model_json.parse(_read(container, join(folder, MODEL)))
    except ValueError as error:
        yield replace(blank, problems=(str(error),))
        return
    for table in model.tables:
        if only in (None, table.name):
            segment = replace(blank, name=table.name, columns=table.columns, problems=table.problems)
            yield segment if table.problems else _with_snapshot(container, segment, table, model.modified_at)


def names_of(container: ContainerClient, folder: str) -> list[str]:
    """Names of the segments of `<folder>/model.json`; none where it cannot be read."""
    with suppress(ValueError):
        return [table.name for table in model_json.parse(_read(container, join(folder, MODEL))).tables]
    return []


def _read(container: ContainerClient, name: str) -> bytes:
    try:
        download = container.download_blob(name)
    except ResourceNotFoundError:
        raise ValueError("its model.json is gone") from None
    if download.size > MODEL_BYTES:
        raise ValueError(f"its model.json is larger than {MODEL_BYTES >> 20} MB")
    return download.readall()


def _with_snapshot(
    container: ContainerClient, segment: SegmentFound, table: model_json.ModelTable, modified_at: datetime | None
) -> SegmentFound:
    formats = {partition.format for partition in table.partitions}
    if len(formats) > 1:
        return replace(segment, problems=("the model.json declares different formats for its files",))
    try:
        blobs = _blobs(container, segment.folder, [partition.location for partition in table.partitions])
    except ValueError as error:
        return replace(segment, problems=(str(error),))
    taken_at = _newest(
        [partition.refreshed_at for partition in table.partitions],
        [modified_at],
        [run_folder_date(blob.file.name) for blob in blobs],
        [blob.modified_at for blob in blobs],
    )
    return segment.with_snapshot(taken_at, [blob.file for blob in blobs], formats.pop(), table.columns)


def _blobs(container: ContainerClient, folder: str, locations: Sequence[str]) -> list[Blob]:
    """The blobs at these locations. Raises ValueError where one is somewhere else or missing."""
    account = str(container.primary_endpoint).partition("?")[0].removesuffix(f"/{container.container_name}")
    places = [
        place(location, account_url=account, container=container.container_name, folder=folder)
        for location in locations
    ]
    there = _beside(container, places)
    chosen = [
        next(
            (there[name, wanted.blob_snapshot] for name in wanted.names if (name, wanted.blob_snapshot) in there), None
        )
        for wanted in places
    ]
    blobs = [blob for blob in chosen if blob]
    if missing := len(chosen) - len(blobs):
        raise ValueError(f"{missing} of the {len(chosen)} files that the model.json names do not exist (yet)")
    return blobs


def _beside(container: ContainerClient, places: Iterable[Place]) -> dict[tuple[str, str | None], Blob]:
    """What lies in the folders that files are looked for in, by name and blob snapshot; one call per folder."""
    include = ["snapshots"] if any(wanted.blob_snapshot for wanted in places) else None
    there = {}
    for folder in dict.fromkeys(parent(name) for wanted in places for name in wanted.names):
        prefix = f"{folder}/" if folder else ""
        for item in container.walk_blobs(name_starts_with=prefix, include=include):
            if isinstance(item, BlobProperties):
                blob = blob_of(container.container_name, item)
                there[blob.file.name, blob.file.blob_snapshot] = blob
    return there


def _newest(*sources: Iterable[datetime | None]) -> datetime:
    """The newest moment of the first source that knows any."""
    known = ([moment for moment in source if moment] for source in sources)
    return max(next(moments for moments in known if moments))
