"""A probe in trouble: what it cannot find out it says, and it always comes to an end."""

from __future__ import annotations

import pytest

from dev.simulators.common.faults import Fault
from shared.vendors.contract import Told
from shared.vendors.probing import advance, conclude, questions
from tests.kits import KITS
from tests.unit.vendors.probes.account import account

VENDORS = sorted(name for name in KITS if questions(name))


@pytest.mark.parametrize("vendor", VENDORS)
def test_every_question_has_a_finding_and_what_is_not_tried_says_why(vendor: str) -> None:
    with account(vendor) as probed:
        found = probed.probe()
    assert all(finding.answer for finding in found.values())
    assert {Told.ANSWERED, Told.NOT_TRIED} <= {finding.told for finding in found.values()}


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_key_that_is_refused_ends_the_probe_without_an_answer(vendor: str) -> None:
    with account(vendor) as probed:
        probed.secrets = dict.fromkeys(probed.kit.secrets, "wrong")
        found = probed.probe()
    assert Told.ANSWERED not in {finding.told for finding in found.values()}
    assert probed.left


def test_a_probe_that_is_late_is_only_cleared_away() -> None:
    with account("campaign-monitor") as probed:
        found = probed.probe(late=True)
        assert Told.ANSWERED not in {finding.told for finding in found.values()}
        assert {entry.endpoint for entry in probed.simulator.journal.entries} == {
            "GET /api/v3.3/clients/{clientid}/lists.json"
        }


def test_a_slice_without_time_does_nothing_new_and_goes_on_at_once() -> None:
    with account("campaign-monitor") as probed:
        made, book = probed.open()
        assert advance(made, book, out_of_time=lambda: True, late=False) == 0.0
        assert {finding.told for finding in conclude("campaign-monitor", book).values()} == {
            Told.UNTOLD,
            Told.NOT_TRIED,
        }


def test_a_refusal_for_the_rate_is_waited_for_and_costs_no_answer() -> None:
    with account("campaign-monitor") as probed:
        probed.simulator.faults.set([Fault(kind="rate_limited", every=5, times=8, retry_after=30)])
        found = probed.probe()
    assert Told.UNTOLD not in {finding.told for finding in found.values()}
