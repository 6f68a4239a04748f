"""Answers to facts; nothing here talks to anyone. Facts: Iterable contract, sections 1 and 3 to 7."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any, TypeGuard

from shared.cloud.scrubbing import excerpt
from shared.errors import UserMustAct
from shared.vendors.answers import Answer, UnexpectedAnswer
from shared.vendors.contract import FieldType
from shared.vendors.iterable.definition import DEFINITION
from shared.vendors.iterable.types import type_of
from shared.vendors.lists import Listed
from shared.wording import Message, say

_CLIENT_KEYS = frozenset({"mobile", "javascript", "js", "web", "jwt"})
_LIST_UNKNOWN = b"error.lists.invalidListId"


@dataclass(frozen=True, slots=True)
class ProjectList(Listed):
    type: str

    @property
    def standard(self) -> bool:
        """Only static lists can be written to."""
        return self.type == "Standard"


def lists(answer: Answer) -> list[ProjectList]:
    """Every list of the project. Raises UnexpectedAnswer."""
    found = answer.expect(DEFINITION.label, 200).object().get("lists")
    if not isinstance(found, list):
        raise UnexpectedAnswer(say("Iterable's answer about lists has no lists."))
    return [_list_details(entry) for entry in found]


def created_list(answer: Answer) -> str:
    """The id of a list just made. Raises UnexpectedAnswer, or UserMustAct when Iterable refuses the name."""
    if 400 <= answer.status < 500:
        code, message = envelope(answer.object())
        raise UserMustAct(
            "target_refused",
            say("Iterable refuses to make the list: %(why)s", why=Message(f"{code}: {excerpt(message)}")),
        )
    list_id = answer.expect(DEFINITION.label, 200).object().get("listId")
    if not is_count(list_id):
        raise UnexpectedAnswer(say("Iterable's answer about the new list has no id."))
    return str(list_id)


def members(answer: Answer) -> Iterator[str]:
    """`GET /api/lists/getUsers`: text, one identifier a line, taken from it one by one. Raises UnexpectedAnswer for
    anything else, at once."""
    if answer.status != 200 or not answer.headers.get("content-type", "").startswith("text/plain"):
        raise UnexpectedAnswer(say("Iterable did not answer with the members of the list."))
    lines = (line.decode(errors="replace").strip() for line in BytesIO(answer.body))
    return (line for line in lines if "@" in line)


def fields(answer: Answer) -> dict[str, str]:
    """All fields of the project, with their types as Iterable names them. Raises UnexpectedAnswer."""
    found = answer.expect(DEFINITION.label, 200).object().get("fields")
    if not isinstance(found, dict):
        raise UnexpectedAnswer(say("Iterable's answer about fields has no fields."))
    return {name: kind if isinstance(kind, str) else "unknown" for name, kind in found.items()}


def field_types(answer: Answer) -> dict[str, FieldType]:
    """Types of the project's fields, as far as a cell can have them. Raises UnexpectedAnswer."""
    return {name: kind for name, said in fields(answer).items() if (kind := type_of(said))}


def list_unknown(answer: Answer) -> bool:
    """Iterable does not know the list (yet). Told by the message: status and code vary, and the code may be Success."""
    return answer.status >= 400 and _LIST_UNKNOWN in answer.body


def refusal(answer: Answer) -> UserMustAct:
    """A 401 or 403, for people."""
    if answer.status == 403:
        return UserMustAct(
            "forbidden", say("Iterable does not allow this API key to do that: give the connection a Standard key.")
        )
    body = answer.object_or_empty()
    params = body.get("params")
    kind = params.get("apiKeyType") if isinstance(params, dict) else None
    if body.get("code") == "InvalidJwtPayload" or (isinstance(kind, str) and kind.lower() in _CLIENT_KEYS):
        return UserMustAct(
            "wrong_key_type",
            say("This API key is made for apps or web pages: give the connection a server-side (Standard) key."),
        )
    if "insufficient privileges" in str(body.get("msg")):
        return UserMustAct("key_disabled", say("This API key is disabled or lacks privileges: check it in Iterable."))
    return UserMustAct(
        "bad_credentials",
        say("Iterable does not know this API key: check that it is complete, and that the data centre is right."),
    )


def envelope(body: Mapping[str, Any]) -> tuple[str, str]:
    """Code and message of an error. Raises UnexpectedAnswer when it is not one."""
    code, message = body.get("code"), body.get("msg")
    if not isinstance(code, str) or not isinstance(message, str) or code == "Success":
        raise UnexpectedAnswer(say("Iterable's answer is neither a result nor an error that it describes."))
    return excerpt(code, 60), message


def _list_details(entry: Any) -> ProjectList:
    if isinstance(entry, dict):
        number, name, kind = entry.get("id"), entry.get("name"), entry.get("listType")
        if is_count(number) and isinstance(name, str) and isinstance(kind, str):
            return ProjectList(str(number), name, kind)
    raise UnexpectedAnswer(say("Iterable's answer describes a list in an unknown way."))


def is_count(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
