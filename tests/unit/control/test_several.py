"""One thing done to several exports: each for itself, each in the audit trail."""

from __future__ import annotations

import pytest

from shared.catalog.issues import Invalid, NotNow
from shared.catalog.models import Schedule
from shared.control import connections, exports
from shared.control.connections import Fate
from shared.control.several import Deed, Order, carry_out, run_all
from shared.delivery.state.records import State
from tests.unit.api.service import FakeService, run
from tests.unit.catalog.samples import ADMIN, CONTRIBUTOR

DAILY = Schedule(kind="cron", expression="0 6 * * *", time_zone="UTC")


@pytest.fixture
def service() -> FakeService:
    made = FakeService()
    made.world.connect()
    made.world.save("one")
    made.world.save("two", targets=[{"segments": ["blob/ci:Lapsed"]}])
    return made


def test_all_get_one_schedule_and_are_no_longer_paused(service: FakeService) -> None:
    carry_out(service, ADMIN, ["one", "two"], Order(Deed.PAUSE))
    assert service.catalog.export("one").item.paused
    done = carry_out(service, ADMIN, ["one", "two", "one"], Order(Deed.SCHEDULE, DAILY))
    assert [(each.export, each.ok) for each in done] == [("one", True), ("two", True)]
    assert all(service.catalog.export(name).item.schedule == DAILY for name in ("one", "two"))
    assert not service.catalog.export("one").item.paused


def test_what_stands_in_the_way_of_one_does_not_keep_others_from_it(service: FakeService) -> None:
    done = carry_out(service, ADMIN, ["one", "nothing", "two"], Order(Deed.DETACH))
    assert [each.ok for each in done] == [True, False, True]
    assert done[1].message == 'There is no export "nothing".'
    assert service.catalog.export("two").item.detached


def test_each_is_in_the_audit_trail(service: FakeService) -> None:
    carry_out(service, ADMIN, ["one", "nothing"], Order(Deed.PAUSE))
    refused, paused = service.trail.page(2, None)[0]
    assert (refused.subject, refused.outcome) == ("export nothing", "refused")
    assert (paused.subject, paused.outcome) == ("export one", "done")
    assert paused.changes["paused"] == [False, True]


def test_a_contributor_needs_the_connection_of_each(service: FakeService) -> None:
    done = carry_out(service, CONTRIBUTOR, ["one"], Order(Deed.REMOVE))
    assert not done[0].ok
    assert service.catalog.exports.get("one") is not None


def test_a_bad_schedule_is_refused_for_all(service: FakeService) -> None:
    often = Schedule(kind="cron", expression="* * * * *", time_zone="UTC")
    assert not any(each.ok for each in carry_out(service, ADMIN, ["one", "two"], Order(Deed.SCHEDULE, often)))


def test_run_all_leaves_out_what_is_manual_paused_or_detached(service: FakeService) -> None:
    service.world.save("three", targets=[{"segments": ["blob/ci:VIP"], "list_name": "Third"}])
    carry_out(service, ADMIN, ["one", "two"], Order(Deed.SCHEDULE, DAILY))
    carry_out(service, ADMIN, ["two"], Order(Deed.PAUSE))
    assert [each.export for each in run_all(service, ADMIN)] == ["one"]


def test_a_connection_goes_once_all_its_exports_are_decided_about(service: FakeService) -> None:
    held = service.catalog.connection("marketing")
    with pytest.raises(Invalid):
        connections.remove(service, held, ADMIN, {"one": Fate.REMOVE})
    assert service.catalog.exports.get("one") is not None
    connections.remove(service, held, ADMIN, {"one": Fate.REMOVE, "two": Fate.DETACH})
    assert service.catalog.connections.get("marketing") is None
    assert service.catalog.exports.get("one") is None
    assert service.catalog.export("two").item.detached


def test_a_detached_export_keeps_its_list_and_its_plan_and_does_not_run(service: FakeService) -> None:
    carry_out(service, ADMIN, ["one"], Order(Deed.SCHEDULE, DAILY))
    before = service.catalog.export("one").item
    after = exports.detach(service, service.catalog.export("one"), ADMIN).item
    assert after.targets == before.targets and after.matching == before.matching
    assert service.world.owners()["name:VIP"] == "one"
    assert exports.view(after, service).next_times == ()
    assert run_all(service, ADMIN) == []


def test_nothing_is_detached_while_it_runs(service: FakeService) -> None:
    service.past = [run("r1", State.RUNNING, export="one")]
    with pytest.raises(NotNow, match="under way"):
        exports.detach(service, service.catalog.export("one"), ADMIN)


def test_a_duplicate_can_be_saved_beside_the_original(service: FakeService) -> None:
    name, definition = exports.copy(service, service.catalog.export("one").item)
    saved, _ = exports.save(service, name, definition, ADMIN, None)
    assert (saved.item.name, saved.item.paused) == ("vips-copy", True)
    assert service.world.owners()["name:VIP"] == "one"
    again, _ = exports.copy(service, service.catalog.export("one").item)
    assert again == "vips-copy-2"


def test_withdrawing_everyone_pauses_the_schedule_that_would_put_them_back(service: FakeService) -> None:
    carry_out(service, ADMIN, ["one"], Order(Deed.SCHEDULE, DAILY))
    assert [each.ok for each in carry_out(service, ADMIN, ["one", "two"], Order(Deed.WITHDRAW))] == [True, True]
    assert service.catalog.export("one").item.paused
    assert not service.catalog.export("two").item.paused, "it has no schedule that would start it"
    service.past = [run("r1", State.RUNNING, "one")]
    [refused] = carry_out(service, ADMIN, ["one"], Order(Deed.WITHDRAW))
    assert "Nothing was started" in refused.message
