"""The real app, which kills its own process at a chosen call: for `python -m dev.host --app dev/faults/app`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from unittest import mock

from dev.faults.interruptions import Life, When, has_effect, kill_this_process
from dev.faults.seam import WatchedCloud, watched_vendors
from functions import process

APP = Path(__file__).parent / "app"
CALL, WHEN = "FAULTS_KILL_CALL", "FAULTS_KILL_WHEN"
"""App settings: the number of the call (of those that change something), and the side of it."""


def settings(call: int, when: When) -> dict[str, str]:
    """The app settings that arm a host's process."""
    return {CALL: str(call), WHEN: str(when)}


def arm(environment: Mapping[str, str]) -> None:
    """From now on this process ends itself by SIGKILL as its settings say; without them it lives on."""
    if CALL not in environment:
        return
    life = Life(int(environment[CALL]), When(environment[WHEN]), has_effect, end=kill_this_process)
    watched = WatchedCloud(process.cloud(), life)
    mock.patch.object(process, "cloud", lambda: watched).start()
    watched_vendors().__enter__()
