"""Which client, which list and which of its custom fields are meant. Contract, sections 1 to 3.

The data matching names a field by its name; an import wants its key, which Campaign Monitor makes of the name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

import orjson

from shared.cloud.scrubbing import excerpt
from shared.errors import UserMustAct
from shared.vendors import lists
from shared.vendors.campaign_monitor.client import Api
from shared.vendors.campaign_monitor.definition import TEXT
from shared.vendors.campaign_monitor.responses import Details, ListField, plain_key
from shared.vendors.contract import CheckResult, FieldType, Fit
from shared.vendors.lists import Listed
from shared.wording import Message, say, together

NAMED_CLIENTS = 10
"""Clients that the message names; the details have them all."""

_ID = re.compile(r"[0-9A-Za-z-]{1,64}")
DATA_TYPES: Mapping[FieldType, str] = {
    FieldType.STRING: "Text",
    FieldType.INTEGER: "Number",
    FieldType.NUMBER: "Number",
    FieldType.BOOLEAN: "Text",
    FieldType.DATE: "Date",
}
"""Type of the data matching -> type of a field that is made for it."""

_FITTING: Mapping[str, frozenset[FieldType]] = {
    "Number": frozenset({FieldType.STRING, FieldType.INTEGER, FieldType.NUMBER}),
    "Date": frozenset({FieldType.STRING, FieldType.DATE}),
}
"""Types of the data matching that a field can hold; Text, Country, USState and the multiple choices hold them all."""


def check(api: Api, account: Callable[[], str]) -> CheckResult:
    """Ask for the client's lists; where the client is not known, for the clients that there are."""
    try:
        found = api.lists()
    except UserMustAct as error:
        if error.code not in ("client_missing", "client_unknown"):
            raise
        return _offer_clients(api, error)
    message = say("Connected to Campaign Monitor; the client has %(lists)s lists.", lists=len(found))
    return CheckResult(True, message, account=account(), details={"lists": str(len(found))})


def _offer_clients(api: Api, problem: UserMustAct) -> CheckResult:
    try:
        clients = [each for each in api.clients() if _ID.fullmatch(each.id)]
    except UserMustAct as error:
        if error.code != "forbidden":
            raise
        words = say("Set client_id to the ID in the client's settings, API keys.")
        return CheckResult(False, together([problem.message, words]), code=problem.code)
    details = {f"client {each.id}": excerpt(each.name, 80) for each in clients}
    return CheckResult(False, together([problem.message, _offer(clients)]), code=problem.code, details=details)


def _offer(clients: Sequence[Listed]) -> str:
    if not clients:
        return say("The connection reaches no client at all: use a key or a sign-in of the account that has the lists.")
    named = ", ".join(f"{each.id} ({excerpt(each.name, 60)})" for each in clients[:NAMED_CLIENTS])
    if len(clients) > NAMED_CLIENTS:
        named = say("%(names)s and %(more)s more", names=named, more=len(clients) - NAMED_CLIENTS)
    return say("Set client_id to one of: %(clients)s.", clients=named)


def named(found: Sequence[Listed], name: str) -> tuple[Listed | None, list[str]]:
    """The list with exactly this name, of several the one whose id comes first; warnings."""
    same = lists.named(found, name)
    if len(same) < 2:
        return (same[0] if same else None), []
    return same[0], [
        say(
            "The client has %(lists)s lists named %(name)s, and one of them is used: give the export "
            "the id of the list that is meant.",
            lists=len(same),
            name=excerpt(name, 80),
        )
    ]


def taken(name: str) -> UserMustAct:
    """Campaign Monitor has the name, but not in this very spelling."""
    return UserMustAct(
        "target_name_taken",
        say(
            "Campaign Monitor has a list whose name is nearly %(name)s: give the export that list's "
            "id, or another name.",
            name=excerpt(name, 80),
        ),
    )


def list_warnings(details: Details) -> list[str]:
    found: list[str] = []
    if details.confirmed_opt_in:
        found.append(
            say(
                "The list is confirmed opt-in: Campaign Monitor sends everyone who is added an e-mail, and "
                "they get no campaigns before they confirm. Choose a single opt-in list to avoid that."
            )
        )
    if details.ignores_suppression:
        found.append(
            say(
                "The list's unsubscribe setting leaves the client's suppression list aside; people on it "
                "are not added all the same."
            )
        )
    return found


def find(fields: Sequence[ListField], name: str) -> ListField | None:
    """The field with this name, else regardless of case, else the one with this key."""
    same = [field for field in fields if field.name == name]
    alike = [field for field in fields if field.name.strip().casefold() == name.casefold()]
    keyed = [field for field in fields if field.key.casefold() == plain_key(name).casefold()]
    return next(iter([*same, *alike, *keyed]), None)


def _one_of(field: ListField) -> Fit:
    return Fit(choices=field.options) if field.options else TEXT


_FITS: Mapping[str, Callable[[ListField], Fit]] = {
    "Number": lambda field: Fit(pattern=r"[+-]?[0-9]{1,30}(\.[0-9]{1,30})?"),
    "Date": lambda field: Fit(FieldType.DATE, day=True, first_day="1900-01-01", last_day="2076-06-06"),
    "MultiSelectOne": _one_of,
    "Country": _one_of,
    "USState": _one_of,
    "MultiSelectMany": lambda field: Fit(choices=field.options, several=True) if field.options else TEXT,
}
"""Types of a list's fields -> what they take. Contract, section 3."""


def fit(field: ListField) -> Fit:
    """What a field of the list takes; any text where it tells no options, as perhaps of countries and states."""
    return _FITS[field.type](field) if field.type in _FITS else TEXT


def check_type(field: ListField, wanted: FieldType) -> None:
    """Raises UserMustAct `field_type` where no value of the data matching could ever fit the field."""
    if wanted not in _FITTING.get(field.type, frozenset(FieldType)):
        raise UserMustAct(
            "field_type",
            say(
                "The list's field %(name)s is of the type %(type)s, the data matching makes it a "
                "%(wanted)s: change the type there, or match another field.",
                name=excerpt(field.name, 80),
                type=Message(field.type),
                wanted=Message(wanted),
            ),
        )


def check_distinct(fields: Mapping[str, ListField]) -> None:
    """Raises UserMustAct where two names of the data matching mean one field, by its name and by its key."""
    names: dict[str, str] = {}
    for name, field in fields.items():
        other = names.setdefault(field.key, name)
        if other != name:
            raise UserMustAct(
                "field_twice",
                say(
                    "%(other)s and %(name)s are one field of the list: match only one of them.",
                    other=excerpt(other, 80),
                    name=excerpt(name, 80),
                ),
            )


def made_again(names: Sequence[str]) -> list[str]:
    """What people should know about fields that were made on a list that was written to before."""
    shown = ", ".join(excerpt(name, 80) for name in names)
    return [
        say(
            "Made the custom fields %(fields)s on the list. If somebody had deleted them in Campaign "
            "Monitor, run the export with the kind 'full_resync' to fill them again for people who did "
            "not change.",
            fields=shown,
        )
    ] * bool(names)


def unnamed(name: str) -> UserMustAct:
    """Campaign Monitor says that there is such a field, but none can be recognised."""
    return UserMustAct(
        "field_refused",
        say(
            "Campaign Monitor has a custom field that is too much like %(name)s: match that one instead.",
            name=excerpt(name, 80),
        ),
    )


def pack(fields: Mapping[str, ListField]) -> str:
    """Fields by their name in the data matching, as a text that is kept with the delivery."""
    return orjson.dumps({name: [field.key, field.type] for name, field in fields.items()}).decode()


def unpack(text: str) -> dict[str, ListField]:
    return {name: ListField(name, key, kind) for name, (key, kind) in orjson.loads(text or "{}").items()}
