"""Rows to the entries of an import. Pure. Facts: Campaign Monitor contract, sections 3 and 4.

Data matching has made the values fit their fields, as far as these were known when the plan was made. A value that a
field cannot hold all the same is left out and noted, so that it keeps nobody off the list.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cached_property
from operator import itemgetter
from typing import Any

import orjson

from shared.cloud.scrubbing import excerpt
from shared.vendors.campaign_monitor.definition import BUILT_IN, CONSENT, CONSENTS, LONGEST, MOBILE, NAME, UNCHANGED
from shared.vendors.campaign_monitor.responses import ListField
from shared.vendors.contract import Row
from shared.vendors.forms import Address, Form, Piece, Value, ValueList, can_pick
from shared.wording import say

FIRST_DATE, LAST_DATE = date(1900, 1, 1), date(2076, 6, 6)

_NUMBER = re.compile(r"[+-]?\d{1,30}(\.\d{1,30})?")
_DATE = re.compile(r"(\d{4})[-/](\d\d)[-/](\d\d)([ T].*)?")

Notes = dict[str, None]
"""What was left out or cut, for people; each said once."""

_MARK = "\0"
_MARKED = re.compile(rb"\\u0000(\d+)")
"""What is made of a mark and the number behind it, in JSON."""
_QUOTE, _SET_ASIDE = b'\\"', b"\0"
"""A quotation mark within a text, and what JSON never has, to stand for it meanwhile."""
MOST_FORMS = 1_000


@dataclass(frozen=True)
class Shape:
    """How rows become entries: custom fields by their name in the data matching, and the consent to be tracked of
    people of whom no column tells it."""

    fields: Mapping[str, ListField] = field(default_factory=dict)
    consent: str = UNCHANGED

    def form(self, fields: Sequence[str]) -> Form | None:
        """What `entry` writes of people with short texts in these fields; None where a field takes anything else."""
        texts = self.texts
        if not can_pick(fields) or not all(name == NAME or name in texts for name in fields):
            return None
        keys = {name: orjson.dumps({"Key": texts[name]}).decode()[:-1] for name in fields if name != NAME}
        custom = tuple(Value(name, f'{key},"Value":', "}") for name, key in keys.items())
        consent = self.consent if self.consent in CONSENTS else UNCHANGED
        pieces: list[Piece] = ['{"EmailAddress":', Address()]
        pieces += [Value(NAME, f',"{NAME}":')] if NAME in fields else []
        pieces += [
            f',"ConsentToTrack":"{consent}"',
            *([ValueList(',"CustomFields":[', custom, "]")] if custom else []),
            "}",
        ]
        return Form(tuple(pieces), longest=LONGEST)

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
    if mobile and MOBILE in values:
        # The consent to text messages is not ours to give.
        person |= {"MobileNumber": _text(values[MOBILE]), "ConsentToSendSms": UNCHANGED}
    person["ConsentToTrack"] = _consent(values, shape)
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
        _note(notes, say("The list has no field %(field)s, so its values were left out.", field=excerpt(name, 80)))
        return []
    if value is None:
        return [{"Key": found.key, "Value": "", "Clear": True}]
    texts = _CONVERSIONS.get(found.type, _one_text)(value)
    if not texts:
        _note(
            notes,
            say("Values that are no %(type)s were left out of %(name)s.", type=found.type, name=excerpt(name, 80)),
        )
    return [{"Key": found.key, "Value": _cut(name, text, notes)} for text in texts]


def _consent(values: Mapping[str, Any], shape: Shape) -> str:
    """Only what Campaign Monitor knows: anything else grants nothing."""
    given = values.get(CONSENT, shape.consent)
    return given if given in CONSENTS else UNCHANGED


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
    """Choices that are known come as a list; else they come in one cell, with semicolons between them."""
    if isinstance(value, list):
        return [_text(choice) for choice in value]
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
        _note(
            notes,
            say("Values of %(field)s were cut to %(length)s characters.", field=excerpt(name, 80), length=LONGEST),
        )
    return text[:LONGEST]


def _note(notes: Notes, words: str) -> None:
    notes[words] = None


class Forms:
    """Entries made by filling in a form, for rows that hold nothing but short texts: nearly all do, by the million.

    There is a form for each set of fields that rows have values for, made of an entry of that set. The texts pass from
    the plan's JSON to the import's as they are, which costs half of what making objects of them does. Threads may share
    the forms.
    """

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self._forms: dict[tuple[bytes, ...], _Form | None] = {}

    def entry(self, row: Row, notes: Notes) -> bytes:
        """The same as the function `entry` makes."""
        if row.entry is not None:
            return row.entry
        return self._filled(row) or entry(row, self.shape, notes)

    def _filled(self, row: Row) -> bytes | None:
        """None where it takes more than filling in."""
        address, values = row.address, row.values.encode()
        if "\\" in address or '"' in address or not address.isprintable():
            return None
        if quoting := b"\\" in values:
            if b"\\\\" in values:
                return None
            values = values.replace(_QUOTE, _SET_ASIDE)
        # Every quotation mark begins or ends a text now.
        pieces = values.split(b'"')
        names = tuple(pieces[1::4])
        try:
            form = self._forms[names]
        except KeyError:
            form = self._form(names)
        if form is None or pieces[::2] != form.between:
            return None
        texts: Sequence[bytes] = form.texts(pieces)
        if len(values) > form.safe_length and max(map(len, texts)) > LONGEST:
            return None
        filled = form.form % (address.encode(), *texts)
        return filled.replace(_SET_ASIDE, _QUOTE) if quoting else filled

    def _form(self, names: tuple[bytes, ...]) -> _Form | None:
        if len(self._forms) == MOST_FORMS:
            return None
        texts, fields = self.shape.texts, [name.decode() for name in names]
        fits = bool(names) and all(name == NAME or name in texts for name in fields)
        form = self._forms[names] = _Form(fields, self.shape) if fits else None
        return form


class _Form:
    """`form` takes the address and `texts` of the pieces between a row's quotation marks, every second of which is
    `between`."""

    def __init__(self, names: Sequence[str], shape: Shape) -> None:
        places = {name: 4 * number + 3 for number, name in enumerate(names)}
        marks = orjson.dumps({name: f"{_MARK}{place}" for name, place in places.items()})
        made = entry(Row(f"{_MARK}0", marks.decode()), shape, {})
        order = [int(place) for place in _MARKED.findall(made)][1:]
        self.form = _MARKED.sub(b"%b", made.replace(b"%", b"%%"))
        self.texts: Callable[[Sequence[bytes]], Sequence[bytes]]
        self.texts = itemgetter(*order) if len(order) > 1 else lambda pieces: [pieces[order[0]]]
        self.between = [b"{", *([b":", b","] * len(names))[:-1], b"}"]
        self.safe_length = len(_MARKED.sub(b"", marks)) + LONGEST
        """Of values that cannot have a text longer than LONGEST among them."""
