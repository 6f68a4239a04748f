"""Values that are made of columns arrive at every vendor, and what a step cannot read is counted and costs nobody."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from shared.delivery.state import layout
from shared.delivery.state.records import Run, State
from shared.delivery.state.transitions import RunKind
from tests.contract.outcomes import GOOD, accounted, clean, writes
from tests.integration.delivery.engine import Engine, Person

PEOPLE = (
    Person("ann@example.com", "ANN O'BRIEN", "1.2.2026"),
    Person("bo@example.com", "van der Berg", "3/4/29"),
    Person("cy@example.com", "", "soon"),
    Person("dee@example.com", " ", ""),
)
DATE: dict[str, Any] = {
    "function": "date",
    "reads": "day_month_year",
    "two_digit_years_from": 1930,
    "writes": "YYYYMMDD",
}
NAMED: dict[str, Any] = {"take": "first", "columns": ["FirstName", "City"], "steps": [{"function": "title"}]}
DATED: dict[str, Any] = {"columns": ["City"], "steps": [DATE]}
NO_DATE = "The data matching reads it as a date, and it is none, so it was left out."


def define(engine: Engine, first: dict[str, Any], city: dict[str, Any]) -> None:
    """What fills both fields of the vendor."""
    matching = [{"field": engine.kit.first, "derived": first}, {"field": engine.kit.city, "derived": city}]
    engine.define(matching=matching)


def values(engine: Engine) -> dict[str, tuple[str | None, str | None]]:
    """Address -> what the vendor has of both fields, None for nothing."""
    return {
        address.partition("@")[0]: (found.get("first"), found.get("city"))
        for address, found in engine.members().items()
    }


def left_out(engine: Engine, run: Run) -> list[tuple[str, str, str]]:
    found = engine.cloud.blobs.read(layout.left_out(layout.delivery_folder(run.export, run.run, 0)))
    lines = csv.DictReader(io.StringIO(found[0].decode("utf-8-sig"))) if found else ()
    return [(each["field"], each["code"], each["reason"]) for each in lines]


def previewed(engine: Engine) -> list[tuple[dict[str, str], dict[str, str]]]:
    """Values of the first rows, and what is left out of them, before anything is sent."""
    connection, export = engine.catalog.connection(engine.kit.name).item, engine.catalog.export("newsletter").item
    rows = engine.service.preview(connection, ["Loyal"], export.address_column, export.matching, "")
    return [(each["values"], each["left_out"]) for each in rows]


def explained(engine: Engine, address: str) -> list[tuple[str, str, str]]:
    """Field, code and sentence of what a person goes without."""
    [target] = engine.service.explain("newsletter", address)["targets"]
    said = [str(each["text"]) for each in target["story"]]
    found = [(each["field"], each["code"]) for each in target["segments"][0]["left_out"]]
    return [(field, code, next(text for text in said if text.startswith(f"{field}: "))) for field, code in found]


@pytest.mark.in_turn("kit", 2)
def test_made_values_arrive_and_what_is_none_is_counted_and_named(engine: Engine) -> None:
    engine.land(PEOPLE)
    define(engine, NAMED, DATED)
    assert previewed(engine) == [
        ({engine.kit.first: "Ann O'Brien", engine.kit.city: "20260201"}, {}),
        ({engine.kit.first: "van der Berg", engine.kit.city: "20290403"}, {}),
        ({engine.kit.first: "Soon"}, {engine.kit.city: NO_DATE}),
        ({}, {}),
    ]
    before = len(writes(engine))
    dry = engine.service.begin("newsletter", RunKind.DRY_RUN).run
    engine.pump()
    assert len(writes(engine)) == before
    assert engine.report(dry)["values_left_out"] == {engine.kit.city: 1}
    run = engine.run()
    assert run.state is State.WARNINGS, run.message
    assert accounted(engine, run) == {"add accepted": 4}
    assert values(engine) == {
        "ann": ("Ann O'Brien", "20260201"),
        "bo": ("van der Berg", "20290403"),
        "cy": ("Soon", None),
        "dee": (None, None),
    }
    assert engine.delivery(run).left_out == engine.report(run)["values_left_out"] == {engine.kit.city: 1}
    assert left_out(engine, run) == [(engine.kit.city, "no_date", NO_DATE)]
    assert explained(engine, "cy@example.com") == [(engine.kit.city, "no_date", f"{engine.kit.city}: {NO_DATE}")]
    assert explained(engine, "ann@example.com") == []
    assert engine.run().state is State.NOTHING
    clean(engine)


@pytest.mark.in_turn("kit", 2)
def test_another_way_to_make_a_value_changes_it_for_whom_it_is_another(engine: Engine) -> None:
    engine.land(PEOPLE)
    define(engine, NAMED, DATED)
    engine.run()
    shouted = {**NAMED, "steps": [{"function": "upper"}]}
    define(engine, shouted, {"take": "constant", "text": "It's '20260201'; --"})
    run = engine.run()
    assert run.state in GOOD, run.message
    assert accounted(engine, run) == {"change accepted": 4}
    assert values(engine) == {
        "ann": ("ANN O'BRIEN", "It's '20260201'; --"),
        "bo": ("VAN DER BERG", "It's '20260201'; --"),
        "cy": ("SOON", "It's '20260201'; --"),
        "dee": (None, "It's '20260201'; --"),
    }
    clean(engine)


@pytest.mark.in_turn("kit", 2)
def test_what_cannot_be_read_any_more_leaves_the_vendors_value(engine: Engine) -> None:
    mapped = {"columns": ["City"], "steps": [{"function": "map", "values": {"rome": "Roma", "oslo": "Oslo"}}]}
    joined = {"take": "join", "columns": ["FirstName", "City"], "separator": " / "}
    engine.land([Person("ann@example.com", "Ann", "ROME"), Person("bo@example.com", "Bo", "Oslo")])
    define(engine, joined, mapped)
    assert accounted(engine, engine.run()) == {"add accepted": 2}
    engine.land([Person("ann@example.com", "Ann", "ROME"), Person("bo@example.com", "", "Paris")])
    run = engine.run()
    assert run.state is State.WARNINGS, run.message
    assert accounted(engine, run) == {"change accepted": 1}
    assert engine.report(run)["values_left_out"] == {engine.kit.city: 1}
    assert values(engine) == {"ann": ("Ann / ROME", "Roma"), "bo": ("Paris", "Oslo")}
    clean(engine)
