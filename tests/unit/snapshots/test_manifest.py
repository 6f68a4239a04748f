"""Manifests of the Common Data Model: what is read of them, and what is refused by name."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shared.snapshots.manifest import columns_of, is_manifest, model_of, parse
from shared.snapshots.model_json import BadModel, ModelTable
from shared.snapshots.snapshot import CsvFormat, Format, ParquetFormat

COLUMNS = ("CustomerId", "EMail")


def trait(name: str = "is.partition.format.CSV", **said: str) -> dict[str, Any]:
    return {"traitReference": name, "arguments": [{"name": key, "value": value} for key, value in said.items()]}


HEADER = trait(columnHeaders="true", delimiter=",")


def manifest(*partitions: Any, **entity: Any) -> bytes:
    """Of one entity; a text is the location of a file with a header."""
    listed = [{"location": each, "exhibitsTraits": [HEADER]} if isinstance(each, str) else each for each in partitions]
    loyal = {
        "type": "LocalEntity",
        "entityName": "Loyal",
        "entityPath": "Loyal.cdm.json/Loyal",
        "dataPartitions": listed,
    }
    return json.dumps({"manifestName": "x", "entities": [loyal | entity], "subManifests": []}).encode()


def table(data: bytes, columns: tuple[str, ...] = COLUMNS) -> ModelTable:
    [found] = model_of(parse(data), {"Loyal": columns}).tables
    return found


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("manifest.cdm.json", True),
        ("default.manifest.cdm.json", True),
        ("Loyal.Manifest.CDM.json", True),
        ("Loyal.cdm.json", False),
        ("mymanifest.cdm.json", False),
    ],
)
def test_its_name(name: str, expected: bool) -> None:
    assert is_manifest(name) is expected


def csv(**other: Any) -> CsvFormat:
    return CsvFormat(**({"header": True} | other))


FORMATS: dict[str, tuple[str, list[Any], Format]] = {
    "a header": ("a.csv", [HEADER], csv()),
    "true as people write it": ("a.csv", [trait(columnHeaders="True")], csv()),
    "no header where none is declared": ("a.csv", [trait(delimiter=";")], csv(header=False, delimiter=";")),
    "no traits": ("a.csv", [], csv(header=False)),
    "other traits": ("a.csv", ["is.formatted.text", {"traitReference": "is.hidden"}, HEADER], csv()),
    "the trait in small letters": ("a.txt", [trait("is.partition.format.csv", columnHeaders="true")], csv()),
    "gzip": ("a.csv.gz", [HEADER], csv(compression="gzip")),
    "backslashes": ("a.csv", [trait(columnHeaders="true", escape="\\")], csv(escape="\\")),
    "doubled marks": ("a.csv", [trait(columnHeaders="true", escape='"', newline="\n")], csv()),
    "never quoted": ("a.csv", [trait(columnHeaders="true", quoteStyle="QuoteStyle.None")], csv(quote="")),
    "another encoding": ("a.csv", [trait(columnHeaders="true", encoding="Windows-1252")], csv(encoding="windows-1252")),
    "UTF-8": ("a.csv", [trait(columnHeaders="true", encoding="UTF-8", skipLines="0")], csv()),
    "Parquet by its trait": ("part-0", [trait("is.partition.format.Parquet")], ParquetFormat()),
    "Parquet by its name": ("a.snappy.parquet", [], ParquetFormat()),
}


@pytest.mark.parametrize(("location", "traits", "expected"), FORMATS.values(), ids=FORMATS)
def test_formats(location: str, traits: list[Any], expected: Format) -> None:
    found = table(manifest({"location": location, "exhibitsTraits": traits}))
    assert found.problems == ()
    assert [partition.format for partition in found.partitions] == [expected]


def refused(*traits: Any, location: str = "a.csv") -> bytes:
    return manifest({"location": location, "exhibitsTraits": list(traits)})


REFUSED = {
    "incremental partitions": (
        manifest("a.csv", incrementalPartitions=[{"location": "x.csv"}]),
        "changes, and not all",
    ),
    "incremental patterns": (manifest("a.csv", incrementalPartitionPatterns=[{"name": "x"}]), "changes, and not all"),
    "patterns": (manifest(dataPartitionPatterns=[{"globPattern": "*.csv"}]), "patterns and not files"),
    "an incremental partition": (refused(HEADER, trait("is.partition.incremental", type="Delete")), "holds changes"),
    "a Delta table": (refused(trait("is.partition.format.deltaLake"), location="Loyal"), "is a Delta table"),
    "another manifest's entity": (manifest(type="ReferencedEntity"), "it is a ReferencedEntity in the manifest"),
    "no partitions": (manifest(dataPartitions=None), "names no files"),
    "no location": (manifest({"exhibitsTraits": [HEADER]}), "no location"),
    "another namespace": (refused(HEADER, location="adls:/Loyal/a.csv"), "namespace adls"),
    "two characters between cells": (refused(trait(delimiter="||")), "says delimiter '||'"),
    "another quotation mark": (refused(trait(quote="'")), 'says quote "\'"'),
    "lines to skip": (refused(trait(skipLines="1")), "says skipLines '1'"),
    "an encoding that is not read": (refused(trait(encoding="UTF-7")), "says encoding 'UTF-7'"),
    "arguments by their place": (
        refused({"traitReference": "is.partition.format.CSV", "arguments": ["true", ","]}),
        "arguments without names",
    ),
}


@pytest.mark.parametrize(("data", "words"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused(data: bytes, words: str) -> None:
    assert words in str(table(data).problems[0])


def test_nobody_in_it_is_no_problem() -> None:
    found = table(manifest())
    assert (found.partitions, found.problems) == ((), ())


def test_files_without_a_header_need_columns() -> None:
    data = manifest({"location": "a.csv"})
    assert "no plain list of columns" in str(table(data, ()).problems[0])
    assert table(data).columns == COLUMNS
    assert not table(manifest("a.csv"), ()).problems, "a header tells them"


def test_two_entities_of_one_name_are_one_that_cannot_be_read() -> None:
    loyal = json.loads(manifest("a.csv"))["entities"]
    [found] = model_of(parse(json.dumps({"entities": loyal * 2}).encode()), {}).tables
    assert "2 tables of this name" in str(found.problems[0])


@pytest.mark.parametrize("data", [b"{", b"[]", b'{"entities": 1}', b"\xff", b"[" * 100_000])
def test_what_is_no_manifest(data: bytes) -> None:
    with pytest.raises(BadModel, match="the manifest"):
        parse(data)


def test_a_manifest_may_only_name_others() -> None:
    assert parse(b'{"subManifests": [{"definition": "a.manifest.cdm.json"}]}') == ()


PLAIN = [{"name": "CustomerId", "dataType": "string"}, {"name": "EMail"}]
GROUP = {"attributeGroupReference": {"attributeGroupName": "attributesAddedAtThisScope", "members": PLAIN}}
SCHEMAS: dict[str, tuple[Any, tuple[str, ...]]] = {
    "plain": (PLAIN, COLUMNS),
    "a group that is written out": ([GROUP], COLUMNS),
    "a group that is elsewhere": ([*PLAIN, {"attributeGroupReference": "core"}], ()),
    "an attribute that is another entity": ([*PLAIN, {"entity": "Address"}], ()),
    "an attribute by its name alone": ([*PLAIN, "name"], ()),
    "none": ([], ()),
}


@pytest.mark.parametrize(("attributes", "expected"), SCHEMAS.values(), ids=SCHEMAS)
def test_columns_are_those_that_are_written_out(attributes: Any, expected: tuple[str, ...]) -> None:
    other = {"entityName": "Other", "hasAttributes": [{"name": "X"}]}
    data = json.dumps({"definitions": [other, {"entityName": "Loyal", "hasAttributes": attributes}]}).encode()
    assert columns_of(data, "Loyal") == expected
    assert columns_of(data, "Nobody") == columns_of(b"{", "Loyal") == ()
