"""OAuth: codes and tokens, and the two pages where they are handed out (contract section 1)."""

from __future__ import annotations

import base64
import html
import secrets
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from dev.simulators.campaign_monitor.answers import oauth_refused
from dev.simulators.campaign_monitor.settings import ACCESS_TOKEN, PERMISSIONS, REFRESH_TOKEN, Settings
from dev.simulators.common.clock import Clock
from dev.simulators.common.vendor import HTML, Answer, Call, Refusal, json_answer

_FORM = "application/x-www-form-urlencoded"
_PAGE = """<!DOCTYPE html>
<html lang="en"><head><title>Campaign Monitor (simulated)</title>
<meta name="viewport" content="width=device-width"></head><body>
<h1>Allow access?</h1><p>The application {application} asks for: {permissions}</p>
<form method="post" action="/oauth?{query}">
<button name="decision" value="allow">Allow access</button> <button name="decision" value="deny">Deny access</button>
</form></body></html>
"""


@dataclass(frozen=True, slots=True)
class _Code:
    application: str
    redirect_uri: str
    permissions: frozenset[str]
    until: float


@dataclass(slots=True)
class Grant:
    """What an access token opens: an account, with some permissions, until an epoch second."""

    account: str
    permissions: frozenset[str]
    until: float
    revoked: bool = False


class Tokens:
    """The codes and tokens that are about. One pair, ACCESS_TOKEN and REFRESH_TOKEN, is there from the start."""

    def __init__(self, settings: Settings, now: float) -> None:
        self.exchanges = 0
        self.refreshes = 0
        self._codes: dict[str, _Code] = {}
        grant = Grant(settings.grants, PERMISSIONS, now + settings.token_seconds)
        self._access: dict[str, Grant] = {ACCESS_TOKEN: grant}
        self._refresh: dict[str, Grant] = {REFRESH_TOKEN: grant}

    def grant_of(self, token: str, now: float) -> Grant | int:
        """What `token` opens, or the code of the refusal."""
        grant = self._access.get(token)
        if grant is None:
            return 120
        if grant.revoked:
            return 122
        return grant if now < grant.until else 121

    def revoke(self) -> None:
        """As when the account's owner takes all access away: no token opens or renews anything any more."""
        for grant in self._access.values():
            grant.revoked = True
        self._refresh.clear()

    def expire(self) -> None:
        """Access tokens have run out; they can be renewed."""
        for grant in self._access.values():
            grant.until = 0.0

    def code(self, application: str, redirect_uri: str, permissions: frozenset[str], until: float) -> str:
        code = _secret()
        self._codes[code] = _Code(application, redirect_uri, permissions, until)
        return code

    def exchange(self, code: str, application: str, redirect_uri: str, settings: Settings, now: float) -> Answer | None:
        """A code opens nothing twice. None where it is invalid or expired."""
        known = self._codes.pop(code, None)
        if (
            known is None
            or now >= known.until
            or (known.application, known.redirect_uri)
            != (
                application,
                redirect_uri,
            )
        ):
            return None
        self.exchanges += 1
        refresh_token = _secret()
        return self._pair(Grant(settings.grants, known.permissions, now), refresh_token, settings)

    def renew(self, refresh_token: str, settings: Settings, now: float) -> Answer | None:
        """None where the refresh token is not, or no longer, valid."""
        old = self._refresh.get(refresh_token)
        if old is None:
            return None
        self.refreshes += 1
        if settings.refreshed_access == "revoked":
            old.revoked = True
        elif settings.refreshed_access == "expired":
            old.until = now
        if settings.refresh_rotates:
            del self._refresh[refresh_token]
            refresh_token = _secret()
        return self._pair(Grant(old.account, old.permissions, now), refresh_token, settings)

    def _pair(self, grant: Grant, refresh_token: str, settings: Settings) -> Answer:
        grant.until += settings.token_seconds
        access_token = _secret()
        self._access[access_token] = grant
        self._refresh[refresh_token] = grant
        return json_answer(
            {"access_token": access_token, "expires_in": settings.token_seconds, "refresh_token": refresh_token}
        )


def authorise(tokens: Tokens, settings: Settings, clock: Clock, call: Call) -> Answer:
    """`GET /oauth`, and `POST /oauth` from its page: send the person back with a code, or ask first."""
    query = call.query
    application, redirect_uri = query.get("client_id", ""), query.get("redirect_uri", "")
    known = settings.applications.get(application)
    if query.get("type") != "web_server" or not application or not redirect_uri or not query.get("scope"):
        return oauth_refused(400, "invalid_request", "Required parameters were not supplied")
    if known is None:
        return oauth_refused(400, "unknown_client", "The client_id did not match a registered integration")
    if not redirect_uri.startswith(known.redirect_uri):
        return oauth_refused(400, "invalid_redirect_uri", "The redirect_uri did not match the registered one")
    permissions = frozenset(query["scope"].split(","))
    if not permissions <= PERMISSIONS:
        return _back(call, error="unknown_scope", error_description="Unrecognised permissions were requested")
    decision = _decision(settings, call)
    if decision == "ask":
        words = {"application": application, "permissions": query["scope"], "query": urlencode(query)}
        page = _PAGE.format(**{name: html.escape(text) for name, text in words.items()})
        return Answer(200, page.encode(), HTML)
    if decision != "grant":
        return _back(call, error="access_denied", error_description="The end-user did not grant authorisation")
    code = tokens.code(application, redirect_uri, permissions, clock.epoch() + settings.code_seconds)
    return _back(call, code=code)


def token(tokens: Tokens, settings: Settings, clock: Clock, call: Call) -> Answer:
    """`POST /oauth/token`: a code or a refresh token for a new pair."""
    if not call.headers.get("content-type", "").startswith(_FORM):
        return oauth_refused(settings.oauth_error_status, "invalid_request", "Required parameters were not supplied")
    form = dict(parse_qsl(call.body.decode("latin-1"), keep_blank_values=True))
    match form.get("grant_type"):
        case "authorization_code":
            answer = _exchange(tokens, settings, clock, form)
        case "refresh_token":
            answer = tokens.renew(form.get("refresh_token", ""), settings, clock.epoch())
        case _:
            return oauth_refused(settings.oauth_error_status, "invalid_request", "grant_type is not valid")
    if answer is not None:
        return answer
    return oauth_refused(settings.oauth_error_status, "invalid_grant", "Specified code was invalid or expired")


def _exchange(tokens: Tokens, settings: Settings, clock: Clock, form: dict[str, str]) -> Answer | None:
    application = form.get("client_id", "")
    known = settings.applications.get(application)
    if known is None or not secrets.compare_digest(known.secret, form.get("client_secret", "")):
        raise Refusal(oauth_refused(settings.oauth_error_status, "unknown_client", "The client_id is not valid"))
    return tokens.exchange(form.get("code", ""), application, form.get("redirect_uri", ""), settings, clock.epoch())


def _decision(settings: Settings, call: Call) -> str:
    if call.method == "POST":
        form = dict(parse_qsl(call.body.decode("latin-1")))
        return "grant" if form.get("decision") == "allow" else "deny"
    return settings.authorisation


def _back(call: Call, **told: str) -> Answer:
    if "state" in call.query:
        told["state"] = call.query["state"]
    redirect_uri = call.query["redirect_uri"]
    joint = "&" if "?" in redirect_uri else "?"
    return Answer(302, b"", HTML, headers=(("location", f"{redirect_uri}{joint}{urlencode(told)}"),))


def _secret() -> str:
    # Always with signs that a form or an address has to encode.
    return base64.b64encode(secrets.token_bytes(16)).decode() + "+/="
