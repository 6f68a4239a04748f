"""Real Chromium on the real app: Microsoft's worker library, Azurite, the Key Vault stand-in and simulators.

One app and one browser for a session (or a worker of it). `make pictures` leaves pictures in `test-artefacts/`, and
those that the docs show in the folder that `PICTURES` names; without it none is taken, since each costs as much as the
test it is taken in.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from azure.storage.blob import BlobServiceClient, ContainerClient
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, FloatRect, Page, expect, sync_playwright

from dev.host.client import Status
from dev.host.host_process import HostProcess
from dev.host.services import LocalServices
from dev.simulators import campaign_monitor
from dev.simulators.common.serving import serve
from dev.simulators.common.simulator import Simulator
from dev.simulators.iterable import PROJECT, STANDARD_KEY, Iterable, Settings
from tests.chromium import chromium

REPOSITORY = Path(__file__).parents[2]
PICTURES = REPOSITORY / "test-artefacts"
ASKED_FOR = "PICTURES" in os.environ
EXCERPTS = REPOSITORY / os.environ.get("PICTURES", "")
MARGIN = 12
AXE = REPOSITORY / "node_modules" / "axe-core" / "axe.min.js"
NEVER = "0 0 0 1 1 *"
ZONE = "Europe/Stockholm"
HARMLESS = (
    "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",  # the empty style that Playwright adds for a picture
    "status of 4",  # refusals are what some tests are about
    "htmx:sendAbort",  # the page was left, or the form sent again, before an answer came
    "htmx:afterRequest",
)
"""Parts of errors in the browser's console that say nothing is wrong with the pages."""
HTMX_AT_WORK = ".htmx-request, .htmx-swapping, .htmx-settling, .htmx-added"


expect.set_options(timeout=60_000)  # the machine may be busy with other tests


@dataclass
class App:
    """The running app and everything around it."""

    host: HostProcess
    services: LocalServices
    simulator: Simulator[Iterable]
    segments: ContainerClient

    def call(self, method: str, path: str, body: Any = None) -> requests.Response:
        answer = self.host.request(method, f"/api/v1{path}", json=body, timeout=120)
        assert answer.ok, answer.text
        return answer

    def land(
        self, segment: str, people: list[str], *, days_ago: float = 0.01, columns: str = "EMail,FirstName,City"
    ) -> str:
        """Put a snapshot into storage, one line for each person; the segment's id."""
        at = datetime.now(UTC) - timedelta(days=days_ago)
        folder = f"{segment}/{at:%Y%m%dT%H%M%SZ}"
        self.segments.upload_blob(f"{folder}/part-0.csv", "\n".join([columns, *people, ""]), overwrite=True)
        self.segments.upload_blob(f"{folder}/_SUCCESS", b"", overwrite=True)
        return f"segments:{segment}"

    def connect(self, name: str = "iterable", **changes: Any) -> str:
        """A connection that was checked, shared with contributors."""
        body = {
            "display_name": "Iterable, all shops",
            "vendor": "iterable",
            "shared_with": "administrators and contributors",
            "settings": {"subscribe_rate": 1000},
            "secrets": {"api_key": "iterable-api-key"},
            "consent": {"text": "Profiles may go to Iterable."},
        }
        self.call("PUT", f"/connections/{name}", body | changes)
        assert self.call("POST", f"/connections/{name}/check").json()["ok"]
        return name

    def define(self, name: str, segment: str, **changes: Any) -> None:
        """An export."""
        body = {
            "display_name": name.title(),
            "connection": "iterable",
            "targets": [{"segments": [segment], "list_name": f"{name} list"}],
            "address_column": "EMail",
            "matching": [{"field": "firstName", "column": "FirstName"}],
        }
        self.call("PUT", f"/exports/{name}", body | changes)

    def run(self, name: str, kind: str = "delivery") -> str:
        """Run an export to its end; the run's address."""
        started = self.call("POST", f"/exports/{name}/runs", {"kind": kind}).json()
        self.wait(name)
        return f"/exports/{name}/runs/{started['run']}"

    def wait(self, name: str) -> None:
        """Until the newest run of the export has ended, or waits for a decision."""

        def rests(status: Status) -> bool:
            last = self.call("GET", f"/exports/{name}").json()["last_run"]
            return last is not None and last["state"] not in ("queued", "running")

        self.host.wait_until(rests, timeout=300, poll=0.5)

    def until_some_are_delivered(self, name: str) -> None:
        """Until the newest run of the export is on its way at the vendor, and knows how fast it is."""

        self.host.wait_until(lambda status: bool(status.running.get("deliver")), timeout=300)

        def goes_on(status: Status) -> bool:
            last = self.call("GET", f"/exports/{name}").json()["last_run"]
            if last is None:  # another message than the run's is under way
                return False
            progress = self.call("GET", f"/exports/{name}/runs/{last['run']}").json()["progress"]
            return bool(progress) and progress["seconds_left"] is not None

        self.host.wait_until(goes_on, timeout=300, poll=0.5)

    def members(self, list_name: str) -> set[str]:
        lists = self.simulator.vendor.project(PROJECT).lists.values()
        return {str(person.email) for each in lists if each.name == list_name for person in each.members}


@pytest.fixture(scope="package")
def app() -> Iterator[App]:
    simulator, other = Simulator(Iterable(Settings())), Simulator(campaign_monitor.CampaignMonitor())
    with serve(simulator), serve(other), LocalServices() as services:
        services.key_vault.set_secret("iterable-api-key", STANDARD_KEY)
        services.key_vault.set_secret("cm-application", campaign_monitor.APPLICATION_SECRET)
        settings = {
            "EXPORT_SCHEDULE": NEVER,
            "VENDOR_HOSTS": f"api.iterable.com={simulator.url}, api.createsend.com={other.url}",
            "OAUTH_APPS": f"campaign-monitor={campaign_monitor.APPLICATION}:cm-application",
        }
        with (
            HostProcess(REPOSITORY, settings=settings, services=services, polling=0.25) as host,
            BlobServiceClient.from_connection_string(services.connection_string) as storage,
        ):
            yield App(host, services, simulator, storage.create_container("segments"))


@pytest.fixture
def connected(app: App) -> App:
    """The app with a connection to Iterable that was checked."""
    app.connect()
    return app


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Ends with this folder: while Playwright runs, no other test of the process can have an event loop."""
    program = chromium()
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--no-proxy-server"])
        yield made
        made.close()


@dataclass
class Visit:
    """A person with a browser window. Whatever the browser complains of is kept, and a test fails for it."""

    app: App
    context: BrowserContext
    page: Page
    complaints: list[str] = field(default_factory=list)

    def hear(self, said: ConsoleMessage) -> None:
        """Keep an error that the browser reports."""
        if said.type == "error" and not any(harmless in said.text for harmless in HARMLESS):
            self.complaints.append(said.text)

    def go(self, path: str) -> None:
        self.page.goto(self.app.host.url + path)

    def define(self, segment: str) -> None:
        """Begin an export of this segment on the connection that all tests share."""
        self.go(f"/exports/new?segment={segment}")
        self.page.get_by_label("Connection", exact=True).select_option("iterable")
        expect(self.page.get_by_label("Column with the e-mail address")).to_be_visible()

    def button(self, name: str) -> None:
        """Press a button, and wait for what htmx does about it: what it puts into the page listens a moment later."""
        self.page.get_by_role("button", name=name, exact=True).click()
        expect(self.page.locator(HTMX_AT_WORK)).to_have_count(0)

    def sees(self, words: str) -> None:
        """The page says this, now or in a moment."""
        expect(self.page.get_by_text(words).first).to_be_visible()

    def picture(self, name: str) -> None:
        """Keep a picture of the page as it is: desktop and phone, light and dark."""
        if not ASKED_FOR:
            return
        PICTURES.mkdir(exist_ok=True)
        size = self.page.viewport_size
        for width, scheme in ((1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")):
            self.page.set_viewport_size({"width": width, "height": 900})
            self.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
            kind = "desktop" if width > 500 else "phone"
            # As high as the page, so that what sticks to the bottom of the window is at the bottom of the picture.
            height = self.page.evaluate("document.documentElement.scrollHeight")
            self.page.set_viewport_size({"width": width, "height": max(900, height)})
            self.page.screenshot(path=PICTURES / f"{name}-{kind}-{scheme}.png")
        self.page.emulate_media(color_scheme="light")
        if size:
            self.page.set_viewport_size(size)

    def excerpt(self, name: str, parts: str) -> None:
        """Keep a picture for the docs: what these selectors find on the page, and no more."""
        assert self.page.locator(parts).count(), parts
        if not ASKED_FOR:
            return
        EXCERPTS.mkdir(parents=True, exist_ok=True)
        size = self.page.viewport_size
        assert size
        height = self.page.evaluate("document.documentElement.scrollHeight")
        self.page.set_viewport_size({"width": size["width"], "height": max(size["height"], height)})
        boxes = [box for part in self.page.locator(parts).all() if (box := part.bounding_box()) and box["height"]]
        assert boxes, parts
        left, top = min(box["x"] for box in boxes) - MARGIN, min(box["y"] for box in boxes) - MARGIN
        right, bottom = max(box["x"] + box["width"] for box in boxes), max(box["y"] + box["height"] for box in boxes)
        clip = FloatRect(x=left, y=top, width=right + MARGIN - left, height=bottom + MARGIN - top)
        self.page.screenshot(path=EXCERPTS / f"{name}.png", clip=clip)
        self.page.set_viewport_size(size)

    def check_access(self) -> None:
        """What axe-core calls serious or critical, on the page as it is; in the dark only the colours are new."""
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE.read_text())
        for scheme, rules in (("light", ""), ("dark", "runOnly: ['color-contrast']")):
            self.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
            # What is in order is not described: that takes longer than to look for what is not.
            found = self.page.evaluate(f"axe.run(document, {{resultTypes: ['violations'], selectors: false, {rules}}})")
            bad = [
                (each["id"], [node["html"][:200] for node in each["nodes"]])
                for each in found["violations"]
                if each["impact"] in ("serious", "critical")
            ]
            assert not bad, (scheme, self.page.url, bad)
        self.page.emulate_media(color_scheme="light")


@pytest.fixture
def visitor(app: App, browser: Browser) -> Iterator[Callable[..., Visit]]:
    """Opens browser windows; `options` are those of Playwright's contexts."""
    visits: list[Visit] = []

    def open_window(**options: Any) -> Visit:
        context = browser.new_context(timezone_id=ZONE, **{"locale": "en-GB", **options})
        context.set_default_timeout(60_000)  # as above
        visit = Visit(app, context, context.new_page())
        visit.page.on("console", visit.hear)
        visit.page.on("pageerror", lambda error: visit.complaints.append(str(error)))
        visits.append(visit)
        return visit

    yield open_window
    for visit in visits:
        visit.context.close()
        assert not visit.complaints


@pytest.fixture
def visit(visitor: Callable[..., Visit]) -> Visit:
    """One window, at a desk."""
    return visitor(viewport={"width": 1280, "height": 900})
