"""Filling in a form makes the same entry as making it piece by piece, whatever the row."""

from __future__ import annotations

import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.vendors.campaign_monitor import people
from shared.vendors.campaign_monitor.definition import LONGEST
from shared.vendors.campaign_monitor.people import MOST_FORMS, Forms, Notes, Shape
from shared.vendors.campaign_monitor.responses import ListField
from shared.vendors.contract import Row

TEXTS = ("First name", "Ville", "100 %", "%s", "Größe", "{0}", "Plan (old)", ".*")
FIELDS = {name: ListField(name, name.replace(" ", ""), "Text") for name in TEXTS} | {
    "Points": ListField("Points", "Points", "Number"),
    "Born": ListField("Born", "Born", "Date"),
}
SHAPE = Shape(FIELDS)
ADDRESS = "ana@example.com"

names = st.sampled_from([*FIELDS, "Name", "MobileNumber", "ConsentToTrack", "Gone", 'Say "hi"'])
plain = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
values = plain | st.sampled_from(["Ann", '","', '":"', "%s %", "\\", "x" * (LONGEST + 1), "ł" * LONGEST]) | st.none()
rows = st.dictionaries(names, values | st.integers(-(10**18), 10**18) | st.booleans(), max_size=6)


def same(forms: Forms, row: Row) -> bool:
    """Whether both ways give the same person and say the same."""
    notes: Notes = {}
    expected: Notes = {}
    made = forms.entry(row, notes)
    assert json.loads(made) == json.loads(people.entry(row, SHAPE, expected))
    return list(notes) == list(expected)


@given(st.lists(rows, min_size=1, max_size=4), st.booleans())
def test_a_form_makes_what_its_model_makes(several: list[dict[str, object]], blanks: bool) -> None:
    forms = Forms(SHAPE)
    for each in several * 2:
        text = json.dumps(each) if blanks else orjson.dumps(each).decode()
        assert same(forms, Row(ADDRESS, text))


@pytest.mark.parametrize(
    "values",
    [
        {"Plan (old)": 'say "x",', "Ville": "a\\b\n"},
        {"Ville": "x" * (LONGEST + 1)},
        {"Name": "ł" * (LONGEST + 1), "Ville": "y"},
        {"Ville": "y", "Name": "Ann"},
        {"Ville": None, "Name": "Ann"},
        {"Points": "7"},
    ],
)
def test_odd_values_are_made_the_same(values: dict[str, object]) -> None:
    assert same(Forms(SHAPE), Row(ADDRESS, orjson.dumps(values).decode()))


@pytest.mark.parametrize(
    "address", ['"ana b"@example.com', "ana\\b@example.com", "ana\t@example.com", "änna@example.com"]
)
def test_any_address_goes_in(address: str) -> None:
    assert same(Forms(SHAPE), Row(address, '{"Ville":"Wien"}'))


def test_a_field_with_an_odd_name_takes_nobody_else_s_texts() -> None:
    forms = Forms(SHAPE)
    assert same(forms, Row(ADDRESS, '{".*":"a"}'))
    assert same(forms, Row(ADDRESS, '{"Ville":"b"}'))


def test_most_rows_are_filled_in(monkeypatch: pytest.MonkeyPatch) -> None:
    forms = Forms(SHAPE)
    rows = [Row(f"p{number}@example.com", f'{{"Name":"Ann","Ville":"{number}"}}') for number in range(5)]
    first = forms.entry(rows[0], {})
    monkeypatch.setattr(people, "entry", None)
    others = [json.loads(forms.entry(row, {})) for row in rows[1:]]
    assert json.loads(first)["CustomFields"] == [{"Key": "Ville", "Value": "0"}]
    assert [person["CustomFields"][0]["Value"] for person in others] == ["1", "2", "3", "4"]


def test_forms_do_not_grow_without_end() -> None:
    shape = Shape({f"F{number}": ListField(f"F{number}", f"F{number}", "Text") for number in range(MOST_FORMS + 5)})
    forms = Forms(shape)
    for number in range(MOST_FORMS + 5):
        made = json.loads(forms.entry(Row(ADDRESS, f'{{"F{number}":"x"}}'), {}))
        assert made["CustomFields"] == [{"Key": f"F{number}", "Value": "x"}]
