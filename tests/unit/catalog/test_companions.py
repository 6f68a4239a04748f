"""One export on several connections: what is refused, and what the companions are made of."""

from __future__ import annotations

from typing import Any

import pytest

from shared.catalog.companions import companion_name
from shared.catalog.issues import Invalid, NotNow
from shared.catalog.models import Export
from shared.catalog.store import Held
from shared.errors import Forbidden
from tests.unit.catalog.samples import ADMIN, CONTRIBUTOR, World, connection, export

PLAIN = {"connection": "second", "matching": [{"field": "name", "column": "FirstName"}]}
SHARED = "administrators and contributors"


@pytest.fixture
def several() -> World:
    """Connections to two vendors; the second has no settings and no fields of its own."""
    made = World()
    made.connect(shared_with=SHARED)
    made.connect("second", "acc-2", vendor="plain", settings={}, secrets={}, shared_with=SHARED)
    return made


def refused(world: World, **changes: Any) -> list[tuple[str, str]]:
    with pytest.raises(Invalid) as error:
        world.save(**changes)
    return [(issue.pointer, str(issue.message)) for issue in error.value.issues]


def companions(world: World, held: Held[Export]) -> list[Export]:
    return [item for _, item in world.catalog.companions.wanted(held.item.name, held.item, "ann")]


def test_a_companion_is_the_export_on_another_connection(several: World) -> None:
    schedule = {"kind": "cron", "expression": "0 6 * * *", "time_zone": "Europe/Berlin"}
    rules = {"require": [{"column": "FirstName"}], "holdout": {"name": "autumn", "share": 0.1}}
    held = several.save(also=[PLAIN], rules=rules, schedule=schedule, first_run="deliver", id_column="CustomerId")
    [made] = companions(several, held)
    assert (made.name, made.owned_by) == (companion_name("vips", "second"), "vips")
    assert (made.connection, made.account, made.display_name) == ("second", "acc-2", "VIPs (second)")
    assert [match.field for match in made.matching] == ["name"]
    same = ("rules", "schedule", "first_run", "id_column", "address_column", "mode", "guards")
    assert all(getattr(made, part) == getattr(held.item, part) for part in same)
    assert [target.segments for target in made.targets] == [("blob/ci:VIP",)]
    assert made.also == ()


def test_lists_have_the_same_names_unless_others_are_given(several: World) -> None:
    targets = [{"segments": ["blob/ci:VIP"], "list_name": "Best"}, {"segments": ["blob/ci:Lapsed"]}]
    [made] = companions(several, several.save(targets=targets, also=[PLAIN]))
    assert [target.list_name for target in made.targets] == ["Best", None]
    own = [{"list_id": "7", "existing": "protect"}, {"list_name": "Gone"}]
    [made] = companions(several, several.save(targets=targets, also=[{**PLAIN, "targets": own}]))
    assert [(each.list_id, each.list_name) for each in made.targets] == [("7", None), (None, "Gone")]
    assert [each.segments for each in made.targets] == [("blob/ci:VIP",), ("blob/ci:Lapsed",)]


def test_a_connection_is_there_once(several: World) -> None:
    words = "The export has this connection already: choose another, or leave it out."
    assert ("/also/0/connection", words) in refused(several, also=[{**PLAIN, "connection": "marketing"}])
    assert ("/also/1/connection", words) in refused(several, also=[PLAIN, PLAIN])


def test_what_another_vendor_cannot_take_is_refused_at_its_place(several: World) -> None:
    wrong = {**PLAIN, "matching": [{"field": "shoe", "column": "FirstName"}, {"field": "name", "column": "Nope"}]}
    found = dict(refused(several, also=[wrong]))
    assert "has no such field" in found["/also/0/matching/0/field"]
    assert '"Nope"' in found["/also/0/matching/1/column"]
    several.connect("third", "acc-3", shared_with=SHARED)
    needs = dict(refused(several, also=[{"connection": "third"}]))
    assert "requires the field" in needs["/also/0/matching"]
    gone = dict(refused(several, also=[{"connection": "nowhere"}]))
    assert 'There is no connection "nowhere"' in gone["/also/0/connection"]


def test_what_is_wrong_with_all_of_them_is_said_once(several: World) -> None:
    found = refused(several, also=[PLAIN], rules={"require": [{"column": "Score"}]})
    assert [place for place, _ in found] == ["/rules/require/0/column"]


def test_a_list_of_the_same_account_has_one_writer(several: World) -> None:
    several.connect("twin", "acc-1", shared_with=SHARED)
    own = [{"field": "FIRSTNAME", "column": "FirstName"}]
    [(place, words)] = refused(several, also=[{"connection": "twin", "matching": own}])
    assert place == "/also/0/targets/0"
    assert "the same account and the same list" in words
    several.save(also=[{"connection": "twin", "matching": own, "targets": [{"list_name": "Other"}]}])


def test_the_number_of_lists_is_that_of_the_export(several: World) -> None:
    [(place, words)] = refused(several, also=[{**PLAIN, "targets": [{"list_name": "A"}, {"list_name": "B"}]}])
    assert (place, words.partition(",")[0]) == ("/also/0/targets", "Give as many targets as the export has (1)")


def test_the_default_list_of_the_other_connection_is_kept_with_the_export(several: World) -> None:
    settled = several.catalog.settled(export(also=[PLAIN]))
    assert settled.also[0].targets == (), "this vendor's connections have none"


def test_whoever_may_not_use_one_of_the_connections_may_not_change_the_export(several: World) -> None:
    several.connect("second", "acc-2", vendor="plain", settings={}, secrets={})
    with pytest.raises(Forbidden):
        several.save(by=CONTRIBUTOR, also=[PLAIN])
    held = several.save(also=[PLAIN])
    with pytest.raises(Forbidden):
        several.catalog.set_schedule(held, CONTRIBUTOR, paused=True)
    several.save(also=[])
    several.catalog.set_schedule(several.catalog.export("vips"), CONTRIBUTOR, paused=True)


def test_a_companion_is_changed_through_its_export_only(several: World) -> None:
    held = several.save(also=[PLAIN])
    for before, after in several.catalog.companions.wanted("vips", held.item, "ann"):
        several.catalog.companions.put(before, after)
    name = companion_name("vips", "second")
    stored = several.catalog.export(name)
    catalog = several.catalog
    for change in (
        lambda: several.save(name, connection="second", matching=PLAIN["matching"]),
        lambda: catalog.delete_export(stored, ADMIN),
        lambda: catalog.detach_export(stored, ADMIN),
        lambda: catalog.set_schedule(stored, ADMIN, paused=True),
    ):
        with pytest.raises(NotNow, match='another connection of the export "vips"'):
            change()
    assert catalog.export(name) == stored


def test_a_holdout_may_be_changed_though_the_companions_still_have_the_old_one(several: World) -> None:
    held = several.save(also=[PLAIN], rules={"holdout": {"name": "autumn", "share": 0.1}})
    for before, after in several.catalog.companions.wanted("vips", held.item, "ann"):
        several.catalog.companions.put(before, after)
    several.save(also=[PLAIN], rules={"holdout": {"name": "autumn", "share": 0.2}})


@pytest.mark.parametrize("made", [True, False])
def test_a_connection_that_an_export_has_beside_its_own_is_not_deleted(several: World, made: bool) -> None:
    held = several.save(also=[PLAIN])
    for before, after in several.catalog.companions.wanted("vips", held.item, "ann") if made else ():
        several.catalog.companions.put(before, after)
    second = several.catalog.connection("second")
    with pytest.raises(NotNow, match=r"Exports use this connection: vips\. Delete them"):
        several.catalog.delete_connection(second, ADMIN)
    with pytest.raises(NotNow, match=r"while exports use the connection: vips\."):
        several.catalog.save_connection("second", connection(), ADMIN, second)
