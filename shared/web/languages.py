"""The language of a reader: of pages by their choice or browser, of programs by the header Accept-Language."""

from __future__ import annotations

import re

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.wording import LANGUAGES, reading_in

COOKIE = "language"
_RANGE = re.compile(r"\s*([a-z]{2,3})(?:-[a-z0-9-]+)?\s*(?:;\s*q=([01](?:\.\d+)?))?\s*", re.IGNORECASE)


class ReadersLanguage:
    """Has everything in an answer said in the language of its reader."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        with reading_in(language_of(HTTPConnection(scope))):
            await self._app(scope, receive, send)


def language_of(asked: HTTPConnection) -> str:
    """On pages the one chosen before (a cookie); else the best of what Accept-Language asks for, else English."""
    chosen = None if asked.url.path.startswith("/api/") else asked.cookies.get(COOKIE)
    return chosen if chosen in LANGUAGES else best(asked.headers.get("accept-language", ""))


def best(accepted: str) -> str:
    """The language of ours that an Accept-Language header (RFC 9110, section 12.5.4) likes best."""
    found = [match for part in accepted.split(",") if (match := _RANGE.fullmatch(part))]
    liked = {match[1].lower(): float(match[2] or 1) for match in reversed(found)}
    ours = [(weight, name) for name, weight in liked.items() if name in LANGUAGES and weight]
    return max(ours, key=lambda each: (each[0], -accepted.lower().find(each[1])))[1] if ours else "en"
