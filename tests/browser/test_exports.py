"""The exports page: define, save, change, copy, pause and remove; several at once; from the segment's side."""

from __future__ import annotations

from playwright.sync_api import Dialog, Route, expect

from tests.browser.conftest import App, Visit
from tests.browser.people import UNUSABLE, some


def test_an_export_is_defined_from_a_segment_and_run(connected: App, visit: Visit) -> None:
    connected.land("Loyal", [*some(120), *UNUSABLE])
    visit.go("/segments")
    visit.page.get_by_role("link", name="Loyal", exact=True).click()
    visit.picture("segment")
    visit.page.get_by_role("link", name="New export with this segment").click()
    visit.page.get_by_label("Connection", exact=True).select_option("iterable")
    expect(visit.page.get_by_label("Column with the e-mail address")).to_have_value("EMail")
    expect(visit.page.get_by_label("Field 1", exact=True)).to_have_value("firstName")
    visit.page.get_by_label("Name", exact=True).fill("Loyal customers")
    visit.button("Preview the first rows")
    expect(visit.page.get_by_role("row", name="p1@example.com")).to_contain_text("Testa 1")
    visit.page.get_by_label("At set times").check()
    visit.page.get_by_label("Times", exact=True).fill("06:30, 18:30")
    visit.page.get_by_label("Times", exact=True).blur()
    expect(visit.page.locator("#next-times time")).to_have_count(5)
    expect(visit.page.locator("#next-times time").first).to_contain_text(":30")
    visit.picture("export-form")
    visit.excerpt("export-people", ".panel:has(#f-connection), .panel:has(#add-target)")
    visit.excerpt("export-matching", ".panel:has(#add-field)")
    visit.excerpt("export-leavers", ".panel:has(#mirror), .panel:has(#paused)")
    visit.check_access()
    visit.button("Save")
    visit.sees("Saving does not run it.")
    visit.sees("Daily at 06:30, 18:30")
    saved = connected.call("GET", "/exports/loyal-customers").json()
    cron = {"kind": "cron", "expression": "30 6,18 * * *", "time_zone": "Europe/Stockholm"}
    assert saved["schedule"] == cron | {"existing": False}
    assert saved["last_run"] is None
    assert saved["guards"]["max_removed_share"] == 0.2
    visit.button("Dry run")
    visit.sees("Dry run: nothing was sent.")
    visit.sees("What would be sent")
    visit.excerpt("run-dry", ".head, .panel:has-text('What would be sent')")
    visit.button("Run now")
    expect(visit.page.get_by_role("heading", name="Delivery")).to_be_visible()
    visit.sees("People who were not taken")
    assert len(connected.members("Loyal")) == 120


def test_what_is_typed_while_the_form_is_fetched_again_stays(connected: App, visit: Visit) -> None:
    connected.land("Hasty", some(3))
    visit.go("/exports/new?segment=segments:Hasty")
    held: list[Route] = []
    visit.page.route("**/exports/new/form", lambda route: held.append(route))  # noqa: PLW0108 - Playwright asks a handler for its name
    with visit.page.expect_request("**/exports/new/form"):
        visit.page.get_by_label("Connection", exact=True).select_option("iterable")
    visit.page.get_by_label("Name", exact=True).fill("Typed meanwhile")
    with visit.page.expect_event("console", lambda said: said.text == "settled"):
        visit.page.evaluate("document.addEventListener('htmx:afterSettle', () => console.log('settled'))")
        held[0].continue_()
    expect(visit.page.get_by_label("Name", exact=True)).to_have_value("Typed meanwhile")


def test_what_is_typed_survives_the_end_of_the_session_and_leaving_asks(connected: App, visit: Visit) -> None:
    connected.land("Patient", some(3))
    visit.define("segments:Patient")
    visit.page.get_by_label("Name", exact=True).fill("Half of a thought")
    visit.page.get_by_label("At set times").check()
    visit.page.get_by_label("Times", exact=True).fill("07:45")

    def ended(route: Route) -> None:
        """As the app answers whom it does not know any more; the provider sends people back to the same page."""
        problem = {"Content-Type": "application/problem+json", "HX-Redirect": "/exports/new"}
        route.fulfill(status=401, headers=problem, body="{}")

    visit.page.route("**/exports/new", ended, times=1)
    visit.button("Save")
    visit.sees("This is what you had typed before you signed in again.")
    expect(visit.page.get_by_label("Name", exact=True)).to_have_value("Half of a thought")
    expect(visit.page.get_by_label("Times", exact=True)).to_have_value("07:45")
    expect(visit.page.get_by_label("Patient", exact=True)).to_be_checked()
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    visit.page.once("dialog", stay)
    visit.page.get_by_role("link", name="Segments", exact=True).click(no_wait_after=True)
    expect(visit.page.get_by_label("Name", exact=True)).to_have_value("Half of a thought")
    assert asked == ["beforeunload"]
    visit.button("Save")
    visit.sees("Saved.")
    visit.page.get_by_role("link", name="Segments", exact=True).click()
    expect(visit.page.get_by_role("heading", name="Segments", exact=True)).to_be_visible()
    assert asked == ["beforeunload"], "there is nothing to lose any more"


def test_what_is_typed_of_a_segment_survives_the_end_of_the_session(connected: App, visit: Visit) -> None:
    connected.land("Careful", some(3))
    visit.go("/segments/segments:Careful")
    visit.page.get_by_text("Say how its texts are written").click()
    visit.page.get_by_label("Texts that stand for no value, one a line").fill("NULL\nn/a")

    def ended(route: Route) -> None:
        problem = {"Content-Type": "application/problem+json", "HX-Redirect": "/segments/segments:Careful"}
        route.fulfill(status=401, headers=problem, body="{}")

    visit.page.route("**/segments/segments%3ACareful", ended, times=1)
    visit.button("Save")
    visit.sees("This is what you had typed before you signed in again.")
    expect(visit.page.get_by_label("Texts that stand for no value, one a line")).to_have_value("NULL\nn/a")
    visit.button("Save")
    expect(visit.page.get_by_text("This is what you had typed")).to_have_count(0)
    declared = connected.call("GET", "/segments/segments:Careful").json()["dialect"]
    assert declared["nulls"] == ["NULL", "n/a"]


def test_what_is_wrong_is_said_at_the_field_and_nothing_is_lost(connected: App, visit: Visit) -> None:
    connected.land("Typed", some(3))
    visit.define("segments:Typed")
    visit.page.get_by_label("At set times").check()
    visit.page.get_by_label("Times", exact=True).fill("6 in the morning")
    visit.page.get_by_label("Another name").check()
    visit.page.get_by_label("Its name").fill("A list of its own")
    visit.button("Save")
    visit.sees("It was not saved. Put this right:")
    visit.sees("Write times as 06:30")
    expect(visit.page.get_by_label("Its name")).to_have_value("A list of its own")
    expect(visit.page.get_by_role("alert")).to_be_focused()
    visit.check_access()


def test_an_existing_list_is_picked_by_name(connected: App, visit: Visit) -> None:
    segment = connected.land("First", some(2))
    connected.define("first", segment, targets=[{"segments": [segment], "list_name": "A list that is there"}])
    connected.run("first")
    connected.land("Second", some(2, 50))
    visit.define("segments:Second")
    visit.page.get_by_label("Name", exact=True).fill("Second")
    visit.page.get_by_label("One that exists").check()
    options = visit.page.get_by_label("Which one").locator("option", has_text="A list that is there")
    visit.page.get_by_label("Which one").select_option(options.get_attribute("value"))
    visit.page.get_by_label("Protect them").check()
    visit.button("Save")
    visit.sees("belongs to the export first")


def test_saving_a_change_says_how_many_are_sent_again(connected: App, visit: Visit) -> None:
    segment = connected.land("Changing", some(40))
    connected.define("changing", segment)
    connected.run("changing")
    visit.go("/exports/changing/edit")
    visit.button("Add field")
    visit.page.get_by_label("Field 2", exact=True).select_option("city")
    visit.page.get_by_label("Column 2", exact=True).select_option("City")
    visit.button("Save")
    visit.sees("The data matching changed: 40 people are sent again by the next run.")
    assert len(connected.call("GET", "/exports/changing").json()["matching"]) == 1
    visit.page.get_by_label("I understand").check()
    visit.button("Save")
    visit.sees("Saved.")
    assert len(connected.call("GET", "/exports/changing").json()["matching"]) == 2


def test_somebody_else_was_faster(connected: App, visit: Visit) -> None:
    segment = connected.land("Contested", some(2))
    connected.define("contested", segment)
    visit.go("/exports/contested/edit")
    connected.define("contested", segment, display_name="Theirs")
    visit.page.get_by_label("Name", exact=True).fill("Mine")
    visit.button("Save")
    visit.sees("saved it while you were editing")
    assert connected.call("GET", "/exports/contested").json()["display_name"] == "Theirs"


def test_a_duplicate_has_a_list_of_its_own_and_is_paused(connected: App, visit: Visit) -> None:
    segment = connected.land("Copied", some(2))
    connected.define("copied", segment)
    visit.go("/exports/copied")
    visit.page.get_by_role("link", name="Duplicate").click()
    expect(visit.page.get_by_label("Name", exact=True)).to_have_value("Copied (copy)")
    visit.button("Save")
    visit.sees("Saved.")
    copy = connected.call("GET", "/exports/copied-copy").json()
    assert copy["paused"]
    assert copy["targets"][0]["list_name"] == "copied list (copy)"


def test_removing_says_whom_it_leaves_on_the_list(connected: App, visit: Visit) -> None:
    segment = connected.land("Removed", some(7))
    connected.define("removed", segment)
    connected.run("removed")
    visit.go("/exports/removed/remove")
    visit.sees("7 people whom this export added are on its list.")
    visit.check_access()
    visit.button("Withdraw")
    visit.sees("Withdrawal of everyone")
    connected.wait("removed")
    assert not connected.members("removed list")
    visit.go("/exports/removed/remove")
    visit.button("Remove")
    expect(visit.page).to_have_url(f"{connected.host.url}/exports?removed=removed")
    assert connected.host.request("GET", "/api/v1/exports/removed").status_code == 404


def test_several_get_one_schedule_and_are_paused_together(connected: App, visit: Visit) -> None:
    segment = connected.land("Several", some(2))
    for name in ("one-of-several", "two-of-several"):
        connected.define(name, segment, display_name=name.replace("-", " "))
    visit.go("/exports")
    for name in ("one of several", "two of several"):
        visit.page.get_by_label(f"Choose {name}").check()
    visit.page.get_by_label("With those chosen").select_option("schedule")
    visit.button("Go on")
    visit.page.get_by_label("How often").select_option("week")
    visit.page.get_by_label("Friday").check()
    visit.button("Schedule")
    visit.sees("Schedule: done for 2 exports.")
    for name in ("one-of-several", "two-of-several"):
        assert connected.call("GET", f"/exports/{name}").json()["schedule"]["expression"] == "0 6 * * 1,5"
    visit.picture("exports")
    visit.check_access()
    visit.page.get_by_label("Choose one of several").check()
    visit.page.get_by_label("With those chosen").select_option("pause")
    visit.button("Go on")
    visit.sees("Pause: done for 1 export.")
    assert connected.call("GET", "/exports/one-of-several").json()["paused"]


def test_run_all_runs_what_has_an_active_schedule(connected: App, visit: Visit) -> None:
    segment = connected.land("Scheduled", some(2))
    connected.define("scheduled", segment, schedule={"kind": "on_refresh"})
    connected.define("by-hand", segment)
    visit.go("/exports")
    visit.page.once("dialog", lambda dialog: dialog.accept())
    visit.button("Run all")
    visit.sees("Run: done for")
    connected.wait("scheduled")
    assert connected.call("GET", "/exports/scheduled").json()["last_run"] is not None
    assert connected.call("GET", "/exports/by-hand").json()["last_run"] is None


def test_a_segment_is_added_to_an_export_from_its_own_page(connected: App, visit: Visit) -> None:
    first, second = connected.land("Carried", some(2)), connected.land("Joining", some(2, 10))
    connected.define("carrying", first, display_name="Carrying")
    visit.go(f"/segments/{second}")
    visit.page.get_by_role("link", name="Add it to Carrying").click()
    expect(visit.page.get_by_label("Joining", exact=True)).to_be_checked()
    visit.button("Save")
    visit.sees("Saved.")
    visit.go(f"/segments/{second}")
    expect(visit.page.get_by_role("link", name="Carrying", exact=True)).to_be_visible()
