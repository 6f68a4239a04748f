"""A holdout at every vendor: the same people on no list of two exports, off it when it comes later, and in a file."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from shared.catalog.holdout import Holdout
from shared.delivery.state import layout
from shared.delivery.state.records import Run, State
from tests.contract.outcomes import GOOD, accounted, clean, writes
from tests.integration.delivery.engine import Engine, people

AUTUMN = Holdout(name="autumn", share=0.4)
RULES = {"holdout": AUTUMN.model_dump()}
HELD = {each.email for each in people(20) if AUTUMN.holds(each.email)}
OTHERS = {each.email for each in people(20)} - HELD


def file_of(engine: Engine, run: Run) -> set[str]:
    """Who is held out, as the file beside the report says."""
    found = engine.cloud.blobs.read(layout.holdout(layout.delivery_folder(run.export, run.run, 0)))
    assert found is not None
    rows = list(csv.DictReader(io.StringIO(found[0].decode("utf-8-sig"))))
    assert all(row.keys() == {"address"} for row in rows)
    return {row["address"] for row in rows}


def counted(engine: Engine, run: Run) -> tuple[int, int]:
    """People held out, and those of them taken off."""
    [reason] = [each for each in engine.report(run)["reasons"] if each["code"] == "holdout"]
    return reason["people"], reason["removed"]


def touched(engine: Engine) -> set[str]:
    """Whoever a writing call of ours took effect on."""
    return {who for entry in writes(engine) for who in entry.touched}


@pytest.fixture
def ran(engine: Engine) -> Run:
    engine.land(people(20))
    engine.define(rules=RULES)
    return engine.run()


@pytest.mark.in_turn("kit", 2)
def test_whoever_is_held_out_never_reaches_the_vendor(engine: Engine, ran: Run) -> None:
    assert 0 < len(HELD) < 20
    assert ran.state in GOOD, ran.message
    assert accounted(engine, ran) == {"add accepted": len(OTHERS)}
    engine.define("second", rules=RULES, targets=[{"segments": ["Second"]}])
    engine.land(people(20, start=10), "Second")
    run = engine.run("second")
    assert run.state in GOOD, run.message
    held = {each.email for each in people(20, start=10) if AUTUMN.holds(each.email)}
    assert engine.members("Second").keys() == {each.email for each in people(20, start=10)} - held
    assert engine.members().keys() == OTHERS
    assert not touched(engine) & (HELD | held)
    assert (counted(engine, ran), file_of(engine, ran)) == ((len(HELD), 0), HELD)
    assert (counted(engine, run), file_of(engine, run)) == ((len(held), 0), held)
    counts = engine.service.runs.view(ran.export, ran.run).targets[0].counts  # type: ignore[union-attr]
    assert (counts.rows_read, counts.kept_back) == (20, len(HELD))
    told = {row["address"]: (row["outcome"], row["code"], row["reason"]) for row in engine.rejected(ran)}
    assert told == dict.fromkeys(
        HELD, ("kept back", "holdout", "Is in the holdout autumn, 40% of people, whom no vendor gets.")
    )
    assert engine.run().state is State.NOTHING
    clean(engine)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("kind", ["full_resync", "dry_run", "retry"])
def test_no_other_kind_of_run_lets_them_through(engine: Engine, ran: Run, kind: str) -> None:
    run = engine.service.start("newsletter", f'{{"kind": "{kind}"}}'.encode()).run
    engine.pump()
    assert engine.current(run).state in (*GOOD, State.NOTHING)
    assert counted(engine, run) == (len(HELD), 0)
    assert file_of(engine, run) == HELD
    assert engine.members().keys() == OTHERS
    assert not touched(engine) & HELD


@pytest.mark.in_turn("kit", 2)
def test_a_holdout_that_comes_later_takes_its_people_off_the_list_and_nothing_else(engine: Engine) -> None:
    engine.land(people(20))
    engine.define()
    engine.run()
    assert len(engine.members()) == 20
    engine.define(rules=RULES)
    run = engine.run()
    assert run.state in GOOD, run.message
    assert accounted(engine, run) == {"remove accepted": len(HELD)}
    assert counted(engine, run) == (len(HELD), len(HELD))
    assert engine.members().keys() == OTHERS
    engine.define()
    assert accounted(engine, engine.run()) == {"add accepted": len(HELD)}, "it is over"
    clean(engine)


@pytest.mark.in_turn("kit", 2)
def test_explain_says_that_a_person_is_held_out(engine: Engine, ran: Run) -> None:
    found: Any = engine.service.explain("newsletter", min(HELD))["targets"][0]
    assert [each["rule"] for each in found["kept_back"]] == ["holdout"]
    assert found["verdict"] == (
        "Not on the list: in the segment, and kept back by a rule. Is in the holdout autumn, 40% of people, whom no "
        "vendor gets."
    )
    assert engine.service.explain("newsletter", min(OTHERS))["targets"][0]["kept_back"] == []
