"""Files that tests look into."""

from __future__ import annotations

from pathlib import Path


def files(folder: Path, pattern: str) -> list[Path]:
    """Files below a folder, sorted. Fails where there is none: a test that looks at nothing finds nothing wrong."""
    found = sorted(folder.glob(pattern))
    assert found, f"{folder} has no {pattern}"
    return found
