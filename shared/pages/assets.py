"""Styles and scripts, from the package itself. Their addresses change with their content, so browsers may keep them."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from fastapi import APIRouter, Depends, Response

from shared.access.actions import Action
from shared.catalog.issues import NotFound
from shared.web.wiring import allowed

FOLDER = Path(__file__).parent / "static"
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".txt": "text/plain"}

router = APIRouter(include_in_schema=False)


@cache
def _files() -> dict[str, tuple[bytes, str]]:
    """File name -> content and its mark."""
    found = {path.name: path.read_bytes() for path in FOLDER.iterdir()}
    return {name: (content, hashlib.sha256(content).hexdigest()[:12]) for name, content in found.items()}


def address(name: str) -> str:
    """Where a page finds a file."""
    return f"/static/{name}?v={_files()[name][1]}"


@router.get("/static/{name}", dependencies=[Depends(allowed(Action.LOAD_ASSETS))])
def static(name: str) -> Response:
    """One file."""
    if name not in _files():
        raise NotFound("file", name)
    content, mark = _files()[name]
    headers = {
        "Cache-Control": "public, max-age=31536000, immutable",
        "ETag": f'"{mark}"',
        "X-Content-Type-Options": "nosniff",
    }
    kind = TYPES[Path(name).suffix]
    return Response(content, headers=headers, media_type=f"{kind}; charset=utf-8")
