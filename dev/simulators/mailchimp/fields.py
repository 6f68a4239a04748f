"""Merge fields: what they take, and what is stored of it (contract section 7)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from dev.simulators.mailchimp.answers import FieldError
from dev.simulators.mailchimp.settings import Settings
from dev.simulators.mailchimp.values import birthday, day

FieldType = Literal[
    "text", "number", "address", "phone", "date", "url", "imageurl", "radio", "dropdown", "birthday", "zip"
]
TYPES: tuple[FieldType, ...] = get_args(FieldType)
_LONGEST_TEXT = 255
_ADDRESS_REQUIRED = ("addr1", "city", "state", "zip")
_URL = re.compile(r"https?://[^\s]+")
_TAG = re.compile(r"[A-Z0-9_]+")


@dataclass(slots=True)
class MergeField:
    id: int
    tag: str
    name: str
    type: FieldType
    required: bool = False
    default_value: str = ""
    public: bool = True
    options: dict[str, Any] = field(default_factory=dict)
    help_text: str = ""

    def shown(self, list_id: str) -> dict[str, Any]:
        return {
            "merge_id": self.id,
            "tag": self.tag,
            "name": self.name,
            "type": self.type,
            "required": self.required,
            "default_value": self.default_value,
            "public": self.public,
            "display_order": self.id + 1,
            "options": self.options,
            "help_text": self.help_text,
            "list_id": list_id,
            "_links": [],
        }


def standard() -> list[MergeField]:
    """Those that an audience has from the start; EMAIL is not among them."""
    return [
        MergeField(1, "FNAME", "First Name", "text", options={"size": 25}),
        MergeField(2, "LNAME", "Last Name", "text", options={"size": 25}),
        MergeField(3, "ADDRESS", "Address", "address", public=False, options={"default_country": 164}),
        MergeField(4, "PHONE", "Phone Number", "phone", public=False, options={"phone_format": "none"}),
    ]


def tag_problem(tag: str, longest: int) -> str | None:
    if not _TAG.fullmatch(tag):
        return "Merge tags may only contain A-Z, 0-9 and _."
    return f"Merge tags may have at most {longest} characters." if len(tag) > longest else None


def checked(
    fields: Mapping[str, MergeField], given: Mapping[str, Any], settings: Settings
) -> tuple[dict[str, Any], list[FieldError]]:
    """What is to be stored, and what is wrong; a tag that there is not is dropped without a word."""
    values: dict[str, Any] = {}
    errors = []
    for tag, value in given.items():
        if tag not in fields:
            continue
        try:
            values[tag] = _read(fields[tag], value, settings)
        except ValueError as error:
            errors.append(FieldError(tag, str(error)))
    return values, errors


def missing(fields: Mapping[str, MergeField], values: Mapping[str, Any]) -> list[FieldError]:
    """The required fields that have no value."""
    return [
        FieldError(each.tag, "Please enter a value")
        for each in fields.values()
        if each.required and values.get(each.tag, "") == ""
    ]


def _read(target: MergeField, value: Any, settings: Settings) -> Any:
    """Raises `ValueError` with the vendor's words."""
    if value == "" or (value is None and settings.null_value == "clears"):
        return ""
    if value is None or type(value) is bool:
        raise ValueError("Please enter a value")
    return _READERS[target.type](value, target)


def _text(value: Any, _: MergeField) -> str:
    if type(value) not in (str, int, float):
        raise ValueError("Please enter a text value")
    return str(value).encode()[:_LONGEST_TEXT].decode(errors="ignore")


def _number(value: Any, _: MergeField) -> int | float:
    if type(value) in (int, float):
        number: int | float = value
        return number
    try:
        parsed = float(value)
    except (TypeError, ValueError):
        raise ValueError("Please enter a number") from None
    return int(parsed) if parsed.is_integer() else parsed


def _date(value: Any, _: MergeField) -> str:
    found = day(value) if type(value) is str else None
    if found is None:
        raise ValueError("Please enter the date")
    return found


def _birthday(value: Any, _: MergeField) -> str:
    if type(value) is not str or not birthday(value):
        raise ValueError("Please enter a month and a day")
    return value


def _address(value: Any, _: MergeField) -> dict[str, str]:
    if type(value) is not dict or any(type(part) is not str for part in value.values()):
        raise TypeError
    if any(not value.get(part, "").strip() for part in _ADDRESS_REQUIRED):
        raise ValueError("Please enter a complete address")
    return {"addr1": "", "addr2": "", "city": "", "state": "", "zip": "", "country": "US", **value}


def _zip(value: Any, _: MergeField) -> str:
    if type(value) is not str or not re.fullmatch(r"\d{5}", value):
        raise ValueError("Please enter a zip code (5 digits)")
    return value


def _url(value: Any, _: MergeField) -> str:
    if type(value) is not str or not _URL.fullmatch(value):
        raise ValueError("Please enter a valid URL")
    return value


def _choice(value: Any, target: MergeField) -> str:
    if value not in target.options.get("choices", ()):
        raise ValueError("Value must be one of the choices")
    chosen: str = value
    return chosen


_READERS: Mapping[FieldType, Callable[[Any, MergeField], Any]] = {
    "text": _text,
    "number": _number,
    "address": _address,
    "phone": _text,
    "date": _date,
    "url": _url,
    "imageurl": _url,
    "radio": _choice,
    "dropdown": _choice,
    "birthday": _birthday,
    "zip": _zip,
}
