"""Saving, checking and deleting connections."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.catalog.issues import Invalid, NotFound, NotNow
from shared.catalog.models import ConnectionInput
from shared.errors import Conflict, Forbidden
from shared.vendors.contract import CheckResult
from tests.unit.catalog.samples import ADMIN, CONTRIBUTOR, START, World, connection


def test_a_connection_comes_back_as_it_was_saved(world: World) -> None:
    sent = connection(settings={"region": "eu", "pages": 3, "strict": True, "share": 0.5}, rate_budget=0.5)
    world.catalog.save_connection("m", sent, ADMIN, None)
    kept = world.catalog.connection("m").item
    assert kept.settings == sent.settings
    assert (kept.name, kept.rate_budget, kept.created_by, kept.created_at) == ("m", 0.5, "ann", START)
    assert kept.account is None


@pytest.mark.parametrize("name", ["", "A", "-a", "a_b", "a" * 64, "ä", "a\n", "../a"])
def test_names_are_slugs(world: World, name: str) -> None:
    with pytest.raises(Invalid):
        world.catalog.save_connection(name, connection(), ADMIN, None)
    with pytest.raises(NotFound):
        world.catalog.connection(name)
    with pytest.raises(NotFound):
        world.catalog.export(name)


def test_only_the_version_that_was_read_is_replaced(world: World) -> None:
    first = world.catalog.save_connection("m", connection(), ADMIN, None)
    world.catalog.save_connection("m", connection(display_name="Second"), ADMIN, first)
    with pytest.raises(Conflict):
        world.catalog.save_connection("m", connection(display_name="Third"), ADMIN, first)
    with pytest.raises(Conflict):
        world.catalog.save_connection("m", connection(), ADMIN, None)
    assert world.catalog.connection("m").item.display_name == "Second"


def test_who_made_it_and_who_changed_it_are_kept_apart(world: World) -> None:
    first = world.catalog.save_connection("m", connection(), ADMIN, None)
    world.later(hours=1)
    other = world.catalog.save_connection("m", connection(), replace(ADMIN, name="bob"), first).item
    assert (other.created_by, other.created_at) == ("ann", START)
    assert (other.updated_by, other.updated_at) == ("bob", START + timedelta(hours=1))


def test_the_time_of_consent_is_the_servers_and_stays_until_the_words_change(world: World) -> None:
    forged = {"agreed_by": "Ann", "text": "I agree.", "agreed_at": "1999-01-01T00:00:00Z"}
    first = world.catalog.save_connection("m", connection(consent=forged), ADMIN, None)
    world.later(days=1)
    second = world.catalog.save_connection("m", connection(consent=forged), ADMIN, first)
    assert second.item.consent is not None
    assert second.item.consent.agreed_at == START
    third = world.catalog.save_connection("m", connection(consent={**forged, "text": "Again."}), ADMIN, second)
    assert third.item.consent is not None
    assert third.item.consent.agreed_at == START + timedelta(days=1)
    assert world.catalog.save_connection("m", connection(consent=None), ADMIN, third).item.consent is None


def test_who_decided_and_when_is_the_servers_and_stays_until_the_decision_changes(world: World) -> None:
    def decided(choice: str, text: str = "We have their consent.") -> ConnectionInput:
        forged = {"choice": choice, "text": text, "decided_by": "Ann", "decided_at": "1999-01-01T00:00:00Z"}
        return connection(settings={"region": "eu", "newcomers": choice}, decisions={"newcomers": forged})

    first = world.catalog.save_connection("m", decided("added"), ADMIN, None)
    kept = first.item.decisions["newcomers"]
    assert (kept.choice, kept.text, kept.decided_by) == ("added", "We have their consent.", ADMIN.name)
    world.later(days=1)
    second = world.catalog.save_connection("m", decided("added"), ADMIN, first)
    assert second.item.decisions["newcomers"].decided_at == START
    for again in (decided("mailed"), decided("mailed", "Again.")):
        world.later(days=1)
        second = world.catalog.save_connection("m", again, ADMIN, second)
        assert second.item.decisions["newcomers"].decided_at == world.catalog.now()


def test_a_check_is_kept_until_what_it_checked_changes(connected: World) -> None:
    held = connected.catalog.connection("marketing")
    assert (held.item.account, held.item.check_code, held.item.checked_at) == ("acc-1", "ok", START)
    renamed = connected.catalog.save_connection("marketing", connection(display_name="New"), ADMIN, held)
    assert renamed.item.account == "acc-1"
    moved = connected.catalog.save_connection("marketing", connection(settings={"region": "us"}), ADMIN, renamed)
    assert (moved.item.account, moved.item.checked_at, moved.item.check_code) == (None, None, "")


@pytest.mark.parametrize("change", [{"secrets": {"key": "other"}}, {"vendor": "plain", "settings": {}, "secrets": {}}])
def test_new_secrets_or_another_vendor_need_a_new_check(connected: World, change: dict[str, Any]) -> None:
    held = connected.catalog.connection("marketing")
    assert connected.catalog.save_connection("marketing", connection(**change), ADMIN, held).item.account is None


def test_a_failed_check_keeps_the_account_that_was_known(connected: World) -> None:
    held = connected.catalog.connection("marketing")
    failed = CheckResult(False, "The key is wrong. " * 100, code="bad_credentials")
    kept = connected.catalog.record_check(held, failed).item
    assert (kept.account, kept.check_code) == ("acc-1", "bad_credentials")
    assert len(kept.check_message) == 1000


def test_a_check_of_a_connection_that_changed_meanwhile_is_not_kept(connected: World) -> None:
    held = connected.catalog.connection("marketing")
    connected.catalog.save_connection("marketing", connection(secrets={"key": "new"}), ADMIN, held)
    with pytest.raises(Conflict):
        connected.catalog.record_check(held, CheckResult(True, "Fine.", "acc-2"))
    assert connected.catalog.connection("marketing").item.account is None


def test_a_connection_in_use_is_not_deleted_and_keeps_its_vendor(connected: World) -> None:
    connected.save("b-vips")
    connected.save("a-vips", targets=[{"segments": ["blob/ci:VIP"], "list_name": "Other"}])
    held = connected.catalog.connection("marketing")
    with pytest.raises(NotNow, match="a-vips, b-vips"):
        connected.catalog.delete_connection(held, ADMIN)
    with pytest.raises(NotNow, match="a-vips, b-vips"):
        connected.catalog.save_connection("marketing", connection(vendor="plain", settings={}, secrets={}), ADMIN, held)
    for name in ("a-vips", "b-vips"):
        connected.catalog.delete_export(connected.catalog.export(name), ADMIN)
    connected.catalog.delete_connection(held, ADMIN)
    assert connected.catalog.connections.all() == []


def test_exports_of_another_account_are_found_after_a_check(connected: World) -> None:
    connected.save()
    held = connected.catalog.connection("marketing")
    assert connected.catalog.strangers(held.item) == []
    moved = connected.catalog.record_check(held, CheckResult(True, "Fine.", "acc-2"))
    assert connected.catalog.strangers(moved.item) == ["vips"]


def test_only_administrators_write_connections(connected: World) -> None:
    held = connected.catalog.connection("marketing")
    with pytest.raises(Forbidden):
        connected.catalog.save_connection("marketing", connection(), CONTRIBUTOR, held)
    with pytest.raises(Forbidden):
        connected.catalog.delete_connection(held, CONTRIBUTOR)


def test_the_catalog_is_light_to_import() -> None:
    modules = ["catalog", "connection_validation", "export_validation", "issues", "models", "schedules", "store"]
    modules += ["targets"]
    program = f"""
import importlib, sys
for name in {modules}: importlib.import_module("shared.catalog." + name)
assert not {{"fastapi", "starlette", "azure", "duckdb", "requests"}} & set(sys.modules), sys.modules.keys()
"""
    subprocess.run([sys.executable, "-c", program], check=True)
