"""Campaign Monitor: who has left, is kept off by an import, and may be brought back (contract sections 4 and 5)."""

from __future__ import annotations

from typing import Any

import pytest

from dev.simulators.campaign_monitor import OUTLET_CLIENT, CampaignMonitor
from dev.simulators.common.simulator import Simulator
from tests.unit.simulators.campaign_monitor.conftest import Caller, failures, row

CODES = {"Unconfirmed": 208, "Unsubscribed": 206, "Bounced": 207, "Deleted": 205}


def result(existing: int, new: int, *duplicates: str) -> dict[str, Any]:
    return {
        "FailureDetails": [],
        "TotalUniqueEmailsSubmitted": existing + new,
        "TotalExistingSubscribers": existing,
        "TotalNewSubscribers": new,
        "DuplicateEmailsInSubmission": list(duplicates),
    }


@pytest.mark.parametrize("state", CODES)
def test_who_is_not_active_is_refused_with_the_code_of_the_state(caller: Caller, state: str) -> None:
    list_id = caller.create_list("Loyal", "City")
    caller.put(list_id, "ana@example.com", state)
    answer = caller.imports(list_id, row("ANA@example.com", City="Newark"), row("bo@example.com"))
    assert failures(answer) == {"ANA@example.com": CODES[state]}
    assert caller.addresses(list_id) == ["bo@example.com"]
    assert caller.get(list_id, "ana@example.com")["State"] == state
    assert caller.fields(list_id, "ana@example.com") == {}


@pytest.mark.parametrize("state", CODES)
def test_who_is_not_active_may_also_be_counted_without_a_word(
    simulator: Simulator[CampaignMonitor], caller: Caller, state: Any
) -> None:
    simulator.vendor.settings.untold = [state]
    list_id = caller.create_list()
    caller.put(list_id, "ana@example.com", state)
    answer = caller.imports(list_id, row("ana@example.com"))
    assert (answer.status_code, answer.json()) == (201, result(existing=1, new=0))
    assert caller.get(list_id, "ana@example.com")["State"] == state


def test_the_suppressed_are_refused_on_every_list_that_heeds_it(caller: Caller) -> None:
    first = caller.create_list("first")
    ignoring = caller.create_list("second", UnsubscribeSetting="OnlyThisList")
    caller.imports(first, row("ana@example.com"))
    caller.load(suppressed=["Ana@example.com", "bo@example.com"])
    rows = [row("ana@example.com"), row("bo@example.com")]
    assert failures(caller.imports(first, *rows)) == {"ana@example.com": 204, "bo@example.com": 204}
    assert caller.addresses(first) == []
    assert caller.imports(ignoring, *rows).status_code == 201
    assert caller.state()["suppressed_added"] == 2


def test_suppression_holds_for_one_client(caller: Caller) -> None:
    caller.load(suppressed=["ana@example.com"])
    outlet = caller.call("POST", f"/lists/{OUTLET_CLIENT}", {"Title": "Loyal"}).json()
    assert caller.imports(outlet, row("ana@example.com")).status_code == 201


def test_the_suppressed_may_also_be_counted_without_a_word(
    simulator: Simulator[CampaignMonitor], caller: Caller
) -> None:
    simulator.vendor.settings.untold = ["Suppressed"]
    caller.load(suppressed=["ana@example.com"])
    list_id = caller.create_list()
    assert caller.imports(list_id, row("ana@example.com")).status_code == 201
    assert caller.addresses(list_id) == []


@pytest.mark.parametrize(
    ("state", "resubscribes", "reentries"), [("Unsubscribed", 1, 0), ("Bounced", 1, 0), ("Deleted", 0, 1)]
)
def test_resubscribe_brings_them_back_and_is_counted(
    caller: Caller, state: str, resubscribes: int, reentries: int
) -> None:
    list_id = caller.create_list()
    caller.put(list_id, "ana@example.com", state)
    assert caller.imports(list_id, row("ana@example.com"), resubscribe=True).json() == result(existing=1, new=0)
    assert caller.addresses(list_id) == ["ana@example.com"]
    counted = caller.state()
    assert (counted["resubscribes"], counted["reentries"]) == (resubscribes, reentries)


def test_resubscribe_does_not_confirm_who_has_not_confirmed(caller: Caller) -> None:
    list_id = caller.create_list()
    caller.put(list_id, "ana@example.com", "Unconfirmed")
    assert failures(caller.imports(list_id, row("ana@example.com"), resubscribe=True)) == {"ana@example.com": 208}


def test_resubscribe_takes_people_off_the_suppression_list(caller: Caller) -> None:
    list_id = caller.create_list()
    caller.imports(list_id, row("ana@example.com"))
    caller.load(suppressed=["ana@example.com", "bo@example.com"])
    caller.imports(list_id, row("ana@example.com"), row("bo@example.com"), resubscribe=True)
    counted = caller.state()
    assert (counted["suppressed"], counted["resubscribes"]) == ([], 2)
    assert caller.addresses(list_id) == ["ana@example.com", "bo@example.com"]


@pytest.mark.parametrize("state", ["Unsubscribed", "Bounced"])
def test_a_refusal_that_a_deletion_hid_is_still_a_resubscribe(caller: Caller, state: str) -> None:
    list_id = caller.create_list()
    caller.imports(list_id, row("ana@example.com"))
    caller.put(list_id, "ana@example.com", state)
    caller.remove(list_id, "ana@example.com")
    assert caller.state()["refusals_deleted"] == 1
    assert failures(caller.imports(list_id, row("ana@example.com"))) == {"ana@example.com": 205}
    caller.imports(list_id, row("ana@example.com"), resubscribe=True)
    counted = caller.state()
    assert (counted["resubscribes"], counted["reentries"]) == (1, 0)


def test_a_refusal_is_counted_once(caller: Caller) -> None:
    list_id = caller.create_list()
    caller.put(list_id, "ana@example.com", "Unsubscribed")
    for _ in range(2):
        caller.imports(list_id, row("ana@example.com"), resubscribe=True)
        caller.remove(list_id, "ana@example.com")
    counted = caller.state()
    assert (counted["resubscribes"], counted["reentries"]) == (1, 1)
