"""What a change of the templates changes in Azure, resource by resource and property by property."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

_GROUP = re.compile(r"/subscriptions/[0-9a-f-]{36}/resourceGroups/[\w.()-]+/providers/")


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """Lines for people; none where both make the same."""
    old, new = _by_id(before), _by_id(after)
    for name in sorted(old.keys() | new.keys()):
        if name not in new:
            yield f"- {name}"
        elif name not in old:
            yield f"+ {name}"
        else:
            was, is_ = dict(_flat(old[name])), dict(_flat(new[name]))
            for path in sorted(was.keys() | is_.keys()):
                if was.get(path) != is_.get(path):
                    yield f"  {name}: {path}: {was.get(path, 'not there')} -> {is_.get(path, 'not there')}"


def _by_id(snapshot: Mapping[str, Any]) -> dict[str, Any]:
    found = {_GROUP.sub("", str(each["id"])): each for each in snapshot["predictedResources"]}
    assert len(found) == len(snapshot["predictedResources"]), "two resources have one id"
    return {**found, "outputs": snapshot["outputs"]}


def _flat(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Path of each leaf -> its value. An empty list or object is a leaf."""
    if isinstance(value, dict) and value:
        for name, each in value.items():
            yield from _flat(each, f"{path}.{name}" if path else name)
    elif isinstance(value, list) and value:
        for index, each in enumerate(value):
            yield from _flat(each, f"{path}[{index}]")
    else:
        yield path, _GROUP.sub("", str(value))
