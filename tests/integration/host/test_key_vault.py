"""The Key Vault stand-in against the real client."""

from __future__ import annotations

import socket
import ssl
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import requests
from azure.core.credentials import AccessToken
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError, ServiceRequestError
from azure.keyvault.secrets import SecretClient

from dev.host import FORBIDDEN, THROTTLED, KeyVault


class AnyToken:
    """A credential that remembers what it was asked for."""

    def __init__(self) -> None:
        self.scopes: list[str] = []

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        self.scopes.extend(scopes)
        return AccessToken("any", int(time.time()) + 3600)


@pytest.fixture(scope="module")
def vault() -> Iterator[KeyVault]:
    with KeyVault() as started:
        yield started


@contextmanager
def client_of(vault: KeyVault, credential: AnyToken | None = None, **options: Any) -> Iterator[SecretClient]:
    trust = {"connection_verify": str(vault.certificate), "verify_challenge_resource": False, "retry_total": 0}
    with SecretClient(vault.url, credential or AnyToken(), **{**trust, **options}) as client:
        yield client


@pytest.fixture
def client(vault: KeyVault) -> Iterator[SecretClient]:
    with client_of(vault) as client:
        yield client


@pytest.fixture
def name() -> str:
    return f"secret-{uuid4().hex}"


def test_a_secret_can_be_set_and_read(client: SecretClient, name: str) -> None:
    client.set_secret(name, "värde", content_type="text/plain", tags={"vendor": "omnisend"})
    secret = client.get_secret(name)
    assert (secret.name, secret.value) == (name, "värde")
    assert (secret.properties.content_type, secret.properties.tags) == ("text/plain", {"vendor": "omnisend"})


def test_every_version_stays(client: SecretClient, name: str) -> None:
    first = client.set_secret(name, "1").properties.version
    client.set_secret(name, "2")
    assert client.get_secret(name).value == "2"
    assert client.get_secret(name, first).value == "1"
    assert len({version.version for version in client.list_properties_of_secret_versions(name)}) == 2


def test_names_are_listed_without_values(client: SecretClient, name: str) -> None:
    client.set_secret(name, "1")
    assert name in {properties.name for properties in client.list_properties_of_secrets()}


def test_a_secret_that_is_not_there_is_not_found(client: SecretClient, name: str) -> None:
    with pytest.raises(ResourceNotFoundError) as missing:
        client.get_secret(name)
    assert missing.value.error is not None
    assert missing.value.error.code == "SecretNotFound"
    client.set_secret(name, "1")
    with pytest.raises(ResourceNotFoundError):
        client.get_secret(name, "0" * 32)


def test_a_deleted_secret_is_gone_until_it_is_recovered(client: SecretClient, name: str) -> None:
    client.set_secret(name, "1")
    client.begin_delete_secret(name).wait()
    with pytest.raises(ResourceNotFoundError):
        client.get_secret(name)
    with pytest.raises(ResourceExistsError):  # its name is taken as long as it can be recovered
        client.set_secret(name, "2")
    assert client.get_deleted_secret(name).name == name
    client.begin_recover_deleted_secret(name).wait()
    assert client.get_secret(name).value == "1"


def test_a_purged_secret_frees_its_name(client: SecretClient, name: str) -> None:
    client.set_secret(name, "1")
    client.begin_delete_secret(name).wait()
    client.purge_deleted_secret(name)
    assert client.set_secret(name, "2").value == "2"


def test_the_challenge_asks_for_a_token_for_key_vault(vault: KeyVault, name: str) -> None:
    answer = requests.get(f"{vault.url}/secrets/{name}", verify=str(vault.certificate), timeout=120)
    assert answer.status_code == 401
    assert 'resource="https://vault.azure.net"' in answer.headers["WWW-Authenticate"]
    credential = AnyToken()
    with client_of(vault, credential) as client:
        client.set_secret(name, "1")
    assert credential.scopes == ["https://vault.azure.net/.default"]


def test_a_client_that_does_not_trust_the_certificate_is_kept_out(vault: KeyVault, name: str) -> None:
    with client_of(vault, connection_verify=True) as client, pytest.raises(ServiceRequestError, match="CERTIFICATE"):
        client.get_secret(name)


def test_the_certificate_passes_the_strictest_check(vault: KeyVault) -> None:
    context = ssl.create_default_context(cafile=str(vault.certificate))
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    port = int(vault.url.rsplit(":", 1)[1])
    for host in ("127.0.0.1", "localhost"):
        with (
            socket.create_connection(("127.0.0.1", port), timeout=120) as plain,
            context.wrap_socket(plain, server_hostname=host) as secure,
        ):
            assert secure.version()


@pytest.mark.parametrize(("fault", "status"), [(FORBIDDEN, 403), (THROTTLED, 429)])
def test_a_fault_can_be_switched_on_and_off(name: str, fault: Any, status: int) -> None:
    with KeyVault() as vault, client_of(vault) as client:
        vault.set_secret(name, "1")
        vault.fault = fault
        with pytest.raises(HttpResponseError) as refused:
            client.get_secret(name)
        assert refused.value.status_code == status
        vault.fault = None
        assert client.get_secret(name).value == "1"


def test_the_vault_can_be_asked_what_it_holds_and_what_was_asked_of_it(name: str) -> None:
    with KeyVault() as vault, client_of(vault) as client:
        client.set_secret(name, "1")
        client.get_secret(name)
        assert vault.secrets() == {name: "1"}
        assert vault.requests == [f"PUT /secrets/{name}", f"GET /secrets/{name}"]


def test_a_file_keeps_secrets_for_its_owner_only(tmp_path: Path, name: str) -> None:
    file = tmp_path / "kept" / "key-vault.json"
    with KeyVault(file) as vault, client_of(vault) as client:
        first = client.set_secret(name, "1").properties.version
        client.set_secret(name, "2")
        vault.set_secret("gone", "3")
        client.begin_delete_secret("gone").wait()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with KeyVault(file) as vault, client_of(vault) as client:
        assert client.get_secret(name).value == "2"
        assert client.get_secret(name, first).value == "1"
        assert vault.secrets() == {name: "2"}
        assert client.get_deleted_secret("gone").name == "gone"
