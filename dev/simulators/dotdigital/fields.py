"""Data fields: their names, their types, and which values fit (contract section 3)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, get_args

from dev.simulators.dotdigital.settings import Settings

FieldType = Literal["String", "Numeric", "Date", "Boolean"]
TYPES: tuple[str, ...] = get_args(FieldType)
VISIBILITIES = ("Private", "Public")

_NAME = re.compile(r"[A-Za-z0-9_-]{1,20}")
# fmt: off
_RESERVED = frozenset({
    "account", "campaign", "campaignid", "contact", "contact_api_id", "contactid", "email", "hcontactid",
    "hemail", "hemail256", "id", "messagecontent", "mobilenumberid", "notes", "unsubscribed",
    "uniquecontactid",
})
# fmt: on
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}:\d{2}(?:\.\d{1,7})?(?:Z|\+00:00))?")
_DIGITS_BEFORE, _DIGITS_AFTER = 18, 9


@dataclass(frozen=True, slots=True)
class DataField:
    """`name` is in upper case; `dependencies` keep the field from being deleted."""

    name: str
    type: FieldType = "String"
    visibility: str = "Private"
    default: Any = None
    dependencies: tuple[str, ...] = ()

    def details(self) -> dict[str, Any]:
        """Here a null is normal: so is the specification's own example."""
        return {"name": self.name, "type": self.type, "visibility": self.visibility, "defaultValue": self.default}


def built_in() -> dict[str, DataField]:
    names = ("FIRSTNAME", "LASTNAME", "FULLNAME", "GENDER", "POSTCODE")
    fields = {name: DataField(name, visibility="Public") for name in names}
    return fields | {"LASTSUBSCRIBED": DataField("LASTSUBSCRIBED", "Date", visibility="Public")}


def valid_name(name: object) -> bool:
    return isinstance(name, str) and _NAME.fullmatch(name) is not None and name.lower() not in _RESERVED


def fits(value: Any, kind: FieldType, settings: Settings) -> bool:
    """Whether a field of that type takes `value`; null fits all, as it clears."""
    return value is None or _FITS[kind](value, settings)


def guessed_type(value: Any) -> FieldType:
    """The type of a field that a test makes by giving somebody a value."""
    if isinstance(value, bool):
        return "Boolean"
    return "Numeric" if isinstance(value, int | float) else "String"


def _fits_text(value: Any, settings: Settings) -> bool:
    return type(value) is str and len(value) <= settings.longest_text


def _fits_number(value: Any, settings: Settings) -> bool:
    if type(value) not in (int, float) and not (settings.text_as_value and type(value) is str):
        return False
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return False
    _, digits, exponent = number.as_tuple()
    if not isinstance(exponent, int):
        return False
    return len(digits) + exponent <= _DIGITS_BEFORE and -exponent <= _DIGITS_AFTER


def _fits_date(value: Any, _: Settings) -> bool:
    if type(value) is not str or _DATE.fullmatch(value) is None:
        return False
    try:
        datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError):
        return False
    return True


def _fits_truth(value: Any, settings: Settings) -> bool:
    return type(value) is bool or (settings.text_as_value and value in ("true", "false"))


_FITS: Mapping[FieldType, Callable[[Any, Settings], bool]] = {
    "String": _fits_text,
    "Numeric": _fits_number,
    "Date": _fits_date,
    "Boolean": _fits_truth,
}
