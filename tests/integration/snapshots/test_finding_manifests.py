"""Segments that a manifest of the Common Data Model describes, as they lie in storage."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from shared.snapshots.finding import newest_of
from tests.corpus.landed import Landing, Outcome, later
from tests.memory import in_memory
from tests.unit.snapshots.test_manifest import PLAIN, manifest

WANTED = ("EMail",)
ANNA = ("anna@example.com",)
BLIND = {"location": "Loyal/2026/11/22/1433/Loyal_1.csv", "exhibitsTraits": []}


@pytest.fixture
def landing(unique: str) -> Iterator[Landing]:
    with in_memory() as address:
        yield Landing(address, unique)


def schema(attributes: Any) -> bytes:
    return json.dumps({"definitions": [{"entityName": "Loyal", "hasAttributes": attributes}]}).encode()


def outcome(landing: Landing) -> Outcome:
    """Of the only segment, which is the same by its id and by its name."""
    [segment] = landing.found()
    found = landing.outcome(segment, WANTED)
    if segment.snapshot:
        snapshot = newest_of(landing.client, landing.locations, segment.id, later())
        assert snapshot == newest_of(landing.client, landing.locations, segment.name, later()) == segment.snapshot
    return found


@pytest.mark.parametrize("name", ["default.manifest.cdm.json", "manifest.cdm.json", "Loyal.manifest.cdm.json"])
def test_files_with_a_header_tell_their_columns(landing: Landing, name: str) -> None:
    landing.put("crm/Loyal/2026/11/22/1433/Loyal_1.csv", b"CustomerId,EMail\n1,anna@example.com\n")
    landing.put(f"crm/{name}", manifest("Loyal/2026/11/22/1433/Loyal_1.csv"))
    assert outcome(landing) == Outcome([ANNA], "")
    [segment] = landing.found()
    assert segment.id == f"{landing.container.container_name}/crm:Loyal"
    assert segment.columns == ("CustomerId", "EMail")
    assert segment.snapshot
    assert f"{segment.snapshot.taken_at:%Y-%m-%d %H:%M}" == "2026-11-22 14:33"


@pytest.mark.parametrize("path", ["Loyal.cdm.json/Loyal", "/crm/Loyal.cdm.json/Loyal", "../crm/Loyal.cdm.json/Loyal"])
def test_columns_of_files_without_a_header_are_in_the_entitys_document(landing: Landing, path: str) -> None:
    landing.put("crm/Loyal/2026/11/22/1433/Loyal_1.csv", b"1,anna@example.com\n")
    landing.put("crm/Loyal.cdm.json", schema(PLAIN))
    landing.put("crm/default.manifest.cdm.json", manifest(BLIND, entityPath=path))
    assert outcome(landing) == Outcome([ANNA], "")


@pytest.mark.parametrize(
    "path", ["cdm:/core/Loyal.cdm.json/Loyal", "../../Loyal.cdm.json/Loyal", "gone.cdm.json/Loyal", ""]
)
def test_without_columns_nothing_is_guessed(landing: Landing, path: str) -> None:
    landing.put("crm/Loyal/2026/11/22/1433/Loyal_1.csv", b"1,anna@example.com\n")
    landing.put("crm/default.manifest.cdm.json", manifest(BLIND, entityPath=path))
    assert "no plain list of columns" in outcome(landing).said


def test_a_file_that_is_still_missing_is_said_with_the_manifests_name(landing: Landing) -> None:
    landing.put("crm/a.csv", b"EMail\nanna@example.com\n")
    landing.put("crm/default.manifest.cdm.json", manifest("a.csv", "b.csv"))
    assert outcome(landing).said == "1 of the 2 files that default.manifest.cdm.json names do not exist (yet)"


def test_a_header_that_was_promised_and_is_not_there(landing: Landing) -> None:
    landing.put("crm/a.csv", b"anna@example.com\n")
    landing.put("crm/default.manifest.cdm.json", manifest("a.csv"))
    assert "it has no header" in outcome(landing).said


def test_a_model_beside_a_manifest_goes_before_it(landing: Landing) -> None:
    table = {"name": "Loyal", "attributes": [{"name": "EMail"}], "partitions": [{"location": "a.csv"}]}
    landing.put("crm/a.csv", b"anna@example.com\n")
    landing.put("crm/model.json", json.dumps({"entities": [table]}).encode())
    landing.put("crm/default.manifest.cdm.json", manifest("b.csv"))
    assert outcome(landing) == Outcome([ANNA], "")


def test_manifests_beside_each_other_describe_different_segments_or_none(landing: Landing) -> None:
    landing.put("crm/a.csv", b"EMail\nanna@example.com\n")
    landing.put("crm/one.manifest.cdm.json", manifest("a.csv"))
    landing.put("crm/two.manifest.cdm.json", manifest("a.csv", entityName="New"))
    assert {segment.name: landing.outcome(segment, WANTED).rows for segment in landing.found()} == {
        "Loyal": [ANNA],
        "New": [ANNA],
    }
    landing.put("crm/two.manifest.cdm.json", manifest("a.csv"))
    assert {landing.outcome(segment, WANTED).said for segment in landing.found()} == {
        "several manifests beside each other describe it"
    }


def test_manifests_that_a_manifest_names_are_found_where_they_lie(landing: Landing) -> None:
    landing.put(
        "crm/default.manifest.cdm.json", b'{"entities": [], "subManifests": [{"definition": "eu/x.manifest.cdm.json"}]}'
    )
    landing.put("crm/eu/x.manifest.cdm.json", manifest("a.csv"))
    landing.put("crm/eu/a.csv", b"EMail\nanna@example.com\n")
    assert outcome(landing) == Outcome([ANNA], "")
