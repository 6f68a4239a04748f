"""Everybody can read the pages: by keyboard, on a phone, with a screen reader, in three languages."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import App, Visit
from tests.browser.people import some

CUT_OFF = """[...document.querySelectorAll('.panel')].filter(each => each.scrollWidth > each.clientWidth)
    .map(each => each.innerText)"""
"""Panels that hide a part of what is in them."""
PAGES = (
    "/",
    "/exports",
    "/segments",
    "/connections",
    "/connections/new",
    "/exports/new",
    "/exports/read",
    "/exports/read/edit",
    "/administration",
    "/administration/check-up",
    "/administration/notifications",
    "/administration/audit",
    "/administration/forget",
    "/help",
)


@pytest.fixture
def read(connected: App) -> App:
    connected.define("read", connected.land("Read", some(5)), display_name="Read by everyone")
    connected.land("Profiles_of_customers_who_have_not_bought_anything_for_longer_than_a_year", some(2))
    return connected


def test_no_page_has_a_serious_barrier(read: App, visit: Visit) -> None:
    for path in PAGES:
        visit.go(path)
        visit.check_access()


def test_no_page_is_wider_than_a_phone(read: App, visitor: Callable[..., Visit]) -> None:
    visit = visitor(viewport={"width": 360, "height": 740}, is_mobile=True, has_touch=True)
    for path in PAGES:
        visit.go(path)
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= 360, path
        assert visit.page.evaluate(CUT_OFF) == [], path


def test_an_export_is_reached_by_keyboard_alone(read: App, visit: Visit) -> None:
    visit.go("/exports")
    visit.page.keyboard.press("Tab")
    expect(visit.page.get_by_role("link", name="To the content")).to_be_focused()
    visit.page.keyboard.press("Enter")
    link = visit.page.get_by_role("link", name="Read by everyone")
    for _ in range(60):
        visit.page.keyboard.press("Tab")
        if link.evaluate("each => each === document.activeElement"):
            break
    visit.page.keyboard.press("Enter")
    expect(visit.page.get_by_role("heading", name="Read by everyone")).to_be_visible()


def test_times_are_those_of_the_reader(read: App, visitor: Callable[..., Visit]) -> None:
    read.define(
        "early", "segments:Read", schedule={"kind": "cron", "expression": "0 6 * * *", "time_zone": "Europe/Stockholm"}
    )
    visit = visitor(viewport={"width": 1280, "height": 900})
    visit.go("/exports/early")
    expect(visit.page.locator("main ul time").first).to_contain_text("06:00")
    visit.sees("shown in Europe/Stockholm")


@pytest.mark.parametrize(
    ("locale", "heading", "said"),
    [
        ("sv-SE", "Exporter", "Inte inloggad"),
        ("ro-RO", "Exporturi", "Neautentificat"),
        ("fi-FI", "Exports", "Not signed in"),
    ],
)
def test_the_language_is_the_browsers(
    read: App, visitor: Callable[..., Visit], locale: str, heading: str, said: str
) -> None:
    visit = visitor(locale=locale, viewport={"width": 1280, "height": 900})
    visit.go("/exports")
    expect(visit.page.get_by_role("heading", level=1)).to_have_text(heading)
    visit.sees(said)
    if heading != "Exports":
        visit.go("/exports/read/edit")
        visit.picture(f"export-form-{locale}")


def test_the_language_can_be_switched_and_is_remembered(read: App, visit: Visit) -> None:
    visit.go("/segments")
    visit.page.get_by_role("link", name="SV Svenska").click()
    expect(visit.page).to_have_url(f"{read.host.url}/segments")
    expect(visit.page.get_by_role("heading", level=1)).to_have_text("Segment")
    visit.go("/exports")
    assert visit.page.locator("html").get_attribute("lang") == "sv"


def test_what_is_not_there_is_said_on_a_page(read: App, visit: Visit) -> None:
    visit.go("/exports/nothing-of-that-name")
    expect(visit.page.get_by_role("heading", name="Not found")).to_be_visible()
    visit.sees('There is no export "nothing-of-that-name".')
