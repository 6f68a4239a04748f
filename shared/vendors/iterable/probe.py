"""Answers, on a real project, what the Iterable contract leaves open. Sections of the contract: see `definition`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import orjson

from shared.vendors.answers import Answer, Request
from shared.vendors.canaries import is_canary, is_ours
from shared.vendors.contract import ConnectionSettings, Kind, ProbeFinding, Row
from shared.vendors.http import Credentials, Link
from shared.vendors.iterable import requests, responses
from shared.vendors.iterable.client import client_of
from shared.vendors.iterable.definition import CREATE_LIST, DEFINITION, MOST_ROWS, SUBSCRIBE
from shared.vendors.probing import (
    FIRST,
    LAST,
    Probe,
    ProbeStep,
    answered,
    could_not_drop,
    refusal_words,
    told,
    untold,
    verbatim,
)
from shared.wording import Message, read, say

OVERSIZE = 4_200_000
"""Bytes of a request; the limit that is told of is 4,000,000."""
LONGEST_NAME = 256
_TAKEN = say("taken")
_FIELD = "firstName"
_TYPED = frozenset({"long", "double", "boolean", "date"})


class IterableProbe(Probe):
    """Two canaries on a list of their own; their first name is all that is written of them."""

    def _connect(self, settings: ConnectionSettings, credentials: Credentials, link: Link) -> None:
        self._client = client_of(str(settings["data_center"]), credentials, link)

    def steps(self) -> Sequence[ProbeStep]:
        return (
            ProbeStep(self._list_names, ("list_name_twice", "list_name_length")),
            ProbeStep(self._duplicates, ("duplicate_rows", "project_type")),
            ProbeStep(self._nothing_new, ("no_ops",)),
            ProbeStep(self._sizes, ("most_rows", "oversize")),
            ProbeStep(self._wrong_type, ("type_mismatch",)),
        )

    def sweep(self) -> str:
        left = [each.id for each in self._client.ask(requests.lists(), responses.lists) if not self._dropped(each)]
        return could_not_drop(left)

    def _dropped(self, found: responses.ProjectList) -> bool:
        if not is_ours(found.name):
            return True
        people = list(self._client.ask(requests.members(found.id), responses.members))
        if not all(map(is_canary, people)):
            return False
        if people:
            rows = [requests.person(Kind.REMOVE, Row(each)) for each in people]
            self._client.call(requests.bulk(Kind.REMOVE, found.id, rows))
        request = Request("DELETE", f"/api/lists/{found.id}", CREATE_LIST)
        return self._ear.hear(self._client.call, request).status == 200

    def _list(self) -> str:
        """The list that canaries go on."""
        name = self._canaries.list_name

        def made() -> str:
            return next(self._named(name), None) or responses.created_list(self._create(name))

        return self._book.once("list", made)

    def _list_names(self) -> Mapping[str, ProbeFinding]:
        self._list()
        name = self._canaries.list_name
        long_name = f"{name} ".ljust(LONGEST_NAME, "x")
        # Found where an earlier attempt was cut off right after it.
        twice = self._book.once("twice", lambda: _TAKEN if len([*self._named(name)]) > 1 else self._tried(name))
        length = self._book.once("long", lambda: _TAKEN if any(self._named(long_name)) else self._tried(long_name))
        return {"list_name_twice": answered(twice), "list_name_length": answered(length)}

    def _duplicates(self) -> Mapping[str, ProbeFinding]:
        rows = [_row(self._canaries[1], name) for name in ("One", "Two")]
        sent = self._book.once("duplicates", lambda: _taken(self._subscribe(rows)))
        profile = self._book.patiently("duplicates seen", partial(self._profile, 1))
        if profile is None:
            no_profile = say("No profile appeared (answer: %(answer)s).", answer=read(sent))
            return dict.fromkeys(("duplicate_rows", "project_type"), untold(no_profile))
        wins = {"One": FIRST, "Two": LAST}.get(profile["name"])
        kinds = {"emailListIds": say("email"), "userListIds": say("hybrid or userid")}
        kind = next((word for field, word in kinds.items() if field in profile["fields"]), None)
        return {"duplicate_rows": told(wins, say("answer: %(answer)s", answer=read(sent))), "project_type": told(kind)}

    def _nothing_new(self) -> Mapping[str, ProbeFinding]:
        rows = [_row(self._canaries[2], "One")]
        self._book.once("second canary", lambda: _taken(self._subscribe(rows)))
        if self._book.patiently("second canary seen", partial(self._profile, 2)) is None:
            return {"no_ops": untold(say("No profile appeared."))}
        answer = self._subscribe(rows).object_or_empty()
        if answer.get("noOpEmails"):
            return {"no_ops": answered(say("listed"), verbatim(f"successCount {answer.get('successCount')}"))}
        return {"no_ops": told(say("counted as a success") if answer.get("successCount") == 1 else None)}

    def _sizes(self) -> Mapping[str, ProbeFinding]:
        row = _row(self._canaries[2], "One")
        many = self._book.once("many", lambda: _taken(self._subscribe([row] * (MOST_ROWS + 1))))
        large = self._book.once("large", lambda: _taken(self._subscribe([row], OVERSIZE)))
        return {
            "most_rows": answered(many, say("%(rows)s rows of one canary", rows=MOST_ROWS + 1)),
            "oversize": answered(large, say("%(bytes)s bytes, nearly all of them spaces", bytes=OVERSIZE)),
        }

    def _wrong_type(self) -> Mapping[str, ProbeFinding]:
        field = self._typed_field()
        if field is None:
            return {
                "type_mismatch": untold(
                    say(
                        "The project has no field of a number, date or truth value, and a new one could not be taken "
                        "back."
                    )
                )
            }
        row = {"email": self._canaries[2], "dataFields": {field: "no such value"}}
        answer = self._subscribe([row])
        failures = answer.object_or_empty().get("failedUpdates") or {}
        if answer.status == 200 and failures.get("invalidDataEmails"):
            return {"type_mismatch": answered(say("the row"))}
        if answer.object_or_empty().get("code") == "RequestFieldsTypesMismatched":
            return {"type_mismatch": answered(say("the whole request"), refusal_words(answer, None))}
        return {"type_mismatch": untold(say("The answer was: %(answer)s.", answer=_taken(answer)))}

    def _typed_field(self) -> str | None:
        """A field that takes no text, and that data matching could fill."""
        types = self._client.call(requests.fields()).object_or_empty().get("fields") or {}
        plain = [name for name in types if "." not in name and name not in DEFINITION.reserved_fields]
        return next((name for name in sorted(plain) if types[name] in _TYPED), None)

    def _profile(self, number: int) -> dict[str, Any] | None:
        """First name and names of fields of a canary's profile; None before there is one."""
        answer = self._client.call(requests.profile(self._canaries[number]))
        user = answer.object_or_empty().get("user")
        fields = user.get("dataFields") if isinstance(user, dict) else None
        return {"name": fields.get(_FIELD), "fields": sorted(fields)} if isinstance(fields, dict) else None

    def _named(self, name: str) -> Iterator[str]:
        """Ids of the lists with this name."""
        return (each.id for each in self._client.ask(requests.lists(), responses.lists) if each.name == name)

    def _tried(self, name: str) -> str:
        return _taken(self._create(name))

    def _create(self, name: str) -> Answer:
        return self._ear.hear(self._client.call, requests.create_list(name))

    def _subscribe(self, rows: Sequence[Mapping[str, Any]], size: int = 0) -> Answer:
        """The body is filled up with spaces to `size` bytes."""
        body = orjson.dumps({"listId": int(self._list()), "updateExistingUsersOnly": False, "subscribers": rows})
        request = Request("POST", "/api/lists/subscribe", SUBSCRIBE, body=body.ljust(size))
        answer = self._ear.hear(self._client.call, request)
        if responses.list_unknown(answer):
            # A new list is not known everywhere at once (contract, section 7).
            self._book.patiently("list known", lambda: None)
        return answer


PROBE = IterableProbe


def _row(address: str, name: str) -> dict[str, Any]:
    return {"email": address, "dataFields": {_FIELD: name}}


def _taken(answer: Answer) -> Message:
    if answer.status == 200:
        return _TAKEN
    return say("refused: %(why)s", why=refusal_words(answer, answer.object_or_empty().get("code")))
