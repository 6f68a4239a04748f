"""docs/vendors: every vendor has a page with all headings, whose tables are those of the code."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dev import vendor_pages
from shared.vendors.contract import Definition
from shared.vendors.registry import DEFINITIONS


@pytest.mark.parametrize("definition", DEFINITIONS.values(), ids=DEFINITIONS.keys())
def test_the_page_is_up_to_date(definition: Definition) -> None:
    """Where this fails: python -m dev.vendor_pages."""
    text = vendor_pages.page_of(definition).read_text(encoding="utf-8")
    assert vendor_pages.filled(text, definition) == text


@pytest.mark.parametrize("definition", DEFINITIONS.values(), ids=DEFINITIONS.keys())
def test_the_page_has_every_heading_and_table(definition: Definition) -> None:
    text = vendor_pages.page_of(definition).read_text(encoding="utf-8")
    missing = [heading for heading in vendor_pages.HEADINGS if f"\n## {heading}\n" not in text]
    missing += [name for name in vendor_pages.BLOCKS if text.count(f"<!-- made: {name} -->") != 1]
    assert missing == []


def test_a_page_of_an_older_definition_is_not_up_to_date() -> None:
    definition = DEFINITIONS["dotdigital"]
    text = vendor_pages.page_of(definition).read_text(encoding="utf-8")
    older = [
        replace(definition, longest_list_name=129),
        replace(definition, questions=()),
        replace(definition, reserved_fields=frozenset()),
        replace(definition, fields=()),
    ]
    assert text not in [vendor_pages.filled(text, each) for each in older]


def test_a_new_page_has_all_that_is_asked() -> None:
    definition = DEFINITIONS["omnisend"]
    made = vendor_pages.filled(vendor_pages.empty(definition), definition)
    assert all(f"\n## {heading}\n" in made for heading in vendor_pages.HEADINGS)
    assert all(each.asks in made for each in definition.questions)
