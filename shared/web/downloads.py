"""A file that is made for one answer and kept by nobody."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from fastapi import Response


def csv_answer(made: AbstractContextManager[Path], name: str) -> Response:
    """The file that the block holds, for browsers to save under this name."""
    with made as path:
        content = path.read_bytes()
    headers = {"Cache-Control": "no-store", "Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type="text/csv; charset=utf-8", headers=headers)
