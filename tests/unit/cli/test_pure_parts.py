"""Differences, defaults, files and addresses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cli.addresses import checked
from cli.differences import differences
from cli.documents import Document, read
from cli.failures import Exit, Failure
from cli.shapes import Shapes

NULL = {"type": "null"}
DOCUMENT: dict[str, Any] = {
    "components": {
        "schemas": {
            "ConnectionInput": {
                "properties": {
                    "name": {"type": "string"},
                    "settings": {"type": "object", "additionalProperties": {}},
                    "consent": {"anyOf": [{"$ref": "#/components/schemas/Consent"}, NULL]},
                },
                "required": ["name"],
            },
            "Consent": {
                "properties": {"text": {}, "agreed_by": {"default": "unknown"}, "agreed_at": {}},
                "required": ["text"],
            },
            "ExportInput": {
                "properties": {
                    "connection": {"type": "string", "default": ""},
                    "mode": {"default": "mirror"},
                    "targets": {"type": "array", "items": {"$ref": "#/components/schemas/Target"}},
                    "guards": {"$ref": "#/components/schemas/Guards", "default": {"share": 0.2}},
                },
                "required": ["targets"],
            },
            "Target": {
                "properties": {"segments": {}, "list_id": {"anyOf": [{"type": "string"}, NULL]}},
                "required": ["segments"],
            },
            "Guards": {
                "properties": {
                    "share": {"anyOf": [{"type": "number"}, NULL], "default": 0.2},
                    "people": {"anyOf": [{"type": "integer"}, NULL]},
                }
            },
        }
    }
}
SHAPES = Shapes(DOCUMENT)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ({}, {}, []),
        ({"a": 1}, {"a": 1.0}, []),
        ({"a": True}, {"a": 1}, ["~ /a: true -> 1"]),
        ({"a": None}, {}, ["- /a: null"]),
        ({}, {"a": {"b": [1]}}, ['+ /a: {"b": [1]}']),
        ({"a": {"b": [1, 2]}}, {"a": {"b": [1, 3, 4]}}, ["~ /a/b/1: 2 -> 3", "+ /a/b/2: 4"]),
        ({"a": [1, 2]}, {"a": [1]}, ["- /a/1: 2"]),
        ({"x/y~z": 1}, {"x/y~z": 2}, ["~ /x~1y~0z: 1 -> 2"]),
        ({"a": []}, {"a": {}}, ["~ /a: [] -> {}"]),
    ],
)
def test_differences_name_their_places(before: Any, after: Any, told: list[str]) -> None:
    assert [str(each) for each in differences(before, after)] == told


def test_a_difference_for_programs_tells_null_from_nothing() -> None:
    [gone] = differences({"a": None}, {})
    assert gone.as_json() == {"pointer": "/a", "before": None}


def test_defaults_are_filled_in_and_left_out_again() -> None:
    written = {"targets": [{"segments": ["A"]}], "guards": {"share": 0.5}}
    complete = SHAPES.complete("export", written)
    assert complete == {
        "connection": "",
        "mode": "mirror",
        "targets": [{"segments": ["A"], "list_id": None}],
        "guards": {"share": 0.5, "people": None},
    }
    assert SHAPES.shorten("export", complete) == written
    assert SHAPES.shorten("export", SHAPES.complete("export", {"targets": []})) == {"targets": []}


def test_what_only_the_service_writes_is_no_part_of_a_definition() -> None:
    stored = {"name": "a", "checked_at": "now", "consent": {"text": "Yes.", "agreed_by": "Ada", "agreed_at": "then"}}
    assert SHAPES.complete("connection", stored) == {"name": "a", "settings": {}, "consent": {"text": "Yes."}}


def test_a_null_that_is_no_default_is_kept() -> None:
    assert SHAPES.shorten("export", {"targets": [], "guards": {"share": None, "people": None}}) == {
        "targets": [],
        "guards": {"share": None},
    }


def test_unknown_properties_are_found_at_every_depth() -> None:
    wrong = {"targets": [{"segments": [], "list": 1}], "guards": {"share": 1, "shares": 2}, "settings": {}}
    assert list(SHAPES.unknown("export", wrong)) == ["/targets/0/list", "/guards/shares", "/settings"]
    assert list(SHAPES.unknown("connection", {"settings": {"anything": 1}})) == []


def test_a_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    file = tmp_path / "exports.yaml"
    tricky = {"a": {"text": "2026-01-01", "on": "no", "name": "Ștefan: ö", "empty": "", "lines": "a\nb\n"}}
    document = Document(exports=tricky)
    file.write_text(str(document), encoding="utf-8")
    assert read(str(file)) == document
    file.write_text("exports: {a: {day: 2026-01-01}}")
    assert read(str(file)).exports["a"]["day"] == "2026-01-01"


def test_a_file_may_be_empty_but_must_be_there(tmp_path: Path) -> None:
    empty = tmp_path / "empty.yaml"
    empty.write_text("exports:\n")
    assert read(str(empty)) == Document()
    with pytest.raises(Failure, match="cannot be read") as caught:
        read(str(tmp_path / "missing.yaml"))
    assert caught.value.exit_status is Exit.USAGE


def test_what_is_no_yaml_is_not_quoted(tmp_path: Path) -> None:
    file = tmp_path / "secret.yaml"
    file.write_text("connections: {a: {secrets: {key: 's3cret}}}")
    with pytest.raises(Failure) as caught:
        read(str(file))
    assert "line 1" in caught.value.message and "s3cret" not in caught.value.message


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("https://exports.example", "https://exports.example"),
        ("https://exports.example/", "https://exports.example"),
        ("http://127.0.0.1:7071", "http://127.0.0.1:7071"),
        ("http://localhost:1/", "http://localhost:1"),
        ("http://[::1]:7071", "http://[::1]:7071"),
    ],
)
def test_addresses_of_apps(given: str, used: str) -> None:
    assert checked(given) == used


@pytest.mark.parametrize(
    "given",
    ["", "exports.example", "http://exports.example", "http://127.0.0.1.example", "ftp://localhost",
     "https://user:s3cret@exports.example", "https://exports.example/api", "https://exports.example?code=1"],
)  # fmt: skip
def test_addresses_that_are_refused(given: str) -> None:
    with pytest.raises(Failure) as caught:
        checked(given)
    assert (caught.value.exit_status, caught.value.code) == (Exit.USAGE, "bad_url")
    assert "s3cret" not in caught.value.message
