"""A browser, as far as signing in goes: it keeps the app's cookie and fills in the provider's page."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from dev.identity import IdentityProvider
from tests.unit.api.asgi import Answer, Client

HTML = {"accept": "text/html,application/xhtml+xml"}


@dataclass
class Browser:
    client: Client
    identity: IdentityProvider
    cookies: dict[str, str] = field(default_factory=dict)

    def send(self, method: str, path: str, **options: Any) -> Answer:
        """Send with the cookies that are there, and keep what comes back."""
        jar = {"cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())} if self.cookies else {}
        options["headers"] = {"host": "exports.example", **jar, **(options.get("headers") or {})}
        path, _, query = path.partition("?")
        options.setdefault("query", dict(parse_qsl(query, keep_blank_values=True)))
        answer = self.client.send(method, path, **options)
        if cookie := answer.headers.get("set-cookie"):
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
            if "Max-Age=0" in cookie:
                del self.cookies[name]
        return answer

    def get(self, path: str, **options: Any) -> Answer:
        return self.send("GET", path, **options)

    def begin(self, following: str = "/") -> dict[str, str]:
        """Start to sign in; what the app asks the provider for."""
        answer = self.get("/auth/login", query={"next": following})
        assert answer.status == 303, answer.body
        return dict(parse_qsl(urlsplit(answer.headers["location"]).query))

    def choose(self, asked: dict[str, str], person: str, *roles: str, **changes: str) -> str:
        """Pick a person at the provider; the address that it sends the browser back to."""
        sent = {**asked, "person": person, **dict.fromkeys(roles, "1"), **changes}
        answer = self.identity.provider.answer("POST", "/authorize", sent)
        assert answer.status == 303, answer.body
        return answer.location.removeprefix("https://exports.example")

    def sign_in(self, person: str = "Ada Administrator", *roles: str, following: str = "/") -> Answer:
        """All of it; the app's answer to what the provider sent back."""
        chosen = roles or (person.split()[1],)
        return self.get(self.choose(self.begin(following), person, *chosen))

    def csrf(self) -> str:
        """The token that a page of this session has."""
        return self.get("/test/csrf").body.decode()
