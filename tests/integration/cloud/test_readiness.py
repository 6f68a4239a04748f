"""Readiness: real storage and the Key Vault stand-in, within reach and not."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from dev.host.key_vault import KeyVault
from shared.cloud import readiness
from shared.cloud.cloud import Cloud
from shared.cloud.readiness import Readiness
from shared.cloud.settings import Settings, StorageAddress


@pytest.fixture(scope="module")
def vault() -> Iterator[KeyVault]:
    with KeyVault() as running:
        yield running


@pytest.fixture
def cloud(storage: StorageAddress, vault: KeyVault) -> Cloud:
    return Cloud(
        Settings(storage, storage, key_vault_url=vault.url, key_vault_certificate=vault.certificate),
    )


def test_everything_within_reach(cloud: Cloud) -> None:
    assert Readiness(cloud).problems() == {"blobs": "", "queue": "", "tables": "", "key_vault": ""}


def test_a_vault_that_is_not_configured_is_named(storage: StorageAddress) -> None:
    problems = Readiness(Cloud(Settings(storage, storage))).problems()
    assert "KEY_VAULT_URL" in problems["key_vault"]
    assert not problems["blobs"]


def test_a_refusal_is_told_without_addresses(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Cloud) -> None:
        raise PermissionError("https://account.queue.core.windows.net says no")

    monkeypatch.setitem(readiness.PROBES, "queue", refuse)
    assert Readiness(cloud).problems()["queue"] == "PermissionError"


def test_what_hangs_is_given_up_in_time_and_not_asked_a_second_time(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    over, asked, now = threading.Event(), list[float](), [0.0]

    def hang(_: Cloud) -> None:
        asked.append(time.monotonic())
        over.wait(60)

    monkeypatch.setitem(readiness.PROBES, "tables", hang)
    monkeypatch.setattr(readiness, "LONGEST_SECONDS", 0.3)
    looking = Readiness(cloud, clock=lambda: now[0])
    try:
        for now[0] in (0.0, 5.0, 20.0):
            assert looking.problems()["tables"] == "It does not answer."
        assert len(asked) == 1
    finally:
        over.set()
    now[0] = 40.0
    assert looking.problems()["tables"] == ""


def test_it_is_looked_at_every_ten_seconds_at_most(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, now = list[Cloud](), [0.0]
    monkeypatch.setattr(readiness, "PROBES", {"blobs": asked.append})
    looking = Readiness(cloud, clock=lambda: now[0])
    for now[0] in (0.0, 1.0, 9.0, 11.0):
        looking.problems()
    assert len(asked) == 2
