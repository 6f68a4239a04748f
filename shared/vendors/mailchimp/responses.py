"""Answers to facts; nothing here talks to anyone. Facts: Mailchimp contract, sections 1 to 7.

All raise UnexpectedAnswer for an answer that the contract does not describe.
"""

from __future__ import annotations

import io
import tarfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import orjson

from shared.cloud.scrubbing import excerpt
from shared.errors import UserMustAct
from shared.mailbox import normalised
from shared.vendors import lists
from shared.vendors.answers import Answer, UnexpectedAnswer
from shared.vendors.lists import Listed
from shared.vendors.mailchimp import errors
from shared.vendors.mailchimp.definition import DEFINITION
from shared.wording import say

OVER = "finished"
_LABEL = DEFINITION.label
_LONGEST_ID = 200
_MOST_RESULTS = 64_000_000
"""Bytes of a job's results, unpacked."""


@dataclass(frozen=True, slots=True)
class MailchimpAccount:
    id: str
    name: str
    role: str


@dataclass(frozen=True, slots=True)
class Audience:
    """`double_optin`: Mailchimp's own forms have people confirm; `welcomes`: it mails whoever subscribes."""

    id: str
    name: str
    double_optin: bool
    welcomes: bool
    permissions: bool


@dataclass(frozen=True, slots=True)
class MergeField:
    """`choices` are the only values of a field that offers some."""

    tag: str
    name: str
    type: str
    required: bool = False
    choices: tuple[str, ...] = ()


class Standing(NamedTuple):
    """Somebody of the audience, by id or address ("" of whoever has none); an entry that moved has another date."""

    who: str
    changed: str


class RowRefusal(NamedTuple):
    """Why somebody was not added. `field` is the tag of the merge field that is to blame, "" where that is not said."""

    code: str
    text: str
    field: str


@dataclass(frozen=True, slots=True)
class Imported:
    """By address in small letters."""

    added: frozenset[str]
    refused: Mapping[str, RowRefusal]


@dataclass(frozen=True, slots=True)
class Tagged:
    """Whom a call tagged or untagged, and what it says of others; by address in small letters. Whoever is in neither
    is not in the audience, or was as wanted before."""

    done: frozenset[str]
    refused: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Member:
    status: str
    fields: Mapping[str, Any]
    tags: frozenset[str]
    tags_count: int


@dataclass(frozen=True, slots=True)
class Job:
    id: str
    status: str
    results: str
    """Where its results are for the next ten minutes."""

    @property
    def over(self) -> bool:
        return self.status == OVER


def account(answer: Answer) -> MailchimpAccount:
    found = answer.expect(_LABEL, 200).object()
    return MailchimpAccount(_id(found, "account_id"), excerpt(_text(found, "account_name"), 80), _text(found, "role"))


def centre(answer: Answer) -> str | None:
    """The data centre of a sign-in; None where Mailchimp does not know the sign-in, which it says with status 200."""
    found = answer.expect(_LABEL, 200).object()
    return None if found.get("error") else _id(found, "dc")


def audiences(answer: Answer) -> list[Listed]:
    return [Listed(_id(each), _text(each, "name")) for each in _entries(answer, "lists")]


def audience(answer: Answer) -> Audience:
    """Raises UserMustAct `audience_unknown`."""
    found = _in_audience(answer).object()
    flags = (found.get(name) is True for name in ("double_optin", "has_welcome", "marketing_permissions"))
    return Audience(_id(found), _text(found, "name"), *flags)


def tags(answer: Answer) -> list[Listed]:
    found = _entries(_in_audience(answer), "segments")
    return [_tag(each) for each in found if each.get("type") == "static"]


def tag(answer: Answer) -> Listed | None:
    """None where there is no such tag: also for a segment that finds its people by rules."""
    if answer.status == 404:
        return None
    found = answer.expect(_LABEL, 200).object()
    return _tag(found) if found.get("type", "static") == "static" else None


def made_tag(answer: Answer) -> Listed | None:
    """None where Mailchimp refuses to make it, as it may where it has the name."""
    return None if answer.status == 400 else _tag(_in_audience(answer).object())


def fields(answer: Answer) -> list[MergeField]:
    return [_field(each) for each in _entries(_in_audience(answer), "merge_fields")]


def made_field(answer: Answer) -> MergeField | None:
    """None where Mailchimp refuses to make it."""
    return None if answer.status == 400 else _field(_in_audience(answer).object())


def members(answer: Answer, part: str = "id") -> list[Standing]:
    """All entries of a page: by their number a reader knows whether it is the last."""
    found = _entries(_in_audience(answer), "members")
    return [Standing(_text(each, part), _text(each, "last_changed")) for each in found]


def tagged_page(list_id: str, answer: Answer) -> list[str]:
    """Addresses of one page. Raises UserMustAct `target_vanished`."""
    found = _entries(_in_tag(list_id, answer), "members")
    return [_text(each, "email_address") for each in found]


def total(list_id: str, answer: Answer) -> int:
    """Raises UserMustAct `target_vanished`."""
    found = _in_tag(list_id, answer).object().get("total_items")
    if not isinstance(found, int):
        raise UnexpectedAnswer(say("Mailchimp's answer does not tell how many there are."))
    return found


def member(answer: Answer) -> Member | None:
    """None where the audience does not have this person."""
    if answer.status == 404:
        return None
    found = answer.expect(_LABEL, 200).object()
    status, values, count = found.get("status"), found.get("merge_fields"), found.get("tags_count")
    if not isinstance(status, str) or not status:
        raise UnexpectedAnswer(say("Mailchimp's answer does not tell how this person stands."))
    tags = frozenset(_id(each) for each in found.get("tags") or () if isinstance(each, dict))
    return Member(status, values if isinstance(values, dict) else {}, tags, count if isinstance(count, int) else 0)


def member_tags(answer: Answer) -> frozenset[str]:
    return frozenset() if answer.status == 404 else frozenset(_id(each) for each in _entries(answer, "tags"))


def imported(answer: Answer) -> Imported | None:
    """None where the whole call was refused. Raises UserMustAct `audience_unknown`."""
    if answer.status in (400, 413, 414, 422):
        return None
    found = _in_audience(answer).object()
    added = (normalised(_text(each, "email_address")) for each in _list(found, "new_members"))
    refused = {
        _plain(_text(each, "email_address")): RowRefusal(
            _text(each, "error_code"),
            _text(each, "field_message") or _text(each, "error"),
            _text(each, "field"),
        )
        for each in _list(found, "errors")
    }
    return Imported(frozenset(added), refused)


def tagging(list_id: str, answer: Answer) -> Tagged | None:
    """None where the whole call was refused. Raises UserMustAct `target_vanished`."""
    if answer.status in (400, 413, 414, 422):
        return None
    found = _in_tag(list_id, answer).object()
    done = (*_list(found, "members_added"), *_list(found, "members_removed"))
    refused = {
        _plain(address): _text(each, "error")
        for each in _list(found, "errors")
        for address in each.get("email_addresses") or ()
        if isinstance(address, str)
    }
    return Tagged(frozenset(normalised(_text(each, "email_address")) for each in done), refused)


def jobs(answer: Answer) -> list[Job]:
    return [_job(each) for each in _entries(answer, "batches")]


def job(answer: Answer) -> Job | None:
    """None where Mailchimp does not know it, as after seven days."""
    return None if answer.status == 404 else _job(answer.expect(_LABEL, 200).object())


def results(packed: bytes) -> Mapping[str, int]:
    """Status of each operation by the name that we gave it: of all files of a job's archive."""
    found: dict[str, int] = {}
    try:
        for text in _files(packed):
            found |= {str(each["operation_id"]): int(each["status_code"]) for each in orjson.loads(text)}
    except (tarfile.TarError, zlib.error, ValueError, KeyError, TypeError):
        broken = True
    else:
        broken = False
    if broken:  # raised here, since the parser's error may hold people
        raise UnexpectedAnswer(say("What Mailchimp gives as a job's results cannot be read."))
    return found


def _files(packed: bytes) -> Iterator[bytes]:
    """Raises where it is cut off, or larger than anything of ours."""
    stream = zlib.decompressobj(wbits=31)  # gzip
    unpacked = stream.decompress(packed, _MOST_RESULTS)
    if not stream.eof:
        raise ValueError("cut off")
    with tarfile.open(fileobj=io.BytesIO(unpacked), mode="r:") as archive:
        for entry in archive:
            file = archive.extractfile(entry) if entry.isfile() else None
            if file is not None:
                yield file.read()


def _in_audience(answer: Answer) -> Answer:
    if answer.status == 404:
        raise errors.audience_vanished()
    return _understood(answer)


def _in_tag(list_id: str, answer: Answer) -> Answer:
    if answer.status == 404:
        raise lists.vanished(_LABEL, list_id)
    return _understood(answer)


def _understood(answer: Answer) -> Answer:
    """Raises UserMustAct where a question is refused: asking it again would end in the same."""
    if answer.status in (400, 405, 414, 422, 426):
        raise UserMustAct(
            "question_refused",
            say(
                "Mailchimp refuses a question of this service (%(why)s), so nobody is added or taken off: tell the "
                "engineers.",
                why=errors.words(answer),
            ),
        )
    return answer.expect(_LABEL, 200)


def _entries(answer: Answer, name: str) -> list[dict[str, Any]]:
    found = _understood(answer).object()
    if not isinstance(found.get(name), list):
        raise UnexpectedAnswer(say("Mailchimp's answer holds no list of entries."))
    return _list(found, name)


def _list(found: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    entries = found.get(name)
    if not isinstance(entries, list) or not all(isinstance(each, dict) for each in entries):
        raise UnexpectedAnswer(say("Mailchimp's answer holds no list of entries."))
    return entries


def _tag(entry: Mapping[str, Any]) -> Listed:
    return Listed(_id(entry), _text(entry, "name"))


def _field(entry: Mapping[str, Any]) -> MergeField:
    options = entry.get("options")
    choices: Sequence[Any] = (options.get("choices") or ()) if isinstance(options, dict) else ()
    return MergeField(
        _id(entry, "tag"),
        _text(entry, "name"),
        _text(entry, "type"),
        entry.get("required") is True,
        tuple(each for each in choices if isinstance(each, str)),
    )


def _job(entry: Mapping[str, Any]) -> Job:
    return Job(_id(entry), _text(entry, "status"), _text(entry, "response_body_url"))


def _id(entry: Mapping[str, Any], name: str = "id") -> str:
    found = entry.get(name)
    text = str(found) if isinstance(found, int | str) and not isinstance(found, bool) else ""
    if not text.isprintable() or not 0 < len(text) <= _LONGEST_ID:
        raise UnexpectedAnswer(say("Mailchimp's answer holds an entry without an id."))
    return text


def _text(entry: Mapping[str, Any], name: str) -> str:
    found = entry.get(name)
    return found if isinstance(found, str) else ""


def _plain(address: str) -> str:
    """An error may name an address in quotes that are escaped."""
    return normalised(address.replace('\\"', "").strip('"'))


addresses = partial(members, part="email_address")
"""The same of addresses."""
