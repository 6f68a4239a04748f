"""Answers, on a real account, what the Klaviyo contract leaves open and reading can tell. Nothing is made or changed: a
probe could delete neither people nor lists again. Sections of the contract: see `definition`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from shared.errors import RetryAfter
from shared.vendors.answers import Answer, Request
from shared.vendors.contract import ConnectionSettings, ProbeFinding
from shared.vendors.http import Client, Credentials, Link
from shared.vendors.klaviyo import errors, requests
from shared.vendors.klaviyo.client import client_of
from shared.vendors.klaviyo.definition import LISTS, MOST_LOOKED_UP
from shared.vendors.klaviyo.errors import REVISION_HEADER
from shared.vendors.probing import NO, YES, Probe, ProbeStep, answered, refusal_words
from shared.wording import say

LATER = 5.0
"""Seconds until a question is asked again that was refused for the rate."""


class KlaviyoProbe(Probe):
    """Three questions that change nothing."""

    def _connect(self, settings: ConnectionSettings, credentials: Credentials, link: Link) -> None:
        self._client = client_of(credentials, link)
        self._bare = client_of(credentials, link, {})

    def steps(self) -> Sequence[ProbeStep]:
        return (
            ProbeStep(self._missing_revision, ("missing_revision",)),
            ProbeStep(self._filter_quotes, ("filter_quotes",)),
            ProbeStep(self._longest_filter, ("longest_filter",)),
        )

    def sweep(self) -> str:
        """Nothing is to be cleared away; whether the key works at all is found out here."""
        self._hear(self._client, requests.a_list())
        return ""

    def _missing_revision(self) -> Mapping[str, ProbeFinding]:
        answer = self._hear(self._bare, requests.a_list())
        served = say("it is served by revision %(revision)s", revision=answer.headers.get(REVISION_HEADER, "?"))
        return {"missing_revision": answered(served if answer.status == 200 else _words(answer))}

    def _filter_quotes(self) -> Mapping[str, ProbeFinding]:
        wanted = r'any(name,["segment-exports \"probe\""])'
        answer = self._hear(self._client, Request("GET", "/api/lists", LISTS, query={"filter": wanted}))
        return {"filter_quotes": answered(YES) if answer.status == 200 else answered(NO, _words(answer))}

    def _longest_filter(self) -> Mapping[str, ProbeFinding]:
        addresses = [self._canaries[number] for number in range(MOST_LOOKED_UP + 1)]
        answer = self._hear(self._client, requests.profiles("email", addresses))
        return {"longest_filter": answered(YES) if answer.status == 200 else answered(NO, _words(answer))}

    def _hear(self, client: Client, request: Request) -> Answer:
        answer = self._ear.hear(client.call, request)
        if answer.status == 429:
            raise RetryAfter(LATER, say("Klaviyo limits the rate."))
        return answer


PROBE = KlaviyoProbe


def _words(answer: Answer) -> str:
    found = errors.complaints(answer)
    return refusal_words(answer, found[0].code if found else "")
