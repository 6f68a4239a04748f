"""One method for each call that is made to Campaign Monitor. Contract, sections 1 to 8."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

from shared.errors import OutcomeUnknown, RetryAfter, UserMustAct
from shared.transport import Failure, Transport
from shared.vendors import http, keys
from shared.vendors.answers import Answer
from shared.vendors.batches import FRUITLESS_REQUESTS
from shared.vendors.campaign_monitor import looking, receipts, requests, responses
from shared.vendors.campaign_monitor.definition import API_KEY, DEFINITION, HOST, IMPORT, TOKENS
from shared.vendors.campaign_monitor.errors import UNKNOWN_ID, broken, refusal, renewable, vanished
from shared.vendors.campaign_monitor.looking import Shown
from shared.vendors.campaign_monitor.responses import Details, ListField, Page
from shared.vendors.contract import Count, Receipt
from shared.vendors.http import Client, Credentials, Link
from shared.vendors.lists import Listed
from shared.vendors.oauth import Tokens
from shared.wording import say

SILENT_SECONDS = (30.0, 45.0)
"""Pause, drawn between the two, where a 429 gives none; a rate that is still too high slows down by itself."""
FAILURE_PAUSES = (1.0, 3.0)
"""Seconds between the attempts of an import that Campaign Monitor says it failed at."""
LATER = 30.0
"""When to look again whether something was made."""


class Api:
    """One client of a Campaign Monitor account, reached with an API key or by somebody's sign-in.

    Calls raise RetryAfter, UserMustAct, OutcomeUnknown and what the link's hooks raise. A list that is gone is a
    UserMustAct `target_vanished`, except from `imported` and `removed`, where it is `unknown_id`: a single answer
    does not prove it.
    """

    def __init__(self, client_id: str, credentials: Credentials, link: Link) -> None:
        self._client_id = client_id
        self._link = link
        self._failures = 0
        waiting = replace(link, transport=patient(link.transport))
        clients = _clients(waiting, credentials)
        self._client = clients()
        self._importer = clients(understood=broken)

    @property
    def client_id(self) -> str:
        """Raises UserMustAct `client_missing`."""
        if not self._client_id:
            raise UserMustAct(
                "client_missing", say("The connection does not say which Campaign Monitor client is meant.")
            )
        return self._client_id

    def clients(self) -> list[Listed]:
        return self._client.ask(requests.clients(), responses.clients)

    def lists(self) -> list[Listed]:
        """The client's lists. Raises UserMustAct `client_missing` or `client_unknown`."""
        with _unknown_id_means(_client_unknown):
            return self._client.ask(requests.lists(self.client_id), responses.lists)

    def details(self, list_id: str) -> Details:
        with _unknown_id_means(vanished):
            return self._client.ask(requests.details(list_id), responses.details)

    def create_list(self, name: str) -> str | None:
        """The new list's id, None where there is one of that name."""
        with _unknown_id_means(_client_unknown):
            return responses.created_list(self._client.call(requests.create_list(self.client_id, name)))

    def fields(self, list_id: str) -> list[ListField]:
        with _unknown_id_means(vanished):
            return self._client.ask(requests.fields(list_id), responses.fields)

    def create_field(self, list_id: str, name: str, data_type: str) -> str | None:
        """The new field's key, None where there is one of that name. Never raises OutcomeUnknown."""
        with _unknown_id_means(vanished):
            try:
                return responses.created_field(self._client.call(requests.create_field(list_id, name, data_type)))
            except OutcomeUnknown as error:
                reason = error.reason
        raise RetryAfter(LATER, reason)

    def people(self, list_id: str, state: str, page: int, parse: Callable[[Answer], Page] = responses.page) -> Page:
        with _unknown_id_means(vanished):
            return self._client.ask(requests.people(list_id, state, page), parse)

    def people_with_values(self, list_id: str, state: str, page: int) -> Page:
        return self.people(list_id, state, page, responses.page_with_values)

    def newest(self, list_id: str, state: str, page: int) -> Page:
        with _unknown_id_means(vanished):
            return self._client.ask(requests.newest(list_id, state, page), responses.page)

    def count(self, list_id: str) -> Count:
        with _unknown_id_means(vanished):
            return self._client.ask(requests.stats(list_id), looking.stats)

    def person(self, list_id: str, address: str) -> Shown | None:
        """None where the list has nobody of this address."""
        with _unknown_id_means(vanished):
            return self._client.ask(requests.person(list_id, address), looking.person)

    def suppressed(self, page: int) -> Page:
        with _unknown_id_means(_client_unknown):
            return self._client.ask(requests.suppressed(self.client_id, page), responses.page)

    def imported(self, list_id: str, entries: Sequence[bytes], resubscribe: bool) -> Answer:
        """The answer to an import. One that Campaign Monitor failed at is tried three times, then it is unknown."""
        request = requests.imported(list_id, entries, resubscribe=resubscribe)
        for pause in (*FAILURE_PAUSES, None):
            answer = self._importer.call(request)
            if not broken(answer):
                self._failures = 0
                return answer
            if pause is not None:
                self._link.wait(pause)
        self._failures += 1
        if self._failures > FRUITLESS_REQUESTS:
            # More than the search for one row that breaks its import takes: it fails at all of them.
            self._link.limiter.hold(IMPORT, http.TROUBLE_SECONDS)
        raise OutcomeUnknown(say("Campaign Monitor failed at the import. It may have been carried out."))

    def removed(self, list_id: str, address: str) -> Receipt | None:
        """A removal's receipt; None where the person, or the list, is not there."""
        return receipts.removal(self._client.call(requests.removed(list_id, address)))


def _clients(link: Link, credentials: Credentials) -> Callable[..., Client]:
    """Makes clients that call with the connection's sign-in where it has one, else with its API key."""
    if not credentials.has(TOKENS):
        key = partial(_basic, credentials)
        return partial(Client, DEFINITION, HOST, link, key, refusal=refusal)
    tokens = Tokens(DEFINITION, credentials, link)
    return lambda **more: Client(DEFINITION, HOST, link, tokens.bearer(), refusal=refusal, renewable=renewable, **more)


def _basic(credentials: Credentials, fresh: bool) -> Mapping[str, str]:
    key = keys.secret(credentials, API_KEY, fresh)
    if not (key and key.isascii() and key.isprintable()):
        # Encoded it would look like any other key.
        raise UserMustAct(
            "bad_credentials", say("The API key for Campaign Monitor is empty or has characters that no key has.")
        )
    return keys.basic(key, "x")


def _client_unknown() -> UserMustAct:
    return UserMustAct(
        "client_unknown", say("This connection does not reach the client that it names, or that client does not exist.")
    )


@contextmanager
def _unknown_id_means(meaning: Callable[[], UserMustAct]) -> Iterator[None]:
    try:
        yield
    except UserMustAct as error:
        if error.code != UNKNOWN_ID:
            raise
        raise meaning() from None


def patient(transport: Transport) -> Transport:
    """The transport, with every 429 saying in `Retry-After` how many seconds to wait."""

    def exchange(
        method: str, url: str, headers: Mapping[str, str], body: bytes | None, seconds: float
    ) -> Answer | Failure:
        outcome = transport(method, url, headers, body, seconds)
        if isinstance(outcome, Failure) or outcome.status != 429 or "retry-after" in outcome.headers:
            return outcome
        pause = outcome.headers.get("x-ratelimit-reset") or f"{random.uniform(*SILENT_SECONDS):.1f}"
        return replace(outcome, headers={**outcome.headers, "retry-after": pause})

    return exchange
