"""Long lists and forms: what people need stays in sight while they scroll, and hides nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import App, Visit
from tests.browser.people import some

PLACE = "each => { const box = each.getBoundingClientRect(); return [box.top, box.bottom]; }"
ON_TOP = """each => {
    const box = each.getBoundingClientRect();
    return each.contains(document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2));
}"""
"""Whether nothing lies over the middle of an element."""


@pytest.fixture(scope="module")
def long(app: App) -> Iterator[App]:
    """Forty exports, which all tests of this file look at."""
    app.connect()
    segment = app.land("Long", some(3))
    names = [f"long-{number:02}" for number in range(40)]
    for name in names:
        app.define(name, segment)
    yield app
    for name in names:
        app.call("DELETE", f"/exports/{name}")


def test_the_head_and_the_bar_for_several_stay_in_sight(long: App, visit: Visit) -> None:
    visit.go("/exports?q=long")
    bar, head = visit.page.locator(".panel.flush > .bar"), visit.page.get_by_role("columnheader", name="Last run")
    row = visit.page.get_by_role("link", name="Long-38", exact=True)
    row.scroll_into_view_if_needed()
    visit.page.mouse.wheel(0, 200)
    expect(row).to_be_in_viewport()
    expect(bar).to_be_in_viewport()
    expect(head).to_be_in_viewport()
    assert bar.evaluate(ON_TOP)
    assert head.evaluate(ON_TOP), "no row is seen through the head"
    assert head.evaluate(PLACE)[0] >= bar.evaluate(PLACE)[1] - 2, "the head stands below the bar, not behind it"
    visit.page.get_by_label("Choose Long-38").check()
    visit.page.get_by_label("With those chosen").select_option("pause")
    visit.button("Go on")
    expect(visit.page.get_by_role("status").first).to_contain_text("1 export")


def test_the_bar_that_saves_is_as_wide_as_the_window_and_hides_no_field(
    long: App, visitor: Callable[..., Visit]
) -> None:
    visit = visitor(viewport={"width": 1280, "height": 900})
    visit.go("/exports/long-00/edit")
    foot = visit.page.locator(".foot")
    shadow = foot.evaluate("each => getComputedStyle(each).boxShadow")
    assert max(float(each) for each in re.findall(r"([\d.]+)px", shadow)) >= 1280, "it is drawn to both edges"
    assert foot.evaluate("each => getComputedStyle(each).backgroundColor").startswith("rgb("), "without transparency"
    visit.page.get_by_label("Column with the e-mail address").focus()
    for _ in range(25):
        visit.page.keyboard.press("Tab")
        field = visit.page.locator(":focus")
        if field.count() and field.evaluate("each => each.closest('.foot') === null"):
            assert field.evaluate(PLACE)[1] <= foot.evaluate(PLACE)[0] + 1, field.evaluate("each => each.outerHTML")


def test_at_twice_the_size_the_bar_does_not_stick(long: App, visitor: Callable[..., Visit]) -> None:
    visit = visitor(viewport={"width": 960, "height": 540}, device_scale_factor=2)
    visit.go("/exports/long-00/edit")
    expect(visit.page.locator(".foot")).not_to_be_in_viewport()
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= 960
