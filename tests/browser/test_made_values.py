"""Values made of columns on the pages: clicked together, previewed, run, and told of."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import App, Visit

PEOPLE = [
    "ann.made@example.com,ANN O'BRIEN,31.12.2026",
    "bo.made@example.com,van der Berg,soon",
]


def test_a_value_is_clicked_together_previewed_and_sent(connected: App, visit: Visit) -> None:
    connected.land("Made", PEOPLE)
    visit.define("Made")
    page = visit.page
    page.get_by_label("Name", exact=True).fill("Made")
    # The field for first names is matched by its name; its value is made of columns now.
    visit.button("Change or combine columns for field 1")
    made = page.get_by_role("group", name="What field 1 is made of")
    made.get_by_label("Take", exact=True).select_option(label="Several columns, joined")
    made.get_by_label("From column 2").select_option("City")
    made.get_by_label("Between them").select_option(label="a comma and a blank")
    made.get_by_label("Then", exact=True).select_option(label="Names as names are written")
    made.get_by_role("button", name="Add this step").click()
    visit.sees("Step 1: Names as names are written")
    visit.button("Preview the first rows")
    visit.sees("Ann O'Brien, 31.12.2026")
    visit.sees("van der Berg, soon")
    visit.picture("export-made")
    visit.check_access()
    # And a date that one person does not have.
    visit.button("Add field")
    page.get_by_label("Field 3", exact=True).select_option(label="A field of your own …")
    page.get_by_label("Name of field 3").fill("renewed")
    visit.button("Change or combine columns for field 3")
    made = page.get_by_role("group", name="What field 3 is made of")
    made.get_by_label("From column", exact=True).select_option("City")
    made.get_by_label("Then", exact=True).select_option(label="A date from another order")
    made.get_by_role("button", name="Add this step").click()
    expect(made.get_by_label("The column has")).to_have_value("day_month_year")
    visit.button("Preview the first rows")
    visit.sees("The data matching reads it as a date, and it is none, so it was left out.")
    visit.button("Save")
    visit.sees("Saved.")
    [first, *_, renewed] = connected.call("GET", "/exports/made").json()["matching"]
    assert first["derived"] == {
        "take": "join",
        "columns": ["FirstName", "City"],
        "separator": ", ",
        "text": None,
        "steps": [{"function": "title", "turkish": False}],
    }
    assert renewed["derived"]["steps"] == [
        {"function": "date", "reads": "day_month_year", "two_digit_years_from": None, "writes": None}
    ]
    visit.go(connected.run("made"))
    visit.sees("renewed")
    assert connected.members("Made") == {"ann.made@example.com", "bo.made@example.com"}
