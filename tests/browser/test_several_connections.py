"""One export on two connections: the second is added to an export that runs, both are seen, and compared."""

from __future__ import annotations

from tests.browser.conftest import App, Visit
from tests.browser.people import some


def test_another_connection_is_added_to_an_export_seen_beside_it_and_compared(connected: App, visit: Visit) -> None:
    connected.connect("second", display_name="Second shop")
    connected.define("shared", connected.land("Shared", some(3, mark="shared")))
    connected.run("shared")
    visit.go("/exports/shared/edit")
    visit.button("Add another connection")
    visit.page.locator("#f-also-0-connection").select_option("second")
    visit.page.locator("#also-0-kind-0-name").check()
    visit.page.locator("#f-also-0-targets-0-list_name").fill("Shared, too")
    visit.check_access()
    visit.button("Save")
    visit.sees("Saved.")
    [entry] = connected.call("GET", "/exports/shared").json()["also"]
    assert (entry["connection"], entry["targets"][0]["list_name"]) == ("second", "Shared, too")
    visit.go("/exports/shared")
    for title in ("Iterable, all shops", "Second shop"):
        visit.sees(title)
    visit.check_access()
    visit.page.get_by_role("link", name="Who is on one and not on another").click()
    visit.sees("On Iterable, all shops and not on Second shop")
    visit.sees("3 of 3 people.")
    visit.sees("Nothing has been delivered there yet.")
    visit.check_access()
    connected.run("shared")
    connected.host.wait_idle()  # the other connection's run is one of its own
    visit.go("/exports/shared/comparison")
    visit.sees("0 of 3 people.")
    assert connected.members("Shared, too") == {f"shared{number}@example.com" for number in range(3)}
