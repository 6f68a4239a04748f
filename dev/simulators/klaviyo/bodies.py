"""Request bodies: is it JSON:API, and has every member the type that the vendor's description gives it?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson

from dev.simulators.common.vendor import Call, Refusal
from dev.simulators.klaviyo.answers import Problem, invalid, refuse, refused
from dev.simulators.klaviyo.settings import Settings
from dev.simulators.klaviyo.values import valid_email, valid_phone

_MEDIA = ("application/vnd.api+json", "application/json")

_TEXTS = (
    *("email", "phone_number", "external_id", "_kx", "first_name", "last_name", "organization", "locale"),
    *("title", "image"),
)
_LOCATION_TEXTS = ("address1", "address2", "city", "country", "region", "zip", "timezone", "ip")
_LOCATION_NUMBERS = ("latitude", "longitude")
LOCATION = (*_LOCATION_TEXTS, *_LOCATION_NUMBERS)
ATTRIBUTES = (*_TEXTS, "location", "properties")
_LONGEST_EXTERNAL_ID = 255


def read(call: Call, most_bytes: int) -> Any:
    """The `data` of the body. Raises `Refusal`: 415, 413 or 400."""
    if not call.headers.get("content-type", "").startswith(_MEDIA):
        title = "Unsupported media type in request."
        raise Refusal(refused(415, Problem("unsupported_media_type", title, title, {"pointer": "/data/"})))
    if len(call.body) > most_bytes:
        title = "Payload too large."
        raise Refusal(refused(413, Problem("payload_too_large", title, title, {"pointer": "/data/"})))
    data = _data(call.body)
    if type(data) is not dict and type(data) is not list:
        raise refuse("The payload must be a JSON:API document with data.", "/data")
    return data


def _data(body: bytes) -> Any:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return document.get("data") if type(document) is dict else None


def resource(data: Any, kind: str, pointer: str = "/data", known: Mapping[str, type] | None = None) -> dict[str, Any]:
    """The attributes of a resource of that type. Raises `Refusal` (400)."""
    if type(data) is not dict:
        raise refuse("A resource object is required.", pointer)
    if data.get("type") != kind:
        raise refuse(f"The type must be '{kind}'.", f"{pointer}/type")
    attributes = data.get("attributes")
    if type(attributes) is not dict:
        raise refuse("The field 'attributes' is required.", f"{pointer}/attributes")
    for name, value in attributes.items():
        wanted = (known or {}).get(name)
        if known is not None and (wanted is None or type(value) is not wanted):
            raise refuse(f"'{name}' is not a valid field for the resource '{kind}'.", f"{pointer}/attributes/{name}")
    return attributes


def identifiers(data: Any, kind: str, most: int | None, pointer: str = "/data") -> list[str]:
    """The ids of a list of resource identifiers. Raises `Refusal` (400)."""
    if type(data) is not list or not data:
        raise refuse("A list of resource identifiers is required.", pointer)
    if most is not None and len(data) > most:
        raise refuse(f"At most {most} resources are allowed.", pointer)
    for number, each in enumerate(data):
        if type(each) is not dict or each.get("type") != kind or type(each.get("id")) is not str:
            raise refuse(f"A resource identifier of type '{kind}' is required.", f"{pointer}/{number}")
    return [each["id"] for each in data]


class Rules(NamedTuple):
    """How strictly a profile is looked at: bulk imports differ from single writes."""

    nulls: bool
    settings: Settings


def problems(row: Any, rules: Rules, pointer: str) -> list[Problem]:
    """What is wrong with a profile of a write, as far as the vendor finds out before it looks at what it has."""
    if type(row) is not dict or row.get("type") != "profile" or type(row.get("attributes")) is not dict:
        return [invalid("A profile with type and attributes is required.", pointer)]
    if type(row.get("id", "")) not in (str, type(None)):
        return [invalid("Invalid id", f"{pointer}/id")]
    found: list[Problem] = []
    for name, value in row["attributes"].items():
        if (detail := _wrong(name, value, rules)) is not None:
            found.append(invalid(detail, f"{pointer}/attributes/{name}"))
    return found + _wrong_meta(row.get("meta"), pointer)


def _wrong(name: str, value: Any, rules: Rules) -> str | None:
    if name not in ATTRIBUTES:
        refused_name = rules.settings.unknown_attribute == "refused"
        return f"'{name}' is not a valid field for the resource 'profile'." if refused_name else None
    if value is None:
        return None if rules.nulls or rules.settings.bulk_null == "ignored" else "This field may not be null."
    if name in _TEXTS:
        return _wrong_text(name, value, rules)
    if type(value) is not dict:
        return "Must be an object."
    if not rules.nulls and rules.settings.bulk_null == "refused" and None in value.values():
        return "This field may not be null."
    return _wrong_location(value) if name == "location" else None


def _wrong_text(name: str, value: Any, rules: Rules) -> str | None:
    if type(value) is not str:
        return "Not a valid string."
    if name == "external_id" and len(value) > _LONGEST_EXTERNAL_ID:
        return f"At most {_LONGEST_EXTERNAL_ID} characters are allowed."
    return None if rules.settings.bad_identifiers == "row" and not rules.nulls else wrong_identifier(name, value, rules)


def wrong_identifier(name: str, value: str, rules: Rules) -> str | None:
    if name == "email" and (not valid_email(value.strip()) or value.strip().lower() in rules.settings.barred):
        return "Invalid email address"
    if name == "phone_number" and not valid_phone(value):
        return "Invalid phone number format (Example of a valid format: +12345678901)"
    return None


def _wrong_location(value: Mapping[str, Any]) -> str | None:
    for part, content in value.items():
        if part not in LOCATION:
            return f"'{part}' is not a valid field for location."
        kinds = (str, int, float, type(None)) if part in _LOCATION_NUMBERS else (str, type(None))
        if type(content) not in kinds:
            return f"Not a valid value for {part}."
    return None


def _wrong_meta(meta: Any, pointer: str) -> list[Problem]:
    """`unset` of custom properties is all that is simulated of `meta`."""
    if meta is None:
        return []
    patches = meta.get("patch_properties") if type(meta) is dict and meta.keys() <= {"patch_properties"} else None
    unset = patches.get("unset") if type(patches) is dict and patches.keys() <= {"unset"} else None
    names = [unset] if type(unset) is str else unset
    if type(names) is not list or any(type(name) is not str for name in names):
        return [invalid("Invalid meta", f"{pointer}/meta")]
    return []


def unset_names(row: Mapping[str, Any]) -> list[str]:
    """The custom properties that `meta` takes away."""
    unset = ((row.get("meta") or {}).get("patch_properties") or {}).get("unset", [])
    return [unset] if type(unset) is str else unset
