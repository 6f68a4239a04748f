"""What every test may use, and what holds in every test: nothing personal and no secret is ever logged."""

from __future__ import annotations

import gc
import logging
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import nullcontext

import pytest
from hypothesis import settings

from dev.host.azurite import Azurite
from shared.cloud.settings import StorageAddress
from tests.databases import kept as kept_databases
from tests.sampling import EVERY
from tests.sampling import pytest_collection_modifyitems as pytest_collection_modifyitems
from tests.temporary import keep_in_memory

# Everything is on this machine: no proxy is on the way, and no request searches the whole environment for one.
os.environ["no_proxy"] = "127.0.0.1,localhost"

# Before pytest, and whatever tests start, ask where temporary files go.
keep_in_memory()

# How long an example takes says how busy the machine is.
settings.register_profile("anywhere", deadline=None)
settings.load_profile("anywhere")

# What is collected lives as long as the process: nobody looks through all of it again and again for what is gone.
gc.disable()


def pytest_collection_finish() -> None:
    """From here on only what tests make is looked through."""
    gc.collect()
    gc.freeze()
    gc.enable()


def pytest_unconfigure() -> None:
    gc.unfreeze()


SECRETS = (
    *("iterable-standard-key", "iterable-mobile-key", "iterable-eu-key", "dotdigital-password"),
    *("campaign-monitor-account-key", "campaign-monitor-client-key", "campaign-monitor-other-key"),
    *("application/secret", "application%2fsecret", "token/of-acme", "token%2fof-acme"),
    *("0123456789abcdef0123456789abcdef-us6", "new-key-us6", "mailchimp-access-token"),
    *("pk_abc123_standard", "pk_abc123_new", "pk_abc123_flows"),
    *(f"60a6170920d91c215e949b5c-{which}" for which in ("standard", "contacts", "reading")),
)
ADDRESS = re.compile(r"[\w.+'-](@|%40|%2540)[\w-]+\.(com|org|net)")


def is_personal(text: str) -> bool:
    """Whether there is an address or a secret of the tests in it. Most texts have no such sign, and are many."""
    text = text.lower()
    if ("@" in text or "%40" in text or "%2540" in text) and ADDRESS.search(text):
        return True
    return any(secret in text for secret in SECRETS)


class _Watch(logging.Handler):
    """Collects whatever must not be logged."""

    _formatter = logging.Formatter()

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if is_personal(self._formatter.format(record)):
            self.found.append(f"{record.name} {record.levelname} {record.pathname}:{record.lineno}")


@pytest.fixture(autouse=True)
def nothing_personal_is_logged() -> Iterator[None]:
    """Searches everything that is logged while a test runs, at every level, percent-encoded forms too."""
    watch, root = _Watch(), logging.getLogger()
    level = root.level
    root.addHandler(watch)
    root.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        root.setLevel(level)
        root.removeHandler(watch)
    assert not watch.found, f"addresses or secrets were logged by: {watch.found[:5]}"


@pytest.fixture(scope="session", autouse=True)
def databases() -> Iterator[None]:
    """DuckDBs are started once for all tests of this process; `make faults` starts each anew, as the service does."""
    with nullcontext() if EVERY else kept_databases():
        yield


@pytest.fixture(scope="session")
def azurite() -> Iterator[Azurite]:
    """One Azurite for all tests of this process; tests take names of their own in it."""
    with Azurite() as running:
        yield running


@pytest.fixture
def storage(azurite: Azurite) -> StorageAddress:
    return StorageAddress(connection_string=azurite.connection_string)


@pytest.fixture
def unique() -> str:
    """A name that no other test uses, good for containers, tables and queues."""
    return "t" + secrets.token_hex(6)
