"""What the provider answers: discovery, the page to pick a person, the token endpoint, published keys, signing out."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from urllib.parse import urlencode

from dev.identity.directory import ROLES, Registration, claims
from dev.identity.signing import SigningKeys

CODE_SECONDS = 60
_KEPT = ("client_id", "redirect_uri", "state", "nonce", "code_challenge")

Fields = Mapping[str, str]


@dataclass(frozen=True)
class Answer:
    """One answer."""

    status: int
    body: str = ""
    media_type: str = "application/json"
    location: str = ""


@dataclass
class _Code:
    person: str
    roles: list[str]
    asked: Fields
    ends: float = field(default_factory=lambda: time.monotonic() + CODE_SECONDS)


class Provider:
    """The answers of one tenant; `issuer` is its address with its version, as Entra's tokens name it."""

    def __init__(self, registration: Registration, keys: SigningKeys, issuer: str) -> None:
        self.registration = registration
        self.keys = keys
        self.issuer = issuer
        self._codes: dict[str, _Code] = {}
        self._routes = {
            ("GET", "/.well-known/openid-configuration"): self._discovery,
            ("GET", "/authorize"): self._choose,
            ("POST", "/authorize"): self._chosen,
            ("POST", "/token"): self._token,
            ("GET", "/keys"): self._keys,
            ("GET", "/logout"): self._logout,
        }

    def answer(self, method: str, path: str, sent: Fields) -> Answer:
        """`path` is without the issuer's; `sent` are the fields of the query, or of the form."""
        route = self._routes.get((method, path))
        return route(sent) if route else Answer(404)

    def _discovery(self, _: Fields) -> Answer:
        places = {
            "authorization_endpoint": "authorize",
            "token_endpoint": "token",
            "jwks_uri": "keys",
            "end_session_endpoint": "logout",
        }
        named = {name: f"{self.issuer}/{place}" for name, place in places.items()}
        more = {"response_types_supported": ["code"], "code_challenge_methods_supported": ["S256"]}
        return Answer(200, json.dumps({"issuer": self.issuer, **named, **more}))

    def _choose(self, sent: Fields) -> Answer:
        if wrong := self._wrong(sent):
            return Answer(400, wrong, "text/plain")
        hidden = "".join(f'<input type="hidden" name="{name}" value="{escape(sent[name])}">' for name in _KEPT)
        people = "".join(
            f'<form method="post" action="{self.issuer}/authorize">{hidden}<fieldset><legend>{each.name}</legend>'
            f'<input type="hidden" name="person" value="{each.name}">{_ticks(each.roles)}'
            f"<button>Sign in as {each.name}</button></fieldset></form>"
            for each in self.registration.members
        )
        head = "<title>Sign in</title><link rel='icon' href='data:,'>"
        page = f"<!doctype html><html lang='en'>{head}<h1>Who are you?</h1>{people}</html>"
        return Answer(200, page, "text/html; charset=utf-8")

    def _chosen(self, sent: Fields) -> Answer:
        if wrong := self._wrong(sent):
            return Answer(400, wrong, "text/plain")
        if self.registration.member(sent.get("person", "")) is None:
            return self._back(sent, error="access_denied")
        code = secrets.token_urlsafe(24)
        self._codes[code] = _Code(sent["person"], [role for role in ROLES if sent.get(role)], sent)
        return self._back(sent, code=code)

    def _back(self, sent: Fields, **said: str) -> Answer:
        return Answer(303, location=f"{sent['redirect_uri']}?{urlencode({**said, 'state': sent['state']})}")

    def _wrong(self, sent: Fields) -> str:
        if missing := [name for name in _KEPT if not sent.get(name)]:
            return f"missing: {', '.join(missing)}"
        if sent["client_id"] != self.registration.client_id:
            return "unknown client"
        if sent["redirect_uri"] not in self.registration.redirects:
            return "this redirect address is not registered"
        if sent.get("code_challenge_method", "S256") != "S256" or sent.get("response_type", "code") != "code":
            return "only codes with S256"
        return ""

    def _token(self, sent: Fields) -> Answer:
        registration = self.registration
        if (sent.get("client_id"), sent.get("client_secret")) != (registration.client_id, registration.client_secret):
            return _refused("invalid_client")
        code = self._codes.pop(sent.get("code", ""), None)
        if sent.get("grant_type") != "authorization_code" or code is None or code.ends < time.monotonic():
            return _refused("invalid_grant")
        digest = hashlib.sha256(sent.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if challenge != code.asked["code_challenge"] or sent.get("redirect_uri") != code.asked["redirect_uri"]:
            return _refused("invalid_grant")
        who = registration.member(code.person)
        assert who is not None
        said = claims(self.issuer, registration.client_id, who, code.roles, nonce=code.asked["nonce"])
        tokens = {"token_type": "Bearer", "expires_in": 3600, "access_token": "opaque", "scope": "openid profile"}
        return Answer(200, json.dumps({**tokens, "id_token": self.keys.sign(said)}))

    def _keys(self, _: Fields) -> Answer:
        return Answer(200, json.dumps(self.keys.published()))

    def _logout(self, sent: Fields) -> Answer:
        """Only to an address that is registered, as Entra does; otherwise people stay here."""
        back = sent.get("post_logout_redirect_uri", "")
        if back in self.registration.redirects:
            return Answer(303, location=back)
        return Answer(200, "<!doctype html><p>You signed out here.</p>", "text/html; charset=utf-8")


def _ticks(chosen: tuple[str, ...]) -> str:
    return "".join(
        f'<label><input type="checkbox" name="{role}" value="1"{" checked" if role in chosen else ""}>{role}</label>'
        for role in ROLES
    )


def _refused(error: str) -> Answer:
    return Answer(400, json.dumps({"error": error}))
