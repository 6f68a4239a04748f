"""Rules on the pages: defined by clicking, seen in a dry run and a run, and in the answer about one person."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import App, Visit
from tests.browser.people import some


def test_rules_are_clicked_together_and_their_people_counted(connected: App, visit: Visit) -> None:
    connected.land("Ruled", [*some(6, mark="ruled"), "no.ruled@example.com,Bo,Nowhere"])
    connected.land("Complained", ["RULED0@example.com,,"])
    visit.define("Ruled")
    visit.page.get_by_label("Name", exact=True).fill("Ruled")
    visit.button("Add a segment to keep off")
    visit.page.get_by_label("Excluded segment 1", exact=True).select_option(label="Complained")
    visit.button("Add a required column")
    visit.page.get_by_label("Required column 1", exact=True).select_option("City")
    visit.page.get_by_label("Values of required column 1").fill("Exampleville\nSamplington")
    visit.page.get_by_label("People", exact=True).fill("4")
    visit.page.get_by_label("The first by").select_option("FirstName")
    visit.page.get_by_label("Read as").select_option("text")
    visit.page.get_by_label("Name of the holdout").fill("browser-test")
    visit.page.get_by_label("Share of people, in percent").fill("0,1")
    visit.picture("export-rules")
    visit.check_access()
    visit.button("Save")
    visit.sees("Saved.")
    rules = connected.call("GET", "/exports/ruled").json()["rules"]
    assert rules["exclude"] == [{"segment": "segments:Complained", "address_column": None}]
    assert rules["require"] == [{"column": "City", "one_of": ["Exampleville", "Samplington"]}]
    assert rules["limit"] == {"first": 4, "by": "FirstName", "read_as": "text", "order": "greatest"}
    assert rules["holdout"] == {"name": "browser-test", "share": 0.001}
    page = connected.run("ruled")
    visit.go(page)
    expect(visit.page.locator("dl.tiles").get_by_text("Kept back by a rule")).to_be_visible()
    visit.sees("Is in the segment segments:Complained, which is excluded.")
    visit.sees("City is none of: Exampleville, Samplington.")
    visit.sees("Is not among the first 4 by FirstName.")
    assert connected.members("Ruled") == {f"ruled{number}@example.com" for number in (2, 3, 4, 5)}
