"""Where tests keep temporary files: in memory, where the machine has room for it there.

The service closes hundreds of small files in each delivery, and waits for the disk each time; what tests make is gone
with them. Where TMPDIR is set, or the room is small or may hold no programs, it stays as it is.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

IN_MEMORY = Path("/dev/shm")
ROOM = 4 << 30
"""Bytes that have to be free: a few copies of the repository, segments of a million people, and what is sorted."""


def keep_in_memory(where: Path = IN_MEMORY, room: int = ROOM) -> None:
    """Temporary files of this process, and of what it starts, go there from now on."""
    if "TMPDIR" in os.environ or not _has_room(where, room):
        return
    os.environ["TMPDIR"] = str(where)
    tempfile.tempdir = None  # asks the environment again


def _has_room(where: Path, room: int) -> bool:
    if not (where.is_dir() and os.access(where, os.W_OK)):
        return False
    return shutil.disk_usage(where).free >= room and not os.statvfs(where).f_flag & os.ST_NOEXEC
