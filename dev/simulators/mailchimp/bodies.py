"""Request bodies: is it JSON, and has every member the type that the vendor's description gives it?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson

from dev.simulators.common.vendor import Call, Refusal
from dev.simulators.mailchimp.answers import FieldError, bad_request, invalid, unreadable

_NAMES = {str: "string", bool: "boolean", int: "integer", float: "number", list: "array", dict: "object"}
_STATUSES = ("subscribed", "unsubscribed", "cleaned", "pending", "transactional")
ANY_OF = "Data did not match any of the schemas described in anyOf."


class Part(NamedTuple):
    """A member of a body; `values` are those that it may have, `items` what a list's items are."""

    kind: type
    required: bool = False
    values: tuple[str, ...] = ()
    items: type | None = None


Shape = Mapping[str, Part]

_TEXT, _FLAG = Part(str), Part(bool)
MEMBER: Shape = {
    "email_address": _TEXT,
    "email_type": _TEXT,
    "status": Part(str, values=_STATUSES),
    "merge_fields": Part(dict),
    "interests": Part(dict),
    "language": _TEXT,
    "vip": _FLAG,
    "location": Part(dict),
    "ip_signup": _TEXT,
    "timestamp_signup": _TEXT,
    "ip_opt": _TEXT,
    "timestamp_opt": _TEXT,
    "tags": Part(list),
}
_SINGLE: Shape = {**MEMBER, "marketing_permissions": Part(list)}
POST_MEMBER: Shape = {
    **_SINGLE,
    "email_address": Part(str, required=True),
    "status": Part(str, required=True, values=_STATUSES),
}
PUT_MEMBER: Shape = {
    **_SINGLE,
    "email_address": Part(str, required=True),
    "status_if_new": Part(str, values=_STATUSES),
}
PATCH_MEMBER: Shape = {**_SINGLE, "status": Part(str, values=_STATUSES[:-1])}
BATCH: Shape = {"members": Part(list, required=True, items=dict), "sync_tags": _FLAG, "update_existing": _FLAG}
SEGMENT: Shape = {"name": Part(str, required=True), "static_segment": Part(list, items=str), "options": Part(dict)}
TAGGING: Shape = {"members_to_add": Part(list, items=str), "members_to_remove": Part(list, items=str)}
TAGS: Shape = {"tags": Part(list, required=True, items=dict), "is_syncing": _FLAG}
ONE_TAG: Shape = {"name": Part(str, required=True), "status": Part(str, required=True, values=("active", "inactive"))}
MERGE_FIELD: Shape = {
    "tag": _TEXT,
    "name": Part(str, required=True),
    "type": Part(str, required=True),
    "required": _FLAG,
    "default_value": _TEXT,
    "public": _FLAG,
    "display_order": Part(int),
    "options": Part(dict),
    "help_text": _TEXT,
}
OPERATIONS: Shape = {"operations": Part(list, required=True, items=dict)}
OPERATION: Shape = {
    "method": Part(str, required=True, values=("GET", "POST", "PUT", "PATCH", "DELETE")),
    "path": Part(str, required=True),
    "params": Part(dict),
    "body": _TEXT,
    "operation_id": _TEXT,
}


def read(call: Call, shape: Shape, ignored: Counter[str]) -> dict[str, Any]:
    """The body, an object of that shape. Raises `Refusal` (400)."""
    try:
        body = orjson.loads(call.body)
    except orjson.JSONDecodeError:
        raise Refusal(unreadable()) from None
    if type(body) is not dict or not call.headers.get("content-type", "").startswith("application/json"):
        raise Refusal(bad_request("The request could not be parsed as JSON: an object is expected."))
    if errors := wrong(body, shape, ignored):
        raise Refusal(invalid(*errors))
    return body


def wrong(body: Mapping[str, Any], shape: Shape, ignored: Counter[str], prefix: str = "") -> list[FieldError]:
    ignored.update(f"{prefix}{name}" for name in body.keys() - shape.keys())
    absent = [name for name, part in shape.items() if part.required and name not in body]
    errors = [FieldError(f"{prefix}{name}", "This value should not be blank.") for name in absent]
    for name, part in shape.items():
        if name in body and (message := _wrong(body[name], part)) is not None:
            errors.append(FieldError(f"{prefix}{name}", message))
    return errors


def _wrong(value: Any, part: Part) -> str | None:
    if not _is(value, part.kind):
        found = "NULL" if value is None else _NAMES.get(type(value), "object")
        return f"Schema describes {_NAMES[part.kind]}, {found} found instead"
    if part.values and value not in part.values:
        return "Value must be one of: " + ", ".join(part.values)
    items: list[Any] = value if part.items is not None else []
    if part.items is not None and not all(_is(each, part.items) for each in items):
        return f"Schema describes array of {_NAMES[part.items]}"
    return None


def _is(value: object, kind: type) -> bool:
    """JSON's types are apart: true is no number."""
    return type(value) is kind
