"""Signing in to the real app: Microsoft's worker library in a process of its own, a provider, and Chromium."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urljoin

import pytest
import requests
from playwright.sync_api import expect, sync_playwright

from dev.host.host_process import HostProcess
from dev.host.services import LocalServices
from dev.identity import IdentityProvider
from tests.chromium import chromium
from tests.integration.app.conftest import NEVER, REPOSITORY

HTML = {"Accept": "text/html"}


@dataclass
class SignedApp:
    host: HostProcess
    identity: IdentityProvider


@pytest.fixture(scope="module")
def signed() -> Iterator[SignedApp]:
    """Azure's way of knowing people, on one machine."""
    with IdentityProvider() as identity, LocalServices() as services:
        services.key_vault.set_secret("sign-in-secret", identity.registration.client_secret)
        port = free_port()
        settings = {"EXPORT_SCHEDULE": NEVER, **identity.settings(f"http://127.0.0.1:{port}")}
        with HostProcess(REPOSITORY, settings=settings, services=services, port=port) as host:
            yield SignedApp(host, identity)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def test_a_person_signs_in_over_http(signed: SignedApp) -> None:
    with requests.Session() as session:
        session.trust_env, session.verify = False, str(signed.identity.certificate)
        page = session.get(signed.host.url, headers=HTML, timeout=120)
        assert page.url.startswith(f"{signed.identity.issuer}/authorize?")
        [form] = re.findall(r"<form[^>]*>((?:(?!</form>).)*Carl Contributor.*?)</form>", page.text)
        fields = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', form))
        for role in ("Administrator", "Viewer"):
            fields.pop(role)
        back = session.post(urljoin(page.url, "authorize"), data=fields, headers=HTML, timeout=120)
        assert (back.status_code, back.url) == (200, f"{signed.host.url}/")
        cookie = back.history[-1].headers["Set-Cookie"]
        assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Max-Age=1800" in cookie
        me = session.get(f"{signed.host.url}/api/v1/me", timeout=120).json()
        assert (me["name"], me["roles"]) == ("Carl Contributor", ["Contributor"])
        assert session.put(f"{signed.host.url}/api/v1/connections/a", json={}, timeout=120).status_code == 403


def test_a_program_brings_a_token(signed: SignedApp) -> None:
    bearer = {"Authorization": f"Bearer {signed.identity.access_token('Viewer')}"}
    assert requests.get(f"{signed.host.url}/api/v1/exports", headers=bearer, timeout=120).json() == []
    assert requests.post(f"{signed.host.url}/api/v1/run-all", headers=bearer, timeout=120).status_code == 403


def test_the_function_key_opens_the_on_demand_trigger_alone(signed: SignedApp) -> None:
    for method, path in (("GET", "/api/v1/exports"), ("PUT", "/api/v1/connections/a"), ("GET", "/api/openapi.json")):
        assert signed.host.request(method, path, timeout=120).status_code == 401
        assert signed.host.request(method, f"{path}?code={signed.host.key}", timeout=120).status_code == 401
    assert signed.host.request("POST", "/api/v1/exports/none/run", timeout=120).status_code == 404
    assert requests.post(f"{signed.host.url}/api/v1/exports/none/run", timeout=120).status_code == 401
    bearer = {"Authorization": f"Bearer {signed.identity.access_token('Administrator')}"}
    told = requests.get(f"{signed.host.url}/api/v1/audit?top=1", headers=bearer, timeout=120).json()["changes"][0]
    assert (told["who"], told["subject"], told["outcome"]) == ("function key", "export none", "refused")


def test_nobody_reaches_anything_by_a_header_that_a_proxy_might_set(signed: SignedApp) -> None:
    forged = {"X-MS-CLIENT-PRINCIPAL-NAME": "ada", "X-MS-CLIENT-PRINCIPAL": "eyJjbGFpbXMiOltdfQ=="}
    assert requests.get(f"{signed.host.url}/api/v1/exports", headers=forged, timeout=120).status_code == 401


def test_in_azure_without_sign_in_nothing_but_health_answers(signed: SignedApp) -> None:
    settings = {"EXPORT_SCHEDULE": NEVER, "WEBSITE_SITE_NAME": "exports"}
    with HostProcess(REPOSITORY, settings=settings, services=signed.host.services) as host:
        assert host.request("GET", "/api/health", timeout=120).json()["status"] == "ok"
        for method, path in (("GET", "/"), ("GET", "/api/v1/me"), ("POST", "/api/v1/exports/a/run")):
            answer = host.request(method, path, timeout=120)
            assert (answer.status_code, answer.json()["code"]) == (503, "closed")


def test_a_person_signs_in_sees_who_they_are_and_signs_out(signed: SignedApp) -> None:
    program = chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_context(ignore_https_errors=True).new_page()
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.goto(f"{signed.host.url}/connections")
        page.get_by_role("button", name="Sign in as Vera Viewer").click()
        page.wait_for_url(f"{signed.host.url}/connections")
        expect(page.get_by_text("Vera Viewer")).to_be_visible()
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_text("You are signed out.")).to_be_visible()
        assert page.context.cookies(signed.host.url) == []
        page.goto(f"{signed.host.url}/connections")
        expect(page.get_by_role("heading", name="Who are you?")).to_be_visible()
        assert complaints == []
        browser.close()
