"""Fields that a vendor makes for an export get the type of the data matching, whatever the first values look like."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import pytest

from tests.contract.outcomes import accounted
from tests.integration.delivery.engine import Person
from tests.integration.vendors.conftest import Opened

CELLS = ["2024-01-02", "3", "4.5", "", "true", "Ann", "2024"] * 2
TYPES = {
    "campaign-monitor": {"string": "Text", "number": "Number", "integer": "Number", "date": "Date", "boolean": "Text"},
    "dotdigital": {
        "string": "String",
        "number": "Numeric",
        "integer": "Numeric",
        "date": "Date",
        "boolean": "Boolean",
    },
}
"""By vendor and type of the data matching. Omnisend's properties have no types."""

ALLOWED: Mapping[str, Mapping[str, Any]] = {"dotdigital": {"settings": {"create_fields": True}}}
"""What lets a vendor make fields."""


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("vendor", TYPES)
def test_types_are_those_of_the_data_matching_in_any_order_of_rows(opened: Opened, vendor: str, seed: int) -> None:
    cells = random.Random(seed).sample(CELLS, len(CELLS))
    fields = {f"AS_{kind.upper()}": kind for kind in TYPES[vendor]}
    with opened(vendor) as engine:
        engine.land([Person(f"p{number}@example.com", "Ann", cell) for number, cell in enumerate(cells)], files=1)
        matching = [{"field": name, "column": "City", "type": kind} for name, kind in fields.items()]
        engine.define(matching=matching, **ALLOWED.get(vendor, {}))
        run = engine.run()
        assert accounted(engine, run) == {"add accepted": len(cells)}, engine.rejected(run)
        state = engine.settled()
    made = state["fields"] if vendor == "dotdigital" else state["lists"][0]["fields"]
    assert {name: made.get(name) for name in fields} == {name: TYPES[vendor][kind] for name, kind in fields.items()}
