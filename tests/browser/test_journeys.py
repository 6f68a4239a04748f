"""What people of each role do in a day, by ear: a keyboard, and roles and names as a screen reader announces them."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
from azure.storage.blob import BlobServiceClient
from playwright.sync_api import Dialog, Locator, Page, expect

from dev.host.host_process import HostProcess
from dev.host.services import LocalServices
from dev.identity import IdentityProvider
from dev.simulators.common.serving import serve
from dev.simulators.common.simulator import Simulator
from dev.simulators.iterable import STANDARD_KEY, Iterable, Settings
from tests.browser.conftest import HARMLESS, NEVER, REPOSITORY, ZONE, App
from tests.browser.people import UNUSABLE, some

MOST_STOPS = 250
"""Presses of Tab until a page counts as one on which a control cannot be reached."""


@dataclass
class SignedApp(App):
    """The app with sign-in, as it is in Azure; what tests prepare, they prepare as an administrator's program."""

    identity: IdentityProvider

    def call(self, method: str, path: str, body: Any = None) -> requests.Response:
        bearer = {"Authorization": f"Bearer {self.identity.access_token('Administrator')}"}
        answer = self.host.request(method, f"/api/v1{path}", json=body, headers=bearer, timeout=120)
        assert answer.ok, answer.text
        return answer


@pytest.fixture(scope="module")
def signed() -> Iterator[SignedApp]:
    simulator = Simulator(Iterable(Settings()))
    with serve(simulator), IdentityProvider() as identity, LocalServices() as services:
        services.key_vault.set_secret("iterable-api-key", STANDARD_KEY)
        services.key_vault.set_secret("sign-in-secret", identity.registration.client_secret)
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            port = int(listener.getsockname()[1])
        settings = {"EXPORT_SCHEDULE": NEVER, "VENDOR_HOSTS": f"api.iterable.com={simulator.url}"}
        settings |= identity.settings(f"http://127.0.0.1:{port}")
        with (
            HostProcess(REPOSITORY, settings=settings, services=services, port=port, polling=0.25) as host,
            BlobServiceClient.from_connection_string(services.connection_string) as storage,
        ):
            yield SignedApp(host, services, simulator, storage.create_container("segments"), identity)


@dataclass
class Listener:
    """Somebody who hears a page and has a keyboard."""

    app: App
    page: Page

    def reach(self, role: Any, name: str) -> Locator:
        """Press Tab until a control with this role and name has the focus."""
        wanted = self.page.get_by_role(role, name=name, exact=True)
        expect(wanted.first).to_be_attached()
        return self.go_to(wanted, f"{role} {name}")

    def reach_labelled(self, label: str) -> Locator:
        """The same for what has no role of its own: a field for a secret."""
        return self.go_to(self.page.get_by_label(label, exact=True), label)

    def go_to(self, wanted: Locator, said: str) -> Locator:
        """Press Tab until one of these has the focus. After each press the browser is asked once."""
        focused = wanted.and_(self.page.locator(":focus"))
        for _ in range(MOST_STOPS):
            if focused.count():
                return focused
            self.page.keyboard.press("Tab")
        raise AssertionError(f"no way to {said} by keyboard on {self.page.url}")

    def press(self, role: Any, name: str, key: str = "Enter") -> None:
        self.reach(role, name)
        self.page.keyboard.press(key)

    def type(self, name: str, text: str, role: Any = "textbox") -> None:
        self.reach(role, name)
        self.page.keyboard.press("Control+a")
        self.page.keyboard.type(text)

    def choose(self, name: str, option: str) -> None:
        """In a list of choices, by typing how the option begins."""
        self.reach("combobox", name)
        self.page.keyboard.type(option)

    def hears(self, role: Any, text: str) -> None:
        expect(self.page.get_by_role(role).filter(has_text=text).first).to_be_visible()

    def is_at(self, heading: str) -> None:
        expect(self.page.get_by_role("heading", name=heading).first).to_be_visible()


@pytest.fixture
def as_person(signed: SignedApp, browser: Any) -> Iterator[Callable[[str], Listener]]:
    """Signs people in; whatever the browser complains of fails the test."""
    contexts, complaints = [], []

    def sign_in(person: str) -> Listener:
        context = browser.new_context(timezone_id=ZONE, locale="en-GB", ignore_https_errors=True)
        context.set_default_timeout(60_000)  # the machine may be busy with other tests
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.goto(signed.host.url)
        listener = Listener(signed, page)
        listener.press("button", f"Sign in as {person}")
        listener.is_at("Overview")
        return listener

    yield sign_in
    for context in contexts:
        context.close()
    assert [said for said in complaints if not any(harmless in said for harmless in HARMLESS)] == []


def test_an_administrator_connects_shares_forgets_and_reads_the_trail(
    signed: SignedApp, as_person: Callable[[str], Listener]
) -> None:
    signed.connect()
    signed.define("forgetting", signed.land("Forgetting", some(3, mark="forgetting")))
    signed.run("forgetting")
    ada = as_person("Ada Administrator")

    ada.press("link", "Connections")
    ada.press("link", "Add connection")
    ada.is_at("Add connection")
    ada.choose("Vendor", "Iter")
    ada.hears("listitem", "A million new people take about 4 minutes")
    ada.type("Name", "Shops in the south")
    ada.reach("radio", "Administrators")
    ada.page.keyboard.press("ArrowDown")
    expect(ada.page.get_by_role("radio", name="Administrators and contributors")).to_be_checked()
    ada.hears("group", "Integrations › API keys")
    ada.reach_labelled("API key")
    ada.page.keyboard.type(STANDARD_KEY)
    ada.press("checkbox", "I agree", "Space")
    ada.press("button", "Save and connect")
    ada.hears("status", "Connected to Iterable")
    assert signed.call("GET", "/connections/shops-in-the-south").json()["shared_with"].endswith("contributors")

    ada.press("link", "Administration")
    ada.press("link", "Forget a person")
    ada.type("E-mail address of the person", "Forgetting1@example.com")
    ada.press("button", "Show what is kept")
    ada.is_at("What will be erased")
    ada.hears("listitem", "the files of 1 run")
    ada.press("button", "Forget this person for good")
    ada.hears("status", "The person is forgotten. Erased from the record of 1 list and from the files of 1 run.")
    assert "orgetting1" not in ada.page.url

    ada.press("link", "Administration")
    ada.press("link", "Audit trail")
    ada.is_at("Audit trail")
    ada.hears("row", "Ada Administrator forget people")
    ada.hears("row", "save connections: connection shops-in-the-south")
    expect(ada.page.get_by_text("orgetting1@")).to_have_count(0)


def test_a_contributor_makes_an_export_tries_it_delivers_it_and_decides(
    signed: SignedApp, as_person: Callable[[str], Listener]
) -> None:
    signed.connect()
    signed.land("Regulars", [*some(300, mark="regular"), *UNUSABLE], days_ago=1)
    carl = as_person("Carl Contributor")
    assert "Administration" not in carl.page.get_by_role("navigation", name="Main").inner_text()

    carl.press("link", "Segments")
    carl.press("link", "Regulars")
    carl.press("link", "New export with this segment")
    carl.choose("Connection", "Iterable, all")
    expect(carl.page.get_by_role("combobox", name="Column with the e-mail address")).to_have_value("EMail")
    carl.type("Name", "Regular customers")
    carl.press("button", "Save")
    carl.hears("status", "Saving does not run it.")

    carl.press("button", "Dry run")
    carl.hears("paragraph", "Dry run: nothing was sent.")
    assert signed.members("Regulars") == set()
    carl.press("button", "Run now")
    carl.hears("status", "Succeeded with warnings")
    assert len(signed.members("Regulars")) == 300

    signed.land("Regulars", some(100, mark="regular"))
    signed.run("regular-customers")
    carl.press("link", "Overview")
    carl.press("link", "Decide")
    carl.is_at("What is to be done?")
    carl.hears("main", "would remove 200 of 300")
    asked: list[str] = []

    def agree(dialog: Dialog) -> None:
        asked.append(dialog.message)
        dialog.accept()

    carl.page.once("dialog", agree)
    carl.press("button", "Deliver all")
    carl.hears("status", "Succeeded")
    assert "To remove: 200." in asked[0]
    assert len(signed.members("Regulars")) == 100


def test_a_viewer_finds_out_why_people_are_missing_and_changes_nothing(
    signed: SignedApp, as_person: Callable[[str], Listener]
) -> None:
    signed.connect()
    signed.define("watched", signed.land("Watched", [*some(5, mark="watched"), *UNUSABLE]), display_name="Watched")
    signed.run("watched")
    vera = as_person("Vera Viewer")

    vera.press("link", "Exports")
    vera.press("link", "Watched")
    vera.is_at("Watched")
    vera.hears("main", "Your role lets you look")
    newest = vera.page.get_by_role("table").get_by_role("link").first
    vera.go_to(newest, "the newest run")
    vera.page.keyboard.press("Enter")
    vera.is_at("People who were not taken")
    vera.hears("main", "This is not a valid e-mail address.")
    vera.hears("main", "The row has no e-mail address.")
    expect(vera.page.get_by_text("no-address-at-all")).to_have_count(0)

    for path in ("/", "/exports", "/exports/watched", "/segments", "/connections", "/help", vera.page.url):
        vera.page.goto(path if path.startswith("http") else f"{signed.host.url}{path}")
        vera.is_at("")
        said = {each.inner_text() for each in vera.page.get_by_role("button").all()}
        assert said <= {"Sign out", "Show"}, path
    vera.page.goto(f"{signed.host.url}/administration")
    vera.is_at("Not allowed")
    vera.hears("paragraph", "Only administrators may see the administration.")


def test_a_contributor_rehearses_a_run_and_opens_the_file_of_foreseen_people(
    signed: SignedApp, as_person: Callable[[str], Listener]
) -> None:
    signed.connect()
    signed.define("rehearsing", signed.land("Rehearsing", some(6, mark="rehearsing"), days_ago=1))
    signed.run("rehearsing")
    requests.post(f"{signed.simulator.url}/_simulator/people", json={"erased": ["rehearsing0@example.com"]}, timeout=30)
    signed.land("Rehearsing", some(7, start=1, mark="rehearsing"))
    carl = as_person("Carl Contributor")

    carl.press("link", "Exports")
    carl.press("link", "Rehearsing")
    carl.press("button", "Rehearse")
    carl.hears("paragraph", "Rehearsal: nothing was sent.")
    expect(carl.page.get_by_role("row", name="Would join 2")).to_be_visible()
    expect(carl.page.get_by_role("row", name="Are to leave, and are not on the list 1")).to_be_visible()
    carl.hears("paragraph", "5 people are on the list now")
    assert len(signed.members("rehearsing list")) == 5

    with carl.page.expect_download() as download:
        carl.press("link", "What is foreseen for each person, as CSV")
    foreseen = dict(line.split(",")[:3:2] for line in download.value.path().read_text("utf-8-sig").splitlines()[1:])
    joining = {address for address, word in foreseen.items() if word == "joins"}
    assert joining == {"rehearsing6@example.com", "rehearsing7@example.com"}


def test_a_contributor_asks_who_was_on_the_list_and_all_that_happened_to_a_person(
    signed: SignedApp, as_person: Callable[[str], Listener]
) -> None:
    signed.connect()
    signed.define("remembered", signed.land("Remembered", some(4, mark="remembered"), days_ago=1))
    signed.run("remembered")
    signed.land("Remembered", some(3, mark="remembered"))
    run = signed.run("remembered")
    carl = as_person("Carl Contributor")

    carl.press("link", "Exports")
    carl.press("link", "Remembered")
    more = "More that can be done"
    carl.go_to(carl.page.get_by_text(more, exact=True), more)
    carl.page.keyboard.press("Enter")
    carl.press("link", "Check the list")
    # Which part of a day is typed first is the browser's own choice.
    carl.reach_labelled("Who was on the list on").fill(f"{datetime.now(UTC):%Y-%m-%d}")
    with carl.page.expect_download() as download:
        carl.press("button", "Fetch the file")
    there = download.value.path().read_text("utf-8-sig")
    assert {f"remembered{number}@example.com" in there for number in range(3)} == {True}
    assert "remembered3@" not in there

    carl.page.goto(f"{signed.host.url}{run}")
    carl.type("E-mail address", "remembered3@example.com")
    carl.press("button", "Explain")
    carl.hears("listitem", "Added to the list.")
    carl.hears("listitem", "Taken off the list")
    assert "remembered3" not in carl.page.url
