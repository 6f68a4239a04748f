"""Request bodies and query parameters: is it JSON, and has every member the shape of the OpenAPI files?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from dev.simulators.common.vendor import Call, Refusal
from dev.simulators.omnisend.answers import FieldError, invalid
from dev.simulators.omnisend.moments import is_day, parsed


def read(call: Call) -> dict[str, Any]:
    """The body of `call`, a JSON object. Raises `Refusal` (400)."""
    try:
        content = orjson.loads(call.body)
    except orjson.JSONDecodeError:
        content = None
    is_json = call.headers.get("content-type", "").startswith("application/json")
    if not is_json or type(content) is not dict:
        raise Refusal(invalid(FieldError("body", "invalid_format", "Must be a JSON object")))
    return content


def refuse(field: str, code: str, message: str) -> Refusal:
    return Refusal(invalid(FieldError(field, code, message)))


def texts(body: Mapping[str, Any], name: str, most: int) -> list[str]:
    """A list of at most so many strings; empty where it is absent. Raises `Refusal` (400)."""
    given = body.get(name)
    if given is None:
        return []
    if type(given) is not list or any(type(each) is not str for each in given):
        raise refuse(name, "invalid_type", "Must be a list of strings")
    if len(given) > most:
        raise refuse(name, "too_many", f"Must have at most {most} items")
    return given


Reader = Callable[[str], Any]  # text -> value, None: it does not fit


def whole(least: int, most: int | None = None) -> Reader:
    def read_number(text: str) -> int | None:
        if not (text.isascii() and text.isdecimal()):
            return None
        return int(text) if least <= int(text) and (most is None or int(text) <= most) else None

    return read_number


def one_of(*values: str) -> Reader:
    return lambda text: text if text in values else None


def text(given: str) -> str | None:
    return given or None


def day(given: str) -> str | None:
    return given if is_day(given) else None


moment: Reader = parsed


def query(call: Call, known: Mapping[str, Reader], required: Sequence[str] = ()) -> dict[str, Any]:
    """The query parameters as values. Raises `Refusal` (400) for an unknown one too (contract section 5)."""
    errors = [FieldError(name, "unknown", "Unknown query parameter") for name in call.query.keys() - known.keys()]
    errors += [FieldError(name, "required", "Is required") for name in required if name not in call.query]
    values = {name: known[name](given) for name, given in call.query.items() if name in known}
    errors += [FieldError(name, "invalid_value", "Invalid value") for name, value in values.items() if value is None]
    if errors:
        raise Refusal(invalid(*errors))
    return values
