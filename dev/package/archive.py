"""A zip whose bytes depend on names and contents only: sorted, one time for all, one set of rights for all."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

WHEN = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip can tell."""
RIGHTS = 0o100644


def write(target: Path, contents: Mapping[str, bytes]) -> None:
    """`contents`: name in the zip -> bytes. Written beside the target first, so that no half zip is ever deployed."""
    unfinished = target.with_name(f"{target.name}.part")
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name in sorted(contents):
            entry = zipfile.ZipInfo(name, WHEN)
            entry.external_attr = RIGHTS << 16
            entry.create_system = 3  # Unix, wherever it is made
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, contents[name])
    unfinished.replace(target)
