"""What is wrong with something that a person asked for, and the refusals that the catalog raises."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.errors import Unprocessable, UserMustAct
from shared.wording import Message, say, together


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing to put right. `pointer` is a JSON pointer into what was sent ("" is all of it)."""

    pointer: str
    message: str


class Invalid(Unprocessable):
    """What was sent cannot be saved; `issues` says everything that is wrong with it."""

    def __init__(self, issues: Sequence[Issue]) -> None:
        super().__init__("invalid", together(issue.message for issue in issues))
        self.issues = tuple(issues)


class NotFound(UserMustAct):
    """There is no such thing."""

    def __init__(self, what: str, name: str) -> None:
        super().__init__("not_found", say('There is no %(what)s "%(name)s".', what=Message(what), name=name))


class NotNow(UserMustAct):
    """The state of things forbids it: the connection is in use, the run has ended, the plan is superseded."""


_PLAIN = {
    "missing": say("This is required."),
    "extra_forbidden": say("There is no such property: check its spelling or remove it."),
    "model_attributes_type": say("Send a JSON object, with the header Content-Type: application/json."),
    "model_type": say("Write a JSON object."),
    "dict_type": say("Write a JSON object."),
    "list_type": say("Write a JSON array."),
    "tuple_type": say("Write a JSON array."),
    "string_type": say("Write a text, in quotes."),
    "string_unicode": say("Write a text of valid Unicode characters."),
    "string_too_short": say("Write at least %(number)s characters."),
    "string_too_long": say("Write at most %(number)s characters."),
    "too_short": say("Give at least %(number)s."),
    "too_long": say("Give at most %(number)s."),
    "literal_error": say("Choose one of %(choices)s."),
    "enum": say("Choose one of %(choices)s."),
    "bool_type": say("Write true or false."),
    "bool_parsing": say("Write true or false."),
    "int_type": say("Write a whole number."),
    "int_parsing": say("Write a whole number."),
    "int_from_float": say("Write a whole number."),
    "float_type": say("Write a number."),
    "float_parsing": say("Write a number."),
    "finite_number": say("Write a finite number."),
    "greater_than_equal": say("Write a number of at least %(number)s."),
    "greater_than": say("Write a number above %(number)s."),
    "less_than_equal": say("Write a number of at most %(number)s."),
    "less_than": say("Write a number below %(number)s."),
    "union_tag_invalid": say("Choose one of %(choices)s."),
    "union_tag_not_found": say("This is required."),
    "json_invalid": say("This is not JSON: %(error)s."),
    "value_error": say("%(error)s"),
}


_UNKNOWN = say("This value is not understood: see the description of this property.")
_LIMITS = ("min_length", "max_length", "ge", "gt", "le", "lt")
_PLACES = {**dict.fromkeys(_LIMITS, "number"), "expected": "choices", "expected_tags": "choices"}
"""What pydantic calls a value -> the place that it has in the message."""

_OF_SEVERAL_KINDS = frozenset({"steps"})
"""Lists whose entries are of several kinds: pydantic's paths name the kind, where JSON has no level."""

_OF_ANY_KIND = frozenset({"settings"})
"""Objects whose values are of any plain kind: pydantic's paths end with each kind that a value could have had."""
_NO_KIND = say("Write a text, a number, or true or false.")


def issues_of(errors: Iterable[Mapping[str, Any]]) -> list[Issue]:
    """Pydantic's errors in plain words. Never quotes what was sent, since that may be a secret or an address."""
    listed = list(errors)
    told = (each for each in listed if not (_follows(each, listed) or _is_needless(each, listed)))
    found = [Issue(pointer(_place(each)), _message(each)) for each in told]
    return list(dict.fromkeys(found))


def _follows(error: Mapping[str, Any], errors: Sequence[Mapping[str, Any]]) -> bool:
    """A tuple is also called too short when its entries were refused."""
    inside = (other["loc"] for other in errors if len(other["loc"]) > len(error["loc"]))
    return error["type"] == "too_short" and any(loc[: len(error["loc"])] == error["loc"] for loc in inside)


def _is_needless(error: Mapping[str, Any], errors: Sequence[Mapping[str, Any]]) -> bool:
    """A value that is wrong for one kind is also said to be of no other kind."""
    beside = (other for other in errors if other["loc"][:-1] == error["loc"][:-1])
    return _is_no_kind(error) and any(not _is_no_kind(other) for other in beside)


def _is_no_kind(error: Mapping[str, Any]) -> bool:
    parts = error["loc"]
    return len(parts) > 2 and parts[-3] in _OF_ANY_KIND and error["type"].endswith("_type")


def _place(error: Mapping[str, Any]) -> Iterator[str | int]:
    """The path of what was sent, without what pydantic adds to it."""
    parts = error["loc"]
    for number, part in enumerate(parts):
        before = parts[number - 2] if number > 1 else None
        is_kind = before in _OF_ANY_KIND or (before in _OF_SEVERAL_KINDS and isinstance(parts[number - 1], int))
        if part != "[key]" and not is_kind:
            yield part
    if str(error["type"]).startswith("union_tag"):
        yield str(error["ctx"]["discriminator"]).strip("'")


def pointer(location: Iterable[str | int]) -> str:
    """JSON pointer (RFC 6901) of a path of keys and indexes."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in location)


def _message(error: Mapping[str, Any]) -> Message:
    plain = _NO_KIND if _is_no_kind(error) else _PLAIN.get(str(error["type"]), _UNKNOWN)
    return plain.filled(**{_PLACES.get(key, key): _value(value) for key, value in error.get("ctx", {}).items()})


def _value(value: Any) -> Any:
    """What our own validators raised is a message; anything else stays as it is."""
    return Message(value.args[0]) if isinstance(value, ValueError) and value.args else value
