"""Rows that are recognised, in whole runs: who teaches the ledger what, and what forgetting leaves of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from shared.delivery.plan import attempt
from shared.delivery.sql import literal
from shared.delivery.state import layout, ledger
from shared.delivery.state import plan as plans
from shared.delivery.state.files import DataFile
from shared.delivery.state.plan import FORGOTTEN, Plan
from shared.delivery.state.records import Run, State
from shared.delivery.state.transitions import RunKind
from tests.integration.delivery.engine import Engine, Person, people
from tests.unit.delivery.parts import database

ADA = "ada.to.forget@example.com"
EVERYBODY = [*people(5), Person(ADA, "Ada", "Rome")]


@pytest.fixture
def ran(engine: Engine) -> Run:
    engine.land(EVERYBODY)
    engine.define()
    return engine.run()


def plan_of(engine: Engine, run: Run) -> Plan:
    found = plans.read(engine.cloud.blobs, layout.delivery_folder(run.export, run.run, 0))
    assert found
    return found[0]


def rows(engine: Engine, to: Path, *files: DataFile) -> dict[str, Any]:
    """Address -> the hash of the row, of all files."""
    found = dict[str, Any]()
    for file in files:
        path = to / "read.parquet"
        assert engine.cloud.blobs.download(file.stored, path)
        query = f"SELECT address, row FROM read_parquet({literal(str(path))})"
        found |= dict(database().execute(query).fetchall())
    return found


def known(engine: Engine, to: Path) -> dict[str, Any]:
    """What the ledger has, of everybody."""
    [folder] = {name.rpartition("/")[0] for name in engine.cloud.blobs.names("ledgers/") if "manifest" in name}
    return rows(engine, to, *(each.file for each in ledger.read(engine.cloud.blobs, f"{folder}/").files))


def test_another_version_judges_everybody_once_and_teaches_the_ledger(
    engine: Engine, ran: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = known(engine, tmp_path)
    assert None not in before.values()
    engine.land(EVERYBODY)
    assert plan_of(engine, engine.run()).recognisable == {}
    assert known(engine, tmp_path) == before
    monkeypatch.setattr(attempt, "code", lambda: "another version")
    engine.run(kind=RunKind.DRY_RUN)
    assert known(engine, tmp_path) == before, "it only looks"
    run = engine.run()
    assert (run.state, plan_of(engine, run).balance.operations) == (State.NOTHING, 0)
    after = known(engine, tmp_path)
    assert after.keys() == before.keys()
    assert not {*after.values()} & {*before.values()}
    assert plan_of(engine, engine.run()).recognisable == {}
    assert known(engine, tmp_path) == after


def test_who_was_taught_beside_operations_is_known_too(
    engine: Engine, ran: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = known(engine, tmp_path)
    monkeypatch.setattr(attempt, "code", lambda: "another version")
    engine.land([*EVERYBODY[1:], Person("new@example.com", "New", "Rome")])
    run = engine.run()
    balance = plan_of(engine, run).balance
    assert (balance.add, balance.remove, balance.unchanged) == (1, 1, 5)
    after = known(engine, tmp_path)
    assert after.pop(EVERYBODY[0].email) is None, "who was taken off"
    assert None not in after.values()
    assert not {*after.values()} & {*before.values()}


def test_forgetting_leaves_nobody_among_those_who_are_to_be_recognised(
    engine: Engine, ran: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempt, "code", lambda: "another version")
    run = engine.run()
    named = [*plan_of(engine, run).recognisable.values()]
    assert ADA in rows(engine, tmp_path, *named)
    engine.forget(ADA)
    left = [*plan_of(engine, run).recognisable.values()]
    assert rows(engine, tmp_path, *left).keys() == {FORGOTTEN, *(each.email for each in people(5))}
    there = {*engine.cloud.blobs.names(layout.delivery_folder(run.export, run.run, 0))}
    assert not there & {each.name for each in named}
    assert ADA not in known(engine, tmp_path)
