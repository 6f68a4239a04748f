"""Answers to facts; nothing here talks to anyone. Facts: Klaviyo contract, sections 1 to 6.

All raise UnexpectedAnswer for an answer that the contract does not describe.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from shared.cloud.scrubbing import excerpt
from shared.errors import UserMustAct
from shared.mailbox import normalised
from shared.vendors import lists
from shared.vendors.answers import Answer, UnexpectedAnswer
from shared.vendors.klaviyo import errors
from shared.vendors.klaviyo.definition import DEFINITION
from shared.vendors.lists import Listed
from shared.wording import say

ACCOUNT_HEADER = "cid"
_LONGEST_ID = 200


@dataclass(frozen=True, slots=True)
class KlaviyoAccount:
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class KlaviyoList(Listed):
    """`created` is Klaviyo's moment as text: those of one form sort by time."""

    created: str = ""


@dataclass(frozen=True, slots=True)
class Profile:
    """Somebody whom Klaviyo has; `email` as it is there now, "" where they have none."""

    id: str
    email: str

    @property
    def folded(self) -> str:
        return normalised(self.email)


@dataclass(frozen=True, slots=True)
class JobState:
    """How an import stands. `lists` are those that it adds to, None where the answer does not tell."""

    id: str
    status: str
    total: int
    failed: int
    created: float | None
    lists: frozenset[str] | None

    @property
    def over(self) -> bool:
        """Nothing of it is under way any more. A status that is new is taken for one that goes on."""
        return self.status in ("complete", "cancelled")


@dataclass(frozen=True, slots=True)
class RowError:
    """A row that was not imported: `address` as far as it names one, and its place in the job where that is told."""

    code: str
    title: str
    address: str = ""
    row: int | None = None


@dataclass(frozen=True, slots=True)
class KlaviyoPage:
    """Some of what was asked for, and where the rest begins."""

    entries: list[dict[str, Any]]
    cursor: str | None


def page(answer: Answer) -> KlaviyoPage:
    """Raises UserMustAct where the question itself is refused: asking it again would end in the same."""
    if answer.status == 404:
        raise UserMustAct("target_vanished", say("The list does not exist in Klaviyo any more."))
    if answer.status in (400, 414, 415):
        raise UserMustAct(
            "question_refused",
            say(
                "Klaviyo refuses a question of this service (%(why)s), so nobody is added or taken off: tell the "
                "engineers.",
                why=errors.words(answer),
            ),
        )
    body = answer.expect(DEFINITION.label, 200).object()
    entries, links = body.get("data"), body.get("links")
    if not isinstance(entries, list) or not all(isinstance(each, dict) for each in entries):
        raise UnexpectedAnswer(say("Klaviyo's answer holds no list of entries."))
    following = links.get("next") if isinstance(links, dict) else None
    return KlaviyoPage(entries, _cursor(following) if following else None)


def row_errors(answer: Answer) -> KlaviyoPage:
    """Nothing where Klaviyo no longer has them."""
    return KlaviyoPage([], None) if answer.status == 404 else page(answer)


def account(answer: Answer) -> KlaviyoAccount:
    """Raises UserMustAct: a question without parameters can only be refused for its key (contract, section 1)."""
    if answer.status == 400:
        raise UserMustAct(
            "bad_credentials", say("Klaviyo does not take this private API key: copy it again, all of it.")
        )
    entries = page(answer).entries
    if len(entries) != 1:
        raise UnexpectedAnswer(say("Klaviyo's answer about the account does not hold one account."))
    contact = _attributes(entries[0]).get("contact_information")
    name = contact.get("organization_name") if isinstance(contact, dict) else None
    return KlaviyoAccount(_id(entries[0]), excerpt(name, 80) if isinstance(name, str) else "")


def listed(answer: Answer) -> KlaviyoList | None:
    """None where there is no such list."""
    if answer.status == 404:
        return None
    return _listed(_data(answer.expect(DEFINITION.label, 200)))


def list_entry(entry: dict[str, Any]) -> KlaviyoList:
    return _listed(entry)


def created_list(answer: Answer) -> KlaviyoList:
    """Raises UserMustAct where Klaviyo refuses to make the list: its rules for names are not published."""
    if 400 <= answer.status < 500:
        raise UserMustAct(
            "target_refused",
            say(
                "Klaviyo refuses to make a list of this name (%(why)s): choose another name, or give the export the "
                "id of a list that exists.",
                why=errors.words(answer),
            ),
        )
    return _listed(_data(answer.expect(DEFINITION.label, 201, 200)))


def running_flows(answer: Answer) -> list[str] | None:
    """Names of flows that start when somebody joins the list. None where Klaviyo knows no such list."""
    if answer.status == 404:
        return None
    found = (_attributes(each) for each in page(answer).entries)
    # Which statuses there are is not published: only a draft surely sends nothing.
    return [
        excerpt(str(each.get("name")), 60)
        for each in found
        if each.get("status") != "draft" and not each.get("archived")
    ]


def profile(entry: dict[str, Any]) -> Profile:
    email = _attributes(entry).get("email")
    return Profile(_id(entry), email if isinstance(email, str) else "")


def marketing(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the person agreed to by e-mail, as far as the entry tells."""
    found: Any = _attributes(entry)
    for name in ("subscriptions", "email", "marketing"):
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


def started(answer: Answer) -> str:
    """The id of an import that was taken on, by an answer of any 2xx."""
    return _id(_data(answer))


def job(answer: Answer) -> JobState | None:
    """None where Klaviyo no longer knows it."""
    if answer.status == 404:
        return None
    return job_entry(_data(answer.expect(DEFINITION.label, 200)))


def job_entry(entry: dict[str, Any]) -> JobState:
    told = _attributes(entry)
    status = told.get("status")
    if not isinstance(status, str):
        raise UnexpectedAnswer(say("Klaviyo's answer about an import has no status."))
    return JobState(
        _id(entry),
        status.lower(),
        _number(told.get("total_count")),
        _number(told.get("failed_count")),
        _moment(told.get("created_at")),
        _lists_of(entry),
    )


def import_error(entry: dict[str, Any]) -> RowError:
    """Of what was sent the answer may hold all, some, or nothing (contract, section 3)."""
    told = _attributes(entry)
    source = told.get("source")
    pointer = source.get("pointer") if isinstance(source, dict) else None
    row, _ = errors.row_of(pointer) if isinstance(pointer, str) else (None, "")
    return RowError(
        str(told.get("code") or "invalid"),
        excerpt(str(told.get("title") or "")),
        _address_in(told.get("original_payload")),
        row,
    )


def removed(answer: Answer, list_id: str) -> bool:
    """Whether these people are off the list; False where the request was refused for some of them, and so nobody is.

    Raises UserMustAct `target_vanished` where the list is gone.
    """
    if answer.status == 404:
        raise lists.vanished(DEFINITION.label, list_id)
    if answer.status == 400:
        return False
    answer.expect(DEFINITION.label, 204)
    return True


def too_large(answer: Answer) -> bool:
    return answer.status in (413, 414)


def _address_in(payload: Any) -> str:
    """An address, flat or in `attributes`."""
    if not isinstance(payload, dict):
        return ""
    nested = payload.get("attributes")
    for each in (payload, nested if isinstance(nested, dict) else {}):
        if isinstance(each.get("email"), str):
            return normalised(each["email"])
    return ""


def _cursor(following: Any) -> str:
    found = parse_qs(urlsplit(following).query).get("page[cursor]") if isinstance(following, str) else None
    if not found:
        raise UnexpectedAnswer(say("Klaviyo's answer does not tell where its next page begins."))
    return found[0]


def _listed(entry: dict[str, Any]) -> KlaviyoList:
    told = _attributes(entry)
    name, created = told.get("name"), told.get("created")
    return KlaviyoList(_id(entry), name if isinstance(name, str) else "", created if isinstance(created, str) else "")


def _lists_of(entry: dict[str, Any]) -> frozenset[str] | None:
    found: Any = entry
    for name in ("relationships", "lists", "data"):
        found = found.get(name) if isinstance(found, dict) else None
    if not isinstance(found, list):
        return None
    return frozenset(str(each.get("id")) for each in found if isinstance(each, dict))


def _data(answer: Answer) -> dict[str, Any]:
    found = answer.object().get("data")
    if not isinstance(found, dict):
        raise UnexpectedAnswer(say("Klaviyo's answer holds no entry."))
    return found


def _attributes(entry: Mapping[str, Any]) -> dict[str, Any]:
    found = entry.get("attributes")
    return found if isinstance(found, dict) else {}


def _id(entry: Mapping[str, Any]) -> str:
    found = entry.get("id")
    if not isinstance(found, str) or not found.isprintable() or not 0 < len(found) <= _LONGEST_ID:
        raise UnexpectedAnswer(say("Klaviyo's answer holds an entry without an id."))
    return found


def _number(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _moment(text: Any) -> float | None:
    try:
        return datetime.fromisoformat(text).timestamp() if isinstance(text, str) else None
    except ValueError:
        return None
