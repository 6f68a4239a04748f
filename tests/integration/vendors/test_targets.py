"""Lists and tags: shared by segments, given by the connection, warned about, and limited in size."""

from __future__ import annotations

import pytest

from shared.api.connections import TargetChoice
from shared.catalog.issues import Invalid
from shared.catalog.models import ExportInput
from shared.control import exports as control
from shared.delivery.state.records import State
from shared.vendors.registry import DEFINITIONS
from tests.contract.hurry import hurry
from tests.contract.outcomes import GOOD, accounted, clean, writes
from tests.integration.delivery.engine import ADMINISTRATOR, people
from tests.integration.vendors.conftest import Opened
from tests.kits import KITS

CONFIRMED = {"name": "Loyal", "confirmedOptIn": True}


@pytest.mark.parametrize("vendor", KITS)
def test_segments_that_share_a_target_are_their_union(opened: Opened, vendor: str) -> None:
    with opened(vendor) as engine:
        engine.land(people(6), "Loyal")
        engine.land(people(6, 3), "New")
        engine.define(targets=[{"segments": ["Loyal", "New"]}])
        run = engine.run()
        assert accounted(engine, run) == {"add accepted": 9}
        assert engine.report(run)["rows"]["duplicates"] == 3
        engine.land(people(3), "Loyal")  # 3 to 5 are in the other segment still
        assert engine.run().state is State.NOTHING
        engine.land(people(4, 5), "New")
        assert accounted(engine, engine.run()) == {"remove accepted": 2}
        assert engine.members().keys() == {each.email for each in [*people(3), *people(4, 5)]}
        clean(engine)


@pytest.mark.parametrize("vendor", KITS)
def test_too_many_people_stop_the_run_before_the_first_write(
    opened: Opened, vendor: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert DEFINITIONS[vendor].max_profiles == 1_000_000
    with opened(vendor) as engine:
        hurry(monkeypatch, max_profiles=5)
        engine.land(people(6))
        engine.define()
        before = len(writes(engine))
        run = engine.run()
        assert run.state is State.BLOCKED
        assert "6" in run.message and "5" in run.message, run.message
        assert len(writes(engine)) == before
        engine.define(guards={"max_profiles": 6})
        assert engine.run().state in GOOD
        assert len(engine.members()) == 6


def test_dotdigitals_default_list_is_for_one_export(opened: Opened) -> None:
    with opened("dotdigital") as engine:
        engine.tell("people", {"lists": [{"id": 4321, "name": "Everyone"}]})
        engine.connect(settings={**engine.kit.settings, "list_id": "4321"})
        engine.land(people(5))
        with pytest.raises(Invalid, match="default list, 4321, may have members already"):
            engine.define()
        leaning = [{"segments": ["Loyal"], "existing": "protect"}]
        assert engine.define(targets=leaning).targets[0].list_id == "4321"
        with pytest.raises(Invalid, match='belongs to the export "newsletter"'):
            engine.define("second", targets=leaning)
        assert engine.run().state in GOOD
        assert engine.members("Everyone").keys() == {each.email for each in people(5)}
        assert engine.members("Loyal") == {}


@pytest.mark.parametrize("by", ["name", "id"])
def test_a_list_that_sends_mail_to_newcomers_is_a_warning_when_the_export_is_saved(opened: Opened, by: str) -> None:
    with opened("campaign-monitor") as engine:
        engine.tell("people", {"lists": [CONFIRMED, {"name": "Plain"}]})
        offered = engine.service.connection_targets("campaign-monitor")
        choices = {each.name: TargetChoice.model_validate(each) for each in offered}
        assert "sends everyone who is added an e-mail" in choices["Loyal"].warnings[0]
        assert choices["Plain"].warnings == ()
        wanted = {"list_id": choices["Loyal"].list_id, "existing": "adopt"} if by == "id" else {}
        export = engine.define(targets=[{"segments": ["Loyal"], **wanted}])
        [warning] = engine.service.target_warnings(export)
        assert warning.pointer == "/targets/0"
        assert "confirmed opt-in" in warning.message


@pytest.mark.parametrize(
    ("vendor", "list_id"), [("iterable", "999"), ("dotdigital", "999"), ("campaign-monitor", "a1")]
)
def test_a_list_that_does_not_exist_is_told_of_where_it_is_named(opened: Opened, vendor: str, list_id: str) -> None:
    with opened(vendor) as engine:
        export = engine.define(targets=[{"segments": ["Loyal"], "list_id": list_id, "existing": "adopt"}])
        [warning] = engine.service.target_warnings(export)
        assert warning.pointer == "/targets/0/list_id"
        assert f"has no list with the id {list_id}: give the id of one that exists" in warning.message


@pytest.mark.parametrize(
    ("vendor", "list_id"), [("iterable", "999"), ("dotdigital", "999"), ("campaign-monitor", "a1")]
)
def test_an_export_that_names_a_list_which_does_not_exist_is_refused_and_leaves_nothing_behind(
    opened: Opened, vendor: str, list_id: str
) -> None:
    with opened(vendor) as engine:
        engine.land(people(3))
        before = engine.define()
        wanted = {"segments": ["Loyal"], "list_id": list_id, "existing": "adopt"}
        sent = ExportInput.model_validate(before.model_dump() | {"targets": [wanted]})
        for save in (control.save, control.check):
            with pytest.raises(Invalid) as refused:
                save(engine.service, "another", sent, ADMINISTRATOR, None)
            assert [issue.pointer for issue in refused.value.issues] == ["/targets/0/list_id"]
        assert engine.catalog.exports.get("another") is None
        assert {claim.export for claim in engine.catalog.targets.claims(before.account) if claim.export} == {
            before.name
        }


def test_an_export_whose_list_was_deleted_meanwhile_can_still_be_changed(opened: Opened) -> None:
    with opened("iterable") as engine:
        engine.land(people(3))
        engine.define(targets=[{"segments": ["Loyal"], "list_id": "999", "existing": "adopt"}])
        held = engine.catalog.export("newsletter")
        sent = ExportInput.model_validate(held.item.model_dump() | {"display_name": "Renamed"})
        saved, told = control.save(engine.service, "newsletter", sent, ADMINISTRATOR, held)
        assert saved.item.display_name == "Renamed"
        assert [issue.pointer for issue in told] == ["/targets/0/list_id"]


def test_a_vendor_that_does_not_answer_warns_of_nothing(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.vendors.http.backoff", lambda disposition, attempt: 0.0)
    with opened("iterable") as engine:
        engine.tell("faults", {"faults": [{"endpoint": "GET /api/lists", "kind": "html"}]})
        assert engine.service.target_warnings(engine.define()) == []


def test_a_tag_that_others_use_is_a_warning_until_it_is_ours(opened: Opened) -> None:
    with opened("omnisend") as engine:
        engine.tell("people", {"people": [{"email": "stranger@example.com", "lists": ["loyal"]}]})
        engine.land(people(3))
        export = engine.define()
        [warning] = engine.service.target_warnings(export)
        assert "have the tag 'loyal' already" in warning.message
        engine.run()
        assert engine.service.target_warnings(export) == []
