"""One export on two connections: clicked together, run, and compared."""

from __future__ import annotations

from tests.browser.conftest import App, Visit
from tests.browser.people import some


def test_another_connection_is_added_run_and_compared(connected: App, visit: Visit) -> None:
    connected.connect("second", display_name="Second shop")
    connected.land("Shared", some(3, mark="shared"))
    visit.define("Shared")
    visit.page.get_by_label("Name", exact=True).fill("Shared")
    visit.button("Add another connection")
    visit.page.locator("#f-also-0-connection").select_option("second")
    visit.page.locator("#also-0-kind-0-name").check()
    visit.page.locator("#f-also-0-targets-0-list_name").fill("Shared, too")
    visit.check_access()
    visit.button("Save")
    visit.sees("Saved.")
    [entry] = connected.call("GET", "/exports/shared").json()["also"]
    assert (entry["connection"], entry["targets"][0]["list_name"]) == ("second", "Shared, too")
    connected.run("shared")
    visit.go("/exports/shared")
    visit.check_access()
    visit.page.get_by_role("link", name="Who is on one and not on another").click()
    visit.sees("On Iterable, all shops and not on Second shop")
    visit.check_access()
    assert connected.members("Shared") == {f"shared{number}@example.com" for number in range(3)}
