"""Secrets against the Key Vault stand-in, with the real client."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from threading import Event, Thread
from types import SimpleNamespace

import pytest
from azure.core.exceptions import ServiceRequestError

from dev.host import FORBIDDEN, THROTTLED, KeyVault
from shared.cloud.outage import SECONDS as FAILED_SECONDS
from shared.cloud.secrets import KEPT_SECONDS, Secrets
from shared.cloud.settings import Settings, StorageAddress
from shared.errors import RetryAfter, UserMustAct

VALUE = "the value that nobody sees"


@pytest.fixture
def vault() -> Iterator[KeyVault]:
    with KeyVault() as running:
        yield running


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def reader(vault: KeyVault, clock: Clock | None = None) -> Secrets:
    address = StorageAddress()
    settings = Settings(address, address, key_vault_url=vault.url, key_vault_certificate=vault.certificate)
    return Secrets(settings, clock or Clock())


def test_what_is_written_is_read_here_at_once_and_without_asking(vault: KeyVault) -> None:
    secrets = reader(vault)
    secrets.put("new", VALUE)
    assert secrets.get("new") == VALUE
    secrets.put("new", "next")
    assert secrets.get("new") == "next"
    assert vault.requests == ["PUT /secrets/new", "PUT /secrets/new"]
    assert vault.secrets() == {"new": "next"}


def test_elsewhere_it_is_seen_after_the_cache_ended_or_by_looking_past_it(vault: KeyVault) -> None:
    clock = Clock()
    vault.set_secret("shared", "old")
    here, there = reader(vault), reader(vault, clock)
    assert there.get("shared") == "old"
    here.put("shared", "new")
    assert there.get("shared") == "old"
    assert there.get("shared", fresh=True) == "new"
    here.put("shared", "newest")
    clock.now = KEPT_SECONDS
    assert there.get("shared") == "newest"


def test_what_was_not_written_is_not_remembered(vault: KeyVault) -> None:
    secrets = reader(vault)
    vault.set_secret("kept", "old")
    assert secrets.get("kept") == "old"
    vault.fault = FORBIDDEN
    with pytest.raises(UserMustAct):
        secrets.put("kept", VALUE)
    vault.fault = None
    assert secrets.get("kept") == "old"
    assert secrets.get("kept", fresh=True) == "old"


def test_each_way_to_fail_has_its_own_words_and_none_has_the_value(
    vault: KeyVault, caplog: pytest.LogCaptureFixture
) -> None:
    secrets = reader(vault)
    vault.fault = FORBIDDEN
    with caplog.at_level(logging.DEBUG), pytest.raises(UserMustAct) as forbidden:
        secrets.put("a", VALUE)
    assert (forbidden.value.code, "Secrets Officer" in forbidden.value.message) == ("secret_not_writable", True)
    with pytest.raises(UserMustAct) as unreadable:
        secrets.get("a")
    assert (unreadable.value.code, "Secrets User" in unreadable.value.message) == ("secret_forbidden", True)
    assert VALUE not in caplog.text + str(forbidden.value)
    assert forbidden.value.__suppress_context__


def test_a_deleted_secret_keeps_its_name(vault: KeyVault) -> None:
    secrets = reader(vault)
    secrets.put("gone", VALUE)
    vault.answer("DELETE", "/secrets/gone", "Bearer any", {})
    with pytest.raises(UserMustAct) as error:
        secrets.put("gone", "again")
    assert error.value.code == "secret_deleted"


@pytest.mark.slow
def test_a_busy_vault_is_for_later(vault: KeyVault) -> None:
    secrets = reader(vault)
    vault.fault = THROTTLED
    with pytest.raises(RetryAfter):
        secrets.put("a", VALUE)


class Answering:
    """A vault's client that is in trouble, or slow, by the secret's name."""

    def __init__(self) -> None:
        self.values = {"key": "old", "other": "good"}
        self.down = False
        self.asked: list[str] = []
        self.slow: dict[str, Event] = {}
        self.reached = Event()

    def get_secret(self, name: str) -> SimpleNamespace:
        self.asked.append(name)
        if name in self.slow:
            self.reached.set()
            assert self.slow[name].wait(30)
        if self.down:
            raise ServiceRequestError("no route")
        return SimpleNamespace(value=self.values[name])


def over(client: Answering, clock: Clock) -> Secrets:
    secrets = Secrets(Settings(StorageAddress(), StorageAddress()), clock)
    secrets.__dict__["_client"] = client
    return secrets


def test_while_the_vault_is_down_a_value_that_was_good_is_used_and_told_of(caplog: pytest.LogCaptureFixture) -> None:
    client, clock = Answering(), Clock()
    secrets = over(client, clock)
    assert secrets.get("key") == "old"
    client.down, clock.now = True, KEPT_SECONDS
    assert [secrets.get("key") for _ in range(4)] == ["old"] * 4
    assert client.asked == ["key", "key"], "its failure is remembered"
    assert "'key'" in caplog.text and "old\n" not in caplog.text
    client.down, client.values["key"], clock.now = False, "new", KEPT_SECONDS + FAILED_SECONDS
    assert secrets.get("key") == "new"


def test_a_failure_is_remembered_for_half_a_minute() -> None:
    client, clock = Answering(), Clock()
    client.down = True
    secrets = over(client, clock)
    for fresh in (False, True, False):
        with pytest.raises(RetryAfter) as refused:
            secrets.get("key", fresh=fresh)
    assert (client.asked, refused.value.seconds) == (["key"], FAILED_SECONDS)
    client.down, clock.now = False, FAILED_SECONDS
    assert secrets.get("key") == "old"


def test_whoever_waits_for_one_secret_keeps_nobody_from_another() -> None:
    client, clock = Answering(), Clock()
    client.slow["key"] = Event()
    secrets = over(client, clock)
    waiting = Thread(target=secrets.get, args=("key",), daemon=True)
    waiting.start()
    assert client.reached.wait(30)
    assert secrets.get("other") == "good"
    client.slow["key"].set()
    waiting.join(30)


def test_without_a_vault_the_setting_is_named() -> None:
    with pytest.raises(UserMustAct) as error:
        Secrets(Settings(StorageAddress(), StorageAddress())).put("a", VALUE)
    assert error.value.code == "key_vault_missing"
