"""Authenticate with Campaign Monitor, through the real app: from the button to a run whose token ran out."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import pytest
import requests
from azure.data.tables import TableServiceClient
from azure.storage.blob import BlobServiceClient

from dev.host.host_process import HostProcess
from dev.host.services import LocalServices
from dev.simulators.campaign_monitor import (
    ACCOUNT_KEY,
    APPLICATION,
    APPLICATION_SECRET,
    CLIENT,
    CampaignMonitor,
    Settings,
)
from dev.simulators.common.clock import ManualClock
from dev.simulators.common.serving import serve
from dev.simulators.common.simulator import Simulator
from tests.integration.app.conftest import NEVER, PROBLEM, REPOSITORY

ONE = "/api/v1/connections/cm"
TOKENS = "segment-exports-cm-oauth-tokens"
CONNECTION: dict[str, Any] = {
    "display_name": "Campaign Monitor",
    "vendor": "campaign-monitor",
    "settings": {"client_id": CLIENT, "removal_rate": 1000},
    "consent": {"agreed_by": "Ada", "text": "Profiles may go to Campaign Monitor."},
}


@dataclass
class App:
    """The running app; `seen` is every answer that it gave."""

    host: HostProcess
    services: LocalServices
    simulator: Simulator[CampaignMonitor]
    storage: BlobServiceClient
    seen: list[requests.Response] = field(default_factory=list)

    def call(self, method: str, path: str, body: Any = None, **options: Any) -> requests.Response:
        answer = self.host.request(method, path, json=body, timeout=120, allow_redirects=False, **options)
        self.seen.append(answer)
        return answer

    def begin(self) -> str:
        """The address that the button leads to."""
        answer = self.call("POST", f"{ONE}/authorize")
        assert answer.status_code == 200, answer.text
        return str(answer.json()["url"])

    def decide(self, url: str, decision: str = "allow") -> str:
        """Press a button on the vendor's page; where the browser is sent then."""
        with requests.Session() as browser:
            page = browser.get(url, timeout=120)
            [action] = re.findall(r'<form method="post" action="([^"]+)">', page.text)
            address = self.simulator.url + html.unescape(action)
            sent = browser.post(address, data={"decision": decision}, timeout=120, allow_redirects=False)
        assert sent.status_code == 302
        assert sent.headers["Location"].startswith(f"{self.host.url}/oauth/callback?")
        return sent.headers["Location"].removeprefix(self.host.url)

    def authenticate(self) -> None:
        answer = self.call("GET", self.decide(self.begin()))
        assert (answer.status_code, answer.headers["Location"]) == (303, "/connections/cm"), answer.text

    def tokens(self) -> dict[str, str]:
        return dict(json.loads(self.services.key_vault.secrets()[TOKENS]))

    def land(self, count: int, segment: str) -> None:
        at = datetime.now(UTC) - timedelta(minutes=5) + timedelta(seconds=len(self.seen))
        rows = "".join(f"person{number}@example.com,Person {number}\n" for number in range(count))
        folder = f"{segment}/{at:%Y%m%dT%H%M%SZ}"
        container = self.storage.get_container_client("segments")
        container.upload_blob(f"{folder}/part-0.csv", f"EMail,FirstName\n{rows}".encode())
        container.upload_blob(f"{folder}/_SUCCESS", b"")

    def define(self, name: str, segment: str) -> None:
        """An export of a segment to a list of the same name."""
        export = {
            "display_name": name,
            "connection": "cm",
            "targets": [{"segments": [segment]}],
            "address_column": "EMail",
            "matching": [{"field": "FirstName", "column": "FirstName"}],
            "guards": {"max_removed_people": 100},
        }
        saved = self.call("PUT", f"/api/v1/exports/{name}", export)
        assert saved.ok, saved.text

    def run(self, export: str) -> Any:
        started = self.call("POST", f"/api/v1/exports/{export}/run")
        assert started.status_code == 202, started.text
        self.host.wait_idle()
        return self.call("GET", started.headers["Location"]).json()

    def members(self, name: str) -> int:
        [found] = [each for each in self.simulator.vendor.client().lists.values() if each.title == name]
        return sum(each.state == "Active" for each in found.subscribers.values())


@pytest.fixture(scope="module")
def running() -> Iterator[App]:
    """The simulator's clock stands still, except that each call takes a second of it."""
    simulator = Simulator(CampaignMonitor(Settings(latency_fixed=1), clock=ManualClock()))
    with serve(simulator), LocalServices() as services:
        services.key_vault.set_secret("cm-application", APPLICATION_SECRET)
        settings = {
            "EXPORT_SCHEDULE": NEVER,
            "VERIFY_SECONDS": "0",
            "VENDOR_HOSTS": f"api.createsend.com={simulator.url}",
            "OAUTH_APPS": f"campaign-monitor={APPLICATION}:cm-application",
        }
        with (
            HostProcess(REPOSITORY, settings=settings, services=services, polling=0.25) as host,
            BlobServiceClient.from_connection_string(services.connection_string) as storage,
        ):
            storage.create_container("segments")
            yield App(host, services, simulator, storage)


@pytest.fixture
def app(running: App) -> App:
    """A saved connection, without any credential in its definition."""
    running.simulator.change_settings({"token_seconds": 1_209_600, "refreshed_access": "lives"})
    assert running.call("PUT", ONE, CONNECTION | {"secrets": {}}).ok
    return running


def test_a_person_authenticates_and_the_connection_is_green(app: App) -> None:
    assert app.call("POST", f"{ONE}/check").json()["code"] == "secret_unnamed"
    app.authenticate()
    shown = app.call("GET", ONE).json()
    assert (shown["secrets"], shown["check_code"]) == ({"oauth_tokens": TOKENS}, "ok")
    assert shown["account"] == f"campaign-monitor-{CLIENT}"
    assert set(app.tokens()) == {"access_token", "refresh_token"}
    assert app.call("POST", f"{ONE}/check").json()["ok"]


def test_a_typed_key_works_in_its_place(app: App) -> None:
    app.authenticate()
    typed = app.call("PUT", f"{ONE}/secrets/api_key", {"value": ACCOUNT_KEY})
    assert typed.json()["secrets"] == {"api_key": "segment-exports-cm-api-key"}
    assert app.services.key_vault.secrets()["segment-exports-cm-api-key"] == ACCOUNT_KEY
    assert app.call("POST", f"{ONE}/check").json()["ok"]


def test_who_denies_access_is_told_that_nothing_changed(app: App) -> None:
    answer = app.call("GET", app.decide(app.begin(), "deny"))
    assert (answer.status_code, answer.headers["Content-Type"].partition(";")[0]) == (422, PROBLEM)
    assert "Access was denied at Campaign Monitor" in answer.json()["detail"]
    assert app.call("GET", ONE).json()["secrets"] == {}


def test_a_state_is_good_once_and_no_other_is_good_at_all(app: App) -> None:
    before = app.simulator.vendor.accounts.tokens.exchanges
    back = app.decide(app.begin())
    state = dict(parse_qsl(urlsplit(back).query))["state"]
    forged = back.replace(state[:8], "AAAAAAAA")
    assert app.call("GET", forged).json()["code"] == "state_unknown"
    assert app.call("GET", back).status_code == 303
    assert app.call("GET", back).json()["code"] == "state_used"
    assert app.simulator.vendor.accounts.tokens.exchanges == before + 1


def test_a_run_goes_on_when_its_token_runs_out_in_the_middle(app: App) -> None:
    app.authenticate()
    app.land(80, "Expiring")
    app.define("expiring", "Expiring")
    assert app.run("expiring")["state"] == "succeeded"
    first = app.tokens()
    # From now on a token lasts for thirty calls, and the old one ends with each refresh.
    refreshes = app.simulator.vendor.accounts.tokens.refreshes
    app.simulator.change_settings({"token_seconds": 30, "refreshed_access": "revoked"})
    app.simulator.vendor.accounts.tokens.expire()
    app.land(10, "Expiring")
    view = app.run("expiring")
    assert (view["state"], view["targets"][0]["counts"]["accepted"]) == ("succeeded", 70)
    assert app.members("Expiring") == 10
    assert app.simulator.vendor.accounts.tokens.refreshes >= refreshes + 2
    assert not set(app.tokens().values()) & set(first.values())
    app.simulator.vendor.accounts.tokens.expire()
    assert app.call("POST", f"{ONE}/check").json()["ok"]


def test_a_revoked_sign_in_fails_the_run_in_words_and_a_new_one_mends_it(app: App) -> None:
    app.authenticate()
    app.land(5, "Revoked")
    app.define("revoked", "Revoked")
    app.simulator.vendor.accounts.tokens.revoke()
    failed = app.run("revoked")
    assert failed["state"] == "failed"
    assert "Campaign Monitor no longer accepts the sign-in of this connection" in failed["message"]
    assert "Authenticate with Campaign Monitor" in failed["message"]
    assert app.call("POST", f"{ONE}/check").json()["code"] == "authenticate_again"
    app.authenticate()
    again = app.run("revoked")
    assert again["state"] == "succeeded", again["message"]
    assert app.members("Revoked") == 5


def test_no_secret_is_anywhere_but_in_the_vault(app: App) -> None:
    app.authenticate()
    before = app.tokens()
    app.simulator.vendor.accounts.tokens.expire()
    app.call("POST", f"{ONE}/check")
    app.call("PUT", f"{ONE}/secrets/api_key", {"value": "typed+by/ada=="})
    app.call("PUT", f"{ONE}/secrets/api_key", {"value": ["typed+by/ada=="]})
    secrets = {*before.values(), *app.tokens().values(), "typed+by/ada==", APPLICATION_SECRET}
    places = [app.host.log(), *(answer.text + str(answer.headers) for answer in app.seen)]
    with TableServiceClient.from_connection_string(app.services.connection_string) as tables:
        for table in tables.list_tables():
            with tables.get_table_client(table.name) as client:
                places += [str(row) for row in client.list_entities()]
    for container in app.storage.list_containers():
        client_of = app.storage.get_container_client(container.name)
        places += [client_of.download_blob(name).readall().decode("latin-1") for name in client_of.list_blob_names()]
    assert len(places) > 20
    for secret in secrets:
        forms = (secret, quote(secret, safe=""))
        assert not [place for place in places if any(form in place for form in forms)]
