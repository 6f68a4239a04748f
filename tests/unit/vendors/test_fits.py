"""What each vendor's fields take: cells by the data matching of its definition, and of a list's own fields."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import duckdb
import pytest

from shared.catalog.models import Match
from shared.delivery.plan.cell_values import Cell, left_out, matched, values
from shared.vendors.campaign_monitor import targets
from shared.vendors.campaign_monitor.responses import ListField
from shared.vendors.contract import FieldType, Fit
from shared.vendors.registry import DEFINITIONS

LONG = "ł" * 1_001
KNOWN: dict[str, dict[str, Fit]] = {
    "campaign-monitor": {
        each.name: targets.fit(each)
        for each in (
            ListField("Level", "Level", "MultiSelectOne", ("Gold card", "Silver")),
            ListField("Likes", "Likes", "MultiSelectMany", ("Golf", "Tennis")),
            ListField("Points", "Points", "Number"),
            ListField("Born", "Born", "Date"),
            ListField("Country", "Country", "Country"),
            ListField("Land", "Land", "Country", ("United Kingdom", "Sweden")),
            ListField("State", "State", "USState", ("New Jersey", "New York")),
        )
    }
}

CASES: list[tuple[str, str, str, Any, str | None]] = [
    ("dotdigital", "FIRSTNAME", LONG[:1_000], LONG[:1_000], None),
    ("dotdigital", "FIRSTNAME", LONG, None, "too_long"),
    ("dotdigital", "BIO", LONG, None, "too_long"),
    ("dotdigital", "LASTNAME", "\U0001f389" * 1_001, None, "too_long"),
    ("dotdigital", "optInType", "Double", "double", None),
    ("dotdigital", "optInType", "verifiedDouble", None, "no_choice"),
    ("iterable", "bio", LONG, LONG, None),
    ("iterable", "phoneNumber", "01632 960000", "01632 960000", None),
    ("omnisend", "gender", "Female", "f", None),
    ("omnisend", "gender", "diverse", None, "no_choice"),
    ("omnisend", "birthdate", "1990-05-17T00:00:00+02:00", "1990-05-17", None),
    ("omnisend", "birthdate", "1990-05-17 23:30:00-11:00", "1990-05-17", None),
    ("omnisend", "birthdate", "1990/5/17 00:00 +14:00", "1990-05-17", None),
    ("omnisend", "birthdate", "1990-05-17T22:00:00Z", "1990-05-17", None),
    ("omnisend", "birthdate", "infinity", None, "not_of_type"),
    ("omnisend", "birthdate", "epoch", None, "not_of_type"),
    ("omnisend", "birthdate", "12345-01-01", None, "not_of_type"),
    ("omnisend", "bio", "ł" * 2_048, "ł" * 2_048, None),
    ("omnisend", "bio", "ł" * 2_049, None, "too_long"),
    ("campaign-monitor", "Name", LONG, LONG[:250], "cut"),
    ("campaign-monitor", "Bio", LONG, LONG[:250], "cut"),
    ("campaign-monitor", "MobileNumber", "+44 (0)1632 960000", "+441632960000", None),
    ("campaign-monitor", "MobileNumber", "01632 960000", None, "not_of_type"),
    ("campaign-monitor", "ConsentToTrack", "TRUE", "Yes", None),
    ("campaign-monitor", "ConsentToTrack", "unchanged", "Unchanged", None),
    ("campaign-monitor", "ConsentToTrack", "maybe", None, "no_choice"),
    ("campaign-monitor", "Level", "gold  card", "Gold card", None),
    ("campaign-monitor", "Level", "Gold", None, "no_choice"),
    ("campaign-monitor", "Likes", "Golf, Tennis", ["Golf", "Tennis"], None),
    ("campaign-monitor", "Likes", "Golf;Chess", ["Golf"], "no_choice"),
    ("campaign-monitor", "Likes", '["Tennis","golf"]', ["Golf", "Tennis"], None),
    ("campaign-monitor", "Likes", "golf | tennis | golf", ["Golf", "Tennis"], None),
    ("campaign-monitor", "Likes", "Platinum", None, "no_choice"),
    ("campaign-monitor", "Points", "1e3", None, "not_of_type"),
    ("campaign-monitor", "Points", "1234567890123456789.5", "1234567890123456789.5", None),
    ("campaign-monitor", "Born", "1990-05-17T00:00:00+02:00", "1990-05-17", None),
    ("campaign-monitor", "Born", "1990-05-17T23:30:00-11:00", "1990-05-17", None),
    ("campaign-monitor", "Born", "1899-12-31", None, "out_of_range"),
    ("campaign-monitor", "Born", "-infinity", None, "not_of_type"),
    ("campaign-monitor", "Country", "Portugal; Spain", "Portugal; Spain", None),
    ("campaign-monitor", "Land", " united  KINGDOM", "United Kingdom", None),
    ("campaign-monitor", "Land", "Great Britain", None, "no_choice"),
    ("campaign-monitor", "State", "new york", "New York", None),
    ("campaign-monitor", "State", "Ontario", None, "no_choice"),
]


def test_a_field_for_telephone_numbers_stays_one_where_it_was_matched_as_text() -> None:
    chosen = Match(field="MobileNumber", column="c", type=FieldType.STRING)
    assert matched([chosen], DEFINITIONS["campaign-monitor"])[0].type is FieldType.PHONE
    assert matched([chosen.model_copy(update={"field": "Own"})], DEFINITIONS["campaign-monitor"])[0].type == "string"


@pytest.mark.parametrize(("when_empty", "value"), [("keep", "{}"), ("clear", '{"city":null}')])
def test_an_empty_cell_keeps_or_clears_as_the_data_matching_says(when_empty: str, value: str) -> None:
    chosen = Match.model_validate({"field": "city", "column": "c", "when_empty": when_empty})
    query = f"SELECT {values(matched([chosen], DEFINITIONS['omnisend']), [Cell('NULL::VARCHAR')])}"
    with duckdb.connect() as database:
        assert database.execute(query).fetchall() == [(value,)]


@cache
def of_cases() -> list[tuple[str, str | None]]:
    """Values and reasons of all cases, asked for at once."""
    asked = []
    for number, (vendor, field, *_) in enumerate(CASES):
        matches = matched([Match(field=field, column="c")], DEFINITIONS[vendor], fits=KNOWN.get(vendor, {}))
        asked += [values(matches, [Cell(f"c{number}")]), left_out(matches[0], Cell(f"c{number}"))]
    columns = ", ".join(f"${number + 1}::VARCHAR AS c{number}" for number in range(len(CASES)))
    with duckdb.connect() as database:
        database.execute("SET TimeZone = 'UTC'")
        found = database.execute(f"SELECT {', '.join(asked)} FROM (SELECT {columns})", [each[2] for each in CASES])
        row = found.fetchone()
    assert row is not None
    return list(zip(row[::2], row[1::2], strict=True))


@pytest.mark.parametrize(("number", "case"), list(enumerate(CASES)), ids=["-".join(each[:2]) for each in CASES])
def test_a_cell_arrives_as_the_vendor_takes_it(number: int, case: tuple[str, str, str, Any, str | None]) -> None:
    _, field, _, value, why = case
    found, reason = of_cases()[number]
    assert json.loads(found) == ({} if value is None else {field: value})
    assert reason == why
