"""Parameter files: only parameters that exist, all that are required, values of their type, and never a secret."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dev.infra_checks.problem import Problem
from dev.infra_checks.template import Declared, Template

_TYPES: dict[str, type] = {"string": str, "int": int, "bool": bool, "array": list, "object": dict}


def parameter_file(path: Path, main: Template) -> Iterator[Problem]:
    """One file for `main`."""
    try:
        given: dict[str, Any] = json.loads(path.read_text())["parameters"]
    except (ValueError, KeyError, TypeError):
        yield Problem(path, 1, 'this is not JSON with "parameters"')
        return
    wanted = main.of("parameter")
    for name, entry in given.items():
        if name not in wanted:
            yield Problem(path, 1, f"{main.path.name} has no parameter {name}")
        else:
            yield from _value(path, entry, wanted[name])
    for name, parameter in wanted.items():
        if parameter.value is None and name not in given:
            yield Problem(path, 1, f"the parameter {name} is missing")


def _value(path: Path, entry: Any, wanted: Declared) -> Iterator[Problem]:
    if "secure" in wanted.decorators:
        yield Problem(path, 1, f"{wanted.name} is a secret: no file may hold it")
    if not isinstance(entry, dict) or "value" not in entry:
        yield Problem(path, 1, f'{wanted.name} has no "value"')
    elif type(entry["value"]) is not _TYPES.get(wanted.type):
        yield Problem(path, 1, f"{wanted.name} is {wanted.type}, and gets {entry['value']!r}")
