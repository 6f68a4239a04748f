"""Request bodies: is it JSON, and has every member the type that the Swagger file gives it?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from dev.simulators.common.vendor import Call, Refusal
from dev.simulators.iterable.answers import bad_json

Shape = Mapping[str, tuple[type, bool]]  # member -> its type, and whether it is required

CREATE_LIST: Shape = {"name": (str, True), "description": (str, False)}
SUBSCRIBE: Shape = {
    "listId": (int, True),
    "subscribers": (list, True),
    "updateExistingUsersOnly": (bool, False),
}
UNSUBSCRIBE: Shape = {
    "listId": (int, True),
    "subscribers": (list, True),
    "channelUnsubscribe": (bool, False),
    "campaignId": (int, False),
}
BULK_UPDATE: Shape = {"users": (list, True), "createNewFields": (bool, False)}

_ROW: Mapping[str, type] = {
    "email": str,
    "userId": str,
    "dataFields": dict,
    "mergeNestedObjects": bool,
    "preferUserId": bool,
}
_NAMES = {str: "String", int: "Number", bool: "Boolean", list: "Array", dict: "Object"}


def read(call: Call, shape: Shape) -> dict[str, Any]:
    """The body of `call`. Raises `Refusal` (400, BadJsonBody) when it is not of that shape."""
    try:
        content = orjson.loads(call.body)
    except orjson.JSONDecodeError:
        content = None
    is_json = call.headers.get("content-type", "").startswith("application/json")
    if not is_json or type(content) is not dict:
        raise Refusal(bad_json(call.path, {"obj": _expected(dict)}))
    problems = {
        f"obj.{name}": _expected(kind)
        for name, (kind, required) in shape.items()
        if type(content.get(name)) is not kind and (required or content.get(name) is not None)
    }
    if problems:
        raise Refusal(bad_json(call.path, problems))
    return content


def check_rows(call: Call, name: str, rows: Sequence[Any]) -> None:
    """Raises `Refusal` (400, BadJsonBody), naming the first row that is not of the right shape."""
    for number, row in enumerate(rows):
        where = f"obj.{name}[{number}]"
        if type(row) is not dict:
            raise Refusal(bad_json(call.path, {where: _expected(dict)}))
        if row.get("email") is None and row.get("userId") is None:
            raise Refusal(bad_json(call.path, {where: "email or userId expected"}))
        for member, value in row.items():
            kind = _ROW.get(member)
            if kind is not None and value is not None and type(value) is not kind:
                raise Refusal(bad_json(call.path, {f"{where}.{member}": _expected(kind)}))


def _expected(kind: type) -> str:
    return f"{_NAMES[kind]} value expected"
