"""Answers, on a real account, what the Mailchimp contract leaves open and reading can tell. Nothing is made or changed:
a probe could delete neither people nor tags again. Sections of the contract: see `definition`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from shared.vendors.answers import Answer, Request
from shared.vendors.contract import ConnectionSettings, ProbeFinding
from shared.vendors.http import Credentials, Link
from shared.vendors.mailchimp import requests
from shared.vendors.mailchimp.client import MailchimpCalls
from shared.vendors.mailchimp.definition import AUDIENCES, EVERY_HOST, MOST_PAGE
from shared.vendors.probing import NO, YES, Probe, ProbeStep, answered, refusal_words


class MailchimpProbe(Probe):
    """Three questions that change nothing."""

    def _connect(self, settings: ConnectionSettings, credentials: Credentials, link: Link) -> None:
        self._calls = MailchimpCalls(settings, credentials, link)
        self._everywhere = MailchimpCalls(settings, credentials, link, host=EVERY_HOST)

    def steps(self) -> Sequence[ProbeStep]:
        return (
            ProbeStep(self._every_host, ("every_host",)),
            ProbeStep(self._page_of_more, ("page_of_more",)),
            ProbeStep(self._unknown_field, ("unknown_field",)),
        )

    def sweep(self) -> str:
        """Nothing is to be cleared away; whether the connection works at all is found out here."""
        self._calls.call(requests.root())
        return ""

    def _every_host(self) -> Mapping[str, ProbeFinding]:
        return {"every_host": _served(self._ear.hear(self._everywhere.call, requests.root()))}

    def _page_of_more(self) -> Mapping[str, ProbeFinding]:
        answer = self._ask({"count": str(MOST_PAGE + 1), "fields": "lists.id"})
        return {"page_of_more": answered(YES) if answer.status == 200 else answered(_words(answer))}

    def _unknown_field(self) -> Mapping[str, ProbeFinding]:
        answer = self._ask({"fields": "lists.segment_exports_probe"})
        return {"unknown_field": answered(NO) if answer.status == 200 else answered(YES, _words(answer))}

    def _ask(self, query: Mapping[str, str]) -> Answer:
        return self._ear.hear(self._calls.call, Request("GET", "/3.0/lists", AUDIENCES, query=query))


PROBE = MailchimpProbe


def _served(answer: Answer) -> ProbeFinding:
    return answered(YES) if answer.status == 200 else answered(NO, _words(answer))


def _words(answer: Answer) -> str:
    return refusal_words(answer, answer.object_or_empty().get("title"))
