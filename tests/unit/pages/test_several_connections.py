"""The form, the list and the page of an export on several connections."""

from __future__ import annotations

import pytest

from shared.catalog.companions import companion_name
from tests.unit.api.service import FakeService
from tests.unit.pages.asking import changed, client, page, post

SECOND = companion_name("vips", "second")
ALSO = {
    "also.0.connection": "second",
    "also.0.targets.0.kind": "name",
    "also.0.targets.0.list_name": "Best of all",
    "also.0.matching.0.field": "name",
    "also.0.matching.0.column": "FirstName",
    "also.0.matching.0.when_empty": "keep",
}


@pytest.fixture
def several(service: FakeService) -> FakeService:
    shared = "administrators and contributors"
    service.world.connect(
        "second", "acc-2", display_name="Shop", vendor="plain", settings={}, secrets={}, shared_with=shared
    )
    return service


def test_another_connection_is_added_in_the_form_and_saved(several: FakeService) -> None:
    shown = page(post(client(several), "/exports/vips/form", changed(several, do="add-also")))
    assert 'name="also.0.connection"' in shown
    assert 'name="also.0.matching' not in shown, "it follows once a connection is chosen"
    several.world.connect("third", "acc-3", shared_with="administrators and contributors")
    chosen = changed(several, do="also:0:suggest", **{"also.0.connection": "third"})
    shown = page(post(client(several), "/exports/vips/form", chosen))
    assert 'name="also.0.targets.0.kind"' in shown
    assert 'id="f-also-0-matching-0-column"' in shown, "suggested from the names of the columns"
    assert "Saved." in page(post(client(several), "/exports/vips", changed(several, **ALSO)))
    [entry] = several.catalog.export("vips").item.also
    assert (entry.connection, entry.targets[0].list_name) == ("second", "Best of all")
    assert [(match.field, match.column) for match in entry.matching] == [("name", "FirstName")]
    assert several.catalog.export(SECOND).item.targets[0].list_name == "Best of all"


def test_the_form_of_a_saved_export_shows_its_other_connections(several: FakeService) -> None:
    post(client(several), "/exports/vips", changed(several, **ALSO))
    shown = page(client(several).get("/exports/vips/edit"))
    for told in ('value="second" selected', 'name="also.0.targets.0.list_name" type="text" value="Best of all"'):
        assert told in shown, told
    assert page(client(several).get("/exports/new", query={"from": "vips"})).count('value="Best of all (copy)"') == 1
    assert client(several).get(f"/exports/{SECOND}/edit").headers["location"] == "/exports/vips/edit"


def test_what_is_wrong_is_said_at_its_place_in_the_words_of_the_page(several: FakeService) -> None:
    answer = post(client(several), "/exports/vips", changed(several, **{**ALSO, "also.0.matching.0.column": ""}))
    shown = page(answer)
    assert answer.status == 422
    assert 'id="f-also-0-matching-0-column-wrong"' in shown
    assert "Data matching: a row has a field and no column." in shown


def test_buttons_of_one_connection_change_that_one_only(several: FakeService) -> None:
    more = changed(several, do="also:0:add-field", **ALSO)
    shown = page(post(client(several), "/exports/vips/form", more))
    assert 'name="also.0.matching.1.field"' in shown
    assert 'name="matching.1.field"' not in shown
    made = changed(several, do="also:0:make:0", **ALSO)
    shown = page(post(client(several), "/exports/vips/form", made))
    assert 'name="also.0.matching.0.derived.take"' in shown
    assert 'value="also:0:unmake:0"' in shown
    gone = page(post(client(several), "/exports/vips/form", changed(several, do="remove-also:0", **ALSO)))
    assert 'name="also.0.connection"' not in gone


def test_the_list_shows_the_connections_under_their_export(several: FakeService) -> None:
    post(client(several), "/exports/vips", changed(several, **ALSO))
    shown = page(client(several).get("/exports"))
    assert shown.count('<th scope="row"') == 1
    assert f'<a href="/exports/{SECOND}">also Shop</a>' in shown
    assert 'href="/exports/vips"' in page(client(several).get("/exports", query={"vendor": "plain"}))


def test_the_page_of_a_companion_says_whose_it_is_and_offers_no_change(several: FakeService) -> None:
    post(client(several), "/exports/vips", changed(several, **ALSO))
    shown = page(client(several).get(f"/exports/{SECOND}"))
    assert "This is another connection of the export" in shown
    assert 'href="/exports/vips"' in shown
    for action in ("edit", "remove", "detach", "pause"):
        assert f"/exports/{SECOND}/{action}" not in shown
    assert f'hx-post="/exports/{SECOND}/run"' in shown
    owner = page(client(several).get("/exports/vips"))
    assert f'href="/exports/{SECOND}"' in owner
    assert 'href="/exports/vips/comparison"' in owner


def test_removing_a_companion_by_itself_is_refused_in_words(several: FakeService) -> None:
    post(client(several), "/exports/vips", changed(several, **ALSO))
    answer = client(several).get(f"/exports/{SECOND}/remove")
    assert answer.status == 409
    assert "change it there" in page(answer)


def test_who_may_not_use_one_of_the_connections_only_looks(several: FakeService) -> None:
    post(client(several), "/exports/vips", changed(several, **ALSO))
    several.world.connect("second", "acc-2", vendor="plain", settings={}, secrets={})
    shown = page(client(several, "carl").get("/exports/vips"))
    assert 'href="/exports/vips/edit"' not in shown
    assert post(client(several, "carl"), "/exports/vips/run").status == 403


def test_an_export_with_one_connection_has_nothing_to_compare(several: FakeService) -> None:
    assert "This export has one connection:" in page(client(several).get("/exports/vips/comparison"))
