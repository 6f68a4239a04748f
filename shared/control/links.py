"""Files of people, handed out by links that work for minutes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum

from shared.cloud.cloud import Cloud
from shared.control.views import FileLink
from shared.delivery.state import layout

LINK_SECONDS = 600


class RunFile(StrEnum):
    """What a run leaves beside its report, for each of its targets."""

    REJECTED = "rejected"
    """People who were refused."""
    LEFT_OUT = "left-out"
    """Values that did not arrive as the source has them."""
    HOLDOUT = "holdout"
    """People whom the export's holdout kept back."""
    PLANNED = "planned"
    """Everybody of a plan that a guard stopped or that a dry run made."""
    REHEARSAL = "rehearsal"
    """What a rehearsal foresees for each person."""


_PLACES: Mapping[RunFile, Callable[[str], str]] = {
    RunFile.REJECTED: layout.rejected,
    RunFile.LEFT_OUT: layout.left_out,
    RunFile.HOLDOUT: layout.holdout,
    RunFile.PLANNED: layout.planned,
    RunFile.REHEARSAL: layout.rehearsed,
}


def of_run(cloud: Cloud, export: str, run: str, target: int, file: RunFile) -> FileLink | None:
    """A link to a file of one of the run's targets, counted from 0; None where there is none."""
    place = _PLACES[file](layout.delivery_folder(export, run, target))
    return _link(cloud, place, f"{file}-{export}-{run}.csv")


def of_differences(cloud: Cloud, export: str, target: int) -> FileLink | None:
    """A link to who differed in a target's latest check-up; None where nobody was written down."""
    return _link(cloud, layout.differences(export, target), f"differences-{export}.csv")


def _link(cloud: Cloud, file: str, name: str) -> FileLink | None:
    """A link to a stored file, which browsers save under this name."""
    if not cloud.blobs.exists(file):
        return None
    url, ends = cloud.blobs.link(file, seconds=LINK_SECONDS, file_name=name)
    return FileLink(url=url, expires_at=ends)
