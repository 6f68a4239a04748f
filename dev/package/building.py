"""What goes into the zip: the project without what `.funcignore` names, and the libraries where the worker looks."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from dev.package import archive, wheels
from dev.package.ignoring import kept, rules

LIBRARIES = ".python_packages/lib/site-packages"
REQUIREMENTS = "requirements.lock"
LARGEST = 60_000_000
"""Bytes: a package is fetched and unpacked by every new instance before its first request."""


class TooLarge(Exception):
    """The zip is larger than LARGEST."""


def build(root: Path, target: Path, python: str, requirements: Path, options: Sequence[str] = ()) -> int:
    """Write the zip; its size in bytes. `options` go to pip. Raises wheels.NotDownloaded, ValueError and TooLarge."""
    with tempfile.TemporaryDirectory() as folder:
        found = wheels.download(requirements, python, Path(folder), options)
        libraries = {str(path): data for wheel in found for path, data in wheels.files(wheel)}
    return pack(root, target, libraries)


def pack(root: Path, target: Path, libraries: Mapping[str, bytes]) -> int:
    """The same with the libraries' files at hand."""
    found = rules((root / ".funcignore").read_text())
    contents = {path.as_posix(): (root / path).read_bytes() for path in kept(root, found)}
    contents |= {f"{LIBRARIES}/{path}": data for path, data in libraries.items()}
    archive.write(target, contents)
    size = target.stat().st_size
    if size > LARGEST:
        raise TooLarge(f"{target} has {size:,} bytes, more than {LARGEST:,}.")
    return size
