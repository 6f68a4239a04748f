"""Each of the files handed over lies beside a healthy segment, and becomes what it has to; the other never notices."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.corpus.handed_cases import ANNA, CASES, SEVERAL, WITH_PARQUET, Read
from tests.corpus.landed import FILES, WANTED, Landing, Outcome, blobs_of
from tests.memory import in_memory

HEALTHY = "Healthy"


@pytest.fixture
def landing(unique: str) -> Iterator[Landing]:
    with in_memory() as address:
        made = Landing(address, unique)
        made.put(f"{HEALTHY}/2026-11-22/part-0.csv", b"EMail,FirstName,City\nanna@example.com,Anna,Lund\n")
        yield made


def outcomes(landing: Landing, case: str, columns: tuple[str, ...]) -> dict[str, Outcome]:
    """What became of the case's segments, once the healthy one proved to be well."""
    for name, content in blobs_of(case):
        landing.put(name, content)
    found = {segment.name: landing.outcome(segment, columns) for segment in landing.found() if segment.name != HEALTHY}
    [healthy] = [segment for segment in landing.found() if segment.name == HEALTHY]
    assert landing.outcome(healthy) == Outcome([ANNA], "")
    return found


def test_every_case_is_judged() -> None:
    assert {path.name for path in FILES.iterdir()} == {*CASES, *WITH_PARQUET, *SEVERAL}


@pytest.mark.parametrize("case", CASES)
def test_a_segment_is_read_or_refused_in_words(landing: Landing, case: str) -> None:
    end = CASES[case]
    [outcome] = outcomes(landing, case, end.columns if isinstance(end, Read) else WANTED).values()
    if isinstance(end, Read):
        assert outcome.rows is not None, outcome.said
        assert sorted(outcome.rows, key=str) == sorted(end.rows, key=str)
        assert not outcome.said
    else:
        assert outcome.rows is None
        assert end.words in outcome.said


@pytest.mark.parametrize("case", WITH_PARQUET)
def test_parquet_of_real_writers(landing: Landing, case: str) -> None:
    [outcome] = outcomes(landing, case, WANTED).values()
    assert outcome.rows is not None, outcome.said
    assert len(outcome.rows) == WITH_PARQUET[case]
    assert {"anna@example.com", "bo@example.com"} <= {row[0] for row in outcome.rows}


@pytest.mark.parametrize("case", SEVERAL)
def test_several_segments_or_none(landing: Landing, case: str) -> None:
    found = outcomes(landing, case, WANTED)
    rows = {name: None if outcome.rows is None else len(outcome.rows) for name, outcome in found.items()}
    assert rows == SEVERAL[case]


def test_an_archived_file_is_its_segments_own_trouble(landing: Landing) -> None:
    for name, content in blobs_of("baseline"):
        landing.put(name, content)
        landing.container.get_blob_client(name).set_standard_blob_tier("Archive")
    [outcome] = outcomes_now(landing).values()
    assert outcome.rows is None
    assert "archive tier; rehydrate it, or land a newer one" in outcome.said


def test_an_archived_model_is_its_exports_own_trouble(landing: Landing) -> None:
    for name, content in blobs_of("model-plain-no-header"):
        landing.put(name, content)
        if name.endswith("model.json"):
            landing.container.get_blob_client(name).set_standard_blob_tier("Archive")
    [outcome] = outcomes_now(landing).values()
    assert "its model.json cannot be read: a file of it is in the archive tier" in outcome.said


def outcomes_now(landing: Landing) -> dict[str, Outcome]:
    found = {segment.name: landing.outcome(segment) for segment in landing.found()}
    assert found.pop(HEALTHY).rows == [ANNA]
    return found
