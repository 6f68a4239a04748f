"""Custom fields of a list: which one is meant, of what type, and how its key travels. Contract, section 3.

A list of people names a field by its name; an import wants its key, which Campaign Monitor makes of the name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import orjson

from shared.cloud.scrubbing import excerpt
from shared.errors import UserMustAct
from shared.vendors.contract import FieldType

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


@dataclass(frozen=True, slots=True)
class ListField:
    """A custom field as a list has it. `key` is without its brackets, as imports want it."""

    name: str
    key: str
    type: str


def plain_key(key: str) -> str:
    """`[Postcode]` -> `Postcode`."""
    return key.strip().removeprefix("[").removesuffix("]")


def find(fields: Sequence[ListField], name: str) -> ListField | None:
    """The field with this name, else regardless of case, else the one with this key."""
    same = [field for field in fields if field.name == name]
    alike = [field for field in fields if field.name.strip().casefold() == name.casefold()]
    keyed = [field for field in fields if field.key.casefold() == plain_key(name).casefold()]
    return next(iter([*same, *alike, *keyed]), None)


def check_type(field: ListField, wanted: FieldType) -> None:
    """Raises UserMustAct `field_type` where no value of the data matching could ever fit the field."""
    if wanted not in _FITTING.get(field.type, frozenset(FieldType)):
        raise UserMustAct(
            "field_type",
            f"The list's field {excerpt(field.name, 80)} is of the type {field.type}, the data matching makes it a "
            f"{wanted}: change the type there, or match another field.",
        )


def check_distinct(fields: Mapping[str, ListField]) -> None:
    """Raises UserMustAct where two names of the data matching mean one field, by its name and by its key."""
    names: dict[str, str] = {}
    for name, field in fields.items():
        other = names.setdefault(field.key, name)
        if other != name:
            raise UserMustAct(
                "field_twice",
                f"{excerpt(other, 80)} and {excerpt(name, 80)} are one field of the list: match only one of them.",
            )


def made_again(names: Sequence[str]) -> list[str]:
    """What people should know about fields that were made on a list that was written to before."""
    shown = ", ".join(excerpt(name, 80) for name in names)
    return [
        f"Made the custom fields {shown} on the list. If somebody had deleted them in Campaign Monitor, run the export "
        "with the kind 'full_resync' to fill them again for people who did not change."
    ] * bool(names)


def unnamed(name: str) -> UserMustAct:
    """Campaign Monitor says that there is such a field, but none can be recognised."""
    return UserMustAct(
        "field_refused",
        f"Campaign Monitor has a custom field that is too much like {excerpt(name, 80)}: match that one instead.",
    )


def pack(fields: Mapping[str, ListField]) -> str:
    """Fields by their name in the data matching, as a text that is kept with the delivery."""
    return orjson.dumps({name: [field.key, field.type] for name, field in fields.items()}).decode()


def unpack(text: str) -> dict[str, ListField]:
    return {name: ListField(name, key, kind) for name, (key, kind) in orjson.loads(text or "{}").items()}
