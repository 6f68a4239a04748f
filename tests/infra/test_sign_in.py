"""infra/sign-in.sh registers the app once, with its roles, and nobody ever sees the client secret."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from shared.access.person import Role
from tests.files import files
from tests.infra.conftest import Azure

SECRET = "~the~client~secret~"


@pytest.fixture
def entra(azure: Azure) -> Azure:
    source = (Path(__file__).parent / "stand_in_entra.py").read_text()
    (azure.folder / "bin" / "az").write_text(f"#!{sys.executable} -IS\n{source}")
    azure.have(client_secret=SECRET)
    return azure


def state(azure: Azure) -> Any:
    return json.loads((azure.folder / "azure.json").read_text())


def run(azure: Azure, *words: str) -> subprocess.CompletedProcess[str]:
    return azure.run("sign-in.sh", "--yes", *words)


def update(azure: Azure) -> list[str]:
    return azure.calls("ad", "app", "update")[-1]


def after(words: list[str], option: str) -> str:
    return words[words.index(option) + 1]


def test_the_registration_has_the_apps_roles_and_address(entra: Azure) -> None:
    done = run(entra)
    assert done.returncode == 0, done.stderr
    roles = json.loads(after(update(entra), "--app-roles"))
    assert {each["value"] for each in roles} == set(Role)
    assert len({each["id"] for each in roles}) == len(roles)
    redirect = after(update(entra), "--web-redirect-uris")
    assert redirect == "https://func-exports-dev-x.azurewebsites.net/auth/callback"
    assert "appRoleAssignmentRequired=true" in entra.calls("ad", "sp", "update")[0]


AZURE_CLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"


def test_people_with_az_login_need_to_consent_to_nothing(entra: Azure) -> None:
    assert run(entra).returncode == 0
    [scope] = state(entra)["api"]["oauth2PermissionScopes"]
    assert scope["isEnabled"]
    assert state(entra)["api"]["preAuthorizedApplications"] == [
        {"appId": AZURE_CLI, "delegatedPermissionIds": [scope["id"]]}
    ]
    assert state(entra)["api"]["requestedAccessTokenVersion"] == 2


def test_what_others_expose_and_authorise_stays(entra: Azure) -> None:
    scope, client = {"id": "theirs", "value": "read"}, {"appId": "their-app", "delegatedPermissionIds": ["theirs"]}
    entra.have(api={"oauth2PermissionScopes": [scope], "preAuthorizedApplications": [client]})
    assert run(entra).returncode == 0
    api = state(entra)["api"]
    assert (api["oauth2PermissionScopes"][0], api["preAuthorizedApplications"][0]) == (scope, client)
    assert [len(api[part]) for part in ("oauth2PermissionScopes", "preAuthorizedApplications")] == [2, 2]


def test_a_scope_that_is_not_known_everywhere_yet_is_waited_for(entra: Azure) -> None:
    entra.have(scope_lag=3)
    assert run(entra).returncode == 0
    assert len(state(entra)["api"]["preAuthorizedApplications"]) == 1


def test_a_scope_that_never_becomes_known_is_said(entra: Azure) -> None:
    entra.have(scope_lag=100)
    done = run(entra)
    assert done.returncode != 0
    assert "Run this again" in done.stderr


def test_the_parameters_for_the_app_are_printed(entra: Azure) -> None:
    printed = run(entra).stdout
    assert "entraTenantId=tenant-1 entraClientId=client-1 entraSecretName=sign-in-secret" in printed


def test_the_secret_reaches_the_vault_and_nothing_else(entra: Azure) -> None:
    done = run(entra)
    assert state(entra)["secrets"] == {"sign-in-secret": SECRET}
    everything = done.stdout + done.stderr + (entra.folder / "calls.jsonl").read_text()
    assert SECRET not in everything
    left = [path for path in files(entra.folder, "**/*") if path.is_file() and path.name != "azure.json"]
    assert left
    assert not [path for path in left if SECRET in path.read_text()]


def test_the_secret_in_the_vault_ends_with_the_client_secret(entra: Azure) -> None:
    """A vault warns of secrets that have a date, and of no other."""
    assert run(entra).returncode == 0
    (stored,) = entra.calls("keyvault", "secret", "set")
    (reset,) = entra.calls("ad", "app", "credential", "reset")
    ends = datetime.strptime(after(stored, "--expires"), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    assert after(reset, "--years") == "1"
    assert timedelta(days=364) < ends - datetime.now(UTC) <= timedelta(days=365)


def test_a_second_time_makes_nothing_new(entra: Azure) -> None:
    for _ in range(2):
        assert run(entra).returncode == 0
    made = ("ad", "app", "create"), ("ad", "sp", "create"), ("keyvault", "secret", "set"), ("rest",)
    assert [len(entra.calls(*each)) for each in made] == [1, 1, 1, 2]
    first, second = entra.calls("ad", "app", "update")
    assert first == second


def test_the_secret_is_rotated_when_asked_and_the_old_one_goes_on_for_a_while(entra: Azure) -> None:
    run(entra)
    entra.have(client_secret="~another~")
    assert run(entra, "--new-secret").returncode == 0
    assert state(entra)["secrets"] == {"sign-in-secret": "~another~"}
    assert all("--append" in words for words in entra.calls("ad", "app", "credential", "reset"))


@pytest.mark.parametrize("url", ["http://exports.example", "https://", "https://exports.example/path", "exports"])
def test_an_address_that_cannot_be_right_is_refused_before_anything_is_made(entra: Azure, url: str) -> None:
    assert run(entra, "--public-url", url).returncode != 0
    assert entra.calls("ad") == []


def test_an_own_domain_is_taken(entra: Azure) -> None:
    run(entra, "--public-url", "https://exports.example/")
    assert after(update(entra), "--web-redirect-uris") == "https://exports.example/auth/callback"


def test_it_never_guesses_among_several_registrations(entra: Azure) -> None:
    entra.have(apps=["client-1", "client-2"])
    done = run(entra)
    assert done.returncode != 0
    assert "--name" in done.stderr
    assert entra.changes() == []


def test_a_vault_that_refuses_is_explained(entra: Azure) -> None:
    entra.have(vault_refuses=True)
    done = run(entra)
    assert done.returncode != 0
    assert "Key Vault Secrets Officer" in done.stderr
    assert "allowedAddresses" in done.stderr
    assert SECRET not in done.stdout + done.stderr


def test_without_an_answer_nothing_is_changed(entra: Azure) -> None:
    assert entra.run("sign-in.sh", answers="n\n").returncode != 0
    assert entra.changes() == []


def test_the_script_never_puts_the_secret_into_a_variable() -> None:
    """A variable ends on a command line or in a trace sooner or later; the pipe is the whole way."""
    text = (Path(__file__).parents[2] / "infra" / "sign-in.sh").read_text()
    [line] = [line for line in text.splitlines() if "credential reset" in line]
    assert "$(" not in line.partition("az ad app")[0]
    assert line.endswith("|")
