"""A contact as a request gives it: is it valid (`check`), and what a contact's fields then are (`applied`).

Contract section 3; a code or message of a refusal that is not `required` or `invalid_format` is inferred.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from dev.simulators.omnisend.addresses import valid_email, valid_phone
from dev.simulators.omnisend.answers import FieldError
from dev.simulators.omnisend.moments import is_day, parsed
from dev.simulators.omnisend.settings import Settings

Fields = dict[str, Any]

TEXT = ("firstName", "lastName", "address", "city", "state", "postalCode", "country")
STANDARD = (*TEXT, "countryCode", "gender", "birthdate")

_LINES = Path(__file__).with_name("countries.txt").read_text("utf-8").splitlines()
_COUNTRIES: Mapping[str, str] = dict(line.split(" ", 1) for line in _LINES)
_CODES: Mapping[str, str] = {name.casefold(): code for code, name in _COUNTRIES.items()}

_CHANNEL: Mapping[str, str] = {"email": "email", "phone": "sms"}
_STATUSES = ("subscribed", "nonSubscribed", "unsubscribed")
_MOST_TAGS = 100
_SDK_TAG = re.compile(r"[a-zA-Z0-9_\- ]+")
_PROPERTY = re.compile(r"[A-Za-z0-9_]{1,128}")

_NOT_TEXT = ("invalid_type", "must be a string")
Wrong = tuple[str, str]  # code and message


def _text(value: Any) -> Wrong | None:
    return None if type(value) is str else _NOT_TEXT


def _country_code(value: Any) -> Wrong | None:
    return None if type(value) is str and value in _COUNTRIES else ("invalid_value", "must be an ISO 3166-1 code")


def _gender(value: Any) -> Wrong | None:
    return None if value in ("m", "f") else ("invalid_value", "must be m or f")


def _birthdate(value: Any) -> Wrong | None:
    return None if is_day(value) else ("invalid_format", "must be YYYY-MM-DD")


def _moment(value: Any) -> Wrong | None:
    return None if parsed(value) is not None else ("invalid_format", "must be an RFC 3339 timestamp")


_RULES: Mapping[str, Callable[[Any], Wrong | None]] = {
    **dict.fromkeys(TEXT, _text),
    "countryCode": _country_code,
    "gender": _gender,
    "birthdate": _birthdate,
    "createdAt": _moment,
}


def check(request: Any, settings: Settings, identified: bool = True) -> list[FieldError]:
    """What is wrong with a contact request; `identified`: it must name its contact itself."""
    if type(request) is not dict:
        return [FieldError("", "invalid_type", "must be an object")]
    errors = list(_identifiers(request.get("identifiers"), identified))
    for name, value in request.items():
        rule = _RULES.get(name)
        if rule is None or (settings.clearing == "all" and value in (None, "")):
            continue
        if (wrong := rule(value)) is not None:
            errors.append(FieldError(name, *wrong))
    if "customProperties" in request:
        errors += _properties(request["customProperties"], settings)
    if "tags" in request:
        errors += tag_errors(request["tags"], settings)
    return errors


def tag_errors(tags: Any, settings: Settings, least: int = 0) -> Iterator[FieldError]:
    """What is wrong with `tags` (contract section 2)."""
    if type(tags) is not list:
        yield FieldError("tags", "invalid_type", "must be a list of strings")
    elif not least <= len(tags) <= _MOST_TAGS:
        yield FieldError("tags", "invalid_length", f"must have {least} to {_MOST_TAGS} items")
    else:
        for number, tag in enumerate(tags):
            if type(tag) is not str:
                yield FieldError(f"tags.{number}", *_NOT_TEXT)
            elif not tag.strip() or len(tag) > settings.longest_tag:
                yield FieldError(f"tags.{number}", "invalid_length", f"must have 1 to {settings.longest_tag} letters")
            elif settings.tag_characters == "sdk" and not _SDK_TAG.fullmatch(tag):
                yield FieldError(f"tags.{number}", "invalid_format", "has a character that no tag may have")


def _identifiers(given: Any, required: bool) -> Iterator[FieldError]:
    if given is None and not required:
        return
    if type(given) is not list or not given:
        yield FieldError("identifiers", "required", "field required")
        return
    for number, identifier in enumerate(given):
        where = f"identifiers.{number}"
        if type(identifier) is not dict:
            yield FieldError(where, "invalid_type", "must be an object")
        else:
            yield from _identifier(where, identifier)


def _identifier(where: str, given: Mapping[str, Any]) -> Iterator[FieldError]:
    kind, name = given.get("type"), given.get("id")
    if type(kind) is not str or kind not in _CHANNEL:
        yield FieldError(f"{where}.type", "invalid_value" if kind else "required", "must be email or phone")
        return
    if type(name) is not str or not (valid_email(name) if kind == "email" else valid_phone(name)):
        yield FieldError(f"{where}.id", "invalid_format" if name else "required", f"invalid {kind}")
    if type(given.get("sendWelcomeMessage", True)) is not bool:
        yield FieldError(f"{where}.sendWelcomeMessage", "invalid_type", "must be a boolean")
    if "channels" in given:
        yield from _channels(f"{where}.channels", given["channels"], _CHANNEL[kind])
    if "consent" in given:
        yield from _consent(f"{where}.consent", given["consent"])


def _channels(where: str, given: Any, known: str) -> Iterator[FieldError]:
    if type(given) is not dict:
        yield FieldError(where, "invalid_type", "must be an object")
        return
    for name, channel in given.items():
        if name != known or type(channel) is not dict:
            yield FieldError(f"{where}.{name}", "invalid_value", f"must be an object, named {known}")
            continue
        if channel.get("status") not in _STATUSES:
            yield FieldError(f"{where}.{name}.status", "invalid_value", f"must be one of {', '.join(_STATUSES)}")
        if "statusChangedAt" in channel and (wrong := _moment(channel["statusChangedAt"])):
            yield FieldError(f"{where}.{name}.statusChangedAt", *wrong)


def _consent(where: str, given: Any) -> Iterator[FieldError]:
    if type(given) is not dict:
        yield FieldError(where, "invalid_type", "must be an object")
        return
    for name, rule in (("source", _text), ("createdAt", _moment), ("ip", _text), ("userAgent", _text)):
        if name in given and (wrong := rule(given[name])):
            yield FieldError(f"{where}.{name}", *wrong)


def _properties(given: Any, settings: Settings) -> Iterator[FieldError]:
    if type(given) is not dict:
        yield FieldError("customProperties", "invalid_type", "must be an object")
        return
    for name, value in given.items():
        if not _PROPERTY.fullmatch(name):
            yield FieldError(f"customProperties.{name}", "invalid_format", "must be named with A-Z, a-z, 0-9 and _")
        elif wrong := _property(value, settings.longest_text):
            yield FieldError(f"customProperties.{name}", *wrong)


_PLAIN = (int, float, bool, type(None))


def _property(value: Any, longest: int) -> Wrong | None:
    strings = value if type(value) is list else [value]
    if type(value) in _PLAIN:
        return None
    if any(type(each) is not str for each in strings):
        return "invalid_type", "must be a number, a boolean, a string or a list of strings"
    if any(len(each) > longest for each in strings):
        return "too_long", f"must have at most {longest} letters"
    return None


def applied(fields: Fields, request: Mapping[str, Any]) -> Fields:
    """A contact's fields after a valid request: what is omitted stays, what is empty goes."""
    result = dict(fields)
    for name in STANDARD:
        if name in request:
            _set(result, name, request[name])
    _apply_country(result, request)
    given = request.get("customProperties", {})
    if "createdAt" in request:
        given = {**given, "externalCreated": request["createdAt"]}
    if given:
        properties = dict(fields.get("customProperties", {}))
        for name, value in given.items():
            _set(properties, name, value)
        _set(result, "customProperties", properties or None)
    return result


def _apply_country(fields: Fields, request: Mapping[str, Any]) -> None:
    """The code goes before the name, which only serves to derive it."""
    if code := request.get("countryCode"):
        fields["country"] = _COUNTRIES[code]
    elif "country" in request:
        _set(fields, "countryCode", _CODES.get((request["country"] or "").casefold()))
    elif "countryCode" in request:
        fields.pop("country", None)


def _set(fields: Fields, name: str, value: Any) -> None:
    if value is None or value == "":
        fields.pop(name, None)
    else:
        fields[name] = value
