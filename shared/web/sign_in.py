"""Signing in and out: `/auth/login`, `/auth/callback`, `/auth/logout`."""

from __future__ import annotations

import re
from html import escape
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from shared.access.actions import Action
from shared.access.provider import SignInFailed
from shared.access.signing_in import SigningIn
from shared.web.gate import login_url
from shared.web.wiring import allowed
from shared.wording import reader, said, say

router = APIRouter(prefix="/auth", include_in_schema=False)

SIGNED_OUT = "/auth/signed-out"
# One slash, then no other: browsers read two, or a backslash, as the name of another host.
_OWN_PATH = re.compile(r"/(?:[^/\\\s][^\\\s]*)?", re.ASCII)

LONGEST_FOLLOWING = 1000
"""Characters; browsers drop a cookie of more than 4,096 bytes, and a sign-in under way takes half of that."""

_SIGN_IN = [Depends(allowed(Action.SIGN_IN))]


@router.get("/login", dependencies=_SIGN_IN)
def login(request: Request, following: Annotated[str, Query(alias="next")] = "/") -> Response:
    """To the provider, unless there is a session already."""
    access, following = request.state.access, following if _is_own(following) else "/"
    if request.state.person or not isinstance(access, SigningIn):
        return RedirectResponse(following, 303)
    flow = access.provider.begin()
    return RedirectResponse(flow["auth_uri"], 303, {"Set-Cookie": access.sessions.wait(flow, following)})


@router.get("/callback", dependencies=_SIGN_IN)
def callback(request: Request) -> Response:
    """Back from the provider, with a code or with a refusal."""
    access = request.state.access
    if not isinstance(access, SigningIn):
        return RedirectResponse("/", 303)
    pending = access.sessions.awaited(request.cookies)
    if pending is None and request.state.person is not None:  # signed in by now, in another window
        return RedirectResponse("/", 303)
    if pending is None:
        return _page(say("This sign-in took too long, or began in another window."), access, login_url("/"), 400)
    try:
        person = access.finish(request, pending, request.query_params)
    except SignInFailed as error:
        return _page(
            say("The sign-in did not work (%(error)s).", error=error), access, login_url(pending.following), 400
        )
    if not person.roles:
        words = say("You are known, but have no role in this app: ask an administrator for one.")
        return _page(words, access, login_url(pending.following), 403)
    return RedirectResponse(pending.following, 303, {"Set-Cookie": access.sessions.begin(person)})


@router.post("/logout", dependencies=[Depends(allowed(Action.SIGN_OUT))])
def logout(request: Request) -> Response:
    """Ends the session here, and at the provider."""
    access = request.state.access
    if not isinstance(access, SigningIn):
        return RedirectResponse("/", 303)
    url = access.provider.sign_out_url
    away = f"{url}?{urlencode({'post_logout_redirect_uri': access.origin + SIGNED_OUT})}" if url else SIGNED_OUT
    access.sessions.forget(request.cookies)
    ended = {"Set-Cookie": access.sessions.end()}
    if "hx-request" in request.headers:
        return Response(status_code=204, headers={**ended, "HX-Redirect": away})
    return RedirectResponse(away, 303, ended)


@router.get("/signed-out", dependencies=_SIGN_IN)
def signed_out() -> Response:
    """Where the provider sends people afterwards."""
    return _html(say("You are signed out."), "/")


def _is_own(following: str) -> bool:
    """Whether it is a path of this app, and short enough for a cookie that browsers keep."""
    return len(following) <= LONGEST_FOLLOWING and bool(_OWN_PATH.fullmatch(following))


def _page(words: str, access: SigningIn, again: str, status: int) -> Response:
    """What went wrong; the sign-in that was under way is over."""
    answer = _html(words, again, status)
    answer.headers["Set-Cookie"] = access.sessions.end()
    return answer


def _html(words: str, again: str, status: int = 200) -> Response:
    return HTMLResponse(
        f'<!doctype html><html lang="{reader()}"><meta charset="utf-8"><title>Segment exports</title>'
        '<link rel="icon" href="data:,">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<main><p>{escape(said(words))}</p>"
        f'<p><a href="{escape(again)}">{escape(said(say("Sign in")))}</a></p></main></html>',
        status,
    )
