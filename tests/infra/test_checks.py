"""The offline checks: the templates pass, and each kind of mistake is found."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from dev.infra_checks.checks import check

INFRA = Path(__file__).parents[2] / "infra"

MAIN = """
param environmentName string
@secure()
param webhook string = ''
param days int = 30
var token = uniqueString(resourceGroup().id, environmentName)
var roleIds = {
  storageBlobDataReader: '2a2b9908-6ea1-4ae2-8e65-a410df84e7d1'
}

resource storage 'Microsoft.Storage/storageAccounts@2023-05-01' existing = {
  name: 'st${token}'
}

module part 'modules/part.bicep' = [for place in ['a', 'b']: if (days > 0) {
  name: 'part-${place}'
  params: {
    name: place
    days: days
    webhook: webhook
    role: roleIds.storageBlobDataReader
  }
}]

output first string = part[0].outputs.id
output account string = storage.id
"""

PART = """
param name string
param days int
@secure()
param webhook string = ''
param role string

resource storage 'Microsoft.Storage/storageAccounts@2023-05-01' = {
  name: name
  properties: {
    webhook: webhook
  }
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2023-05-01' = if (days > 1) {
  parent: storage
  name: guid(role, join(map(['x'], letter => toUpper(letter)), ','))
}

output id string = storage.id
"""

PARAMETERS = '{"parameters": {"environmentName": {"value": "dev"}}}'
FILES = {
    "main.bicep": MAIN.replace(": if (days > 0) {", ": {"),
    "modules/part.bicep": PART,
    "main.parameters.json": PARAMETERS,
    "parameters/dev.json": PARAMETERS,
}


def problems(folder: Path, changes: dict[str, tuple[str, str]]) -> list[str]:
    for name, source in FILES.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        old, new = changes.get(name, ("", ""))
        assert old in source
        path.write_text(source.replace(old, new, 1) if old else source)
    return [f"{problem.path.name}: {problem.message}" for problem in check(folder)]


@pytest.mark.parametrize(
    ("missing", "found"),
    [
        ("", "there is no main.bicep"),
        ("main.bicep", "there is no main.bicep"),
        ("modules", "there is no modules/part.bicep"),
        ("parameters", "there is no parameter file"),
    ],
)
def test_what_is_not_there_does_not_pass(tmp_path: Path, missing: str, found: str) -> None:
    problems(tmp_path, {})
    path = tmp_path / missing
    path.unlink() if path.is_file() else shutil.rmtree(path)
    assert found in [problem.message for problem in check(tmp_path)]


def test_the_templates_of_this_project_pass() -> None:
    assert check(INFRA) == []


def test_a_sound_template_passes(tmp_path: Path) -> None:
    assert problems(tmp_path, {}) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "found"),
    [
        ("main.bicep", "name: 'st${token}'", "name: 'st${tokn}'", "main.bicep: tokn is not declared"),
        ("main.bicep", "name: place", "name: plaice", "main.bicep: plaice is not declared"),
        ("modules/part.bicep", "toUpper(letter)", "toUpper(ltr)", "part.bicep: ltr is not declared"),
        ("main.bicep", "param days int = 30", "param days int = 30\nvar old = 1", "variable old is never used"),
        ("main.bicep", "param days int = 30", "param days int = 30\nvar days = 1", "days is declared 2 times"),
        ("main.bicep", "uniqueString(", "uniqString(", "uniqString is not a function of Bicep's"),
        ("modules/part.bicep", "= storage.id", "= storage.listKeys().keys[0].value", "listKeys reads a secret"),
        ("main.bicep", "a410df84e7d1", "a410df84e7d2", "is not a known role"),
        ("main.bicep", "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1", "b7e6dc6d-f1e8-4753-8033-0f276bb0955b", "DataOwner"),
        ("main.bicep", "role: roleIds.storageBlobDataReader",
         "role: '${roleIds.storageBlobDataReader}2a2b9908-6ea1-4ae2-8e65-a410df84e7d1'", "an id without a name"),
        ("main.bicep", "modules/part.bicep", "modules/parts.bicep", "there is no modules/parts.bicep"),
        ("main.bicep", "name: place", "naem: place", "modules/part.bicep has no parameter naem"),
        ("main.bicep", "    days: days\n", "", "modules/part.bicep needs the parameter days"),
        ("main.bicep", "days: days", "days: 'many'", "days is int, and gets string"),
        ("main.bicep", "days: days", "days: environmentName", "days is int, and gets string"),
        ("main.bicep", "outputs.id", "outputs.ids", "modules/part.bicep has no output ids"),
        ("main.bicep", "outputs.id", "id", "a module has no id"),
        ("main.bicep", "= storage.id", "= '${storage.id}${webhook}'", "the output account tells a secret"),
        ("main.bicep", "name: place\n", "name: '${place}${webhook}'\n", "gets a secret and is not marked @secure()"),
        ("modules/part.bicep", "webhook string = ''", "webhook string = 'x'", "webhook has a default"),
        ("modules/part.bicep", "blobServices@2023-05-01", "blobServices@2023-01-01", "in several versions"),
        ("modules/part.bicep", "Accounts/blobServices@", "Accounts/blobServices/containers@", "has no parent of type"),
        ("modules/part.bicep", "parent: storage", "parent: role", "the parent of blobs is no resource"),
        ("modules/part.bicep", "output id string =", "output id string", "tree-sitter cannot read"),
        ("modules/part.bicep", "name: name\n", "name: name,\n", "part.bicep: pycep"),
        ("modules/part.bicep", "param days int", "param days 1 | 2", "part.bicep: pycep"),
        ("parameters/dev.json", "environmentName", "environment", "the parameter environmentName is missing"),
        ("parameters/dev.json", "environmentName", "environment", "main.bicep has no parameter environment"),
        ("parameters/dev.json", '"dev"', "7", "environmentName is string, and gets 7"),
        ("parameters/dev.json", '{"environmentName"', '{"webhook": {"value": "x"}, "environmentName"', "no file may"),
        ("main.parameters.json", '"value"', '"valeu"', 'environmentName has no "value"'),
        ("main.parameters.json", "}}}", "", "this is not JSON"),
    ],
)  # fmt: skip
def test_a_mistake_is_found(tmp_path: Path, file: str, old: str, new: str, found: str) -> None:
    assert any(found in problem for problem in problems(tmp_path, {file: (old, new)}))


def test_a_secret_is_followed_through_variables(tmp_path: Path) -> None:
    change = ("output account string = storage.id", "var hidden = '${webhook}!'\noutput account string = hidden")
    assert "main.bicep: the output account tells a secret" in problems(tmp_path, {"main.bicep": change})
