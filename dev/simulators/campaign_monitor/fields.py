"""The custom fields of a list: names, keys, and which values each data type takes (contract section 3)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

from dev.simulators.campaign_monitor.settings import Settings

DATA_TYPES = ("Text", "Number", "MultiSelectOne", "MultiSelectMany", "Date", "Country", "USState")
MULTI_SELECT = frozenset({"MultiSelectOne", "MultiSelectMany"})
LONGEST_VALUE = 250
NO_DATE = "0000-00-00"

_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?")
_DATE = re.compile(r"(\d{4})/(\d\d)/(\d\d)")
_ISO_DATE = re.compile(r"(\d{4})[/-](\d\d)[/-](\d\d)")
_FIRST_DATE, _LAST_DATE = date(1900, 1, 1), date(2076, 6, 6)


class TooLongError(Exception):
    """The value is too long, and its row fails for it."""


@dataclass(slots=True)
class Field:
    """`id` names the field within its list for good: the key changes with the name."""

    id: str
    name: str
    key: str
    data_type: str
    options: list[str] = field(default_factory=list)
    visible: bool = True

    def details(self) -> dict[str, Any]:
        """The field as `GET .../customfields.json` shows it."""
        return {
            "FieldName": self.name,
            "Key": f"[{self.key}]",
            "DataType": self.data_type,
            "FieldOptions": self.options,
            "VisibleInPreferenceCenter": self.visible,
        }


KeyRule = Literal["letters_and_digits", "without_spaces", "lower_case"]


def derived_key(name: str, rule: KeyRule) -> str:
    """The key that the vendor makes of a field's name, without its brackets."""
    if rule == "without_spaces":
        return re.sub(r"\s", "", name)
    key = "".join(sign for sign in name if sign.isalnum())
    return key.lower() if rule == "lower_case" else key


def taken_value(known: Field, value: str, settings: Settings) -> str | None:
    """What the vendor keeps of `value`; None where it ignores it without a word. Raises `TooLongError`."""
    match known.data_type:
        case "Date":
            return _taken_date(value, settings.iso_dates)
        case "Number":
            return value if _NUMBER.fullmatch(value) else None
        case "MultiSelectOne" | "MultiSelectMany":
            return value if value in known.options else None
        case "Country" | "USState" if known.options:
            return value if value in known.options else None
    if len(value) <= LONGEST_VALUE:
        return value
    if settings.long_values == "row_fails":
        raise TooLongError
    return value[:LONGEST_VALUE] if settings.long_values == "truncated" else None


def _taken_date(value: str, iso: bool) -> str | None:
    parts = (_ISO_DATE if iso else _DATE).fullmatch(value)
    if parts is None:
        return None
    try:
        day = date(*map(int, parts.groups()))
    except ValueError:
        return None
    return day.isoformat() if _FIRST_DATE <= day <= _LAST_DATE else None
