"""The app's door: what is believed, what a foreign page can do, and when nobody comes in."""

from __future__ import annotations

import base64
import json
import re

import pytest
from fastapi.routing import APIRoute

from shared.access.choosing import choose
from shared.access.settings import from_environment
from shared.access.signing_in import SigningIn
from shared.access.visitors import LocalAccess, NoAccess
from shared.app import ROUTERS, create_app
from shared.pages import assets
from shared.pages import router as pages
from shared.web import sign_in
from tests.unit.access.browser import Browser
from tests.unit.access.conftest import MemoryVault
from tests.unit.api.asgi import Client
from tests.unit.api.service import FakeService

ME, CHECK = "/api/v1/me", "/api/v1/connections/marketing/check"
AZURITE = "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=k;BlobEndpoint=http://127.0.0.1:10000/a;"
SIGN_IN = {
    "SIGN_IN_ISSUER": "https://login.microsoftonline.com/t/v2.0",
    "SIGN_IN_CLIENT_ID": "c",
    "PUBLIC_URL": "https://exports.example",
}


def csrf(browser: Browser, access: SigningIn) -> dict[str, str]:
    session = access.sessions.read(browser.cookies)
    assert session is not None
    return {"x-csrf-token": session.csrf}


@pytest.mark.parametrize("name", ["x-ms-client-principal", "x-ms-client-principal-name", "x-ms-token-aad-id-token"])
def test_identity_headers_that_anyone_can_send_are_ignored(browser: Browser, name: str) -> None:
    principal = {"auth_typ": "aad", "claims": [{"typ": "roles", "val": "Administrator"}]}
    forged = {name: base64.b64encode(json.dumps(principal).encode()).decode(), "x-ms-client-principal-idp": "aad"}
    assert browser.get(ME, headers=forged).status == 401
    browser.sign_in("Vera Viewer")
    assert browser.get(ME, headers=forged).json["roles"] == ["Viewer"]


def test_a_session_changes_something_only_with_the_token_of_its_page(browser: Browser, access: SigningIn) -> None:
    browser.sign_in()
    assert browser.send("POST", CHECK).status == 403
    assert browser.send("POST", CHECK, headers={"x-csrf-token": "guess"}).status == 403
    assert browser.send("POST", CHECK, headers=csrf(browser, access)).status == 200


def test_the_token_of_another_session_is_refused(browser: Browser, access: SigningIn) -> None:
    browser.sign_in()
    stolen = csrf(browser, access)
    browser.cookies.clear()
    browser.sign_in()
    assert browser.send("POST", CHECK, headers=stolen).status == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_a_foreign_page_changes_nothing_even_with_the_token(
    browser: Browser, access: SigningIn, headers: dict[str, str]
) -> None:
    browser.sign_in()
    answer = browser.send("POST", CHECK, headers=csrf(browser, access) | headers)
    assert (answer.status, answer.json["code"]) == (403, "forbidden")


def test_an_own_page_with_all_its_headers_is_served(browser: Browser, access: SigningIn) -> None:
    browser.sign_in()
    own = {"origin": "https://exports.example", "sec-fetch-site": "same-origin"}
    assert browser.send("POST", CHECK, headers=csrf(browser, access) | own).status == 200


def test_a_used_session_is_renewed_by_any_answer(
    browser: Browser, access: SigningIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser.sign_in()
    assert "set-cookie" not in browser.get(ME).headers
    monkeypatch.setattr("shared.access.sessions.RENEW_SECONDS", -1)
    assert "__Host-" in browser.get(ME).headers["set-cookie"]
    ended = browser.send("POST", "/auth/logout", headers=csrf(browser, access))
    assert "Max-Age=0" in ended.headers["set-cookie"], "what the answer says of the cookie stands"


def test_no_cookie_leaves_on_an_answer_that_caches_keep(
    browser: Browser, access: SigningIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cache in front would hand one person's session to everyone."""
    browser.sign_in()
    monkeypatch.setattr("shared.access.sessions.RENEW_SECONDS", -1)
    looked_at = set()
    for path in sorted(_paths(browser)):
        headers = browser.get(path).headers
        if "no-store" not in headers.get("cache-control", ""):
            assert "set-cookie" not in headers, path
            looked_at.add(path)
    assert looked_at, "no answer may be kept"


def _paths(browser: Browser) -> set[str]:
    """Every address that answers GET, with something in its places; and each file of the pages."""
    every = (route for router in (*ROUTERS, sign_in.router, *pages.ROUTERS) for route in router.routes)
    routes = {route.path for route in every if isinstance(route, APIRoute) and "GET" in (route.methods or ())}
    files = {assets.address(name) for name in assets._files()}
    return {re.sub(r"\{[^}]+\}", "x", path) for path in routes} | files


def test_every_instance_knows_the_session(browser: Browser, other_instance: Client) -> None:
    browser.sign_in()
    assert Browser(other_instance, browser.identity, browser.cookies).get(ME).json["name"] == "Ada Administrator"


@pytest.mark.parametrize("path", [ME, "/api/docs", "/api/health", "/nowhere", "/auth/login", "/api/v1/exports/x"])
def test_every_answer_tells_browsers_what_not_to_do(browser: Browser, path: str) -> None:
    headers = browser.get(path).headers
    policy = dict(part.strip().partition(" ")[::2] for part in headers["content-security-policy"].split(";"))
    assert (policy["default-src"], policy["script-src"], policy["style-src"]) == ("'none'", "'self'", "'self'")
    assert (policy["frame-ancestors"], policy["base-uri"]) == ("'none'", "'none'")
    assert policy["form-action"] == f"'self' {browser.identity.url}"
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"
    assert headers["strict-transport-security"].startswith("max-age=31536000")


def test_the_health_page_is_open_to_all(browser: Browser) -> None:
    assert browser.get("/api/health").status == 200


CLOSED = [
    "/",
    "/api/docs",
    "/api/openapi.json",
    "/api/ready",
    ME,
    "/auth/login",
    "/auth/callback",
    "/static/x.css",
    "/x",
]


@pytest.mark.parametrize("path", CLOSED)
def test_without_sign_in_configured_nothing_but_health_answers_in_azure(service: FakeService, path: str) -> None:
    client = Client(create_app(service, NoAccess()), {"host": "127.0.0.1"})
    answer = client.get(path)
    assert (answer.status, answer.json["code"]) == (503, "closed")
    assert client.send("POST", path, raw=b"{}").status == 503
    assert client.get("/api/health").status == 200


@pytest.mark.parametrize("host", ["127.0.0.1:7071", "localhost:7071", "[::1]:7071"])
def test_on_one_machine_everyone_is_administrator(service: FakeService, host: str) -> None:
    me = Client(create_app(service, LocalAccess()), {"host": host}).get(ME).json
    assert (me["name"], me["roles"], me["how"]) == ("local", ["Administrator"], "local")


def test_on_one_machine_no_foreign_page_comes_in(service: FakeService) -> None:
    client = Client(create_app(service, LocalAccess()), {"host": "127.0.0.1:7071"})
    assert client.get(ME, headers={"host": "rebound.evil.example:7071"}).status == 403
    assert client.post(CHECK, headers={"origin": "https://evil.example"}).status == 403
    assert client.post(CHECK, headers={"sec-fetch-site": "cross-site"}).status == 403
    assert (
        client.post(CHECK, headers={"origin": "http://127.0.0.1:7071", "sec-fetch-site": "same-origin"}).status == 200
    )
    assert client.post(CHECK).status == 200


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, NoAccess),
        ({"AzureWebJobsStorage": AZURITE}, LocalAccess),
        ({"AzureWebJobsStorage": "UseDevelopmentStorage=true"}, LocalAccess),
        ({"AzureWebJobsStorage": AZURITE, "WEBSITE_INSTANCE_ID": "i"}, NoAccess),
        ({"AzureWebJobsStorage": AZURITE, "WEBSITE_SITE_NAME": "app"}, NoAccess),
        ({"AzureWebJobsStorage": AZURITE, "IDENTITY_ENDPOINT": "http://x"}, NoAccess),
        ({"AzureWebJobsStorage": AZURITE + "TableEndpoint=https://a.table.core.windows.net"}, NoAccess),
        ({"AzureWebJobsStorage": "AccountName=a;AccountKey=k;EndpointSuffix=core.windows.net"}, NoAccess),
        ({"AzureWebJobsStorage": AZURITE.replace("127.0.0.1", "127.0.0.1.evil.example")}, NoAccess),
        ({"AzureWebJobsStorage__accountName": "a"}, NoAccess),
        ({"AzureWebJobsStorage": AZURITE, **SIGN_IN}, SigningIn),
        (SIGN_IN, SigningIn),
        ({"AzureWebJobsStorage": AZURITE, **SIGN_IN, "SIGN_IN_CLIENT_ID": ""}, NoAccess),
        ({"AzureWebJobsStorage": AZURITE, **SIGN_IN, "SIGN_IN_ISSUER": "http://login.example"}, NoAccess),
        ({**SIGN_IN, "PUBLIC_URL": "http://exports.example"}, NoAccess),
        ({**SIGN_IN, "PUBLIC_URL": "https://exports.example/path"}, NoAccess),
        ({**SIGN_IN, "SIGN_IN_STAND_IN_CERTIFICATE": "c.pem"}, NoAccess),
    ],
)
def test_what_a_deployment_has(environment: dict[str, str], expected: type) -> None:
    assert type(choose(environment, MemoryVault())) is expected


def test_the_address_is_the_platforms_unless_it_is_said() -> None:
    in_azure = {key: value for key, value in SIGN_IN.items() if key != "PUBLIC_URL"}
    found = from_environment(in_azure | {"WEBSITE_HOSTNAME": "app.azurewebsites.net"})
    assert found and found.origin == "https://app.azurewebsites.net"
    empty = from_environment(in_azure | {"WEBSITE_HOSTNAME": "app.azurewebsites.net", "PUBLIC_URL": ""})
    assert empty == found
    own = from_environment(SIGN_IN | {"WEBSITE_HOSTNAME": "app.azurewebsites.net"})
    assert own and own.origin == "https://exports.example"
