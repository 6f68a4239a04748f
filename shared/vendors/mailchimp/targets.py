"""Which audience, tag and merge fields are meant, and what people should know. Contract, sections 2, 3 and 7."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

from shared.cloud.scrubbing import excerpt
from shared.errors import OutcomeUnknown, RetryAfter, UserMustAct
from shared.vendors import lists, rolls
from shared.vendors.contract import CheckResult, FieldType, Fit, TargetFound
from shared.vendors.lists import LATER, Listed
from shared.vendors.mailchimp import people, requests, responses
from shared.vendors.mailchimp.client import MailchimpCalls
from shared.vendors.mailchimp.definition import ADDRESS, DEFINITION, LONGEST_TEXT, MOST_PAGE, TEXT
from shared.vendors.mailchimp.people import Slot
from shared.vendors.mailchimp.responses import Audience, MergeField
from shared.wording import Message, say, some, together

NAMED_AUDIENCES = 10
LONGEST_FIELD_TAG = 10

_TAG_ID = re.compile(r"\d{1,18}")
_UNTAGGED = re.compile(r"[^A-Z0-9_]+")
_TYPES: Mapping[FieldType, str] = {
    FieldType.INTEGER: people.NUMBER,
    FieldType.NUMBER: people.NUMBER,
    FieldType.DATE: people.DATE,
    FieldType.PHONE: "phone",
}
"""Type of the data matching -> type of a merge field that is made for it; all others are texts."""
_ADDRESS_ON_THE_WEB = Fit(longest=LONGEST_TEXT, pattern=r"https?://\S+")
_FITS: Mapping[str, Callable[[MergeField], Fit]] = {
    people.NUMBER: lambda field: Fit(FieldType.NUMBER),
    people.DATE: lambda field: Fit(FieldType.DATE, day=True),
    people.BIRTHDAY: lambda field: Fit(FieldType.DATE, day=True),
    "phone": lambda field: Fit(FieldType.PHONE),
    "zip": lambda field: Fit(pattern=r"\d{5}"),
    "url": lambda field: _ADDRESS_ON_THE_WEB,
    "imageurl": lambda field: _ADDRESS_ON_THE_WEB,
    "radio": lambda field: Fit(choices=field.choices),
    "dropdown": lambda field: Fit(choices=field.choices),
}
"""Types of merge fields -> what they take; all others take texts."""
_HOLDS: Mapping[str, frozenset[FieldType]] = {
    people.NUMBER: frozenset({FieldType.STRING, FieldType.INTEGER, FieldType.NUMBER}),
    people.DATE: frozenset({FieldType.STRING, FieldType.DATE}),
    people.BIRTHDAY: frozenset({FieldType.STRING, FieldType.DATE}),
}
"""Types of the data matching that a merge field can hold; the others hold them all."""


def parts_of(target: TargetFound) -> tuple[str, str]:
    """Audience and tag."""
    audience_id, _, tag_id = target.list_id.rpartition("/")
    return audience_id, tag_id


def every(calls: MailchimpCalls, audience_id: str) -> list[Listed]:
    """All tags of the audience, also where one is made meanwhile."""

    def ask(offset: int) -> Sequence[Listed]:
        return calls.ask(requests.tags(audience_id, offset), responses.tags)

    return list(rolls.every(DEFINITION.label, ask, MOST_PAGE))


def found_tag(audience_id: str, tag: Listed, *, created: bool = False) -> TargetFound:
    return TargetFound(f"{audience_id}/{tag.id}", tag.name, created)


def by_id(calls: MailchimpCalls, audience_id: str, list_id: str) -> TargetFound:
    """Raises UserMustAct `target_vanished`."""
    named, _, tag_id = list_id.strip().rpartition("/")
    found = None
    if named in ("", audience_id) and _TAG_ID.fullmatch(tag_id):
        found = calls.ask(requests.tag(audience_id, tag_id), responses.tag)
    if found is None:
        raise lists.vanished(DEFINITION.label, list_id)
    return found_tag(audience_id, found)


def by_name(calls: MailchimpCalls, audience_id: str, name: str) -> TargetFound | None:
    """Mailchimp may change the case of a tag's name, so that does not count."""
    wanted = name.strip().casefold()
    same = [each for each in every(calls, audience_id) if each.name.strip().casefold() == wanted]
    oldest = min(same, key=lambda each: (len(each.id), each.id), default=None)
    return found_tag(audience_id, oldest) if oldest else None


def made(calls: MailchimpCalls, audience_id: str, name: str) -> TargetFound:
    """A new tag. Raises UserMustAct `target_refused`, RetryAfter where nobody knows whether it was made."""

    def create(name: str) -> Listed | None:
        found = responses.made_tag(calls.call(requests.make_tag(audience_id, name)))
        return Listed(f"{audience_id}/{found.id}", found.name) if found else None

    found = lists.make(DEFINITION.label, name, create, partial(by_name, calls, audience_id, name))
    if found is None:
        raise UserMustAct(
            "target_refused",
            say("Mailchimp refuses to make a tag of this name: choose another, or give the export a tag that exists."),
        )
    return found


def name_now(calls: MailchimpCalls, target: TargetFound) -> str:
    """What the tag is called by now. Raises UserMustAct `target_vanished`."""
    audience_id, tag_id = parts_of(target)
    return by_id(calls, audience_id, tag_id).name


def offer(found: Sequence[Listed], problem: UserMustAct) -> CheckResult:
    """The audiences that there are, where the connection names none of them."""
    if not found:
        words = say("The account has no audience yet: make one in Mailchimp.")
    else:
        named = [f"{each.id} ({excerpt(each.name, 60)})" for each in found]
        words = say("Write one of these into the connection's settings: %(audiences)s.", audiences=_some(named))
    details = {f"audience {each.id}": excerpt(each.name, 80) for each in found}
    return CheckResult(False, together([problem.message, words]), code=problem.code, details=details)


def warnings(audience: Audience, new_people: str) -> list[str]:
    """What adding people to the audience does besides."""
    found: list[str] = [
        say(
            "In Mailchimp, flows that a tag starts begin for everyone who gets it. Switch them off there before the "
            "first run where that is not wanted."
        )
    ]
    if new_people == "subscribed" and audience.double_optin:
        found.append(
            say(
                "The audience has people confirm their subscription; those whom an export adds are subscribed without "
                "having confirmed."
            )
        )
    if new_people == "subscribed" and audience.welcomes:
        found.append(say("Mailchimp sends a welcome e-mail to everyone who is added as subscribed."))
    if new_people != "refused" and audience.permissions:
        found.append(
            say("The audience asks people for marketing permissions; those whom an export adds have given none.")
        )
    return found


def required_warning(fields: Iterable[MergeField], filled: Iterable[str] = ()) -> list[str]:
    """Merge fields without which Mailchimp's forms let nobody in, as far as nothing fills them."""
    lacking = sorted({each.tag for each in fields if each.required} - {*filled})
    if not lacking:
        return []
    return [
        say(
            "The audience requires %(fields)s. People whose rows have no value for them are added without.",
            fields=_some(lacking),
        )
    ]


def find(fields: Sequence[MergeField], name: str) -> MergeField | None:
    """The merge field of this tag, else of this name; of an address each part is a field of the data matching."""
    wanted = name.partition(".")[0] if name.startswith(f"{ADDRESS}.") else name
    tagged = [each for each in fields if each.tag.casefold() == wanted.casefold()]
    named = [each for each in fields if each.name.strip().casefold() == wanted.strip().casefold()]
    return next(iter([*tagged, *named]), None)


def fit(field: MergeField) -> Fit:
    return _FITS[field.type](field) if field.type in _FITS else TEXT


def slots(
    calls: MailchimpCalls, audience_id: str, wanted: Mapping[str, FieldType], there: Sequence[MergeField], *, make: bool
) -> dict[str, Slot]:
    """The merge field for each field of the data matching; those that are missing are made where that is asked for.

    Raises UserMustAct: `fields_missing`, `field_type`, `field_twice`, `field_refused`.
    """
    known = list(there)
    lacking = [name for name in wanted if find(known, name) is None]
    if impossible := [name for name in lacking if name.startswith(f"{ADDRESS}.")] or ([] if make else lacking):
        raise UserMustAct(
            "fields_missing",
            say(
                "The Mailchimp audience has no merge field for %(fields)s: make it there, switch on 'Create missing "
                "merge fields' for this export, or take it out of the data matching.",
                fields=_some(impossible),
            ),
        )
    for name in lacking:
        if find(known, name) is None:
            known.append(_made_field(calls, audience_id, name, wanted[name], known))
    found = {name: field for name in wanted if (field := find(known, name))}
    _check(found, wanted)
    return {name: Slot(field.tag, field.type) for name, field in found.items()}


def _made_field(
    calls: MailchimpCalls, audience_id: str, name: str, kind: FieldType, known: Sequence[MergeField]
) -> MergeField:
    tag = _free_tag(name, {each.tag for each in known})
    request = requests.make_field(audience_id, tag, name, _TYPES.get(kind, people.TEXT))
    try:
        found = responses.made_field(calls.call(request))
    except OutcomeUnknown as error:
        reason = error.reason
    else:
        if found := found or find(calls.ask(requests.fields(audience_id), responses.fields), name):
            return found
        raise UserMustAct(
            "field_refused",
            say(
                "Mailchimp refuses to make a merge field for %(field)s: an audience has 30 of them at most, and 80 in "
                "the largest plan. Match another field, or take it out of the data matching.",
                field=excerpt(name, 80),
            ),
        )
    # Whether it was made is seen when the audience is read again.
    raise RetryAfter(LATER, reason)


def _free_tag(name: str, taken: set[str]) -> str:
    """A tag made of the name: capital letters, digits and underscores, numbered where two names would have the same."""
    plain = _UNTAGGED.sub("_", name.upper()).strip("_") or "FIELD"
    tag, number = plain[:LONGEST_FIELD_TAG], 1
    while tag in taken:
        number += 1
        tag = f"{plain[: LONGEST_FIELD_TAG - len(str(number))]}{number}"
    return tag


def _check(found: Mapping[str, MergeField], wanted: Mapping[str, FieldType]) -> None:
    """Raises UserMustAct where a value of the data matching could never fit its field, or two of them mean one."""
    names: dict[str, str] = {}
    for name, field in found.items():
        part_of_address = name.startswith(f"{ADDRESS}.")
        fitting = _HOLDS.get(field.type, frozenset(FieldType))
        if part_of_address != (field.type == people.PLACE) or wanted[name] not in fitting:
            raise UserMustAct(
                "field_type",
                say(
                    "The merge field %(field)s of the audience is of the type %(type)s, which the data matching does "
                    "not fit: change one of them.",
                    field=excerpt(name, 80),
                    type=Message(field.type),
                ),
            )
        other = names.setdefault(name if part_of_address else field.tag, name)
        if other != name:
            raise UserMustAct(
                "field_twice",
                say(
                    "%(other)s and %(name)s are one merge field of the audience: match only one of them.",
                    other=excerpt(other, 80),
                    name=excerpt(name, 80),
                ),
            )


def _some(names: Sequence[str]) -> str:
    return some([excerpt(each, 80) for each in names], NAMED_AUDIENCES)
