"""What other exports on the same account mean for one that is saved: lists that are one, fields that both fill."""

from __future__ import annotations

from typing import Any

import pytest

from shared.catalog.catalog import Catalog
from shared.catalog.export_validation import SegmentKnown
from shared.catalog.issues import Invalid, Issue
from shared.catalog.models import ConnectionInput, ExportInput
from shared.vendors.contract import CheckResult
from shared.vendors.registry import DEFINITIONS
from tests.unit.catalog.samples import ADMIN
from tests.unit.catalog.tables import MemoryTable

SECRETS = {
    "omnisend": {"api_key": "key"},
    "campaign-monitor": {"api_key": "key"},
    "iterable": {"api_key": "key"},
}
SETTINGS = {"campaign-monitor": {"client_id": "4a39c1d07be24f5a9c66d2e8b0137f5e"}}


def catalog(*vendors: str) -> Catalog:
    """A connection to each vendor, named like it, on an account of its own."""
    made = Catalog(
        connections=MemoryTable(),
        exports=MemoryTable(),
        targets=MemoryTable(),
        dialects=MemoryTable(),
        definitions=DEFINITIONS,
        segments=lambda references: {each: SegmentKnown(each, ["EMail", "FirstName", "City"]) for each in references},
    )
    for vendor in vendors:
        consent = {"agreed_by": "ann", "text": "Yes."}
        sent = ConnectionInput.model_validate(
            {
                "display_name": vendor,
                "vendor": vendor,
                "secrets": SECRETS[vendor],
                "settings": SETTINGS.get(vendor, {}),
                "consent": consent,
            }
        )
        held = made.save_connection(vendor, sent, ADMIN, None)
        made.record_check(held, CheckResult(True, "Fine.", account=f"{vendor}-1"))
    return made


def save(made: Catalog, name: str, vendor: str, list_name: str, *fields: str, **target: Any) -> tuple[Issue, ...]:
    body = {
        "display_name": name,
        "connection": vendor,
        "targets": [{"segments": ["blob/ci:VIP"], **({"list_name": list_name} if list_name else {}), **target}],
        "address_column": "EMail",
        "matching": [{"field": each, "column": "FirstName"} for each in fields],
        "schedule": {"kind": "manual"},
    }
    return made.save_export(name, ExportInput.model_validate(body), ADMIN, None)[1]


@pytest.mark.parametrize(
    "second",
    [
        {"list_name": "LOYAL"},
        {"list_name": " Loyal  "},
        {"list_name": "", "list_id": "loyal", "existing": "adopt"},
        {"list_name": "Loyal"},
    ],
)
def test_a_tag_that_another_export_has_is_refused_when_it_is_saved(second: dict[str, Any]) -> None:
    made = catalog("omnisend")
    save(made, "first", "omnisend", "Loyal")
    with pytest.raises(Invalid) as error:
        save(made, "second", "omnisend", **second)
    assert ['belongs to the export "first"' in each.message for each in error.value.issues] == [True]
    save(made, "third", "omnisend", "Loyal, too")


def test_elsewhere_names_that_differ_are_two_lists() -> None:
    made = catalog("iterable")
    save(made, "first", "iterable", "Loyal")
    save(made, "second", "iterable", "LOYAL")


@pytest.mark.parametrize(
    ("vendor", "fields", "told"),
    [
        ("iterable", ["firstName"], ["/matching/0/field"]),
        ("omnisend", ["city", "firstName"], ["/matching/1/field"]),
        ("iterable", ["FIRSTNAME"], ["/matching/0/field"]),
        ("iterable", ["city"], []),
        ("campaign-monitor", ["firstName"], []),
    ],
)
def test_fields_that_two_exports_fill_on_one_account_are_told(vendor: str, fields: list[str], told: list[str]) -> None:
    made = catalog(vendor)
    save(made, "first", vendor, "One", "firstName")
    found = save(made, "second", vendor, "Two", *fields)
    assert [each.pointer for each in found if "sent last" in each.message] == told


def test_exports_on_other_accounts_do_not_matter() -> None:
    made = catalog("iterable", "omnisend")
    save(made, "first", "iterable", "Loyal", "firstName")
    assert save(made, "second", "omnisend", "Loyal", "firstName") == ()
