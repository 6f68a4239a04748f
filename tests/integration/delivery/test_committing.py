"""What a commit keeps of people, and when a worker must not commit any more."""

from __future__ import annotations

from typing import Any

import pytest

from dev.simulators.common.faults import Fault
from shared.delivery import inbox, jobs
from shared.delivery.account.lease import LEASE_SECONDS, AccountLease
from shared.delivery.commit import new_ledger, step
from shared.delivery.state.lookup import ledger_row, targets
from shared.errors import LeaseLost
from tests.integration.delivery.engine import Engine, people

RETURNER = "person0@example.com"
MARGIN = 15.0
"""Seconds before another worker may have the account, in which nothing is begun any more."""


def known(engine: Engine) -> dict[str, Any]:
    """What the ledger knows of the returner."""
    [target] = targets(engine.cloud, engine.catalog.export("newsletter").item)
    row = ledger_row(engine.cloud, target.ledger, RETURNER)
    assert row is not None
    return row


@pytest.mark.parametrize("kind", ["drop", "rejected"])
def test_who_came_back_without_success_is_still_known_as_one_who_left(engine: Engine, kind: str) -> None:
    """It keeps returners from being subscribed anew at vendors where they said no."""
    engine.define()
    for present in (people(3), people(2, start=1)):
        engine.land(present)
        engine.run()
    left = known(engine)["removed_at"]
    assert left is not None
    engine.land(people(3))
    endpoint = next(iter(engine.kit.adds))
    fault = {"kind": "drop"} if kind == "drop" else {"kind": "error", "status": 400}
    engine.simulator.faults.set([Fault(endpoint=endpoint, every=1, times=20, **fault)])
    engine.run()
    engine.simulator.faults.set([])
    assert known(engine)["status"] in ("maybe", "refused", "removed")
    assert known(engine)["removed_at"] == left
    engine.land([*people(3), *people(1, start=9)])
    engine.run()
    assert (known(engine)["status"], known(engine)["removed_at"]) == ("member", None)


def test_a_worker_without_a_renewal_stops_well_before_another_may_have_the_account(engine: Engine) -> None:
    with AccountLease(engine.cloud.blobs, "1", quiet_seconds=0.0, look=lambda: None) as lease:
        lease.hold()
        lease._renewed -= LEASE_SECONDS - MARGIN
        with pytest.raises(LeaseLost):
            lease.hold()


def test_a_worker_that_lost_the_account_swaps_no_ledger(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[AccountLease] = []
    commit_part = new_ledger.commit_part

    class Noted(AccountLease):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            held.append(self)

    def losing(*arguments: Any, **options: Any) -> None:
        commit_part(*arguments, **options)
        held[-1]._renewed -= 3600

    engine.land(people(3))
    engine.define()
    engine.start()
    message = engine.queue.receive_message(visibility_timeout=600)
    assert message is not None
    with monkeypatch.context() as patched:
        patched.setattr(jobs, "AccountLease", Noted)
        patched.setattr(step, "commit_part", losing)
        inbox.receive(engine.cloud, message.content.encode())
    assert held, "the worker took no lease"
    assert not [name for name in engine.cloud.blobs.names("ledgers/") if name.endswith("manifest.json")]
