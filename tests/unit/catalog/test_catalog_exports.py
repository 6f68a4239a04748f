"""Saving and deleting exports, and claims on targets that stay in step with them."""

from __future__ import annotations

from datetime import UTC
from typing import Any

import pytest

from shared.catalog.issues import Invalid, NotNow
from shared.catalog.models import MAX_DEFINITION
from shared.errors import Conflict, Forbidden
from tests.unit.catalog.samples import ADMIN, CONTRIBUTOR, START, World, connection, export

TWO = [{"segments": ["blob/ci:VIP"]}, {"segments": ["blob/ci:Lapsed"], "list_id": "9", "existing": "adopt"}]


def test_an_export_comes_back_as_it_was_saved(connected: World) -> None:
    sent = export(
        targets=TWO,
        matching=[{"field": "FIRSTNAME", "column": "FirstName", "when_empty": "clear"}],
        guards={"max_removed_people": None, "max_age_days": None},
        schedule={"kind": "cron", "expression": "0 6 * * *", "time_zone": "Europe/Berlin"},
        mode="add",
        paused=True,
    )
    connected.catalog.save_export("vips", sent, ADMIN, None)
    kept = connected.catalog.export("vips").item
    assert {part: getattr(kept, part) for part in type(sent).model_fields} == dict(sent)
    assert (kept.name, kept.account) == ("vips", "acc-1")
    assert kept.created_at.tzinfo is UTC


def test_a_refused_export_leaves_nothing_behind(connected: World) -> None:
    with pytest.raises(Invalid) as refusal:
        connected.save(address_column="Nope")
    assert [issue.pointer for issue in refusal.value.issues] == ["/address_column"]
    assert connected.owners() == {}
    assert connected.exports.rows == {}


def test_warnings_are_given_back(connected: World) -> None:
    sent = export(targets=[{"segments": ["blob/ci:Soon"]}])
    _, warnings = connected.catalog.save_export("vips", sent, ADMIN, None)
    assert [warning.pointer for warning in warnings] == ["/targets/0/segments/0"]


def test_an_export_needs_a_connection_that_was_checked(world: World) -> None:
    world.catalog.save_connection("marketing", connection(), ADMIN, None)
    with pytest.raises(Invalid) as refusal:
        world.save()
    assert "check the connection first" in refusal.value.issues[0].message


@pytest.mark.parametrize("name", ["missing", "No Slug"])
def test_an_unknown_connection_is_an_issue(connected: World, name: str) -> None:
    with pytest.raises(Invalid) as refusal:
        connected.save(connection=name)
    assert [issue.pointer for issue in refusal.value.issues] == ["/connection"]


def test_targets_are_claimed_and_released_with_the_export(connected: World) -> None:
    connected.save(targets=TWO)
    assert connected.owners() == {"name:VIP": "vips", "id:9": "vips"}
    connected.save(targets=[{"segments": ["blob/ci:VIP"], "list_name": "New"}, TWO[1]])
    assert connected.owners() == {"name:New": "vips", "id:9": "vips"}
    connected.catalog.delete_export(connected.catalog.export("vips"), ADMIN)
    assert connected.owners() == {}


def test_a_second_export_of_a_target_is_refused_and_claims_nothing(connected: World) -> None:
    connected.save()
    with pytest.raises(Invalid) as refusal:
        connected.save("others", targets=[{"segments": ["blob/ci:Lapsed"]}, {"segments": ["blob/ci:VIP"]}])
    [issue] = refusal.value.issues
    assert issue.pointer == "/targets/1"
    assert 'belongs to the export "vips"' in issue.message
    assert connected.owners() == {"name:VIP": "vips"}


def test_two_connections_to_one_account_share_its_targets(connected: World) -> None:
    connected.save()
    connected.connect("second")
    with pytest.raises(Invalid):
        connected.save("others", connection="second")
    connected.connect("third", account="acc-2")
    connected.save("others", connection="third")
    assert connected.owners("acc-2") == {"name:VIP": "others"}


def test_moving_to_another_account_moves_the_claims(connected: World) -> None:
    connected.save()
    connected.connect("third", account="acc-2")
    assert connected.save(connection="third").item.account == "acc-2"
    assert connected.owners("acc-1") == {}
    assert connected.owners("acc-2") == {"name:VIP": "vips"}


def test_a_save_that_loses_the_race_gives_its_new_claims_back(connected: World) -> None:
    stale = connected.save()
    connected.save(display_name="Faster")
    with pytest.raises(Conflict):
        connected.catalog.save_export("vips", export(targets=TWO), ADMIN, stale)
    assert connected.owners() == {"name:VIP": "vips"}


def test_a_save_that_loses_the_race_leaves_what_the_winner_claimed(connected: World) -> None:
    stale = connected.save()
    real = connected.catalog.exports.replace

    def slow(item: Any, etag: str) -> Any:
        connected.catalog.exports.replace = real  # type: ignore[method-assign]  # one interruption
        connected.save(targets=TWO)
        return real(item, etag)

    connected.catalog.exports.replace = slow  # type: ignore[method-assign]  # another save runs in between
    with pytest.raises(Conflict):
        connected.catalog.save_export("vips", export(targets=TWO), ADMIN, stale)
    assert connected.owners() == {"name:VIP": "vips", "id:9": "vips"}


def test_a_leftover_of_an_interrupted_save_is_freed_after_a_while(connected: World) -> None:
    connected.catalog.targets.claim("acc-1", "name:VIP", "never-saved", START)
    with pytest.raises(Invalid):
        connected.save()
    connected.later(minutes=16)
    connected.save()
    assert connected.owners() == {"name:VIP": "vips"}


def test_a_claim_in_use_is_never_freed(connected: World) -> None:
    connected.save()
    connected.later(days=400)
    with pytest.raises(Invalid):
        connected.save("others")


def test_a_leftover_of_an_interrupted_retargeting_is_freed_too(connected: World) -> None:
    connected.save(targets=[{"segments": ["blob/ci:VIP"], "list_name": "Now"}])
    connected.catalog.targets.claim("acc-1", "name:VIP", "vips", START)
    connected.later(minutes=16)
    connected.save("others")
    assert connected.owners() == {"name:Now": "vips", "name:VIP": "others"}


def test_a_running_export_keeps_its_targets(connected: World) -> None:
    connected.save(targets=TWO)
    with pytest.raises(NotNow):
        connected.save(targets=TWO[:1], running=True)
    assert connected.owners() == {"name:VIP": "vips", "id:9": "vips"}
    connected.save(targets=TWO, display_name="Renamed", running=True)
    with pytest.raises(NotNow):
        connected.catalog.delete_export(connected.catalog.export("vips"), ADMIN, running=True)


def test_contributors_save_exports_on_shared_connections_only(connected: World) -> None:
    with pytest.raises(Forbidden):
        connected.save(by=CONTRIBUTOR)
    connected.connect("shared", account="acc-2", shared_with="administrators and contributors")
    connected.save(by=CONTRIBUTOR, connection="shared")
    with pytest.raises(Forbidden):
        connected.save(by=CONTRIBUTOR, connection="marketing")
    connected.save("closed")
    with pytest.raises(Forbidden):
        connected.save("closed", by=CONTRIBUTOR, connection="shared")
    with pytest.raises(Forbidden):
        connected.catalog.delete_export(connected.catalog.export("closed"), CONTRIBUTOR)


def test_a_definition_that_is_too_large_is_refused_with_a_message(connected: World) -> None:
    wide = [{"field": f"{n:03d}" + "f" * 90, "column": "EMail"} for n in range(199)]
    with pytest.raises(Invalid) as refusal:
        connected.save(matching=[{"field": "FIRSTNAME", "column": "FirstName"}, *wide])
    assert "too large to be stored" in refusal.value.issues[0].message
    assert connected.owners() == {}


def test_two_hundred_fields_of_common_length_can_be_stored(connected: World) -> None:
    connected.columns["blob/ci:VIP"] = ("EMail", "FirstName", *(f"customer_attribute_{n:03d}" for n in range(199)))
    wide = [{"field": f"ATTRIBUTE_{n:03d}", "column": f"customer_attribute_{n:03d}"} for n in range(199)]
    connected.save(matching=[{"field": "FIRSTNAME", "column": "FirstName"}, *wide])
    [row] = connected.exports.rows.values()
    assert len(row.entity["definition"]) <= MAX_DEFINITION
