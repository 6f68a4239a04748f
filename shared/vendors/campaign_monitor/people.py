"""Rows to the entries of an import. Pure. Facts: Campaign Monitor contract, sections 3 and 4.

A value that its field cannot hold is left out and noted, so that it keeps nobody off the list.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any

import orjson

from shared.cloud.scrubbing import excerpt
from shared.vendors.campaign_monitor.definition import BUILT_IN, CONSENT, MOBILE, NAME, UNCHANGED
from shared.vendors.campaign_monitor.fields import ListField
from shared.vendors.contract import Row

LONGEST = 250
"""Characters of a value; what becomes of longer ones is not documented, so they are cut here."""
FIRST_DATE, LAST_DATE = date(1900, 1, 1), date(2076, 6, 6)

_CONSENTS: Mapping[str, str] = {
    "yes": "Yes",
    "true": "Yes",
    "1": "Yes",
    "no": "No",
    "false": "No",
    "0": "No",
    "unchanged": UNCHANGED,
}
_NUMBER = re.compile(r"[+-]?\d{1,30}(\.\d{1,30})?")
_DATE = re.compile(r"(\d{4})[-/](\d\d)[-/](\d\d)([ T].*)?")
_BETWEEN_DIGITS = re.compile(r"[\s().\-/]")
_INTERNATIONAL = re.compile(r"\+[1-9]\d{6,14}")

Notes = dict[str, None]
"""What was left out or cut, for people; each said once."""


@dataclass(frozen=True)
class Shape:
    """How rows become entries: custom fields by their name in the data matching, and the consent to be tracked of
    people of whom no column tells it."""

    fields: Mapping[str, ListField] = field(default_factory=dict)
    consent: str = UNCHANGED

    @cached_property
    def texts(self) -> Mapping[str, str]:
        """Keys of the fields that take any text."""
        return {
            name: found.key
            for name, found in self.fields.items()
            if name not in BUILT_IN and found.type not in _CONVERSIONS
        }


def entry(row: Row, shape: Shape, notes: Notes, *, mobile: bool = True) -> bytes:
    """One person of an import, without the mobile number if it is not wanted."""
    values: Mapping[str, Any] = orjson.loads(row.values)
    person: dict[str, Any] = {"EmailAddress": row.address}
    if NAME in values:
        person["Name"] = _cut(NAME, _text(values[NAME]), notes)
    if mobile and MOBILE in values and (number := _mobile(values[MOBILE], notes)) is not None:
        # The consent to text messages is not ours to give.
        person |= {"MobileNumber": number, "ConsentToSendSms": UNCHANGED}
    person["ConsentToTrack"] = _consent(values, shape, notes)
    if custom := _customs(values, shape, notes):
        person["CustomFields"] = custom
    return orjson.dumps(person)


def _customs(values: Mapping[str, Any], shape: Shape, notes: Notes) -> list[dict[str, Any]]:
    """All custom fields of a person. Most values are short texts in text fields, and quickly done."""
    custom: list[dict[str, Any]] = []
    texts = shape.texts
    for name, value in values.items():
        if name in texts and type(value) is str and len(value) <= LONGEST:
            custom.append({"Key": texts[name], "Value": value})
        elif name not in BUILT_IN:
            custom += _custom(name, value, shape, notes)
    return custom


def _custom(name: str, value: Any, shape: Shape, notes: Notes) -> list[dict[str, Any]]:
    """The field's key and value; several pairs of the same key for a multiple choice."""
    found = shape.fields.get(name)
    if found is None:
        _note(notes, f"The list has no field {excerpt(name, 80)}, so its values were left out.")
        return []
    if value is None:
        return [{"Key": found.key, "Value": "", "Clear": True}]
    texts = _CONVERSIONS.get(found.type, _one_text)(value)
    if not texts:
        _note(notes, f"Values that are no {found.type} were left out of {excerpt(name, 80)}.")
    return [{"Key": found.key, "Value": _cut(name, text, notes)} for text in texts]


def _consent(values: Mapping[str, Any], shape: Shape, notes: Notes) -> str:
    if CONSENT not in values:
        return shape.consent
    if values[CONSENT] is None:
        return UNCHANGED
    consent = _CONSENTS.get(_text(values[CONSENT]).strip().lower())
    if consent is None:
        _note(notes, f"Values of {CONSENT} other than Yes, No and Unchanged count as Unchanged.")
    return consent or UNCHANGED


def _mobile(value: Any, notes: Notes) -> str | None:
    """The number as Campaign Monitor wants it, "" to clear it; None where it is no international number."""
    number = _BETWEEN_DIGITS.sub("", _text(value))
    if number.startswith("00"):
        number = f"+{number[2:]}"
    if number and not _INTERNATIONAL.fullmatch(number):
        note_bad_mobile(notes)
        return None
    return number


def note_bad_mobile(notes: Notes) -> None:
    _note(notes, "Mobile numbers that are not international, such as +441632960000, were left out.")


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return format(Decimal(repr(value)), "f").removesuffix(".0")
    return str(value)


def _one_text(value: Any) -> Sequence[str]:
    return [_text(value)]


def _choices(value: Any) -> Sequence[str]:
    """Choices come in one cell, with semicolons between them."""
    return list(dict.fromkeys(choice.strip() for choice in _text(value).split(";") if choice.strip()))


def _number(value: Any) -> Sequence[str]:
    text = _text(value).strip()
    return [text] if _NUMBER.fullmatch(text) else []


def _day(value: Any) -> Sequence[str]:
    """Other days are ignored without a word, so they do not leave here."""
    match = _DATE.fullmatch(_text(value).strip())
    try:
        day = date(int(match[1]), int(match[2]), int(match[3])) if match else None
    except ValueError:
        return []
    return [f"{day:%Y/%m/%d}"] if day and FIRST_DATE <= day <= LAST_DATE else []


_CONVERSIONS: Mapping[str, Callable[[Any], Sequence[str]]] = {
    "Number": _number,
    "Date": _day,
    "MultiSelectMany": _choices,
}
"""Types of a list's fields whose values are more than a text."""


def _cut(name: str, text: str, notes: Notes) -> str:
    if len(text) > LONGEST:
        _note(notes, f"Values of {excerpt(name, 80)} were cut to {LONGEST} characters.")
    return text[:LONGEST]


def _note(notes: Notes, words: str) -> None:
    notes[words] = None
