"""Query parameters: pages, and the members that an answer is cut down to (contract section 5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from dev.simulators.common.vendor import Call, Refusal
from dev.simulators.mailchimp.answers import FieldError, invalid, refuse
from dev.simulators.mailchimp.values import parsed

T = TypeVar("T")
Tree = Mapping[str, "Tree | None"]  # None: whatever is below


def page(call: Call, items: Sequence[T], most: int) -> list[T]:
    count, offset = _whole(call, "count", 10), _whole(call, "offset", 0)
    if count > most:
        raise refuse("count", f"The maximum is {most}.")
    return list(items[offset : offset + count])


def _whole(call: Call, name: str, default: int) -> int:
    text = call.query.get(name, str(default))
    if not (text.isascii() and text.isdecimal()):
        raise refuse(name, "Schema describes integer, string found instead")
    return int(text)


def flag(call: Call, name: str) -> bool:
    """Raises `Refusal` (400) for what is neither true nor false."""
    text = call.query.get(name, "false").lower()
    if text not in ("true", "false", "1", "0"):
        raise refuse(name, "Schema describes boolean, string found instead")
    return text in ("true", "1")


def moment(call: Call, name: str) -> float | None:
    if (text := call.query.get(name)) is None:
        return None
    found = parsed(text)
    if found is None:
        raise refuse(name, "Must be a date-time in ISO 8601 format.")
    return found


def one_of(call: Call, name: str, known: Sequence[str]) -> str | None:
    text = call.query.get(name)
    if text is not None and text not in known:
        raise refuse(name, "Value must be one of: " + ", ".join(known))
    return text


def cut(call: Call, body: dict[str, Any], tree: Tree) -> dict[str, Any]:
    """`fields` or `exclude_fields`, not both; a name that the answer does not have is refused."""
    wanted, unwanted = call.query.get("fields"), call.query.get("exclude_fields")
    if wanted and unwanted:
        raise Refusal(invalid(FieldError("fields", "fields and exclude_fields cannot be used together")))
    if not wanted and not unwanted:
        return body
    paths = [name.strip().split(".") for name in (wanted or unwanted or "").split(",")]
    for path in paths:
        if not _known(path, tree):
            raise refuse("fields" if wanted else "exclude_fields", f"Unknown field {'.'.join(path)}")
    if wanted:
        kept: dict[str, Any] = _only(body, paths)
        return kept
    left: dict[str, Any] = _without(body, paths)
    return left


def _known(path: Sequence[str], tree: Tree | None) -> bool:
    if not path or tree is None:
        return True
    return path[0] in tree and _known(path[1:], tree[path[0]])


def _only(value: Any, paths: Sequence[Sequence[str]]) -> Any:
    if any(not path for path in paths):
        return value
    if isinstance(value, list):
        return [_only(each, paths) for each in value]
    if not isinstance(value, dict):
        return value
    heads = dict.fromkeys(path[0] for path in paths)
    return {
        name: _only(value[name], [path[1:] for path in paths if path[0] == name]) for name in heads if name in value
    }


def _without(value: Any, paths: Sequence[Sequence[str]]) -> Any:
    if isinstance(value, list):
        return [_without(each, paths) for each in value]
    if not isinstance(value, dict):
        return value
    whole = {path[0] for path in paths if len(path) == 1}
    return {
        name: _without(content, [path[1:] for path in paths if path[0] == name and len(path) > 1])
        for name, content in value.items()
        if name not in whole
    }


def leaves(*names: str, **branches: Tree | None) -> Tree:
    """A tree of names without anything below them, and of branches."""
    return {**{name: {} for name in names}, **branches}
