"""The files handed over, each written in other ways that mean the same: what becomes of them stays as it is."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tests.corpus.handed_cases import CASES, End, Refused
from tests.corpus.landed import EXPORT, FOLDER, blobs_of

Blobs = Mapping[str, bytes]
"""Name -> content."""
MODEL = f"{EXPORT}/model.json"
MARK = b"\xef\xbb\xbf"
_STEP = 3


def texts(change: Callable[[str, bytes], tuple[str, bytes]]) -> Callable[[Blobs], Blobs]:
    """Change the CSV files of a dated folder; nothing where there are none."""

    def changed(blobs: Blobs) -> Blobs:
        wanted = [name for name in blobs if name.startswith(FOLDER) and name.lower().endswith(".csv")]
        return {**blobs, **dict(change(name, blobs[name]) for name in wanted)} if wanted else {}

    return changed


def renamed(change: Callable[[str, bytes], tuple[str, bytes]]) -> Callable[[Blobs], Blobs]:
    """The same where the names change too: all files have to be such, since what mixes formats is refused."""

    def changed(blobs: Blobs) -> Blobs:
        alike = all(name.startswith(FOLDER) and name.lower().endswith(".csv") and blobs[name] for name in blobs)
        return dict(change(name, content) for name, content in blobs.items()) if alike else {}

    return changed


def moved(folder: str) -> Callable[[Blobs], Blobs]:
    """Put everything that lies in the dated folder into another one."""

    def changed(blobs: Blobs) -> Blobs:
        inside = all(name.startswith(f"{FOLDER}/") for name in blobs)
        return {name.replace(FOLDER, folder, 1): content for name, content in blobs.items()} if inside else {}

    return changed


def described(change: Callable[[Any], Any]) -> Callable[[Blobs], Blobs]:
    """Change a model.json that can be read."""

    def changed(blobs: Blobs) -> Blobs:
        root = _model(blobs)
        return {**blobs, MODEL: json.dumps(change(root)).encode()} if root else {}

    return changed


def as_manifest(blobs: Blobs) -> Blobs:
    """A manifest in place of the model.json, with a document that has the columns."""
    root = _model(blobs)
    entities = root.get("entities") if root else None
    if not isinstance(entities, list):
        return {}
    definitions = [
        {"entityName": each["name"], "hasAttributes": [{"name": one["name"]} for one in each["attributes"]]}
        for each in entities
    ]
    rest = {name: content for name, content in blobs.items() if name != MODEL}
    manifest = {"entities": [_entity(each) for each in entities]}
    return {
        **rest,
        f"{EXPORT}/default.manifest.cdm.json": json.dumps(manifest).encode(),
        f"{EXPORT}/all.cdm.json": json.dumps({"definitions": definitions}).encode(),
    }


def _model(blobs: Blobs) -> dict[str, Any]:
    try:
        root = json.loads(blobs.get(MODEL, b""))
    except ValueError:
        return {}
    return root if isinstance(root, dict) and root else {}


def _entity(entity: Any) -> Any:
    return {
        "type": "LocalEntity",
        "entityName": entity["name"],
        "entityPath": f"all.cdm.json/{entity['name']}",
        "dataPartitions": [_partition(each) for each in entity["partitions"]],
    }


def _partition(partition: Any) -> Any:
    said = {name: str(value) for name, value in partition.get("fileFormatSettings", {}).items() if name[0] != "$"}
    arguments = [{"name": name, "value": value} for name, value in said.items()]
    trait = {"traitReference": "is.partition.format.CSV", "arguments": arguments}
    is_csv = not partition["location"].partition("?")[0].endswith(".parquet")
    known = {"location": partition["location"], "lastFileModifiedTime": partition.get("refreshTime")}
    return known | ({"exhibitsTraits": [trait]} if is_csv else {})


def _ended_by(line_end: bytes) -> Callable[[str, bytes], tuple[str, bytes]]:
    """Other line ends, where a file has plain ones and no cell has a line break or may have one."""

    def changed(name: str, content: bytes) -> tuple[str, bytes]:
        plain = b"\r" not in content and b'"' not in content
        return name, content.replace(b"\n", line_end) if plain else content

    return changed


VARIATIONS: dict[str, Callable[[Blobs], Blobs]] = {
    "in gzip": renamed(lambda name, content: (f"{name}.gz", gzip.compress(content))),
    "in two pieces of gzip": renamed(
        lambda name, content: (f"{name}.GZ", gzip.compress(content[:9]) + gzip.compress(content[9:]))
    ),
    "called .txt": renamed(lambda name, content: (name[:-4] + ".txt", content)),
    "with Windows line ends": texts(_ended_by(b"\r\n")),
    "with line ends of old Macs": texts(_ended_by(b"\r")),
    "with a byte order mark": texts(
        lambda name, content: (name, content if not content or content.startswith(MARK) else MARK + content)
    ),
    "in a folder of three levels": moved("Loyal/2026/11/22"),
    "in folders with keys": moved("Loyal/year=2026/month=11/day=22"),
    "in a folder with a key": moved("crm/Loyal/dt=2026-11-22"),
    "in a folder with an offset": moved("Loyal/2026-11-22T14:33:00.123+01:00"),
    "without a date": moved("Loyal"),
    "in a folder called like a file": moved(f"{FOLDER}/people.csv"),
    "a model with a byte order mark": lambda blobs: {**blobs, MODEL: MARK + blobs[MODEL]} if _model(blobs) else {},
    "tables in place of entities": described(
        lambda root: {("tables" if name == "entities" else name): each for name, each in root.items()}
    ),
    "a manifest in place of the model": as_manifest,
}

NOT_THE_SAME: dict[tuple[str, str], End] = {
    ("a manifest in place of the model", "model-delimiter-name-tab"): Refused("says delimiter '\\\\t'"),
    ("in a folder called like a file", "hive-partition-subfolders-only"): Refused("in a folder in it"),
}
"""Variation, case -> what becomes of it, where it is not the same."""


def varied(*, every: bool) -> Iterator[tuple[str, str, Blobs, End]]:
    """Variations of each case that they change, and what has to become of it: a third of them or every one."""
    for number, (case, end) in enumerate(CASES.items()):
        blobs = dict(blobs_of(case))
        changed = {variation: change(blobs) for variation, change in VARIATIONS.items()}
        applicable = [each for each, other in changed.items() if other and other != blobs]
        for variation in applicable if every else applicable[number % _STEP :: _STEP]:
            yield variation, case, changed[variation], NOT_THE_SAME.get((variation, case), end)
