"""Answers, on a real brand, what the Omnisend contract leaves open. Sections of the contract: see `definition`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import orjson

from shared.errors import OutcomeUnknown
from shared.vendors.answers import Answer, Request
from shared.vendors.canaries import is_canary
from shared.vendors.contract import ConnectionSettings, Kind, ProbeFinding
from shared.vendors.http import Credentials, Link
from shared.vendors.omnisend import requests, responses
from shared.vendors.omnisend.client import client_of
from shared.vendors.omnisend.definition import BATCHES, BRAND, CONTACTS
from shared.vendors.probing import (
    LOOK_SECONDS,
    NO,
    YES,
    Probe,
    ProbeStep,
    Waiting,
    answered,
    refusal_words,
    told,
    untold,
    verbatim,
)
from shared.wording import Message, say

OVERSIZE = 1_100_000
"""Bytes of a batch; the size that is told of is 1 MB."""
BATCH_LOOKS = 60
"""How often a batch is asked about."""

TAG = "segment-exports-probe"
_SECOND, _CASED = f"{TAG}-2", "Segment-Exports-Probe-Case"
_ODD, _LONG = f"{TAG}: é", f"{TAG}-".ljust(129, "x")
_ALL_TAGS = (TAG, _SECOND, _CASED, _CASED.lower(), _ODD, _LONG)
_BAD_ADDRESS = "no address at all"
_ACCEPTED = say("accepted")


class OmnisendProbe(Probe):
    """Two canaries with tags of a probe's own; nothing else is written of them."""

    def _connect(self, settings: ConnectionSettings, credentials: Credentials, link: Link) -> None:
        self._client = client_of(credentials, link)
        self._unversioned = client_of(credentials, link, headers={})

    def steps(self) -> Sequence[ProbeStep]:
        return (
            ProbeStep(self._access, ("missing_version", "problem_type")),
            ProbeStep(self._newcomer, ("new_status",)),
            ProbeStep(self._written_tags, ("upsert_tags",)),
            ProbeStep(partial(self._tag_taken, "tag_characters", _ODD), ("tag_characters",)),
            ProbeStep(partial(self._tag_taken, "tag_length", _LONG), ("tag_length",)),
            ProbeStep(self._tag_case, ("tag_case",)),
            ProbeStep(self._batch_scopes, ("batch_scopes",)),
            ProbeStep(self._batch_put, ("batch_put",)),
            ProbeStep(self._batch_bytes, ("batch_bytes",)),
            ProbeStep(self._finished_count, ("finished_count",)),
        )

    def sweep(self) -> str:
        """Tags have no list of their own, so a probe's are always the same. Raises Waiting until they are off."""
        on = {tag: people for tag in _ALL_TAGS if (people := self._tagged(tag))}
        for tag, people in on.items():
            self._hear(requests.tag(Kind.REMOVE, tag, people))
        if on:
            raise Waiting(LOOK_SECONDS, say("Canaries still have the tags %(tags)s.", tags=", ".join(on)))
        return ""

    def _tagged(self, tag: str) -> list[str]:
        """Canaries with a tag, none where the brand takes no such tag; whoever else has it keeps it."""
        answer = self._hear(requests.tagged(tag))
        return [each for each in responses.contacts(answer).addresses if is_canary(each)] if _fine(answer) else []

    def _access(self) -> Mapping[str, ProbeFinding]:
        bare = self._ear.hear(self._unversioned.call, Request("GET", "/api/brands/current", BRAND))
        wrong = self._hear(Request("GET", "/api/contacts", CONTACTS, query={"limit": "0"}))
        kind = wrong.headers.get("content-type", "").partition(";")[0]
        return {
            "missing_version": answered(say("the current version's answer") if _fine(bare) else _words(bare)),
            "problem_type": answered(verbatim(kind))
            if kind and not _fine(wrong)
            else untold(say("No error could be provoked.")),
        }

    def _newcomer(self) -> Mapping[str, ProbeFinding]:
        return {"new_status": told(verbatim(status) if (status := self._first()) else None)}

    def _written_tags(self) -> Mapping[str, ProbeFinding]:
        self._first()
        for tag in (TAG, _SECOND):
            self._book.once(f"written {tag}", partial(self._write, 1, tag))
        tags = self._book.patiently("written tags", partial(self._with_tag, 1, _SECOND))
        if tags is None:
            return {"upsert_tags": untold(say("The second tag did not appear."))}
        return {"upsert_tags": answered(say("no: they are added") if TAG in tags else YES)}

    def _tag_taken(self, question: str, tag: str) -> Mapping[str, ProbeFinding]:
        self._first()
        words = self._book.once(question, partial(self._put_tag, 1, tag))
        if words != _ACCEPTED:
            return {question: answered(say("no: %(why)s", why=words))}
        tags = self._book.patiently(f"{question} seen", partial(self._with_tag, 1, tag))
        return {question: answered(YES if tags else say("no: it is accepted, and does not appear"))}

    def _tag_case(self) -> Mapping[str, ProbeFinding]:
        self._first()
        self._book.once("cased", partial(self._put_tag, 1, _CASED))
        tags = self._book.patiently("cased seen", partial(self._with_tag, 1, _CASED))
        if tags is None:
            return {"tag_case": untold(say("The tag did not appear."))}
        if _CASED not in tags:
            return {"tag_case": answered(NO, say("they are kept in small letters"))}
        return {"tag_case": answered(NO if self._tagged(_CASED.lower()) else YES)}

    def _batch_scopes(self) -> Mapping[str, ProbeFinding]:
        reading = self._hear(requests.any_batch())
        writing = self._book.once("scopes", lambda: _result(self._post([self._item(1)])))
        more = self._hear(Request("GET", "/api/segments", CONTACTS, query={"limit": "1"}))
        segments = say("the key may read segments too") if _fine(more) else say("the key may not read segments")
        words = writing if _fine(reading) else _words(reading)
        return {"batch_scopes": answered(YES if words == _ACCEPTED else say("no: %(why)s", why=words), segments)}

    def _batch_put(self) -> Mapping[str, ProbeFinding]:
        self._first()
        made = self._book.once("put", lambda: self._batch([self._item(1)], "PUT"))
        return {"batch_put": answered(YES if "id" in made else say("no: %(why)s", why=made["refused"]))}

    def _batch_bytes(self) -> Mapping[str, ProbeFinding]:
        made = self._book.once("large", lambda: self._batch([self._item(1)], size=OVERSIZE))
        words = _ACCEPTED if "id" in made else say("refused: %(why)s", why=made["refused"])
        return {"batch_bytes": answered(words, say("%(bytes)s bytes, nearly all of them spaces", bytes=OVERSIZE))}

    def _finished_count(self) -> Mapping[str, ProbeFinding]:
        bad = {"identifiers": [{"type": "email", "id": _BAD_ADDRESS, "sendWelcomeMessage": False}]}
        made = self._book.once("two", lambda: self._batch([self._item(2), bad]))
        if "id" not in made:
            return {"finished_count": untold(say("The batch was refused: %(why)s.", why=made["refused"]))}
        counts = self._book.patiently("two over", partial(self._counts, made["id"]), BATCH_LOOKS)
        if counts is None:
            return {"finished_count": untold(say("The batch did not end."))}
        finished, errors = counts
        answer = {(2, 1): YES, (1, 1): NO}.get((finished or 0, errors or 0))
        counted = say(
            "finishedCount %(finished)s, errorsCount %(errors)s, of 2", finished=str(finished), errors=str(errors)
        )
        return {"finished_count": told(answer, counted)}

    def _counts(self, batch_id: str) -> list[int | None] | None:
        state = self._client.ask(requests.batch(batch_id), responses.one_batch)
        return [state.finished, state.errors] if state and state.over else None

    def _first(self) -> str:
        """Status of the first canary, as told when it was made. Raises OutcomeUnknown where it could not be."""
        return self._book.once("first", lambda: self._write(1))

    def _write(self, number: int, *tags: str) -> str:
        body = orjson.dumps(self._item(number) | ({"tags": tags} if tags else {}))
        answer = self._hear(Request("POST", "/api/contacts", CONTACTS, body=body))
        if not _fine(answer):
            raise OutcomeUnknown(say("The canary could not be written: %(why)s.", why=_words(answer)))
        return str(answer.object_or_empty().get("status") or "")

    def _item(self, number: int) -> dict[str, Any]:
        return {"identifiers": [{"type": "email", "id": self._canaries[number], "sendWelcomeMessage": False}]}

    def _put_tag(self, number: int, tag: str) -> str:
        answer = self._hear(requests.tag(Kind.ADD, tag, [self._canaries[number]]))
        return _result(answer)

    def _with_tag(self, number: int, tag: str) -> list[str] | None:
        """A canary's tags, once this one is among them in whatever case."""
        query = {"email": self._canaries[number]}
        found = self._hear(Request("GET", "/api/contacts", CONTACTS, query=query)).object_or_empty().get("contacts")
        tags = found[0].get("tags") if isinstance(found, list) and found else None
        return tags if isinstance(tags, list) and tag.lower() in [str(each).lower() for each in tags] else None

    def _batch(self, items: Sequence[Mapping[str, Any]], method: str = "POST", size: int = 0) -> dict[str, str]:
        """Id of a new batch, or why there is none. Raises OutcomeUnknown where the key may not use batches."""
        answer = self._post(items, method, size)
        if answer.status in (401, 403):
            raise OutcomeUnknown(say("The key may not use batches: %(why)s.", why=_words(answer)))
        return {"id": str(answer.object_or_empty().get("batchID"))} if _fine(answer) else {"refused": _words(answer)}

    def _post(self, items: Sequence[Mapping[str, Any]], method: str = "POST", size: int = 0) -> Answer:
        """The answer to a new batch, whose body is filled up with spaces to `size` bytes."""
        body = {"method": method, "endpoint": "contacts", "origin": "segment-exports", "items": items}
        return self._hear(Request("POST", "/api/batches", BATCHES, body=orjson.dumps(body).ljust(size)))

    def _hear(self, request: Request) -> Answer:
        return self._ear.hear(self._client.call, request)


PROBE = OmnisendProbe


def _fine(answer: Answer) -> bool:
    return answer.status in (200, 201, 202)


def _result(answer: Answer) -> Message:
    return _ACCEPTED if _fine(answer) else _words(answer)


def _words(answer: Answer) -> Message:
    return refusal_words(answer, answer.object_or_empty().get("title"))
