"""A connection's default list is copied into the target that leans on it, and is then a list given by id."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from shared.catalog.issues import Invalid, Issue
from shared.vendors.contract import Setting
from tests.unit.catalog.samples import ADMIN, LETTERBOX, World

WITH_DEFAULT = replace(
    LETTERBOX, settings=(*LETTERBOX.settings, Setting("box", "Default list", "Its id.")), default_list="box"
)
LEANING: dict[str, Any] = {"segments": ["blob/ci:VIP"], "existing": "adopt"}


@pytest.fixture
def leaning(world: World) -> Iterator[World]:
    """A connection with the default list 77."""
    world.offer({"letterbox": WITH_DEFAULT})
    world.connect(settings={"region": "eu", "box": " 77 "})
    yield world


def refused(world: World, name: str, **changes: Any) -> Issue:
    with pytest.raises(Invalid) as refusal:
        world.save(name, **changes)
    [issue] = refusal.value.issues
    return issue


def test_a_target_that_names_no_list_gets_the_connections(leaning: World) -> None:
    [target] = leaning.save(targets=[LEANING]).item.targets
    assert (target.list_id, target.existing) == ("77", "adopt")
    assert leaning.owners() == {"id:77": "vips"}


def test_the_same_definition_can_be_saved_again(leaning: World) -> None:
    leaning.save(targets=[LEANING])
    assert leaning.save(targets=[LEANING]).item.targets[0].list_id == "77"
    assert leaning.owners() == {"id:77": "vips"}


def test_what_becomes_of_its_members_is_asked_as_for_any_list_given_by_id(leaning: World) -> None:
    issue = refused(leaning, "vips", targets=[{"segments": ["blob/ci:VIP"]}])
    assert issue.pointer == "/targets/0/existing"
    assert "The connection's default list, 77," in issue.message
    assert "adopt" in issue.message and "protect" in issue.message


def test_it_is_for_one_export(leaning: World) -> None:
    leaning.save(targets=[LEANING])
    issue = refused(leaning, "others", targets=[{**LEANING, "segments": ["blob/ci:Lapsed"]}])
    assert issue.pointer == "/targets/0"
    assert 'The list id 77 (the connection\'s default) belongs to the export "vips"' in issue.message
    assert "set list_name" in issue.message
    assert leaning.owners() == {"id:77": "vips"}


def test_two_targets_cannot_both_lean_on_it(leaning: World) -> None:
    issue = refused(leaning, "vips", targets=[LEANING, {**LEANING, "segments": ["blob/ci:Lapsed"]}])
    assert issue.pointer == "/targets/1"


@pytest.mark.parametrize(
    ("own", "key"), [({"list_name": "Own"}, "name:Own"), ({"list_id": "5", "existing": "protect"}, "id:5")]
)
def test_a_list_of_its_own_goes_first(leaning: World, own: dict[str, str], key: str) -> None:
    leaning.save(targets=[{"segments": ["blob/ci:VIP"], **own}])
    assert leaning.owners() == {key: "vips"}


def test_another_default_moves_no_export_that_is_stored(leaning: World) -> None:
    leaning.save(targets=[LEANING])
    leaning.connect(settings={"region": "eu", "box": "78"})
    assert leaning.catalog.export("vips").item.targets[0].list_id == "77"


def test_without_a_default_the_list_has_the_segments_name(world: World) -> None:
    world.offer({"letterbox": WITH_DEFAULT})
    world.connect()
    world.save(targets=[{"segments": ["blob/ci:VIP"]}])
    assert world.owners() == {"name:VIP": "vips"}


def test_what_the_vendors_api_does_not_tell_of_a_list_is_a_warning(world: World) -> None:
    world.offer({"letterbox": replace(LETTERBOX, list_warning="It may send a greeting.")})
    world.connect()
    for targets, warned in ([{**LEANING, "list_id": "5"}], True), ([LEANING], False):
        sent = world.save(targets=targets)
        _, warnings = world.catalog.save_export("vips", sent.item, ADMIN, sent)
        assert [each for each in warnings if "greeting" in each.message] == (
            [Issue("/targets/0/list_id", "It may send a greeting.")] if warned else []
        )
