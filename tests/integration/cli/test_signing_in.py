"""Who asks: tokens of an identity provider, as Entra ID gives them, and what each role may do."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from dev.host.host_process import HostProcess
from dev.host.services import LocalServices
from dev.identity import IdentityProvider
from tests.integration.app.conftest import CONNECTION, NEVER, REPOSITORY
from tests.integration.app.test_sign_in import free_port
from tests.integration.cli.conftest import CommandLine


@dataclass
class SignedApp:
    """An app where people sign in, and where they do."""

    host: HostProcess
    identity: IdentityProvider

    def as_(self, *roles: str) -> CommandLine:
        return CommandLine(self.host.url, {"SEGMENT_EXPORTS_TOKEN": self.identity.access_token(*roles)})


@pytest.fixture(scope="module")
def signed() -> Iterator[SignedApp]:
    with IdentityProvider() as identity, LocalServices() as services:
        services.key_vault.set_secret("sign-in-secret", identity.registration.client_secret)
        port = free_port()
        settings = {"EXPORT_SCHEDULE": NEVER, **identity.settings(f"http://127.0.0.1:{port}")}
        with HostProcess(REPOSITORY, settings=settings, services=services, port=port) as host:
            yield SignedApp(host, identity)


def test_who_is_not_signed_in_is_told_how(signed: SignedApp) -> None:
    said = CommandLine(signed.host.url)("runs", "any", "--json")
    assert (said.status, said.json["error"]["code"]) == (3, "sign_in_needed")
    assert "az login" in said.err
    assert CommandLine(signed.host.url, {"SEGMENT_EXPORTS_TOKEN": "nonsense"})("segments").status == 3


def test_each_role_may_do_what_it_may(signed: SignedApp, tmp_path: Path) -> None:
    file = tmp_path / "connections.json"
    shared = {**CONNECTION, "consent": {"text": "Yes."}, "shared_with": "administrators and contributors"}
    file.write_text(json.dumps({"connections": {"iterable": shared}}))
    # The check fails, since the secret is not there; it is saved.
    assert signed.as_("Administrator")("apply", "-f", file, "--yes").status == 1
    contributor = signed.as_("Contributor")
    assert contributor("apply", "-f", file, "--yes", "--json").json["error"]["code"] == "forbidden"
    exported = contributor("export")
    assert exported.status == 0 and "connection iterable" in exported.err and "iterable" not in exported.out
    viewer = signed.as_("Viewer")("forget", "ada@example.com", "--yes", "--json")
    assert (viewer.status, viewer.json["error"]["code"]) == (3, "forbidden")
    findings = signed.as_("Viewer")("doctor", "--json").json["findings"]
    assert {each["check"]: each["state"] for each in findings}["connection"] == "warning"


def test_somebody_without_a_role_is_found_by_the_doctor(signed: SignedApp) -> None:
    said = signed.as_()("doctor", "--json")
    [me] = [each for each in said.json["findings"] if each["check"] == "signed in"]
    assert (said.status, me["state"]) == (3, "failed")


def test_the_function_key_alone_cannot_watch(signed: SignedApp) -> None:
    key_only = CommandLine(signed.host.url, {"SEGMENT_EXPORTS_KEY": signed.host.key})
    assert key_only("run", "nowhere", "--json").json["error"]["code"] == "not_found"
    assert key_only("runs", "nowhere").status == 3
    in_azure = CommandLine("https://exports.example", {"SEGMENT_EXPORTS_KEY": "key"})
    assert in_azure("run", "nowhere", "--watch").status == 2, "before anything is asked"


def test_azs_sign_in_is_used(signed: SignedApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in az, which answers as `az account get-access-token` does, for this app's scope alone."""
    client = signed.identity.registration.client_id
    token = {"accessToken": signed.identity.access_token("Viewer"), "expires_on": int(time.time()) + 3600}
    answer = tmp_path / "token.json"
    answer.write_text(json.dumps(token | {"expiresOn": "2099-01-01 00:00:00.000000"}))
    az = tmp_path / "az"
    az.write_text(f'#!/bin/sh\ncase "$*" in *api://{client}*) cat {answer} ;; *) exit 1 ;; esac\n')
    az.chmod(0o700)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "AzureCliCredential")
    right = CommandLine(signed.host.url, {"SEGMENT_EXPORTS_CLIENT_ID": client})
    said = right("export", "--json")
    assert (said.status, said.json) == (0, {}), said.err
    wrong = CommandLine(signed.host.url)("--client-id", "another", "segments", "--json")
    assert (wrong.status, wrong.json["error"]["code"]) == (3, "sign_in_failed")
