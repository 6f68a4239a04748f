"""Tokens in use: renewed once, by one worker at a time, and kept before they are used."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from urllib.parse import parse_qsl

import pytest

from shared.errors import LeaseLost, RetryAfter, UserMustAct
from shared.transport import Failure
from shared.vendors.answers import Answer, RateLimited, Request
from shared.vendors.contract import Definition, OAuth
from shared.vendors.http import Client, Link
from shared.vendors.limits import Limiter
from shared.vendors.oauth import Tokens
from shared.vendors.tokens import Pair

DEFINITION = Definition(
    name="acme",
    label="Acme",
    credentials=(),
    settings=(),
    fields=(),
    rates=(),
    hosts=("api.acme.com",),
    batch_rows=10,
    concurrency=4,
    oauth=OAuth("tokens", "api.acme.com", "/oauth", "/oauth/token", ("all",)),
)
QUESTION = Request("GET", "/lists", "lists")
START = Pair("A0", "R0")


@dataclass
class Vault:
    """Key Vault with one worker's cache of it. `meanwhile` is called when the lock is taken."""

    stored: Pair = START
    kept: Pair = START
    log: list[str] = field(default_factory=list)
    meanwhile: Callable[[Vault], None] = lambda vault: None
    lock: threading.Lock = field(default_factory=threading.Lock)
    closed: bool = False

    def has(self, name: str) -> bool:
        return name == "tokens"

    def get(self, name: str, *, fresh: bool = False) -> str:
        if fresh:
            self.kept = self.stored
        return self.kept.secret()

    def put(self, name: str, value: str) -> None:
        if self.closed:
            raise RetryAfter(30, "Key Vault does not answer.")
        found = json.loads(value)
        self.stored = self.kept = Pair(found["access_token"], found["refresh_token"])
        self.log.append(f"kept {self.stored.access}")

    @contextmanager
    def alone(self, name: str) -> Iterator[None]:
        with self.lock:
            self.meanwhile(self)
            yield


class Vendor:
    """Takes the newest access token only, and each refresh token once."""

    def __init__(self, vault: Vault, *, valid: str = "A1", refresh: str = "R0") -> None:
        self.valid, self.refresh = valid, refresh
        self.vault = vault
        self.refreshes = 0
        self.answer: Answer | Failure | None = None
        self.together: threading.Barrier | None = None
        """Calls with the first token wait for each other."""
        self._numbers = count(1)
        self._lock = threading.Lock()

    def __call__(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, seconds: float
    ) -> Answer | Failure:
        if self.together and headers.get("Authorization") == "Bearer A0":
            self.together.wait()
        with self._lock:
            if url == "https://api.acme.com/oauth/token":
                assert "Authorization" not in headers
                assert headers["Content-Type"] == "application/x-www-form-urlencoded"
                return self._renew(dict(parse_qsl((body or b"").decode())))
            token = headers["Authorization"].removeprefix("Bearer ")
            self.vault.log.append(f"used {token}")
            return Answer(200, {}, b"{}") if token == self.valid else Answer(401, {}, b"{}")

    def _renew(self, form: Mapping[str, str]) -> Answer | Failure:
        self.refreshes += 1
        if self.answer is not None:
            return self.answer
        if form != {"grant_type": "refresh_token", "refresh_token": self.refresh}:
            return Answer(400, {}, b'{"error": "invalid_grant"}')
        number = next(self._numbers)
        self.valid, self.refresh = f"A{number}", f"R{number}"
        return Answer(200, {}, Pair(self.valid, self.refresh).secret().encode())


def clients(vault: Vault, vendor: Vendor, number: int = 1, **hooks: Callable[[], None]) -> list[Client]:
    link = Link(Limiter(()), transport=vendor, **hooks)  # type: ignore[arg-type]  # hooks are named by the test
    tokens = Tokens(DEFINITION, vault, link)
    return [Client(DEFINITION, "api.acme.com", link, tokens.bearer()) for _ in range(number)]


def test_a_token_that_ran_out_is_renewed_once_kept_and_then_used() -> None:
    vault = Vault()
    vendor = Vendor(vault)
    [client] = clients(vault, vendor)
    assert [client.call(QUESTION).status for _ in range(3)] == [200] * 3
    assert vault.log == ["used A0", "kept A1", "used A1", "used A1", "used A1"]
    assert (vault.stored, vendor.refreshes) == (Pair("A1", "R1"), 1)


def test_the_next_time_the_next_refresh_token_is_used() -> None:
    vault = Vault()
    vendor = Vendor(vault)
    [client] = clients(vault, vendor)
    client.call(QUESTION)
    vendor.valid = "none of yours"
    client.call(QUESTION)
    assert (vault.stored, vendor.refreshes) == (Pair("A2", "R2"), 2)


def test_a_newer_pair_in_the_vault_is_used_without_refreshing() -> None:
    vault = Vault(stored=Pair("A7", "R7"))
    vendor = Vendor(vault, valid="A7")
    [client] = clients(vault, vendor)
    assert client.call(QUESTION).status == 200
    assert (vendor.refreshes, vault.log) == (0, ["used A0", "used A7"])


def test_who_waited_for_another_worker_uses_what_that_one_kept() -> None:
    def refreshed_elsewhere(vault: Vault) -> None:
        vault.stored = Pair("A7", "R7")

    vault = Vault(meanwhile=refreshed_elsewhere)
    vendor = Vendor(vault, valid="A7")
    [client] = clients(vault, vendor)
    assert client.call(QUESTION).status == 200
    assert vendor.refreshes == 0


def test_who_lost_the_lock_and_comes_too_late_uses_what_the_other_kept() -> None:
    vault = Vault()
    vendor = Vendor(vault, valid="A7", refresh="R7")
    refused = vendor._renew

    def slow(form: Mapping[str, str]) -> Answer | Failure:
        vault.stored = Pair("A7", "R7")
        return refused(form)

    vendor._renew = slow  # type: ignore[method-assign]  # the moment between two workers
    [client] = clients(vault, vendor)
    assert client.call(QUESTION).status == 200
    assert vault.stored == Pair("A7", "R7")


def test_many_threads_and_clients_renew_once_together() -> None:
    vault = Vault()
    vendor = Vendor(vault)
    both = clients(vault, vendor, 2)
    vendor.together = threading.Barrier(8)
    with ThreadPoolExecutor(8) as pool:
        calls = [pool.submit(both[number % 2].call, QUESTION) for number in range(8)]
        assert [call.result().status for call in calls] == [200] * 8
    assert vendor.refreshes == 1


def test_a_refresh_token_that_opens_nothing_asks_for_a_person() -> None:
    vault = Vault()
    vendor = Vendor(vault, refresh="another")
    [client] = clients(vault, vendor)
    with pytest.raises(UserMustAct) as error:
        client.call(QUESTION)
    assert error.value.code == "authenticate_again"
    assert "choose 'Authenticate with Acme'" in error.value.message
    assert vault.stored == Pair("A0", "R0")


def test_a_new_sign_in_is_picked_up_by_a_client_that_was_refused() -> None:
    vault = Vault()
    vendor = Vendor(vault, refresh="another")
    [client] = clients(vault, vendor)
    with pytest.raises(UserMustAct):
        client.call(QUESTION)
    vault.stored, vendor.valid = Pair("A9", "R9"), "A9"
    assert client.call(QUESTION).status == 200


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Failure.UNREACHABLE, RetryAfter),
        (Failure.TIMEOUT, RetryAfter),
        (Failure.DROPPED, RetryAfter),
        (Answer(429, {"retry-after": "7"}), RateLimited),
        (Answer(500), RetryAfter),
        (Answer(503), RetryAfter),
        (Answer(200, {}, b"<html>"), RetryAfter),
        (Answer(200, {}, b"{}"), RetryAfter),
        (Answer(302, {"location": "https://elsewhere.example"}), RetryAfter),
    ],
)
def test_without_a_clear_answer_it_is_tried_again_later(answer: Answer | Failure, kind: type[RetryAfter]) -> None:
    vault = Vault()
    vendor = Vendor(vault)
    vendor.answer = answer
    [client] = clients(vault, vendor)
    with pytest.raises(kind) as error:
        client.call(QUESTION)
    assert (vendor.refreshes, vault.stored) == (1, Pair("A0", "R0"))
    assert error.value.seconds == (7 if kind is RateLimited else error.value.seconds)
    vendor.answer = None
    assert client.call(QUESTION).status == 200


def test_what_could_not_be_kept_is_not_used() -> None:
    vault = Vault(closed=True)
    vendor = Vendor(vault)
    [client] = clients(vault, vendor)
    with pytest.raises(RetryAfter):
        client.call(QUESTION)
    assert vault.log == ["used A0"]


def test_who_lost_the_account_does_not_refresh() -> None:
    vault = Vault()
    vendor = Vendor(vault)
    left = iter([None])

    def check() -> None:
        if next(left, LeaseLost) is LeaseLost:
            raise LeaseLost("taken over")

    [client] = clients(vault, vendor, before_request=check)
    with pytest.raises(LeaseLost):
        client.call(QUESTION)
    assert vendor.refreshes == 0


def test_a_refusal_that_no_other_credential_mends_renews_nothing() -> None:
    vault = Vault()
    vendor = Vendor(vault)
    link = Link(Limiter(()), transport=vendor)
    tokens = Tokens(DEFINITION, vault, link)
    client = Client(DEFINITION, "api.acme.com", link, tokens.bearer(), renewable=lambda answer: False)
    with pytest.raises(UserMustAct):
        client.call(QUESTION)
    assert vendor.refreshes == 0
