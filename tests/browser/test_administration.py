"""The administration and the help, as an administrator at a desk sees them."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import App, Visit
from tests.browser.people import some


def test_a_check_up_names_what_is_wrong_and_leads_there(connected: App, visit: Visit) -> None:
    connected.call("PUT", "/connections/unagreed", {"display_name": "Without an agreement", "vendor": "iterable"})
    visit.go("/administration")
    visit.page.get_by_role("link", name="Check-up", exact=True).click()
    visit.sees("Nobody agreed yet: no export can use it.")
    visit.picture("check-up")
    visit.excerpt("check-up", ".head, .panel")
    visit.check_access()
    visit.page.get_by_role("link", name="Without an agreement").click()
    expect(visit.page.get_by_role("heading", name="Without an agreement")).to_be_visible()
    connected.call("DELETE", "/connections/unagreed")


def test_the_audit_trail_says_what_was_there_before(connected: App, visit: Visit) -> None:
    segment = connected.land("Trailed", some(3))
    connected.define("trailed", segment, mode="add")
    connected.define("trailed", segment, mode="mirror")
    visit.go("/administration/audit")
    row = visit.page.get_by_role("row", name="save exports: export trailed").first
    row.get_by_text("What is different").click()
    expect(row.get_by_role("deletion")).to_have_text("add")
    expect(row.get_by_role("insertion")).to_have_text("mirror")
    visit.picture("audit")
    visit.check_access()
    row.get_by_role("link", name="export trailed").click()
    expect(visit.page.get_by_role("heading", name="Trailed")).to_be_visible()


def test_a_person_is_forgotten_after_a_look_and_a_word(connected: App, visit: Visit) -> None:
    connected.define("erased", connected.land("Erased", some(4, mark="erased")))
    connected.run("erased")
    visit.go("/administration/forget")
    visit.page.get_by_label("E-mail address of the person").fill("Erased2@example.com")
    visit.button("Show what is kept")
    visit.sees("1 list's record of who is on it")
    visit.picture("forget")
    visit.excerpt("forget", ".head, .panel")
    visit.check_access()
    visit.button("Forget this person for good")
    visit.sees("The person is forgotten.")
    visit.check_access()
    assert "rased2" not in visit.page.content()
    assert "rased2" not in visit.page.url
    visit.go("/administration/forget")
    visit.page.get_by_label("E-mail address of the person").fill("erased2@example.com")
    visit.button("Show what is kept")
    visit.sees("Nothing is kept of this address.")


def test_the_help_and_the_notifications_can_be_read(connected: App, visit: Visit) -> None:
    visit.go("/help")
    visit.sees("First steps for administrators")
    visit.picture("help")
    visit.go("/administration/notifications")
    visit.sees("No receiver is set, so nobody is notified.")
    visit.picture("notifications")
