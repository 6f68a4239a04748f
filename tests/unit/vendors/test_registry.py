"""Vendors are found by name; their code is only imported when a connection is opened."""

from __future__ import annotations

import subprocess
import sys
from typing import NoReturn

import pytest

from shared.errors import Unprocessable, UserMustAct
from shared.vendors.contract import Vendor
from shared.vendors.http import Link
from shared.vendors.limits import Limiter
from shared.vendors.registry import DEFINITIONS, definition, open_vendor
from tests.unit.vendors.loopback import Keys


def test_every_vendor_opens_with_its_defaults_and_asks_nothing() -> None:
    def no_request(*call: object) -> NoReturn:
        raise AssertionError("opening a vendor makes no request")

    for name in DEFINITIONS:
        link = Link(Limiter(definition(name).rates), transport=no_request)
        vendor: Vendor = open_vendor(name, settings={}, credentials=Keys("k"), link=link)
        assert callable(vendor.deliver)


def test_an_unknown_vendor_names_the_known_ones() -> None:
    with pytest.raises(UserMustAct) as error:
        definition("mailpigeon")
    assert error.value.code == "unknown_vendor"
    assert "iterable" in error.value.message
    with pytest.raises(Unprocessable):
        open_vendor("../os", settings={}, credentials=Keys("k"), link=Link(Limiter(())))


def test_a_setting_that_is_not_offered_is_refused() -> None:
    link = Link(Limiter(()))
    with pytest.raises(Unprocessable):
        open_vendor("iterable", settings={"data_center": "mars"}, credentials=Keys("k"), link=link)


@pytest.mark.parametrize("name", sorted(DEFINITIONS))
def test_definitions_are_consistent(name: str) -> None:
    found = definition(name)
    assert found.name == name
    assert found.email_field in {field.name for field in found.fields if field.required}
    assert not found.reserved_fields & {field.name for field in found.fields}
    settings = {setting.name for setting in found.settings}
    assert {rate.setting for rate in found.rates if rate.setting} <= settings
    for setting in found.settings:
        assert not setting.choices or setting.default in (None, *setting.choices)


def test_the_registry_imports_no_vendor_code() -> None:
    code = (
        "import sys, shared.vendors.registry; "
        "print([name for name in sys.modules if name.startswith('requests') or name.endswith('.vendor')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
