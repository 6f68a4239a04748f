"""The connections page: add, connect, edit, rotate, and remove with what becomes of the exports."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from dev.simulators.campaign_monitor import CLIENT
from dev.simulators.iterable import STANDARD_KEY, Key
from tests.browser.conftest import App, Visit
from tests.browser.people import some


def fill_in(visit: Visit, name: str, key: str) -> None:
    visit.go("/connections/new")
    visit.page.get_by_label("Vendor").select_option("iterable")
    visit.page.get_by_role("textbox", name="API key").fill(key)
    visit.page.get_by_label("Name", exact=True).fill(name)


def test_an_administrator_adds_a_connection_with_a_typed_key(app: App, visit: Visit) -> None:
    fill_in(visit, "Shops in the north", STANDARD_KEY)
    visit.picture("connection-form")
    visit.excerpt("connection-credentials", "#credentials")
    visit.excerpt("connection-consent", ".panel:has(.consent)")
    visit.page.get_by_label("I agree").check()
    visit.button("Save and connect")
    visit.sees("Connected to Iterable")
    assert visit.page.url.endswith("/connections/shops-in-the-north")
    assert STANDARD_KEY not in visit.page.content()
    assert app.services.key_vault.secrets()["segment-exports-shops-in-the-north-api-key"] == STANDARD_KEY
    kept = app.call("GET", "/connections/shops-in-the-north").json()["consent"]
    assert kept["agreed_by"] == "local"
    assert "go to Iterable at the instruction" in kept["text"]
    visit.sees("local agreed")
    visit.sees("It reads segments in")
    visit.picture("connection")
    visit.excerpt("connection", ".head, .columns")
    visit.check_access()


def test_a_wrong_key_is_said_with_what_to_do_and_the_right_one_rotates_it(app: App, visit: Visit) -> None:
    fill_in(visit, "Wrong key", "not-a-key-of-anybody")
    visit.button("Save and connect")
    visit.sees("It does not work.")
    visit.page.get_by_role("link", name="Rotate the secret").click()
    assert "not-a-key-of-anybody" not in visit.page.content()
    visit.page.get_by_label("Type it here").check()
    visit.page.get_by_role("textbox", name="API key").fill(STANDARD_KEY)
    visit.button("Save and connect")
    visit.sees("Connected to Iterable")
    visit.sees("Nobody agreed yet: no export can use it.")
    visit.go("/connections")
    expect(visit.page.get_by_role("row", name="Wrong key")).to_contain_text("No agreement")
    visit.excerpt("connections", ".panel.flush")


def rotate(app: App, visit: Visit, name: str, key: str) -> None:
    """Make a key at the vendor and type it in."""
    app.simulator.vendor.settings.keys[key] = Key()
    visit.go(f"/connections/{name}")
    visit.page.get_by_role("link", name="Rotate the secret").click()
    visit.page.get_by_label("Type it here").check()
    visit.page.get_by_role("textbox", name="API key").fill(key)
    visit.button("Save and connect")


def test_a_rotated_key_that_tells_no_account_asks_which_one_it_is(app: App, visit: Visit) -> None:
    app.services.key_vault.set_secret("first-key", STANDARD_KEY)
    app.connect("rotating", display_name="Rotating", secrets={"api_key": "first-key"})
    app.define("kept", app.land("Kept", some(3)), connection="rotating", display_name="Kept")
    app.run("kept")
    visit.page.on("dialog", lambda dialog: dialog.accept())
    rotate(app, visit, "rotating", "iterable-second-key")
    visit.sees("Iterable does not tell to which account it belongs.")
    visit.sees("It does not work.")
    visit.picture("connection-switched")
    visit.excerpt("connection-switched", ".head, #which-account")
    visit.check_access()
    visit.go("/exports/kept")
    visit.button("Run")
    visit.sees("leads to another account, or has a new key")
    visit.go("/connections/rotating")
    visit.button("The same account")
    visit.sees("Connected to Iterable")
    before = len(app.members("kept list"))
    address = app.run("kept")
    visit.go(address)
    visit.sees("Nothing to do")
    assert len(app.members("kept list")) == before == 3
    rotate(app, visit, "rotating", "iterable-third-key")
    visit.button("Another account")
    visit.sees('The export "kept" belongs to another account: save it again.')
    app.run("kept")
    visit.go("/exports/kept")
    visit.sees("The connection leads to another account than the one")


def test_what_is_missing_is_said_at_the_field(visit: Visit) -> None:
    visit.go("/connections/new")
    visit.page.get_by_label("Vendor").select_option("iterable")
    visit.sees("Data privacy and compliance")
    visit.button("Save and connect")
    visit.sees("It was not saved. Put this right:")
    expect(visit.page.get_by_label("Name", exact=True)).to_have_attribute("aria-invalid", "true")
    visit.page.get_by_label("Name", exact=True).fill("Keyless")
    visit.button("Save and connect")
    visit.sees("This is required: API key.")
    visit.check_access()


def test_a_connection_goes_with_its_exports_after_everyone_was_taken_off(app: App, visit: Visit) -> None:
    app.connect("departing", display_name="Departing")
    segment = app.land("Departing", some(4, mark="departing"))
    daily = {"kind": "cron", "expression": "0 6 * * *", "time_zone": "UTC"}
    for name in ("first-to-go", "last-to-go"):
        app.define(name, segment, connection="departing", schedule=daily)
        app.run(name)
    assert len(app.members("first-to-go list")) == 4
    visit.go("/connections/departing/remove")
    visit.sees("8 people whom they added are on lists now.")
    visit.page.get_by_label("Take people off the lists first, then remove them").check()
    visit.check_access()
    visit.excerpt("connection-remove", ".head, .panel")
    visit.button("Go on")
    visit.sees("Is this right for all 2 exports?")
    visit.button("Yes, remove the connection")
    visit.sees("exports are done.")
    visit.check_access()
    visit.picture("connection-clearing")
    expect(visit.page).to_have_url(f"{app.host.url}/connections?removed=departing", timeout=90_000)
    assert app.members("first-to-go list") == app.members("last-to-go list") == set()
    assert app.host.request("GET", "/api/v1/exports/first-to-go").status_code == 404


def test_a_connection_in_use_goes_after_a_choice_for_each_export(app: App, visit: Visit) -> None:
    app.connect("leaving", display_name="Leaving")
    segment = app.land("Leaving", some(3))
    app.define("stays-as-a-plan", segment, connection="leaving", display_name="Stays as a plan")
    app.define("goes-too", segment, connection="leaving", display_name="Goes too")
    visit.go("/connections/leaving")
    expect(visit.page.get_by_role("link", name="Goes too")).to_be_visible()
    visit.page.get_by_role("link", name="Remove").click()
    visit.sees("2 exports use it")
    visit.page.get_by_text("Decide for each by itself").click()
    visit.button("Remove the connection")
    visit.sees("Choose for each export what becomes of it.")
    visit.page.get_by_role("row", name="Stays as a plan").get_by_label("Detach").check()
    visit.page.get_by_role("row", name="Goes too").get_by_label("Remove").check()
    visit.picture("connection-remove")
    visit.check_access()
    visit.button("Remove the connection")
    expect(visit.page).to_have_url(f"{app.host.url}/connections?removed=leaving")
    visit.sees("The connection leaving was removed.")
    visit.go("/exports")
    expect(visit.page.get_by_role("row", name="Stays as a plan")).to_contain_text("No connection")
    visit.excerpt("exports-detached", ".panel.flush")
    expect(visit.page.get_by_role("row", name="Goes too")).to_have_count(0)
    visit.go("/exports/stays-as-a-plan")
    visit.sees("This export has no connection.")
    expect(visit.page.get_by_role("button", name="Run", exact=True)).to_have_count(0)


def test_a_person_authenticates_at_the_vendor_and_comes_back_connected(visit: Visit) -> None:
    visit.go("/connections/new")
    visit.page.get_by_label("Vendor").select_option("campaign-monitor")
    visit.page.get_by_label("Client ID").fill(CLIENT)
    visit.page.get_by_label("Name", exact=True).fill("Campaign Monitor, by signing in")
    visit.page.get_by_label("I agree").check()
    visit.button("Save and connect")
    visit.sees("Give it credentials to connect.")
    visit.button("Authenticate with Campaign Monitor")
    visit.page.get_by_role("button", name="Allow access").click()
    expect(visit.page).to_have_url(re.compile("/connections/campaign-monitor-by-signing-in$"))
    expect(visit.page.get_by_text("Connected", exact=True)).to_be_visible()
    expect(visit.page.get_by_text("oauth-tokens")).to_be_visible()
