"""What must hold after every run, whatever happened to it."""

from __future__ import annotations

from collections import Counter
from typing import Any

from shared.delivery.state import journal, layout
from shared.delivery.state.records import ACTIVE, ENDED, Run, State, Step
from shared.vendors.contract import Kind
from tests.integration.faults.accounts import Operation, done, planned
from tests.integration.faults.segments import Segment, refused_by_the_vendor
from tests.integration.faults.world import World

GOOD = (State.SUCCEEDED, State.WARNINGS, State.NOTHING)


def kept(world: World, run: Run, segment: Segment) -> None:
    """The run did its work, and nothing of it is left in the queue."""
    accounted(world, run, segment)
    assert world.receive() is None, "a message is left"


def accounted(world: World, run: Run, segment: Segment) -> None:
    """Everything that a delivery promises."""
    ended_once(world, run)
    list_is_the_segment(world, run.export, segment)
    counts_add_up(world, run)
    counts_are_the_vendors(world, run)
    ledger_is_what_was_accepted(world, run.export, segment)


def ended_once(world: World, run: Run, *, states: tuple[State, ...] = GOOD) -> None:
    """The run ended, nothing of it goes on, and its delivery has one line of turns."""
    ended, delivery = world.engine.current(run), world.delivery(run).value
    assert ended.state in states, (ended.state, ended.message)
    assert (delivery.step, delivery.state) == (Step.DONE, ended.state)
    assert world.cloud.runs.get(run.export, ACTIVE) is None
    assert all(each.state in ENDED for each in world.runs.history(run.export))
    slices = [message for message, _ in world.asked if (message["kind"], message.get("run")) == ("slice", run.run)]
    turns = [message["turn"] for message in slices]
    assert max(turns, default=1) <= delivery.turn


def verified(world: World, run: Run) -> None:
    """The vendor was looked at after the run, and shows what was done."""
    verification = world.delivery(run).value.verification
    assert verification["verdict"] == "agrees", verification
    assert world.engine.report(run)["verification"] == verification
    assert list(world.cloud.blobs.names(layout.VERIFYING)) == []


def list_is_the_segment(world: World, name: str, segment: Segment) -> None:
    """Addresses and values; and the list was made once."""
    lists = [each for each in world.engine.simulator.vendor.project().lists.values() if each.name == name]
    assert len(lists) == 1
    members = world.engine.members(name)
    assert members.keys() == segment.members.keys()
    wrong = [address for address, fields in segment.members.items() if members[address] != fields]
    assert not wrong, f"{len(wrong)} people have other values"


def counts_add_up(world: World, run: Run) -> dict[str, Any]:
    """Rows read = operations + what needs none; operations = outcomes. The report."""
    report = world.engine.report(run)
    rows, outcomes = report["rows"], report["outcomes"]
    accounted = ("add", "change", "unchanged", "held", "outside", "duplicates", "refused_here", "kept_back", "later")
    assert rows["rows_read"] == sum(rows[name] for name in accounted)
    for kind in Kind:
        ends = [count for name, count in outcomes.items() if name.startswith(f"{kind} ")]
        assert sum(ends) == rows[kind], f"{kind}: {ends} of {rows[kind]}"
    view = world.engine.service.runs.view(run.export, run.run)
    assert view is not None
    assert view.targets[0].counts.accepted == sum(n for name, n in outcomes.items() if name.endswith("accepted"))
    return report


def counts_are_the_vendors(world: World, run: Run) -> None:
    """Accepted is what the simulator did, rejected what it was asked and did not do."""
    accepted, asked = vendors_word(world, run)
    plan = {each for batch in planned(world.cloud, run).values() for each in batch}
    outcomes = Counter(world.engine.report(run)["outcomes"])
    for kind in Kind:
        assert outcomes[f"{kind} accepted"] == len([each for each in accepted if each.kind is kind])
        assert outcomes[f"{kind} rejected"] == len([each for each in asked - accepted if each.kind is kind])
    assert asked == plan, "not what was planned"


def vendors_word(world: World, run: Run) -> tuple[set[Operation], set[Operation]]:
    """What the simulator did for a run, and what it was asked to do."""
    asked = set(world.accounts.sent(run))
    return {each for entry in world.accounts.requests(run) for each in done(entry)}, asked


def ledger_is_what_was_accepted(world: World, name: str, segment: Segment) -> None:
    """Members are those on the list; whoever left is `removed`; the refused are not on the list."""
    by_status: dict[str, set[str]] = {}
    rows = world.ledger(name)
    for address, row in rows.items():
        by_status.setdefault(row.status, set()).add(address)
    assert by_status.pop("member") == set(segment.members)
    assert by_status.pop("refused") == {refused_by_the_vendor(name)}
    assert not by_status.pop("removed", set()) & set(segment.members)
    assert not by_status, f"also {by_status.keys()}"
    assert all(row.known for row in rows.values() if row.status == "member")


def journal_lines(world: World, run: Run) -> journal.Folded:
    return journal.fold(world.cloud.blobs, layout.delivery_folder(run.export, run.run, 0))
