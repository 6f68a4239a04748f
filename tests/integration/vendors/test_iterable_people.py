"""Iterable's profiles and fields from one run to the next: nobody is made anew, no field gets a wrong type."""

from __future__ import annotations

import csv
import random
from typing import Any

import pytest

from shared.delivery.state import layout
from shared.delivery.state.records import Run, State
from tests.contract.outcomes import accounted, clean
from tests.integration.delivery.engine import Engine, Person, people
from tests.integration.vendors.conftest import Opened

MATCHING = [
    {"field": "firstName", "column": "FirstName"},
    {"field": "note", "column": "City", "type": "string"},
]


def types(engine: Engine) -> Any:
    project = next(iter(engine.simulator.vendor._projects.values()))
    return project.types


@pytest.mark.parametrize("mismatch", ["row", "batch"])
@pytest.mark.parametrize("first", ["2024-01-02", "2024-01-02 10:00:00", "2024", "text"])
def test_a_new_text_field_is_text_whoever_comes_first(opened: Opened, first: str, mismatch: str) -> None:
    crowd = [Person("person0@example.com", "Ann", first)]
    crowd += [Person(f"person{number}@example.com", "Bo", f"text {number}") for number in range(1, 20)]
    crowd += [Person(f"person{number}@example.com", "Cy", f"2024-01-{number - 10}") for number in range(20, 30)]
    with opened("iterable") as engine:
        engine.tell("settings", {"type_mismatch": mismatch})
        engine.land(crowd, files=1)
        engine.define(matching=MATCHING)
        run = engine.run()
        assert accounted(engine, run) == {"add accepted": 30}, engine.rejected(run)
        assert types(engine)["note"] == "string"
        assert values(engine, "note") == {each.email: each.city for each in crowd}
        clean(engine)


@pytest.mark.parametrize("seed", range(3))
def test_types_are_those_of_the_data_matching_in_any_order_of_rows(opened: Opened, seed: int) -> None:
    cells = ["2024-01-02", "3", "4.5", "", "true", "Ann", "2024"] * 4
    random.Random(seed).shuffle(cells)
    fields = {"asText": "string", "asNumber": "number", "asWhole": "integer", "asDate": "date", "asTruth": "boolean"}
    with opened("iterable") as engine:
        engine.land([Person(f"p{number}@example.com", "Ann", cell) for number, cell in enumerate(cells)], files=1)
        engine.define(matching=[{"field": name, "column": "City", "type": kind} for name, kind in fields.items()])
        run = engine.run()
        assert accounted(engine, run) == {"add accepted": len(cells)}, engine.rejected(run)
        made = types(engine)
    expected = {
        "asText": "string", "asNumber": "double", "asWhole": "long", "asDate": "date", "asTruth": "boolean",
    }  # fmt: skip
    assert {name: made.get(name) for name in fields} == expected


@pytest.mark.parametrize("mismatch", ["row", "batch"])
@pytest.mark.parametrize(
    ("kind", "cells", "misfits"),
    [
        ("long", ["", "", "two", "", ""], {3}),
        ("date", ["2024-01-02", "soon", "", "never", "2024-01-05"], {2, 4}),
        ("boolean", ["yes", "", "", "", ""], {1}),
    ],
)
def test_a_value_that_only_the_vendor_finds_unfit_is_counted_and_placed(
    opened: Opened, kind: str, cells: list[str], misfits: set[int], mismatch: str
) -> None:
    crowd = [Person(f"person{number}@example.com", "Ann", cell) for number, cell in enumerate(cells)]
    with opened("iterable") as engine:
        engine.tell("settings", {"type_mismatch": mismatch})
        engine.land(crowd, files=1)
        engine.define(matching=MATCHING[:1])
        engine.run()
        types(engine)["note"] = kind
        engine.define(matching=MATCHING)
        run = engine.run()
        assert set(engine.members()) == {each.email for each in crowd}
        assert accounted(engine, run) == {"change accepted": len([cell for cell in cells if cell])}
        assert engine.delivery(run).left_out == engine.report(run)["values_left_out"] == {"note": len(misfits)}
        assert run.state is State.WARNINGS
        told = left_out(engine, run)
        assert {int(each["row"]) for each in told} == misfits
        assert {(each["field"], each["code"]) for each in told} == {("note", "refused_by_vendor")}
        assert all(each["segment"] == "Loyal" and each["file"] and each["reason"] for each in told)


def left_out(engine: Engine, run: Run) -> list[dict[str, str]]:
    found = engine.cloud.blobs.read(layout.left_out(layout.delivery_folder(run.export, run.run, 0)))
    assert found is not None
    return list(csv.DictReader(found[0].decode("utf-8-sig").splitlines()))


def values(engine: Engine, name: str) -> dict[str, Any]:
    [project] = engine.simulator.vendor._projects.values()
    return {person.email: person.fields.get(name) for person in project.people() if person.email}


@pytest.mark.parametrize("project_type", ["email", "hybrid"])
@pytest.mark.parametrize("present", ["leaves", "changes"])
def test_who_was_erased_is_not_made_anew(opened: Opened, project_type: str, present: str) -> None:
    with opened("iterable") as engine:
        engine.tell("settings", {"project_type": project_type})
        engine.land(people(5))
        engine.define()
        engine.run()
        engine.tell("people", {"erased": ["person3@example.com"]})
        others = [each for each in people(5) if each.email != "person3@example.com"]
        engine.land(others if present == "leaves" else [*others, Person("person3@example.com", "Changed")])
        run = engine.run()
        assert "person3@example.com" not in values(engine, "firstName")
        assert engine.inspect("state").json()["created_by_unsubscribe"] == 0
        outcomes = accounted(engine, run)
        if present == "leaves":
            assert outcomes == {"remove accepted": 1}
            assert "not found in Iterable under their address" in " ".join(engine.delivery(run).warnings)
        else:
            assert outcomes == {"change rejected": 1}
            assert [row["code"] for row in engine.rejected(run)] == ["profile_missing"]


@pytest.mark.parametrize("project_type", ["email", "hybrid"])
def test_whose_address_was_changed_there_is_not_made_anew_by_a_change(opened: Opened, project_type: str) -> None:
    with opened("iterable") as engine:
        engine.tell("settings", {"project_type": project_type})
        engine.land([Person("ann.old@example.com", "Ann"), *people(3)])
        engine.define()
        engine.run()
        engine.tell("people", {"renamed": {"ann.old@example.com": "ann.new@example.com"}})
        engine.land([Person("ann.old@example.com", "Anna"), *people(3)])
        run = engine.run()
        assert accounted(engine, run) == {"change rejected": 1}
        assert [row["code"] for row in engine.rejected(run)] == ["profile_missing"]
        assert "ann.old@example.com" not in values(engine, "firstName")


def test_whose_address_was_changed_there_is_reported(opened: Opened) -> None:
    with opened("iterable") as engine:
        engine.land([Person("ann.old@example.com", "Ann"), *people(3)])
        engine.define()
        engine.run()
        engine.tell("people", {"renamed": {"ann.old@example.com": "ann.new@example.com"}})
        engine.land(people(3))
        run = engine.run()
        assert "has another address there was not taken off" in " ".join(engine.delivery(run).warnings)
        assert "ann.old@example.com" not in values(engine, "firstName")
        assert "ann.new@example.com" in engine.members()
