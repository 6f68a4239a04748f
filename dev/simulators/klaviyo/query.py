"""Query parameters: which an endpoint knows, filters, and what an answer is cut down to (contract section 2)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import urlencode

from dev.simulators.common.vendor import Call, Refusal
from dev.simulators.klaviyo.answers import refuse_parameter, too_long
from dev.simulators.klaviyo.values import parsed

EQUALITY = ("any", "equals")
RANGE = ("greater-or-equal", "greater-than", "less-or-equal", "less-than")
LATER = ("greater-than",)

PROFILE_FIELDS = (
    *("created", "email", "external_id", "first_name", "id", "image", "last_event_date", "last_name", "locale"),
    *("location", "organization", "phone_number", "properties", "title", "updated"),
    *(f"location.{part}" for part in ("address1", "address2", "city", "country", "ip", "latitude", "longitude")),
    *(f"location.{part}" for part in ("region", "timezone", "zip")),
    *("subscriptions", "predictive_analytics"),
)
MEMBER_FIELDS = (*PROFILE_FIELDS, "joined_group_at")
LIST_FIELDS = ("created", "id", "name", "opt_in_process", "updated")
JOB_FIELDS = (
    *("completed_at", "completed_count", "created_at", "expires_at", "failed_count", "id", "started_at"),
    *("status", "total_count"),
)
ERROR_FIELDS = ("code", "detail", "id", "original_payload", "source", "source.pointer", "title")


@dataclass(frozen=True)
class Known:
    """What one endpoint takes. `fields` and `additional` map a type to the names it has, `filters` a field to its
    operators; `page` is the default and the largest page, None where nothing is paged. A field of `listed` wants the
    form with a list, also for `equals`.
    """

    fields: Mapping[str, Sequence[str]] = field(default_factory=dict)
    additional: Mapping[str, Sequence[str]] = field(default_factory=dict)
    filters: Mapping[str, Sequence[str]] = field(default_factory=dict)
    listed: Sequence[str] = ()
    sorts: Sequence[str] = ()
    includes: Sequence[str] = ()
    page: tuple[int, int] | None = None


class Longest(NamedTuple):
    """How many values a filter takes, and how many letters the whole query."""

    values: int
    query: int


class Filter(NamedTuple):
    """`values` are texts for `any` and `equals`, epoch seconds for the others."""

    operator: str
    name: str
    values: tuple[Any, ...]


@dataclass(frozen=True)
class Query:
    """The parameters of one call. A type that `fields` does not have is answered with all its members."""

    fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    additional: tuple[str, ...] = ()
    includes: tuple[str, ...] = ()
    filters: tuple[Filter, ...] = ()
    sort: str = ""
    size: int = 20
    cursor: str | None = None


def read(call: Call, known: Known, longest: Longest) -> Query:
    """Raises `Refusal`: 414 where it is too long, 400 for a parameter that the endpoint does not know, or whose value
    does not fit.
    """
    if len(urlencode(call.query)) > longest.query:
        raise Refusal(too_long())
    given = dict(call.query)
    chosen: dict[str, Any] = {}
    fields = {kind: _names(given, f"fields[{kind}]", names) for kind, names in known.fields.items()}
    chosen["fields"] = {kind: names for kind, names in fields.items() if names is not None}
    for kind, names in known.additional.items():
        chosen["additional"] = _names(given, f"additional-fields[{kind}]", names) or ()
    if known.includes:
        chosen["includes"] = _names(given, "include", known.includes) or ()
    if known.filters and "filter" in given:
        chosen["filters"] = tuple(_filters(given.pop("filter"), known, longest.values))
    if known.sorts and "sort" in given:
        chosen["sort"] = _one_of(given, "sort", [*known.sorts, *(f"-{each}" for each in known.sorts)])
    if known.page is not None:
        chosen["size"] = _size(given, *known.page)
        chosen["cursor"] = given.pop("page[cursor]", None) or None
    if given:
        name = next(iter(given))
        raise refuse_parameter(name, f"{name} is not a valid query parameter.")
    return Query(**chosen)


def _names(given: dict[str, str], parameter: str, known: Sequence[str]) -> tuple[str, ...] | None:
    text = given.pop(parameter, None)
    if text is None:
        return None
    names = tuple(text.split(",")) if text else ()
    for name in names:
        if name not in known:
            raise refuse_parameter(parameter, f"'{name}' is not a valid field.")
    return names


def _one_of(given: dict[str, str], parameter: str, known: Sequence[str]) -> str:
    value = given.pop(parameter)
    if value not in known:
        raise refuse_parameter(parameter, f"'{value}' is not a valid value.")
    return value


def _size(given: dict[str, str], default: int, most: int) -> int:
    text = given.pop("page[size]", str(default))
    if not (text.isascii() and text.isdecimal() and 1 <= int(text) <= most):
        raise refuse_parameter("page[size]", f"Page size must be between 1 and {most}.")
    return int(text)


_UNQUOTED = "\0"  # the mark before a value that stands without quotes, as moments do

_CONDITION = re.compile(r"\s*([a-z-]+)\(\s*([A-Za-z_][\w.]*)\s*,\s*")
_TEXT = re.compile(r'"((?:[^"\\]|\\.)*)"|\'((?:[^\'\\]|\\.)*)\'')
_BARE = re.compile(r"[^,()\[\]\"'\s]+")


def _filters(text: str, known: Known, longest_any: int) -> list[Filter]:
    """`any(email,["a","b"]),greater-than(...)`, or the same within `and(...)`."""
    if text.startswith("and(") and text.endswith(")"):
        text = text[len("and(") : -1]
    found, at = [], 0
    while True:
        condition = _CONDITION.match(text, at)
        if condition is None:
            raise _bad_filter()
        operator, name = condition.groups()
        if operator not in known.filters.get(name, ()):
            raise refuse_parameter("filter", f"Invalid filter provided: {operator} of {name} is not supported.")
        values, as_list, at = _operand(text, condition.end())
        found.append(_checked(Filter(operator, name, values), as_list, known, longest_any))
        if text[at : at + 1] != ")":
            raise _bad_filter()
        at += 1
        if at == len(text):
            return found
        if text[at] != ",":
            raise _bad_filter()
        at += 1


def _operand(text: str, at: int) -> tuple[tuple[str, ...], bool, int]:
    """The values, whether they stand in brackets, and where they end."""
    if text[at : at + 1] != "[":
        value, at = _value(text, at)
        return (value,), False, at
    values, at = [], at + 1
    while text[at : at + 1] != "]":
        value, at = _value(text, at)
        values.append(value)
        if text[at : at + 1] == ",":
            at += 1
        elif text[at : at + 1] != "]":
            raise _bad_filter()
    return tuple(values), True, at + 1


def _value(text: str, at: int) -> tuple[str, int]:
    if quoted := _TEXT.match(text, at):
        inner = quoted[1] if quoted[1] is not None else quoted[2]
        return re.sub(r"\\(.)", r"\1", inner), quoted.end()
    if bare := _BARE.match(text, at):
        return _UNQUOTED + bare[0], bare.end()
    raise _bad_filter()


def _checked(given: Filter, as_list: bool, known: Known, longest_any: int) -> Filter:
    bare = [value.startswith(_UNQUOTED) for value in given.values]
    if given.operator not in EQUALITY:
        moment = parsed(given.values[0].removeprefix(_UNQUOTED)) if len(bare) == 1 and not as_list else None
        if moment is None:
            raise _bad_filter()
        return given._replace(values=(moment,))
    if any(bare) or (given.operator == "any" and not as_list) or not bare:
        raise _bad_filter()
    if given.operator == "equals" and (len(bare) != 1 or (given.name in known.listed and not as_list)):
        raise _bad_filter()
    if len(bare) > longest_any:
        raise refuse_parameter("filter", f"Invalid filter provided: at most {longest_any} values are supported.")
    return given


def _bad_filter() -> Exception:
    return refuse_parameter("filter", "Invalid filter provided.")


def holds(condition: Filter, value: Any) -> bool:
    """Whether a thing with this value is among those that the filter asks for."""
    match condition.operator:
        case "greater-than":
            return bool(value > condition.values[0])
        case "greater-or-equal":
            return bool(value >= condition.values[0])
        case "less-than":
            return bool(value < condition.values[0])
        case "less-or-equal":
            return bool(value <= condition.values[0])
        case _:
            return value in condition.values


def cut(resource: dict[str, Any], names: tuple[str, ...] | None, also: Sequence[str] = ()) -> dict[str, Any]:
    """A JSON:API resource with those attributes alone that the call asked for."""
    if names is None:
        return resource
    attributes: dict[str, Any] = {}
    for name in (*names, *also):
        top, _, part = name.partition(".")
        if top not in resource["attributes"]:
            continue
        value = resource["attributes"][top]
        if part and isinstance(value, dict):
            attributes.setdefault(top, {})[part] = value.get(part)
        else:
            attributes[top] = value
    return {**resource, "attributes": attributes}
