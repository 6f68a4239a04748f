"""What is wrong with something that a person asked for, and the refusals that the catalog raises."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.errors import Unprocessable, UserMustAct


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing to put right. `pointer` is a JSON pointer into what was sent ("" is all of it)."""

    pointer: str
    message: str


class Invalid(Unprocessable):
    """What was sent cannot be saved; `issues` says everything that is wrong with it."""

    def __init__(self, issues: Sequence[Issue]) -> None:
        super().__init__("invalid", " ".join(issue.message for issue in issues))
        self.issues = tuple(issues)


class NotFound(UserMustAct):
    """There is no such thing."""

    def __init__(self, what: str, name: str) -> None:
        super().__init__("not_found", f'There is no {what} "{name}".')


class NotNow(UserMustAct):
    """The state of things forbids it: the connection is in use, the run has ended, the plan is superseded."""


_PLAIN = {
    "missing": "This is required.",
    "extra_forbidden": "There is no such property: check its spelling or remove it.",
    "model_attributes_type": "Send a JSON object, with the header Content-Type: application/json.",
    "model_type": "Write a JSON object.",
    "dict_type": "Write a JSON object.",
    "list_type": "Write a JSON array.",
    "tuple_type": "Write a JSON array.",
    "string_type": "Write a text, in quotes.",
    "string_unicode": "Write a text of valid Unicode characters.",
    "string_too_short": "Write at least {min_length} characters.",
    "string_too_long": "Write at most {max_length} characters.",
    "too_short": "Give at least {min_length}.",
    "too_long": "Give at most {max_length}.",
    "literal_error": "Choose one of {expected}.",
    "enum": "Choose one of {expected}.",
    "bool_type": "Write true or false.",
    "bool_parsing": "Write true or false.",
    "int_type": "Write a whole number.",
    "int_parsing": "Write a whole number.",
    "int_from_float": "Write a whole number.",
    "float_type": "Write a number.",
    "float_parsing": "Write a number.",
    "finite_number": "Write a finite number.",
    "greater_than_equal": "Write a number of at least {ge}.",
    "greater_than": "Write a number above {gt}.",
    "less_than_equal": "Write a number of at most {le}.",
    "less_than": "Write a number below {lt}.",
    "json_invalid": "This is not JSON: {error}.",
    "value_error": "{error}",
}


def issues_of(errors: Iterable[Mapping[str, Any]]) -> list[Issue]:
    """Pydantic's errors in plain words. Never quotes what was sent, since that may be a secret or an address."""
    listed = list(errors)
    found = [Issue(pointer(each["loc"]), _message(each)) for each in listed if not _follows(each, listed)]
    return list(dict.fromkeys(found))


def _follows(error: Mapping[str, Any], errors: Sequence[Mapping[str, Any]]) -> bool:
    """A tuple is also called too short when its entries were refused."""
    inside = (other["loc"] for other in errors if len(other["loc"]) > len(error["loc"]))
    return error["type"] == "too_short" and any(loc[: len(error["loc"])] == error["loc"] for loc in inside)


def pointer(location: Iterable[str | int]) -> str:
    """JSON pointer (RFC 6901) of a path of keys and indexes."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in location)


def _message(error: Mapping[str, Any]) -> str:
    plain = _PLAIN.get(str(error["type"]), "This value is not understood: see the description of this property.")
    return plain.format(**{key: _number(value) for key, value in error.get("ctx", {}).items()})


def _number(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
