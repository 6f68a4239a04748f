"""Whatever is stored keeps its messages as text and values, and old rows are read as they are."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from pydantic import TypeAdapter

from shared.catalog.models import Probed, ProbeState
from shared.delivery.state import journal
from shared.delivery.state.records import Delivery, Run, State, now
from shared.delivery.state.transitions import RunKind
from shared.delivery.verify.doctor import CheckUp
from shared.vendors.contract import BatchResult, CheckResult, Outcome, Receipt
from shared.wording import STORED, say, together
from tests.unit.catalog.samples import World

GONE = say("The list %(list)s does not exist in %(vendor)s.", list="4411201", vendor="Iterable")
BOTH = together([GONE, say("The run was cancelled.")])
"""Two sentences, of which one has values."""
RUN = Run("vips", "1", State.FAILED, "on demand", "{}", 2, RunKind.DELIVERY, now())
DELIVERY = Delivery("vips", "1", 0, "list:vips", "account")


def of_run(message: str) -> str:
    return Run.of(replace(RUN, message=message).entity()).message


def of_delivery(message: str) -> str:
    return Delivery.of(replace(DELIVERY, message=message).entity()).message


def of_warnings(message: str) -> str:
    return Delivery.of(replace(DELIVERY, warnings=[message]).entity()).warnings[0]


def of_verification(message: str) -> str:
    found = Delivery.of(replace(DELIVERY, verification={"message": message}).entity()).verification["message"]
    assert isinstance(found, str)
    return found


def of_journal(message: str) -> str:
    line = journal.answered(7, BatchResult(Receipt(Outcome.REJECTED, "gone", message)))
    folded = journal.Folded()
    folded.take(json.loads(json.dumps(line)))
    return folded.results[7].default.reason


def of_connection(message: str) -> str:
    world = World()
    world.catalog.record_check(world.connect(), CheckResult(False, message))
    return world.catalog.connection("marketing").item.check_message


def of_probe(message: str) -> str:
    probe = Probed(mark="m", state=ProbeState.FAILED, started_at=now(), started_by="ada", message=message)
    return Probed.model_validate_json(probe.model_dump_json(context=STORED)).message


def of_check_up(message: str) -> str:
    shape = TypeAdapter(CheckUp)
    made = CheckUp(
        export="vips", target=0, full=True, started_by="ada", mark="m", account="a", started=0, due=0, advice=[message]
    )
    return shape.validate_json(shape.dump_json(made, context=STORED)).advice[0]


@pytest.mark.parametrize(
    "carry", [of_run, of_delivery, of_warnings, of_verification, of_journal, of_check_up, of_connection, of_probe]
)
@pytest.mark.parametrize("message", [GONE, BOTH, "Words of an old row."])
def test_a_message_keeps_its_values_in_storage(carry: Callable[[str], str], message: str) -> None:
    carried = carry(message)
    assert carried == message
    assert getattr(carried, "values", {}) == getattr(message, "values", {})
