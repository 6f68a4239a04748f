"""Whatever lands as a segment ends in a clear error or in counted rejections; nothing else is read, nobody is lost."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from shared.delivery.state.records import Run, State
from tests.corpus import csv_cases, described_cases, packed_cases
from tests.corpus.cases import Case, Counted, PassedOver, Stopped
from tests.corpus.described_cases import Described
from tests.integration.delivery.engine import Engine, people

CASES = [*csv_cases.CASES, *packed_cases.CASES]
DESCRIBED = described_cases.CASES
NO_GUARDS = {"max_invalid_share": None, "max_deviation_share": None}
GOOD_ENDS = (State.SUCCEEDED, State.WARNINGS, State.NOTHING)
FORMULA = re.compile(r"[=+\-@\t\r]")


def test_the_corpus_is_large_and_each_case_has_a_name_of_its_own() -> None:
    names = [*(case.name for case in CASES), *(case.name for case in DESCRIBED)]
    assert len(names) >= 60
    assert len(names) == len(set(names))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_folder_of_files(lab: Engine, reached: set[str], case: Case) -> None:
    name = f"case{CASES.index(case)}"
    lab.land(people(1), segment=name)
    lab.define(name, targets=[{"segments": [f"{lab.container}:{name}"]}], guards=NO_GUARDS)
    _land(lab, name, case)
    run, writes = _run(lab, name)
    if isinstance(case.end, Stopped):
        _stopped(run, writes, case.end)
    elif isinstance(case.end, PassedOver):
        assert any(case.end.words in warning for warning in lab.delivery(run).warnings), lab.delivery(run).warnings
        assert len(lab.members(name)) == 1
    else:
        _counted(lab, run, name, case.end)
    _only_our_own(lab, reached)


@pytest.mark.parametrize("case", DESCRIBED, ids=lambda case: case.name)
def test_a_model_json(lab: Engine, reached: set[str], case: Described) -> None:
    name = f"described{DESCRIBED.index(case)}"
    account = lab.cloud.segments.url.rstrip("/")
    lab.upload(f"{name}/part-0.csv", b"anna@example.com,Anna,Lund\n")
    lab.upload(f"{name}/model.json", described_cases.GOOD.model(account, lab.container))
    lab.define(name, targets=[{"segments": [f"{lab.container}/{name}:Loyal"], "list_name": name}], guards=NO_GUARDS)
    lab.upload(f"{name}/model.json", case.model(account, lab.container))
    run, writes = _run(lab, name)
    _stopped(run, writes, case.end)
    _only_our_own(lab, reached)


@pytest.mark.parametrize("broken", ["no byte at all", "a header and nothing else", "gzip, cut in the middle"])
def test_a_broken_snapshot_takes_nobody_off(lab: Engine, broken: str) -> None:
    [case] = [each for each in CASES if each.name == broken]
    name = f"kept{CASES.index(case)}"
    lab.land(people(3), segment=name)
    lab.define(name, targets=[{"segments": [f"{lab.container}:{name}"]}])
    first = lab.run(name)
    assert first.state in GOOD_ENDS  # new fields are told of once
    _land(lab, name, case)
    run, writes = _run(lab, name)
    assert run.state in (State.FAILED, State.BLOCKED)
    assert not writes
    assert len(lab.members(name)) == 3


def _land(lab: Engine, name: str, case: Case) -> None:
    """Later than what is there, and declared complete."""
    lab.at += timedelta(minutes=1)
    for file, content in {**case.files, "_SUCCESS": b""}.items():
        lab.upload(f"{name}/{lab.at:%Y%m%dT%H%M%SZ}/{file}", content)


def _run(lab: Engine, name: str) -> tuple[Run, int]:
    """The run, and how many requests changed something."""
    before = len(lab.calls("POST"))
    run = lab.run(name)
    return run, len(lab.calls("POST")) - before


def _stopped(run: Run, writes: int, end: Stopped) -> None:
    assert run.state in (State.FAILED, State.BLOCKED), (run.state, run.message)
    assert end.words in run.message
    assert len(run.message) > 20, "it has to say what to do"
    assert "Traceback" not in run.message
    assert not writes, "the vendor was asked for something"


def _counted(lab: Engine, run: Run, name: str, end: Counted) -> None:
    assert run.state in GOOD_ENDS, (run.state, run.message)
    rows = lab.report(run)["rows"]
    assert (rows["refused_here"], rows["duplicates"], rows["add"]) == (end.refused, end.duplicates, len(end.people))
    assert set(lab.members(name)) == set(end.people)
    cells = [cell for row in (lab.rejected(run) if end.refused else []) for cell in row.values()]
    assert not [cell for cell in cells if FORMULA.match(cell)], "a spreadsheet would calculate it"


def _only_our_own(lab: Engine, reached: set[str]) -> None:
    """Only this machine's storage, and there only what has this engine's prefix."""
    assert reached
    strangers = [
        each for each in reached if not re.fullmatch(rf"127\.0\.0\.1 ({lab.unique}.*|Tables.*|\$batch|)", each)
    ]
    assert not strangers
