"""The types of a project's fields: the first value fixes a field's type for good (contract section 6)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

# What every project has from the start.
STANDARD_FIELDS = {
    "email": "string",
    "userId": "string",
    "emailListIds": "long",
    "userListIds": "long",
    "unsubscribedChannelIds": "long",
    "profileUpdatedAt": "date",
    "signupDate": "date",
    "signupSource": "string",
}

_TEXT = ("string", "keyword")
_DATE = ("date", *_TEXT)
_PLAIN: Mapping[type, tuple[str, ...]] = {
    bool: ("boolean",),
    int: ("long", "double"),
    float: ("double",),
    dict: ("object", "nested"),
}
_GEO_LOCATION = ("geo_location",)

_LOOKS_LIKE_A_DATE = re.compile(
    r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])"
    r"(?:[ T][0-2]\d:[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?: ?(?:Z|[+-]\d{2}:?\d{2}))?)?"
)

Typed = tuple[str, tuple[str, ...], Any]


def typed_parts(name: str, value: Any) -> Iterator[Typed]:
    """`(dotted name, types the value could have, the value)` for a field and everything inside it.

    The first of the types is the one that a new field takes. A null has no type, nor has an empty list.
    """
    if isinstance(value, list):
        for element in value:
            yield from typed_parts(name, element)
    elif isinstance(value, dict):
        if name.endswith("_geo_location") and value.keys() == {"lat", "lon"}:
            yield name, _GEO_LOCATION, value
            return
        yield name, _PLAIN[dict], value
        for inner, content in value.items():
            yield from typed_parts(f"{name}.{inner}", content)
    elif value is not None:
        yield name, _types(value), value


def _types(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        return _DATE if _LOOKS_LIKE_A_DATE.fullmatch(value) else _TEXT
    return _PLAIN[type(value)]


def mismatch(incoming: tuple[str, ...], expected: str, value: Any) -> dict[str, Any]:
    """One field's row of `params.validationErrors`."""
    return {
        "incomingTypes": list(incoming),
        "expectedType": expected,
        "_type": "UnexpectedType",
        "offendingValue": value,
        "category": "user",
    }


def without_unknown(fields: Mapping[str, Any], known: Mapping[str, str], dropped: set[str], at: str = "") -> Any:
    """`fields` without those the project does not know; their dotted names are added to `dropped`."""
    kept = {}
    for name, value in fields.items():
        dotted = at + name
        if dotted not in known:
            dropped.add(dotted)
        elif isinstance(value, dict) and known[dotted] in ("object", "nested"):
            kept[name] = without_unknown(value, known, dropped, f"{dotted}.")
        else:
            kept[name] = value
    return kept
