"""The run page: live progress, who was not taken and why, decisions, and explaining one person."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Dialog, expect

from tests.browser.conftest import App, Visit
from tests.browser.people import UNUSABLE, some


@contextmanager
def slow(app: App, seconds: float) -> Iterator[None]:
    """Every answer of the vendor takes so long."""
    app.simulator.vendor.settings.latency_fixed = seconds
    try:
        yield
    finally:
        app.simulator.vendor.settings.latency_fixed = 0


ASKS_IN_A_HIDDEN_TAB = """() => {
  Object.defineProperty(document, "hidden", { get: () => true, configurable: true });
  const asked = new CustomEvent("htmx:beforeRequest", { bubbles: true, cancelable: true });
  const goes = document.getElementById("live").dispatchEvent(asked);
  delete document.hidden;
  return goes;
}"""


def test_progress_is_live_and_the_run_can_be_cancelled(connected: App, visit: Visit) -> None:
    segment = connected.land("Slow", some(4000))
    # So many batches that the run is never over before it is cancelled, however slow the browser is.
    connected.connect("slow", display_name="Slow", settings={"subscribe_rate": 1000, "batch_rows": 5})
    connected.define("slow", segment, connection="slow", first_run="deliver")
    with slow(connected, 0.7):
        visit.go("/exports/slow")
        visit.button("Run")
        connected.until_some_are_delivered("slow")
        visit.sees("Progress")
        expect(visit.page.locator("progress[value]")).to_be_visible()
        visit.sees("operations")
        expect(visit.page.locator("li[aria-current=step]")).to_have_text("Deliver")
        visit.sees("left")
        assert not visit.page.evaluate(ASKS_IN_A_HIDDEN_TAB)
        visit.picture("run-live")
        visit.check_access()
        visit.page.once("dialog", lambda dialog: dialog.accept())
        visit.button("Cancel the run")
        expect(visit.page.get_by_role("status").get_by_text("Cancelled")).to_be_visible(timeout=60_000)
    expect(visit.page.get_by_role("button", name="Cancel the run")).to_have_count(0)
    expect(visit.page.get_by_role("button", name="Run again")).to_be_visible()


def test_those_who_were_not_taken_are_grouped_with_examples_and_a_file(connected: App, visit: Visit) -> None:
    segment = connected.land("Rejecting", [*some(30), *UNUSABLE])
    connected.define("rejecting", segment)
    visit.go(connected.run("rejecting"))
    visit.sees("This is not a valid e-mail address.")
    visit.sees("no-address-at-all")
    visit.sees("part-0.csv, row 31")
    visit.sees("The row has no e-mail address.")
    visit.picture("run")
    visit.excerpt("run", ".head, .panel:has(.tiles), .panel:has(details)")
    visit.check_access()
    with visit.page.expect_download() as download:
        visit.page.get_by_role("link", name="All of them as CSV").click()
    assert "no-address-at-all" in download.value.path().read_text()


def test_one_person_is_explained(connected: App, visit: Visit) -> None:
    segment = connected.land("Explained", some(5))
    connected.define("explained", segment)
    visit.go(connected.run("explained"))
    visit.page.get_by_label("E-mail address").fill("P3@example.com ")
    visit.button("Explain")
    visit.sees("On the list, and in the segment.")
    expect(visit.page.locator(".timeline li").first).to_contain_text("In the newest snapshot of Explained")
    expect(visit.page.locator(".timeline li").last).to_contain_text("Added to the list.")
    assert "changed_at" not in visit.page.locator("#explanation").inner_text()
    visit.excerpt("run-explain", ".panel:has(#explanation)")
    visit.page.get_by_label("E-mail address").fill("stranger@example.com")
    visit.button("Explain")
    visit.sees("not in the segment, and never sent")
    visit.check_access()


def test_a_blocked_run_waits_for_a_decision(connected: App, visit: Visit) -> None:
    segment = connected.land("Shrinking", some(300), days_ago=1)
    connected.define("shrinking", segment)
    connected.run("shrinking")
    connected.land("Shrinking", some(100))
    visit.go(connected.run("shrinking"))
    visit.sees("Waits for a decision")
    visit.sees("would remove 200 of 300 (67%), limit 20%")
    visit.picture("run-blocked")
    visit.sees("200 people would leave")
    visit.sees("Not in the segment any more.")
    visit.excerpt("run-blocked", ".head, .decision")
    visit.check_access()
    visit.button("Additions only")
    visit.sees("What happened")
    connected.wait("shrinking")
    assert len(connected.members("shrinking list")) == 300
    visit.go(connected.run("shrinking"))
    asked: list[str] = []

    def agree(dialog: Dialog) -> None:
        asked.append(dialog.message)
        dialog.accept()

    visit.page.once("dialog", agree)
    visit.button("Deliver all")
    expect(visit.page.get_by_role("status").get_by_text("Succeeded")).to_be_visible()
    assert asked == ["Deliver all to shrinking list? To add: 0. To change: 0. To remove: 200."]
    visit.sees("decided: Deliver all")
    assert len(connected.members("shrinking list")) == 100
    visit.go("/exports/shrinking")
    expect(visit.page.get_by_role("img", name="people on the list, now 100.")).to_be_visible()
    visit.picture("export")
    visit.check_access()


def test_the_first_run_asks_and_starts_small(connected: App, visit: Visit) -> None:
    segment = connected.land("Crowd", some(1_100, mark="crowd"))
    connected.define("crowd", segment)
    visit.go(connected.run("crowd"))
    visit.sees("would add 1,100 people to a list that has nobody of this export yet")
    visit.sees("Very many people would join at once:")
    visit.sees("200 of 200 looked up are new to Iterable")
    visit.check_access()
    visit.button("Start small")
    visit.sees("What happened")
    connected.wait("crowd")
    assert len(connected.members("crowd list")) == 500
    visit.go(connected.run("crowd"))
    visit.sees("Succeeded")
    assert len(connected.members("crowd list")) == 1_100
    visit.go("/exports/crowd/edit")
    tick = visit.page.get_by_label("Deliver all of them in the first run, without asking (1,100 people)")
    expect(tick).not_to_be_checked()
    tick.check()
    visit.button("Save")
    visit.sees("Saved.")
    assert connected.call("GET", "/exports/crowd").json()["first_run"] == "deliver"


def test_a_run_by_schedule_is_shown_as_what_it_was(connected: App, visit: Visit) -> None:
    segment = connected.land("Timed", some(3))
    connected.define("timed", segment, schedule={"kind": "on_refresh", "existing": True})
    connected.host.fire("schedule")
    connected.wait("timed")
    visit.go("/exports/timed")
    row = visit.page.get_by_role("table", name="Runs").get_by_role("row").nth(1)
    expect(row).to_contain_text("Succeeded")
    expect(row).to_contain_text("started by a new snapshot")
