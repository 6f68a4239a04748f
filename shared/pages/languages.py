"""Which language a person reads, and its words."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse

from shared.access.actions import Action
from shared.catalog.issues import NotFound
from shared.web.wiring import allowed
from shared.wording import LANGUAGES

COOKIE = "language"

_RANGE = re.compile(r"\s*([a-z]{2,3})(?:-[a-z0-9-]+)?\s*(?:;\s*q=([01](?:\.\d+)?))?\s*", re.IGNORECASE)


def language_of(request: Request) -> str:
    """The one chosen before (a cookie), else the best of what the browser asks for, else English."""
    chosen = request.cookies.get(COOKIE)
    return chosen if chosen in LANGUAGES else best(request.headers.get("accept-language", ""))


def best(accepted: str) -> str:
    """The language of ours that an Accept-Language header (RFC 9110, section 12.5.4) likes best."""
    found = [match for part in accepted.split(",") if (match := _RANGE.fullmatch(part))]
    liked = {match[1].lower(): float(match[2] or 1) for match in reversed(found)}
    ours = [(weight, name) for name, weight in liked.items() if name in LANGUAGES and weight]
    return max(ours, key=lambda each: (each[0], -accepted.lower().find(each[1])))[1] if ours else "en"


router = APIRouter(include_in_schema=False)

_YEAR = 365 * 86400


@router.get("/language/{code}", dependencies=[Depends(allowed(Action.LOAD_ASSETS))])
def choose_language(
    code: str, following: Annotated[str, Query(alias="next", max_length=2000)] = "/"
) -> RedirectResponse:
    """Remember a language in a cookie, and go back to the page."""
    if code not in LANGUAGES:
        raise NotFound("language", code)
    own = following.startswith("/") and not following.startswith(("//", "/\\"))
    answer = RedirectResponse(following if own else "/", 303)
    answer.set_cookie(COOKIE, code, max_age=_YEAR, httponly=True, samesite="lax")
    return answer
