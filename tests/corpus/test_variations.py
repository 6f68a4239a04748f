"""Ways of writing that mean the same are read the same, or refused for the same reason. A third of them each time, and
every one with CORPUS=every."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.corpus.handed_cases import CASES, Read
from tests.corpus.landed import WANTED, Landing, Outcome
from tests.corpus.variations import NOT_THE_SAME, VARIATIONS, varied
from tests.memory import in_memory

EVERY = os.environ.get("CORPUS") == "every"
VARIED = [(f"{case}, {variation}", blobs, end) for variation, case, blobs, end in varied(every=EVERY)]


@pytest.fixture(scope="module")
def outcomes() -> Iterator[dict[str, Outcome]]:
    """All of them lie beside each other, each in a folder of its own."""
    with in_memory() as address:
        landing = Landing(address, "variations")
        for number, (_, blobs, _) in enumerate(VARIED):
            for name, content in blobs.items():
                landing.put(f"v{number}/{name}", content)
        found = {segment.folder.partition("/")[0]: segment for segment in landing.found()}
        ends = {name: (f"v{number}", end) for number, (name, _, end) in enumerate(VARIED)}
        yield {
            name: landing.outcome(found[folder], end.columns if isinstance(end, Read) else WANTED)
            for name, (folder, end) in ends.items()
        }


@pytest.mark.parametrize(("name", "number"), [(name, number) for number, (name, _, _) in enumerate(VARIED)])
def test_it_means_the_same(outcomes: dict[str, Outcome], name: str, number: int) -> None:
    outcome, end = outcomes[name], VARIED[number][2]
    if isinstance(end, Read):
        assert outcome.rows is not None, outcome.said
        assert sorted(outcome.rows, key=str) == sorted(end.rows, key=str)
        assert not outcome.said
    else:
        assert outcome.rows is None
        assert end.words in outcome.said


def test_there_are_twice_as_many_as_cases_and_each_kind_is_used() -> None:
    assert len(VARIED) >= 2 * len(CASES)
    every = {f"{case}, {variation}" for variation, case, _, _ in varied(every=True)}
    assert {name.rpartition(", ")[2] for name, _, _ in VARIED} == set(VARIATIONS)
    assert {f"{case}, {variation}" for variation, case in NOT_THE_SAME} <= every
