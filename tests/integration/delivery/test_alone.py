"""One worker at a time replaces a credential, by the lease of a blob."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from typing import cast

import pytest
from azure.storage.blob import BlobLeaseClient

from shared.cloud.blobs import Blobs
from shared.cloud.secrets import Secrets
from shared.cloud.settings import StorageAddress
from shared.delivery.account.connecting import LOCK_PATIENCE, LOCK_SECONDS, Named
from shared.delivery.state import layout
from shared.errors import RetryAfter, UserMustAct


class Written:
    """Secrets by name."""

    def __init__(self) -> None:
        self.values = {"a-secret": "old"}

    def get(self, name: str, *, fresh: bool = False) -> str:
        return self.values[name]

    def put(self, name: str, value: str) -> None:
        self.values[name] = value


def named(storage: StorageAddress, unique: str, waits: list[float] | None = None) -> Named:
    kept: list[float] = [] if waits is None else waits
    return Named(cast(Secrets, Written()), {"tokens": "a-secret"}, Blobs(storage, unique), kept.append)


def test_a_credential_is_written_under_its_secrets_name(storage: StorageAddress, unique: str) -> None:
    credentials = named(storage, unique)
    credentials.put("tokens", "new")
    assert (credentials.get("tokens"), credentials.has("tokens"), credentials.has("api_key")) == ("new", True, False)
    for call in (lambda: credentials.put("api_key", "x"), lambda: credentials.get("api_key")):
        with pytest.raises(UserMustAct) as error:
            call()
        assert error.value.code == "secret_unnamed"


def test_a_second_worker_waits_and_then_comes_back_later(storage: StorageAddress, unique: str) -> None:
    waits: list[float] = []
    first, second = named(storage, unique), named(storage, unique, waits)
    with first.alone("tokens"):
        with pytest.raises(RetryAfter), second.alone("tokens"):
            raise AssertionError("two at a time")
        assert sum(waits) == LOCK_PATIENCE
    with second.alone("tokens"):
        pass


def test_who_waits_goes_on_when_the_first_is_done(storage: StorageAddress, unique: str) -> None:
    with ExitStack() as first:
        first.enter_context(named(storage, unique).alone("tokens"))
        second = replace(named(storage, unique), wait=lambda seconds: first.close())
        with second.alone("tokens"):
            pass


def test_an_error_gives_the_lock_back(storage: StorageAddress, unique: str) -> None:
    credentials = named(storage, unique)
    with pytest.raises(ValueError, match="inside"), credentials.alone("tokens"):
        raise ValueError("inside")
    with credentials.alone("tokens"):
        pass


def test_a_lock_that_ran_out_meanwhile_stays_with_its_new_holder(storage: StorageAddress, unique: str) -> None:
    blobs, name = Blobs(storage, unique), layout.lock("a-secret")
    with named(storage, unique).alone("tokens"):
        BlobLeaseClient(blobs._blob(name)).break_lease(0)  # as when its time is over
        assert blobs.acquire(name, LOCK_SECONDS)
    assert blobs.acquire(name, LOCK_SECONDS) is None
