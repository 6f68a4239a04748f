"""People whom a vendor lost, or knows by another address: neither a change nor a removal makes
them anew, and each run says so.

Iterable and Dotdigital have more tests of their own, since they can find people by more than the address.
"""

from __future__ import annotations

import pytest

from tests.contract.outcomes import accounted, clean
from tests.integration.delivery.engine import Person, people
from tests.integration.vendors.conftest import Opened

WHO, NEW = "person3@example.com", "new@example.com"
OTHERS = [each for each in people(5) if each.email != WHO]
CHANGED = [*OTHERS, Person(WHO, "Changed")]


LOST: dict[str, dict[str, object]] = {"erased": {"erased": [WHO]}, "renamed": {"renamed": {WHO: NEW}}}


@pytest.mark.parametrize("lost", LOST)
@pytest.mark.parametrize("present", ["changes", "leaves"])
@pytest.mark.parametrize("vendor", ["campaign-monitor", "omnisend"])
def test_who_is_not_there_is_not_made_anew(opened: Opened, vendor: str, present: str, lost: str) -> None:
    with opened(vendor) as engine:
        engine.land(people(5))
        engine.define()
        engine.run()
        engine.tell("people", LOST[lost])
        before = set(engine.members())
        engine.land(CHANGED if present == "changes" else OTHERS)
        run = engine.run()
        assert set(engine.members()) == before
        assert (NEW in before) == (lost == "renamed")
        if present == "changes":
            assert accounted(engine, run) == {"change rejected": 1}
            assert [row["code"] for row in engine.rejected(run)] == ["profile_missing"]
        else:
            assert accounted(engine, run) == {"remove accepted": 1}
            assert "were not found in" in " ".join(engine.delivery(run).warnings)
        clean(engine)


@pytest.mark.parametrize("vendor", ["campaign-monitor", "omnisend", "iterable"])
def test_who_was_erased_and_is_still_in_the_segment_is_added_by_the_next_run(opened: Opened, vendor: str) -> None:
    with opened(vendor) as engine:
        engine.land(people(5))
        engine.define()
        engine.run()
        engine.tell("people", LOST["erased"])
        engine.land(CHANGED)
        assert accounted(engine, engine.run()) == {"change rejected": 1}
        assert WHO not in engine.members()
        assert accounted(engine, engine.run()) == {"add accepted": 1}
        assert "Changed" in engine.members()[WHO].values()
        assert accounted(engine, engine.run()) == {}


def test_of_a_leaver_whom_omnisend_was_not_asked_about_it_is_said(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.vendors.presence.FEW", 0)
    monkeypatch.setattr("shared.vendors.looking_up.LONGEST", 0.0)
    with opened("omnisend") as engine:
        engine.land(people(5))
        engine.define()
        engine.run()
        engine.land(OTHERS)
        run = engine.run()
        assert accounted(engine, run) == {"remove accepted": 1}
        assert WHO not in engine.members()
        assert not engine.delivery(run).warnings
        [target] = engine.service.explain("newsletter", WHO)["targets"]
        assert target["receipts"][0]["code"] == "not_looked_up"
        assert "keeps the tag" in str(target["receipts"][0]["reason"])
