"""Mistakes, made one at a time: the compiler catches them, or the table of open enumerations, or a promise."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from dev.infra_checks.compiler import Compiler
from dev.infra_checks.enumerations import enumerations
from dev.infra_checks.linting import lint
from dev.infra_checks.variants import VARIANTS, snapshot
from tests.infra.deployment import Deployment
from tests.infra.promises import PROMISES

INFRA = Path(__file__).parents[2] / "infra"


class Mistake(NamedTuple):
    """A text of a file and what stands there instead; the variant in which it shows; what catches it."""

    file: str
    old: str
    new: str
    catcher: str
    variant: str = "dev"


# fmt: off
THE_COMPILER = (
    Mistake("main.bicep", "sku: storageSku", "sku: storageSkuu", "BCP057"),  # an unknown symbol
    Mistake("main.bicep", "    lockData: lockData\n    workspaceId", "    workspaceId", "BCP035"),  # one missing
    Mistake("main.bicep", "logDays: logDays", "logDays: logDays\n    days: 1", "BCP037"),  # an unknown parameter
    Mistake("modules/function-app.bicep", "httpsOnly: true", "httpsOnyl: true", "BCP089"),
    Mistake("modules/state-storage.bicep", "isVersioningEnabled: true", "isVersioned: true", "BCP037"),
    Mistake("modules/key-vault.bicep", "softDeleteRetentionInDays: 90", "softDeleteRetentionInDays: '90'", "BCP036"),
    Mistake("modules/key-vault.bicep", "enablePurgeProtection: true", "enablePurgeProtection: 'true'", "BCP036"),
    Mistake("modules/key-vault.bicep", "vaults@2025-05-01", "vaults@2025-05-31", "BCP081"),
    Mistake("main.bicep", "logDays: logDays", "logDays: '${logDays}'", "BCP036"),
    Mistake("modules/segment-access.bicep", "scope: segments[i]", "scope: storage", "no-unused-existing-resources"),
    Mistake("modules/network.bicep", "idleTimeoutInMinutes: 4", "provisioningState: 'Succeeded'", "BCP073"),
    # By rules that are off by default.
    Mistake("modules/key-vault.bicep", "vaults@2025-05-01", "vaults@2023-07-01", "use-recent-api-versions"),
    Mistake("modules/identity.bicep", "param tags tagsType", "param tags object", "use-user-defined-types"),
    Mistake("main.bicep", "output outboundAddress", "output hook string = notifyUrl\noutput outboundAddress",
            "outputs-should-not-contain-secrets"),
    Mistake("main.bicep", "vaultName: vaultName", "vaultName: last(split(keyVault.outputs.uri, '/'))!",
            "what-if-short-circuiting"),
    Mistake("parameters/prod.bicepparam", "param logDays = 90", "param logDays = 9", "BCP"),
)
THE_TABLE = (
    Mistake("modules/state-storage.bicep", "'StorageV2'", "'StorageV3'", ""),
    Mistake("modules/state-storage.bicep", "'TLS1_2'", "'TLS12'", ""),
    Mistake("modules/roles.bicep", "principalType: 'ServicePrincipal'", "principalType: 'Identity'", ""),
    Mistake("modules/state-storage.bicep", "category: 'StorageDelete'", "category: 'StorageDeletion'", ""),
)
THE_PROMISES = (
    Mistake("modules/roles.bicep", ": roleIds.keyVaultSecretsUser", ": roleIds.keyVaultSecretsOfficer",
            "roles_are_the_documented_ones", "no secrets written"),
    Mistake("modules/roles.bicep", "b86a8fe4-44ce-4948-aee5-eccb2c155cd7", "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
            "roles_are_the_documented_ones"),
    Mistake("modules/state-storage.bicep", "allowSharedKeyAccess: false", "allowSharedKeyAccess: true",
            "no_key_opens_anything"),
    Mistake("main.bicep", "defaultAction: closed ? 'Deny' : 'Allow'", "defaultAction: closed ? 'Allow' : 'Allow'",
            "nothing_private_is_public", "network"),
    Mistake("main.bicep", "part: 'queue'", "part: 'blob'", "nothing_private_is_public", "network"),
    Mistake("modules/alerts.bicep", "event: 'run_failed'", "event: 'run_faild'",
            "alerts_are_about_what_the_code_tells"),
    Mistake("main.bicep", "${take(simple, 10)}-${token}'\n\n", "${environmentName}-${token}'\n\n", "names_fit", "azd"),
    Mistake("modules/network.bicep", "  tags: tags\n  properties", "  properties",
            "everything_can_be_found_again", "network"),
    Mistake("main.bicep", "    lockData: lockData\n", "    lockData: false\n",
            "locks_are_where_they_are_asked_for", "lock"),
    Mistake("modules/state-storage.bicep", "isVersioningEnabled: true", "isVersioningEnabled: false",
            "ledgers_and_secrets_come_back"),
)
# fmt: on


@pytest.fixture
def broken(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """The templates with one mistake in them."""
    mistake: Mistake = request.node.callspec.params["mistake"]
    folder = tmp_path / "infra"
    shutil.copytree(INFRA, folder)
    text = (folder / mistake.file).read_text()
    assert mistake.old in text
    (folder / mistake.file).write_text(text.replace(mistake.old, mistake.new, 1))
    return folder


@pytest.mark.parametrize("mistake", THE_COMPILER)
def test_the_compiler_catches_it(compiler: Compiler, broken: Path, mistake: Mistake) -> None:
    root = broken / (mistake.file if mistake.file.endswith("param") else "main.bicep")
    found = [problem for problem in compiler.compile(root).diagnostics if mistake.catcher in problem.message]
    assert [problem for problem in found if problem.path == broken / mistake.file]


@pytest.mark.parametrize("mistake", THE_TABLE)
def test_the_table_of_enumerations_catches_what_the_compiler_does_not(
    compiler: Compiler, broken: Path, mistake: Mistake
) -> None:
    assert compiler.compile(broken / "main.bicep").diagnostics == ()
    assert enumerations(snapshot(compiler, broken, VARIANTS["dev"]), broken)


@pytest.mark.parametrize("mistake", THE_PROMISES)
def test_a_promise_catches_what_the_compiler_cannot_know(compiler: Compiler, broken: Path, mistake: Mistake) -> None:
    assert compiler.compile(broken / "main.bicep").diagnostics == ()
    made = snapshot(compiler, broken, VARIANTS[mistake.variant])
    with pytest.raises(AssertionError):
        PROMISES[mistake.catcher](Deployment(mistake.variant, made["predictedResources"], made["outputs"]))


@pytest.mark.parametrize("mistake", [Mistake("modules/roles.bicep", "  name: vaultName", "   name: vaultName", "")])
def test_another_format_is_found_with_its_line(compiler: Compiler, broken: Path, mistake: Mistake) -> None:
    [problem] = lint(compiler, broken)
    assert problem.path == broken / mistake.file
    assert (broken / mistake.file).read_text().splitlines()[problem.line - 1] == mistake.new
    assert "bicep format" in problem.message


@pytest.mark.parametrize("missing", ["*.bicep", "*.bicepparam"])
def test_a_folder_without_templates_is_no_success(compiler: Compiler, tmp_path: Path, missing: str) -> None:
    folder = tmp_path / "infra"
    shutil.copytree(INFRA, folder)
    for path in folder.rglob(missing):
        path.unlink()
    with pytest.raises(FileNotFoundError, match="has no"):
        lint(compiler, folder)


def test_the_templates_as_they_are_have_none(compiler: Compiler) -> None:
    assert lint(compiler, INFRA) == []
