"""Forms: nothing that is typed is lost, and what is wrong is said in the words of the page."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser
from urllib.parse import urlencode

import pytest

from tests.unit.api.service import FakeService
from tests.unit.catalog.samples import ADMIN, connection
from tests.unit.pages.asking import changed, client, page, post


def test_two_people_who_edit_one_export_see_both_versions_and_choose(service: FakeService) -> None:
    form = changed(service, display_name="Mine")
    service.world.save(display_name="Theirs")
    answer = post(client(service), "/exports/vips", form)
    assert answer.status == 409
    shown = page(answer)
    for told in (
        "saved it while you were editing",
        "<td>Theirs</td><td>Mine</td>",
        'value="Mine"',
        "/exports/vips/edit",
    ):
        assert told in shown, told
    assert "If-Match" not in shown
    assert service.catalog.export("vips").item.display_name == "Theirs"
    newer = shown.partition('name="version" value="')[2].partition('"')[0]
    again = changed(service, display_name="Mine", version=unescape(newer))
    assert "Saved." in page(post(client(service), "/exports/vips", again))
    assert service.catalog.export("vips").item.display_name == "Mine"


def test_two_people_who_edit_one_connection_see_both_versions_and_choose(service: FakeService) -> None:
    before = page(client(service).get("/connections/marketing/edit"))
    version = unescape(before.partition('name="version" value="')[2].partition('"')[0])
    form = {"display_name": "Mine", "vendor": "letterbox", "settings.region": "eu", "version": version, "agreed": "on"}
    form |= {"credentials.key.how": "kept", "credentials.key.secret": "letterbox-key"}
    service.world.connect("marketing", display_name="Theirs")
    answer = post(client(service), "/connections/marketing", urlencode(form).encode())
    assert answer.status == 409
    assert "<td>Theirs</td><td>Mine</td>" in page(answer)
    assert service.catalog.connection("marketing").item.display_name == "Theirs"


def test_the_answer_to_the_question_before_a_first_run_is_ticked_when_the_export_is_saved(service: FakeService) -> None:
    shown = page(client(service).get("/exports/vips/edit"))
    assert 'name="first_run" value="on">' in shown
    assert "Saved." in page(post(client(service), "/exports/vips", changed(service, first_run="on")))
    assert service.catalog.export("vips").item.first_run == "deliver"
    assert 'name="first_run" value="on" checked>' in page(client(service).get("/exports/vips/edit"))
    assert "Saved." in page(post(client(service), "/exports/vips", changed(service)))
    assert service.catalog.export("vips").item.first_run == "ask", "the tick was taken away"


def test_a_choice_that_somebody_answers_for_is_saved_with_its_decision_and_not_without(service: FakeService) -> None:
    before = page(client(service).get("/connections/marketing/edit"))
    assert "New people are added." in before
    version = unescape(before.partition('name="version" value="')[2].partition('"')[0])
    form = {"display_name": "Marketing", "vendor": "letterbox", "settings.region": "eu", "version": version}
    form |= {"credentials.key.how": "kept", "credentials.key.secret": "letterbox-key", "agreed": "on"}
    form |= {"settings.newcomers": "added"}
    refused = post(client(service), "/connections/marketing", urlencode(form).encode())
    assert refused.status == 422
    assert "Somebody has to decide this for added" in page(refused)
    wrong = form | {"decided.newcomers.mailed": "on"}
    assert post(client(service), "/connections/marketing", urlencode(wrong).encode()).status == 422
    assert service.catalog.connection("marketing").item.decisions == {}
    decided = form | {"decided.newcomers.added": "on"}
    assert "Saved." in page(post(client(service), "/connections/marketing", urlencode(decided).encode()))
    kept = service.catalog.connection("marketing").item.decisions["newcomers"]
    assert (kept.choice, kept.text, kept.decided_by) == ("added", "New people are added.", ADMIN.name)
    assert kept.decided_at is not None
    shown = page(client(service).get("/connections/marketing"))
    assert f"{ADMIN.name} decided" in shown and "New people are added." in shown
    assert "checked" in page(client(service).get("/connections/marketing/edit")).partition("decided.newcomers.added")[2]


def test_what_was_typed_is_there_again_after_signing_in(service: FakeService) -> None:
    form = changed(service, display_name="Half of a", do="restore")
    shown = page(post(client(service), "/exports/vips/form", form))
    assert 'value="Half of a"' in shown
    assert "Nothing of it is saved yet." in shown
    typed = urlencode({"display_name": "Half of a", "vendor": "letterbox", "do": "restore"}).encode()
    for path in ("/connections/new/form", "/connections/marketing/form"):
        assert 'value="Half of a"' in page(post(client(service), path, typed)), path
    assert service.catalog.export("vips").item.display_name == "VIPs"


def test_what_was_typed_of_a_segment_is_there_again_after_signing_in_even_if_it_is_wrong(service: FakeService) -> None:
    typed = urlencode({"do": "restore", "delimiter": "tab", "columns": "EMail\nEMail", "nulls": "NULL"}).encode()
    shown = page(post(client(service), "/segments/blob/ci:VIP", typed))
    assert "Nothing of it is saved yet." in shown
    assert ">EMail\nEMail</textarea>" in shown
    assert '<option value="tab" selected>' in shown
    assert "<details open><summary>Say how its texts are written" in shown
    assert service.catalog.dialects.get("blob/ci:VIP")[0] is None
    assert 'data-keeps="/segments/blob/ci%3AVIP"' in page(client(service).get("/segments/blob/ci:VIP"))


def test_saving_before_all_of_the_form_was_seen_saves_nothing_and_shows_it(service: FakeService) -> None:
    """Save was pressed while the form was on its way back with what follows from a connection and a segment."""
    form = {"display_name": "Quick", "connection": "marketing", "targets.0.segments[]": "blob/ci:Lapsed"}
    answer = post(client(service), "/exports/new", urlencode(form).encode())
    shown = page(answer)
    assert answer.status == 200
    assert "more of the form follows from your choices" in shown
    assert 'name="address_column"' in shown
    assert "Write at least" not in shown
    assert [held.item.name for held in service.catalog.exports.all()] == ["vips"]


WRONG_EXPORTS = [
    ({"display_name": ""}, "Name: people find it by its name."),
    ({"address_column": ""}, "Column with the e-mail address: none is chosen."),
    ({"targets.0.segments[]": ""}, "Segments: none is chosen"),
    ({"targets.0.kind": "id", "targets.0.list_id": ""}, "List: which one of those that exist is not chosen."),
    ({"targets.0.kind": "name", "targets.0.list_name": ""}, "List: it has no name."),
    ({"connection": ""}, "Connection: nothing is chosen."),
    ({"matching.0.field": ""}, "Data matching: a row has a column and no field."),
    ({"matching.0.column": ""}, "Data matching: a row has a field and no column."),
    ({"targets.0.kind": "name", "targets.0.list_name": "Lapsed"}, "belongs to the export other, and a list has one"),
    ({"connection": "fresh"}, "it has not been connected yet"),
    ({"display_name": "x" * 101}, "Name: Write at most 100 characters."),
    ({"tags": "x" * 41}, "Tags: Write at most 40 characters."),
    ({"matching.0.field": "unsubscribed"}, "requires the field"),
    ({"schedule.kind": "cron", "schedule.every": "cron", "schedule.expression": ""}, "Cron expression: it is empty."),
    ({"schedule.kind": "cron", "schedule.every": "day", "schedule.times": "06:00"}, "Time zone: none is chosen."),
    ({"schedule.kind": "cron", "schedule.every": "day", "schedule.times": "6 o'clock"}, "Write times as 06:30"),
    ({"connection": "unagreed"}, "nobody has agreed yet"),
]


@pytest.mark.parametrize(("fields", "told"), WRONG_EXPORTS)
def test_what_is_wrong_is_said_in_the_words_of_the_form(
    service: FakeService, fields: dict[str, str], told: str
) -> None:
    service.world.save("other", targets=[{"segments": ["blob/ci:Lapsed"]}])
    service.catalog.save_connection("fresh", connection(), ADMIN, None)
    service.world.connect("unagreed", consent=None)
    wanted = {name: value for name, value in fields.items() if value or name != "targets.0.segments[]"}
    form = changed(service, **fields)
    if wanted != fields:
        form = b"&".join(part for part in form.split(b"&") if not part.startswith(b"targets.0.segments"))
    answer = post(client(service), "/exports/vips", form)
    assert answer.status == 422
    shown = unescape(page(answer))
    assert told in shown
    for word in ("Write at least", "Give at least", "list_id", "list_name out"):
        assert word not in re.sub(r'(name|id|href|for|hx-get|aria-describedby)="[^"]*"', "", shown), word
    assert dead_links(shown) == []


def dead_links(shown: str) -> list[str]:
    """Links of the summary to fields that the page does not have."""
    summary = shown.partition('role="alert"')[2].partition("</div>")[0]
    led = re.findall(r'href="#([^"]+)"', summary)
    assert led, "every message leads to its field"
    return [place for place in led if f'id="{place}"' not in shown]


WRONG_CONNECTIONS = [
    ({}, "Vendor: nothing is chosen."),
    ({"vendor": "letterbox", "display_name": ""}, "Name: people find it by its name."),
]


@pytest.mark.parametrize(("fields", "told"), WRONG_CONNECTIONS)
def test_what_is_wrong_with_a_connection_is_said_in_the_words_of_the_form(
    service: FakeService, fields: dict[str, str], told: str
) -> None:
    answer = post(client(service), "/connections/new", urlencode({"display_name": "X", **fields}).encode())
    assert answer.status == 422
    assert told in unescape(page(answer))
    assert dead_links(unescape(page(answer))) == []


def test_a_new_export_runs_with_each_refresh_unless_somebody_chooses_otherwise(service: FakeService) -> None:
    refresh = 'id="kind-on_refresh" name="schedule.kind" value="on_refresh" checked'
    manual = 'id="kind-manual" name="schedule.kind" value="manual" checked'
    assert refresh in page(client(service).get("/exports/new", query={"segment": "blob/ci:VIP"}))
    chosen = urlencode({"display_name": "X", "connection": "marketing", "targets.0.segments[]": "blob/ci:Lapsed"})
    assert refresh in page(post(client(service), "/exports/new/form", chosen.encode()))
    again = f"{chosen}&schedule.kind=manual&address_column=EMail"
    assert manual in page(post(client(service), "/exports/new/form", again.encode()))
    assert manual in page(client(service).get("/exports/vips/edit")), "one that is there stays as it is"


def test_the_form_says_who_exports_run_as_and_how_many_people_the_vendor_takes(service: FakeService) -> None:
    shown = page(client(service).get("/exports/vips/edit"))
    assert "nobody adds themselves as export user" in shown
    assert "people at the most from one export" in shown


RULES = {
    "exclude": [{"segment": "blob/ci:Lapsed"}],
    "require": [{"column": "FirstName", "one_of": ["Ann", "Bo"]}],
    "limit": {"first": 5, "by": "Birthday", "read_as": "date", "order": "least"},
}


def test_rules_are_shown_and_survive_a_form_that_changes_something_else(service: FakeService) -> None:
    saved = service.world.save(rules=RULES).item
    shown = page(client(service).get("/exports/vips/edit"))
    assert '<option value="blob/ci:Lapsed" selected>' in shown
    assert ">Ann\nBo</textarea>" in shown
    for chosen in ('<option value="date" selected>', '<option value="least" selected>', 'name="rules.limit.first"'):
        assert chosen in shown, chosen
    form = changed(service, display_name="Other", **fields_of(shown, "rules."))
    assert "Saved." in page(post(client(service), "/exports/vips", form))
    found = service.catalog.export("vips").item
    assert (found.display_name, found.rules) == ("Other", saved.rules)


def test_an_id_column_is_shown_and_can_be_taken_back(service: FakeService) -> None:
    shown = page(client(service).get("/exports/vips/edit"))
    assert 'name="id_column"' in shown
    assert "Saved." in page(post(client(service), "/exports/vips", changed(service, id_column="FirstName")))
    assert service.catalog.export("vips").item.id_column == "FirstName"
    assert '<option value="FirstName" selected>' in page(client(service).get("/exports/vips/edit"))
    assert "<code>FirstName</code>" in page(client(service).get("/exports/vips"))
    refused = post(client(service), "/exports/vips", changed(service, id_column="FirstName", mode="add"))
    assert refused.status == 422
    assert "Choose Take them off the list, or no such column." in page(refused)
    assert "Saved." in page(post(client(service), "/exports/vips", changed(service, id_column="")))
    assert service.catalog.export("vips").item.id_column is None


class _Fields(HTMLParser):
    """What a browser would send of a form."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: dict[str, str] = {}
        self._name = ""
        self._told_by_text = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        if tag in ("select", "textarea", "input"):
            self._name = named.get("name") or ""
            self.sent[self._name] = named.get("value") or ""
        chosen = tag == "option" and "selected" in named
        if chosen:
            self.sent[self._name] = named.get("value") or ""
        self._told_by_text = tag == "textarea" or (chosen and "value" not in named)

    def handle_data(self, data: str) -> None:
        if self._told_by_text:
            self.sent[self._name] += data

    def handle_endtag(self, tag: str) -> None:
        self._told_by_text = False


def fields_of(shown: str, prefix: str) -> dict[str, str]:
    """The fields of a page whose names begin so."""
    parser = _Fields()
    parser.feed(shown)
    return {name: value for name, value in parser.sent.items() if name.startswith(prefix)}


def test_a_rule_comes_with_a_button_and_is_refused_at_its_place(service: FakeService) -> None:
    shown = page(post(client(service), "/exports/vips/form", changed(service, do="add-exclude")))
    assert 'name="rules.exclude.0.segment"' in shown
    wrong = changed(service, **{"rules.exclude.0.segment": "blob/ci:VIP", "rules.limit.first": "5"})
    answer = post(client(service), "/exports/vips", wrong)
    assert answer.status == 422
    assert "Rules: the column that says who comes first is not chosen. Choose it." in page(answer)
    answer = post(client(service), "/exports/vips", changed(service, **{"rules.exclude.0.segment": "blob/ci:VIP"}))
    assert (answer.status, "nobody of it would be left" in page(answer)) == (422, True)
    assert not service.catalog.export("vips").item.rules


MADE = {
    "take": "join",
    "columns": ["FirstName", "EMail"],
    "separator": " / ",
    "steps": [
        {"function": "map", "values": {'"a" = b': "<c>"}, "otherwise": "keep"},
        {"function": "date", "reads": "month_day_year", "two_digit_years_from": 1930, "writes": "DD.MM."},
        {"function": "title"},
    ],
}


def test_made_values_are_shown_and_survive_a_form_that_changes_something_else(service: FakeService) -> None:
    saved = service.world.save(matching=[{"field": "FIRSTNAME", "derived": MADE}]).item
    shown = page(client(service).get("/exports/vips/edit"))
    for chosen in ('<option value="join" selected>', '<option value="month_day_year" selected>', "Step 3: Names"):
        assert chosen in shown, chosen
    fields = {
        name: value for name, value in fields_of(shown, "matching.0.derived").items() if not name.endswith("columns[]")
    }
    fields.pop("matching.0.derived.steps.2.turkish")  # a box that is not ticked
    form = changed(service, display_name="Other", **fields, **{"matching.0.derived.columns[]": "FirstName"})
    form += b"&matching.0.derived.columns[]=EMail"
    answer = page(post(client(service), "/exports/vips", form))
    assert "Saved." in answer, answer.partition('role="alert"')[2][:600]
    found = service.catalog.export("vips").item
    assert (found.display_name, found.matching) == ("Other", saved.matching)
    assert "Several columns, joined: FirstName, EMail · One value for another" in page(
        client(service).get("/exports/vips")
    )


def test_a_made_value_comes_with_a_button_and_is_refused_in_words(service: FakeService) -> None:
    shown = page(post(client(service), "/exports/vips/form", changed(service, do="make:0")))
    assert 'name="matching.0.derived.take"' in shown
    chosen = {"matching.0.derived.take": "constant", "matching.0.derived.text": ""}
    answer = post(client(service), "/exports/vips", changed(service, **chosen))
    assert answer.status == 422
    assert "Data matching: the text that is sent for everyone is empty. Write it." in page(answer)
    chosen = {"matching.0.derived.take": "column", "matching.0.derived.steps.0.function": "map"}
    answer = post(client(service), "/exports/vips", changed(service, **chosen, **{"matching.0.derived.columns[]": "X"}))
    assert "Data matching: a step has no value." in page(answer)
