"""Which function answers a request: the host's route templates, matched in the order of function names."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from dev.host.settings import SettingsError
from dev.host.worker import Function

_PARAMETER = re.compile(r"\{(?P<all>\*{0,2})(?P<name>\w+)(?::(?P<constraint>\w+))?(?P<optional>\??)\}")
_CONSTRAINTS = {
    "": "[^/]+",
    "alpha": "[A-Za-z]+",
    "int": r"-?\d+",
    "guid": r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}",
}
# The host keeps these paths for itself and refuses functions whose route begins so.
_RESERVED = ("admin", "runtime")


class Match(NamedTuple):
    """A function, and the values of its route's parameters; those that are absent are left out."""

    function: Function
    parameters: dict[str, str]


def make_router(functions: Iterable[Function], prefix: str) -> Callable[[str, str], Match | None]:
    """A function (method, path) -> match. The path begins with a slash and is decoded.

    The first function by name whose route and methods fit wins; there is no "most specific" and no 405, as in
    Azure. Raises SettingsError for a route that the host would refuse or this one does not understand.
    """
    routes = [
        (function, _pattern(function, prefix), _methods(function))
        for function in sorted(functions, key=lambda function: function.name.lower())
        if function.trigger["type"] == "httpTrigger"
    ]

    def route(method: str, path: str) -> Match | None:
        for function, pattern, methods in routes:
            if (not methods or method in methods) and (found := pattern.fullmatch(path)):
                return Match(function, {k: v for k, v in found.groupdict().items() if v})
        return None

    return route


def _methods(function: Function) -> set[str]:
    return {method.upper() for method in function.trigger.get("methods") or ()}


def _pattern(function: Function, prefix: str) -> re.Pattern[str]:
    template = (function.trigger.get("route") or function.name).strip("/")
    if template.lower().startswith(_RESERVED):
        raise SettingsError(
            f"{function.name}: the route {template!r} begins with a path that the host keeps for itself"
        )
    segments = [*filter(None, prefix.split("/")), *template.split("/")]
    return re.compile("".join(map(_segment, segments)) + "/?", re.IGNORECASE)


def _segment(segment: str) -> str:
    pattern, end = "/", 0
    for parameter in _PARAMETER.finditer(segment):
        pattern += _literal(segment[end : parameter.start()]) + _group(parameter)
        end = parameter.end()
    pattern += _literal(segment[end:])
    may_be_absent = re.fullmatch(r"\{\*.*\}|\{.*\?\}", segment)
    return f"(?:{pattern})?" if may_be_absent else pattern


def _literal(text: str) -> str:
    if set(text) & set("{}"):
        raise SettingsError(f"the route segment {text!r} is not understood")
    return re.escape(text)


def _group(parameter: re.Match[str]) -> str:
    constraint = parameter["constraint"] or ""
    if constraint not in _CONSTRAINTS:
        raise SettingsError(
            f"the route constraint {constraint!r} is not one of {', '.join(filter(None, _CONSTRAINTS))}"
        )
    return f"(?P<{parameter['name']}>{'.*' if parameter['all'] else _CONSTRAINTS[constraint]})"
