"""Mailchimp's people from one run to the next: who is new waits for a decision, who said no is left alone with the
reason, and nobody's status is touched."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from shared.catalog.models import SettingDecision
from shared.delivery.state.records import State
from tests.contract.outcomes import GOOD, accounted, clean
from tests.integration.delivery.engine import Engine, Person, people
from tests.integration.vendors.conftest import Opened

WHO = "person3@example.com"
OTHERS = [each for each in people(5) if each.email != WHO]


def statuses(engine: Engine) -> dict[str, int]:
    found: dict[str, int] = engine.inspect("state").json()["statuses"]
    return found


def codes(engine: Engine, run: Any) -> Counter[str]:
    return Counter(row["code"] for row in engine.rejected(run))


def test_without_a_decision_new_people_are_refused_and_after_it_they_are_added(opened: Opened) -> None:
    with opened("mailchimp") as engine:
        engine.connect(settings={**engine.kit.settings, "new_people": "refused"}, decisions={})
        engine.tell("people", {"people": [{"email": each.email} for each in people(2)]})
        engine.land(people(5))
        engine.define()
        run = engine.run()
        assert accounted(engine, run) == {"add accepted": 2, "add rejected": 3}
        assert codes(engine, run) == {"not_in_audience": 3}
        assert statuses(engine) == {"subscribed": 2}
        clean(engine)
        engine.connect()
        assert accounted(engine, engine.run()) == {"add accepted": 3}
        assert statuses(engine) == {"subscribed": 5}


def test_transactional_people_are_tagged_and_counted_and_not_subscribed(opened: Opened) -> None:
    with opened("mailchimp") as engine:
        decided = SettingDecision(choice="transactional", text="They are our customers.")
        settings = {**engine.kit.settings, "new_people": "transactional"}
        engine.connect(settings=settings, decisions={"new_people": decided})
        engine.land(people(5))
        engine.define()
        assert engine.run().state in GOOD
        assert statuses(engine) == {"transactional": 5}
        assert len(engine.members()) == 5
        clean(engine)


@pytest.mark.parametrize("status", ["unsubscribed", "cleaned", "archived", "pending"])
@pytest.mark.parametrize("archived", ["revived", "exists"])
def test_who_said_no_before_is_left_alone_with_the_reason(opened: Opened, status: str, archived: str) -> None:
    """Whichever way Mailchimp takes people who are archived."""
    with opened("mailchimp") as engine:
        engine.tell("settings", {"archived_in_batch": archived})
        engine.tell("people", {"people": [{"email": WHO, "status": status}]})
        engine.land(people(5))
        engine.define()
        run = engine.run()
        assert accounted(engine, run) == {"add accepted": 4, "add skipped": 1}
        assert codes(engine, run) == {status: 1}
        assert statuses(engine) == {"subscribed": 4, status: 1}
        assert WHO not in engine.members()
        clean(engine)


@pytest.mark.parametrize("status", ["unsubscribed", "cleaned", "archived"])
def test_who_said_no_later_keeps_their_status_and_loses_the_tag_when_they_leave(opened: Opened, status: str) -> None:
    with opened("mailchimp") as engine:
        engine.land(people(5))
        engine.define()
        engine.run()
        engine.tell("people", {"people": [{"email": WHO, "status": status}]})
        engine.land([*OTHERS, Person(WHO, "Changed")])
        run = engine.run()
        assert (accounted(engine, run), codes(engine, run)) == ({"change skipped": 1}, {status: 1})
        engine.land(OTHERS)
        assert accounted(engine, engine.run()) == {"remove accepted": 1}
        assert WHO not in engine.members()
        assert statuses(engine) == {"subscribed": 4, status: 1}
        clean(engine)


@pytest.mark.parametrize("lost", ["erased", "forgotten"])
@pytest.mark.parametrize("present", ["changes", "leaves"])
def test_who_was_deleted_is_not_made_anew(opened: Opened, present: str, lost: str) -> None:
    with opened("mailchimp") as engine:
        engine.land(people(5))
        engine.define()
        engine.run()
        engine.tell("people", {lost: [WHO]})
        engine.land([*OTHERS, Person(WHO, "Changed")] if present == "changes" else OTHERS)
        expected = {"change rejected": 1} if present == "changes" else {"remove accepted": 1}
        assert accounted(engine, engine.run()) == expected
        assert statuses(engine) == {"subscribed": 4}
        if present == "changes":  # the next run adds the person again, where Mailchimp lets it
            accounted(engine, engine.run())
            assert statuses(engine) == {"subscribed": 4 if lost == "forgotten" else 5}


def test_many_values_of_people_who_are_known_are_written_by_jobs(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.vendors.mailchimp.updating.MOST_DIRECT", 1)
    with opened("mailchimp") as engine:
        engine.tell("settings", {"fail_operations_every": 3, "batch_params": "get_only"})
        engine.tell("people", {"fields": [{"tag": "MUST", "required": True}]})
        engine.land(people(8))
        engine.define()
        engine.run()
        engine.land([Person(each.email, "Changed", each.city) for each in people(8)])
        run = engine.run()
        assert run.state in GOOD, run.message
        assert accounted(engine, run) == {"change accepted": 8}
        assert {each["first"] for each in engine.members().values()} == {"Changed"}
        assert any(entry.endpoint == "POST /batches" for entry in engine.calls())
        clean(engine)


def test_a_value_that_a_field_does_not_take_is_left_out_and_told(opened: Opened) -> None:
    """The field is made a number after the run began with it as a text."""
    with opened("mailchimp") as engine:
        engine.land(people(5))
        engine.define()
        engine.run()
        engine.tell("people", {"fields": [{"tag": "CITY", "type": "number"}]})
        engine.land(people(6))
        run = engine.run()
        assert run.state in (State.SUCCEEDED, State.WARNINGS), run.message
        assert len(engine.members()) == 6
        clean(engine)
