"""Requests that a foreign page makes a browser send: unsafe methods with a session need its token."""

from __future__ import annotations

from starlette.requests import Request

HEADER = "X-CSRF-Token"


def token(request: Request) -> str:
    """What pages put in `hx-headers`; empty where there is no session (the local mode goes by origin alone)."""
    return str(getattr(request.state, "csrf_token", ""))
