"""The libraries: downloaded as wheels for the deployed platform, and read from there without being installed.

Installing would write scripts and records that name the machine it happened on; a wheel's own files are the same
everywhere.
"""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

GLIBC = range(17, 29)
"""Functions images for Python 3.11 and later have glibc 2.31 or newer; wheels for 2.28 and older are taken."""
SECONDS = 300


class NotDownloaded(Exception):
    """pip could not get the wheels; the message is pip's last line."""


def download(requirements: Path, python: str, folder: Path, options: Sequence[str] = ()) -> list[Path]:
    """Wheels of everything that is required, for Linux on x86-64 and Python `python` ("3.11").

    Raises ValueError where this Python is another one, since pip judges `python_version` markers by its own, and
    NotDownloaded.
    """
    if python != f"{sys.version_info.major}.{sys.version_info.minor}":
        raise ValueError(f"Packing for Python {python} needs Python {python}, and this is {sys.version.split()[0]}.")
    platforms = [f"--platform=manylinux_2_{minor}_x86_64" for minor in reversed(GLIBC)]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--retries=2"]
    command += ["--timeout=20", "--only-binary=:all:", "--implementation=cp", f"--python-version={python}"]
    command += [
        *platforms,
        "--platform=manylinux2014_x86_64",
        *options,
        f"--dest={folder}",
        f"--requirement={requirements}",
    ]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise NotDownloaded(f"pip took longer than {SECONDS} s") from None
    if done.returncode:
        raise NotDownloaded((done.stderr.strip().splitlines() or ["pip said nothing"])[-1])
    return sorted(folder.glob("*.whl"))


def files(wheel: Path) -> Iterator[tuple[PurePosixPath, bytes]]:
    """What a wheel puts beside the libraries, sorted; its scripts, headers and data stay behind."""
    with zipfile.ZipFile(wheel) as archive:
        for name in sorted(archive.namelist()):
            place = _place(PurePosixPath(name))
            if place is not None and not name.endswith("/"):
                yield place, archive.read(name)


def _place(path: PurePosixPath) -> PurePosixPath | None:
    """`x.data/purelib/…` belongs beside the libraries, other parts of `x.data` do not (PEP 427)."""
    if not path.parts[0].endswith(".data"):
        return path
    return PurePosixPath(*path.parts[2:]) if path.parts[1] in ("purelib", "platlib") else None
