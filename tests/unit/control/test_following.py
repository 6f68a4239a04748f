"""Companions follow their export, also where whoever saved it died between two writes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from shared.access.person import LOCAL
from shared.catalog.companions import companion_name
from shared.catalog.issues import NotNow
from shared.catalog.stored_companions import StoredCompanions
from shared.control import connections, exports
from shared.delivery.state.records import State
from shared.vendors.contract import CheckResult
from tests.unit.api.service import FakeService, run
from tests.unit.catalog.samples import export

PLAIN = {"connection": "second", "matching": [{"field": "name", "column": "FirstName"}]}
THIRD = {"connection": "third", "matching": [{"field": "FIRSTNAME", "column": "FirstName"}]}
SECOND, OTHER = companion_name("vips", "second"), companion_name("vips", "third")


class Death(BaseException):
    """The worker is gone."""


@pytest.fixture
def service() -> FakeService:
    made = FakeService()
    made.world.connect()
    made.world.connect("second", "acc-2", vendor="plain", settings={}, secrets={})
    made.world.connect("third", "acc-3")
    return made


def save(service: FakeService, *, keep_members: bool = False, **changes: Any) -> None:
    held = service.catalog.exports.get("vips")
    exports.save(service, "vips", export(**changes), LOCAL, held, keep_members=keep_members)


def names(service: FakeService) -> list[str]:
    return [held.item.name for held in service.catalog.exports.all()]


def heal(service: FakeService) -> None:
    service.following.heal(service.catalog.exports.all())


def test_saving_makes_changes_and_takes_away_companions(service: FakeService) -> None:
    save(service, also=[PLAIN, THIRD])
    assert names(service) == sorted(["vips", SECOND, OTHER])
    save(service, also=[PLAIN], paused=True)
    assert names(service) == sorted(["vips", SECOND])
    assert service.catalog.export(SECOND).item.paused
    assert service.world.owners("acc-2") == {"name:VIP": SECOND}
    assert service.world.owners("acc-3") == {}


def test_the_schedule_is_switched_on_all_of_them(service: FakeService) -> None:
    save(service, also=[PLAIN])
    exports.set_schedule(service, service.catalog.export("vips"), LOCAL, paused=True)
    assert service.catalog.export(SECOND).item.paused
    exports.set_schedule(service, service.catalog.export("vips"), LOCAL, paused=False)
    assert not service.catalog.export(SECOND).item.paused
    exports.detach(service, service.catalog.export("vips"), LOCAL)
    assert service.catalog.export(SECOND).item.paused, "without a connection the export does not run"


def test_deleting_an_export_deletes_its_companions_and_frees_their_lists(service: FakeService) -> None:
    save(service, also=[PLAIN, THIRD])
    exports.delete(service, service.catalog.export("vips"), LOCAL)
    assert names(service) == []
    assert service.world.owners("acc-2") == service.world.owners("acc-3") == {}


def test_people_on_the_lists_of_a_companion_are_not_left_there_unasked(service: FakeService) -> None:
    save(service, also=[PLAIN])
    service.left = {"name:VIP": 3}
    with pytest.raises(NotNow) as error:
        exports.delete(service, service.catalog.export("vips"), LOCAL)
    assert error.value.code == "members_left"
    with pytest.raises(NotNow) as error:
        save(service, also=[])
    assert error.value.code == "members_left"
    assert SECOND in names(service)
    save(service, also=[], keep_members=True)
    assert SECOND not in names(service)


def test_a_connection_that_is_being_written_to_is_not_left_out(service: FakeService) -> None:
    save(service, also=[PLAIN])
    service.past = [run("r1", State.RUNNING, export=SECOND)]
    with pytest.raises(NotNow, match="second"):
        save(service, also=[], keep_members=True)
    assert SECOND in names(service)
    with pytest.raises(NotNow, match="under way"):
        exports.delete(service, service.catalog.export("vips"), LOCAL, keep_members=True)


Step = Callable[[FakeService], None]
STEPS: dict[str, tuple[Step, list[str]]] = {
    "made": (lambda service: save(service, also=[PLAIN, THIRD]), ["vips", SECOND, OTHER]),
    "changed": (lambda service: save(service, also=[PLAIN], paused=True, display_name="New"), ["vips", SECOND]),
    "deleted": (lambda service: exports.delete(service, service.catalog.export("vips"), LOCAL), []),
}


@pytest.mark.parametrize("step", STEPS)
def test_a_death_between_any_two_writes_heals_to_what_the_export_says(service: FakeService, step: str) -> None:
    """Or to what it said before, where the export itself was not written yet."""
    act, after = STEPS[step]
    for writes in range(40):
        made = fresh(service, step)
        before = names(made)
        if not dies_after(made, act, writes):
            assert writes > 3
            return
        truth = made.catalog.exports.get("vips")
        heal(made)
        expected = after if (step == "deleted" and truth is None) or is_new(truth, step) else before
        assert names(made) == sorted(expected), writes
        for name in names(made):
            item = made.catalog.export(name).item
            assert truth is not None
            assert (item.paused, item.schedule) == (truth.item.paused, truth.item.schedule)
        if OTHER not in names(made):
            made.world.later(minutes=20)
            made.world.save("heir", connection="third")  # its list is free again
    raise AssertionError("it never ends")


def fresh(service: FakeService, step: str) -> FakeService:
    made = FakeService()
    made.world.connect()
    made.world.connect("second", "acc-2", vendor="plain", settings={}, secrets={})
    made.world.connect("third", "acc-3")
    if step != "made":
        save(made, also=[PLAIN, THIRD])
    return made


def is_new(truth: Any, step: str) -> bool:
    if truth is None:
        return False
    return bool(step == "made" or (step == "changed" and truth.item.display_name == "New"))


def dies_after(service: FakeService, act: Step, writes: int) -> bool:
    """Whether the worker died: after so many writes to tables."""
    left = [writes]
    tables = (service.world.exports, service.world.targets)
    with pytest.MonkeyPatch.context() as patch:
        for table in tables:
            for name in ("insert", "replace", "delete"):
                patch.setattr(table, name, mortal(getattr(table, name), left))
        try:
            act(service)
        except Death:
            return True
    return False


def mortal(write: Callable[..., Any], left: list[int]) -> Callable[..., Any]:
    def written(*args: Any, **kwargs: Any) -> Any:
        if left[0] == 0:
            raise Death
        left[0] -= 1
        return write(*args, **kwargs)

    return written


def test_healing_writes_nothing_where_all_is_well(service: FakeService) -> None:
    save(service, also=[PLAIN])
    before = [(held.item.name, held.etag) for held in service.catalog.exports.all()]
    heal(service)
    assert [(held.item.name, held.etag) for held in service.catalog.exports.all()] == before


def test_what_stands_in_the_way_of_one_companion_keeps_no_other_from_being_made(
    service: FakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = StoredCompanions.put

    def failing(stored: StoredCompanions, held: Any, item: Any) -> None:
        if item.name == SECOND:
            raise RuntimeError
        write(stored, held, item)

    monkeypatch.setattr(StoredCompanions, "put", failing)
    save(service, also=[PLAIN, THIRD])
    assert names(service) == sorted(["vips", OTHER])
    monkeypatch.undo()
    heal(service)
    assert names(service) == sorted(["vips", SECOND, OTHER])


def test_a_connection_goes_once_no_export_has_it_beside_its_own(service: FakeService) -> None:
    save(service, also=[PLAIN])
    second = service.catalog.connection("second")
    with pytest.raises(NotNow, match=r"beside their own: vips\."):
        connections.remove(service, second, LOCAL, {SECOND: connections.Fate.REMOVE})
    assert names(service) == sorted(["vips", SECOND])
    save(service, also=[])
    connections.remove(service, second, LOCAL, {})
    assert [held.item.name for held in service.catalog.connections.all()] == ["marketing", "third"]


def test_whose_account_changed_is_the_export_that_people_can_save_again(service: FakeService) -> None:
    save(service, also=[PLAIN])
    second = service.catalog.connection("second")
    moved = service.catalog.record_check(second, CheckResult(True, "Fine.", "acc-9"))
    assert service.catalog.strangers(moved.item) == ["vips"]
