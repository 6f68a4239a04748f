"""What Iterable calls the types of fields, and which values each of them takes. Iterable contract, section 6."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from shared.vendors.contract import FieldType
from shared.wording import say

_DATE = re.compile(r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d{1,9})?)?( ?(Z|[+-]\d\d:?\d\d))?)?")


@dataclass(frozen=True, slots=True)
class Known:
    """`words` are for people; `type` is that of the data matching, None where no cell can become such a value."""

    words: str
    type: FieldType | None
    fits: Callable[[Any], bool]
    """False only for a value that is certainly refused; Iterable decides about the rest."""


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _whole(value: Any) -> bool:
    return _number(value) and float(value).is_integer()


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _date(value: Any) -> bool:
    return _number(value) or (isinstance(value, str) and _DATE.fullmatch(value) is not None)


def _structure(value: Any) -> bool:
    return isinstance(value, dict | list)


KNOWN: Mapping[str, Known] = {
    "string": Known(say("text"), FieldType.STRING, _text),
    "keyword": Known(say("text"), FieldType.STRING, _text),
    "long": Known(say("a whole number"), FieldType.INTEGER, _whole),
    "integer": Known(say("a whole number"), FieldType.INTEGER, _whole),
    "double": Known(say("a number"), FieldType.NUMBER, _number),
    "float": Known(say("a number"), FieldType.NUMBER, _number),
    "boolean": Known(say("true or false"), FieldType.BOOLEAN, lambda value: isinstance(value, bool)),
    "date": Known(say("a date"), FieldType.DATE, _date),
    "object": Known(say("an object"), None, _structure),
    "nested": Known(say("an object"), None, _structure),
    "geo_location": Known(say("a geographic location"), None, _structure),
}
"""Type as Iterable names it -> what is known of it."""


def type_of(name: str) -> FieldType | None:
    """The data matching's type of a field that Iterable says is of this type."""
    known = KNOWN.get(name)
    return known.type if known else None


def fits(name: str | None, value: Any) -> bool:
    """False where a field of this type certainly refuses the value."""
    known = KNOWN.get(name or "")
    return known is None or known.fits(value)
