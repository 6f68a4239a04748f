"""What ran, across all exports and over time; and a list that is not there."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.conftest import App, Visit
from tests.browser.people import UNUSABLE, some


def test_all_runs_are_found_by_export_state_and_day_and_the_address_keeps_it(connected: App, visit: Visit) -> None:
    segment = connected.land("Ran", [*some(12), *UNUSABLE])
    connected.define("ran", segment, display_name="Ran well")
    connected.run("ran")
    visit.go("/")
    visit.page.get_by_role("link", name="Runs", exact=True).click()
    expect(visit.page.get_by_role("heading", level=1)).to_have_text("Runs")
    visit.page.get_by_label("Search").fill("ran well")
    visit.button("Show")
    row = visit.page.get_by_role("row", name="Ran well")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("12")
    assert "q=ran+well" in visit.page.url
    expect(visit.page.get_by_label("Search")).to_have_value("ran well")
    visit.check_access()
    visit.picture("all-runs")
    visit.page.get_by_label("Status").select_option("failed")
    visit.button("Show")
    visit.sees("There is no such run.")
    visit.page.get_by_role("link", name="Clear").click()
    expect(visit.page.get_by_role("row", name="Ran well").first).to_be_visible()


def test_an_export_shows_its_history_as_a_chart_and_as_a_table(connected: App, visitor: Callable[..., Visit]) -> None:
    segment = connected.land("Charted", some(30))
    connected.define("charted", segment, guards={"max_removed_share": None})
    connected.run("charted")
    connected.land("Charted", [*some(15, 10), *UNUSABLE], days_ago=0.005)
    connected.run("charted")
    for width, scheme in ((1280, "light"), (390, "dark")):
        visit = visitor(viewport={"width": width, "height": 900}, color_scheme=scheme)
        visit.go("/exports/charted")
        drawing = visit.page.get_by_role("img", name="between 15 and 30 people on the list")
        box, panel = drawing.bounding_box(), visit.page.locator("#chart").bounding_box()
        assert box and panel
        assert box["width"] > 0.85 * panel["width"], "as wide as the page"
        assert visit.page.locator("#chart text").first.evaluate("each => each.getBoundingClientRect().height") >= 9
        visit.page.get_by_text("The same as a table").click()
        row = visit.page.locator("#chart tbody tr").first
        expect(row.get_by_role("cell")).to_contain_text(["Succeeded", "15", "0", "15", "2"])
        visit.check_access()
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_list_that_is_not_there_is_refused_with_the_way_to_the_field(connected: App, visit: Visit) -> None:
    connected.land("Misdirected", some(3))
    visit.define("segments:Misdirected")
    visit.page.get_by_label("Name", exact=True).fill("Misdirected")
    visit.page.get_by_label("Column with the e-mail address").select_option("EMail")
    visit.page.get_by_label("One that exists").check()
    field = visit.page.locator("[name='targets.0.list_id']:not([type=hidden])")
    expect(field).to_be_visible()
    field.evaluate(
        "each => { if (each.tagName === 'SELECT') each.add(new Option('gone', '424242')); each.value = '424242'; }"
    )
    visit.page.get_by_label("Adopt them").check()
    visit.button("Save")
    visit.sees("List: Iterable has no list with the id 424242.")
    visit.page.get_by_role("link", name="List: Iterable has no list with the id 424242").click()
    visit.check_access()
