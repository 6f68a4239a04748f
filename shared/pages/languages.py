"""People choose their language."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import RedirectResponse

from shared.access.actions import Action
from shared.catalog.issues import NotFound
from shared.web.languages import COOKIE
from shared.web.wiring import allowed
from shared.wording import LANGUAGES

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
