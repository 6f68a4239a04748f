"""`docs/matching.md` says what the code does."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

from shared.delivery.plan.cell_values import LeftOut
from shared.vendors.contract import ANY, Fit
from shared.vendors.registry import DEFINITIONS

DOCUMENT = Path(__file__).parents[3] / "docs" / "matching.md"


def rows_of_vendors() -> Iterator[str]:
    """Rows of the table of what vendors' fields take."""
    for definition in DEFINITIONS.values():
        fits = {field.name: field.fit for field in definition.fields if field.fit not in (ANY, definition.custom_fit)}
        for name, fit in {**fits, "": definition.custom_fit}.items():
            if fit != ANY:
                yield f"| {definition.label} | {name and f'`{name}`'} | {'; '.join(_said(fit))} |"


def _said(fit: Fit) -> Iterator[str]:
    if fit.choices:
        yield f"one of {', '.join(f'`{each}`' for each in fit.choices)}"
    if fit.longest:
        yield f"texts of up to {fit.longest:,} characters{', cut to that' if fit.cut else ''}"
    if fit.day:
        yield "days"
    if fit.digits:
        yield f"numbers of up to {fit.digits} digits before the point"
    if fit.decimals:
        yield f"{fit.decimals} behind it, rounded to that"


def cases() -> Iterator[tuple[str, str, object, str]]:
    """Type, cell, value (None where it is left out) and reason of each row of the first table."""
    lines = DOCUMENT.read_text(encoding="utf-8").split("| type | cell |")[1].splitlines()[2:]
    for line in lines:
        if not line.startswith("|"):
            return
        kind, cell, value, why = (each.strip() for each in line.strip("|").split(" | "))
        yield kind, json.loads(cell.strip("`")), json.loads(value.strip("`") or "null"), why.strip(" |")


def test_the_document_tells_what_vendors_fields_take() -> None:
    told = DOCUMENT.read_text(encoding="utf-8").splitlines()
    missing = [row for row in rows_of_vendors() if row not in told]
    assert not missing


def test_the_document_has_cases_of_every_type() -> None:
    assert len(list(cases())) > 70


def test_the_document_names_every_reason_by_its_code_in_left_out_csv() -> None:
    told = DOCUMENT.read_text(encoding="utf-8")
    missing = [code for code in LeftOut if not re.search(rf"(\| |`){code}\b", told)]
    assert not missing
