"""Answers to receipts; nothing here talks to anyone. Facts: Iterable contract, sections 1 and 3 to 7."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

from shared.cloud.scrubbing import excerpt
from shared.errors import UserMustAct
from shared.vendors.answers import Answer, UnexpectedAnswer
from shared.vendors.batches import Reading, refused
from shared.vendors.contract import FieldType, Kind, Outcome, Receipt, Retry, Row
from shared.vendors.iterable import mismatch
from shared.vendors.iterable.counts import RECEIPTS, read_counts

_CAUSES: Mapping[str, str] = {
    "ForgottenUserError": "forgotten",
    "InvalidEmailAddressError": "invalid",
    "InvalidUserIdError": "invalid",
    "Conflict": "conflict",
    "ExternalKeyConflict": "conflict",
    "EmailAlreadyExists": "conflict",
    "UserIdAlreadyExists": "conflict",
    "UnknownEmailError": "notFound",
    "UnknownUserIdError": "notFound",
}
"""Code of a refused request -> the array that would have named its row."""

_CLIENT_KEYS = frozenset({"mobile", "javascript", "js", "web", "jwt"})
_LIST_UNKNOWN = b"error.lists.invalidListId"
_TOO_LARGE = "BatchTooLarge"
_FIELD_TYPES: Mapping[str, FieldType] = {
    "string": FieldType.STRING,
    "date": FieldType.DATE,
    "long": FieldType.INTEGER,
    "double": FieldType.NUMBER,
    "boolean": FieldType.BOOLEAN,
}


@dataclass(frozen=True, slots=True)
class ListDetails:
    """A list as `GET /api/lists` shows it."""

    id: int
    name: str
    type: str

    @property
    def standard(self) -> bool:
        """Only static lists can be written to."""
        return self.type == "Standard"


def lists(answer: Answer) -> list[ListDetails]:
    """Every list of the project. Raises UnexpectedAnswer."""
    found = _success(answer).get("lists")
    if not isinstance(found, list):
        raise UnexpectedAnswer("Iterable's answer about lists has no lists.")
    return [_list_details(entry) for entry in found]


def created_list(answer: Answer) -> str:
    """The id of a list just made. Raises UnexpectedAnswer, or UserMustAct when Iterable refuses the name."""
    if 400 <= answer.status < 500:
        code, message = _envelope(answer.object())
        raise UserMustAct("target_refused", f"Iterable refuses to make the list: {code}: {excerpt(message)}")
    list_id = _success(answer).get("listId")
    if not _is_count(list_id):
        raise UnexpectedAnswer("Iterable's answer about the new list has no id.")
    return str(list_id)


def members(answer: Answer) -> list[str]:
    """`GET /api/lists/getUsers`: text, one identifier a line. Raises UnexpectedAnswer for anything else."""
    if answer.status != 200 or not answer.headers.get("content-type", "").startswith("text/plain"):
        raise UnexpectedAnswer("Iterable did not answer with the members of the list.")
    return [line for line in answer.body.decode(errors="replace").splitlines() if "@" in line]


def field_types(answer: Answer) -> dict[str, FieldType]:
    """Types of the project's fields, as far as a cell can have them. Raises UnexpectedAnswer."""
    fields = _success(answer).get("fields")
    if not isinstance(fields, dict):
        raise UnexpectedAnswer("Iterable's answer about fields has no fields.")
    return {name: _FIELD_TYPES[kind] for name, kind in fields.items() if isinstance(kind, str) and kind in _FIELD_TYPES}


def list_unknown(answer: Answer) -> bool:
    """Iterable does not know the list (yet). Told by the message: status and code vary, and the code may be Success."""
    return answer.status >= 400 and _LIST_UNKNOWN in answer.body


def refusal(answer: Answer) -> UserMustAct:
    """A 401 or 403, for people."""
    if answer.status == 403:
        return UserMustAct(
            "forbidden", "Iterable does not allow this API key to do that: give the connection a Standard key."
        )
    body = _lenient(answer)
    params = body.get("params")
    kind = params.get("apiKeyType") if isinstance(params, dict) else None
    if body.get("code") == "InvalidJwtPayload" or (isinstance(kind, str) and kind.lower() in _CLIENT_KEYS):
        return UserMustAct(
            "wrong_key_type",
            "This API key is made for apps or web pages: give the connection a server-side (Standard) key.",
        )
    if "insufficient privileges" in str(body.get("msg")):
        return UserMustAct("key_disabled", "This API key is disabled or lacks privileges: check it in Iterable.")
    return UserMustAct(
        "bad_credentials",
        "Iterable does not know this API key: check that it is complete, and that the data centre is right.",
    )


def read(kind: Kind, rows: Sequence[Row], answer: Answer) -> Reading:
    """What a bulk request's answer says about its rows.

    Raises UnexpectedAnswer, and UserMustAct when the project cannot take more fields.
    """
    if answer.status == 200:
        return read_counts(kind, rows, answer.object())
    if answer.status == 413:
        return _refused(kind, rows, _TOO_LARGE, "")
    if answer.status < 400:
        raise UnexpectedAnswer(f"Iterable answered {answer.status} where 200 is expected.")
    body = answer.object()
    code, message = _envelope(body)
    params = body.get("params")
    errors = params.get("validationErrors") if isinstance(params, dict) else None
    if code == "RequestFieldsTypesMismatched" and kind is not Kind.REMOVE and isinstance(errors, dict):
        return mismatch.narrow(rows, errors)
    if code == "UniqueFieldsLimitExceeded":
        raise UserMustAct(
            "too_many_fields",
            "The Iterable project cannot take more fields: match fewer of them, or have its limit raised.",
        )
    return _refused(kind, rows, code, message)


def _refused(kind: Kind, rows: Sequence[Row], code: str, message: str) -> Reading:
    """A request refused as a whole: nothing of it was done."""
    if code == _TOO_LARGE:
        receipt = Receipt(
            Outcome.REJECTED, "too_large", "Iterable refuses the request as too large.", Retry.WHEN_CHANGED
        )
    elif code in _CAUSES:
        receipt = RECEIPTS[_CAUSES[code]][kind]
    else:
        words = f"{code}: {excerpt(message)}" if message else code
        receipt = Receipt(Outcome.REJECTED, "refused", f"Iterable refuses the request: {words}", Retry.NEXT_RUN)
    return refused(len(rows), receipt)


def _success(answer: Answer) -> dict[str, Any]:
    if answer.status != 200:
        raise UnexpectedAnswer(f"Iterable answered {answer.status} where 200 is expected.")
    return answer.object()


def _envelope(body: Mapping[str, Any]) -> tuple[str, str]:
    """Code and message of an error. Raises UnexpectedAnswer when it is not one."""
    code, message = body.get("code"), body.get("msg")
    if not isinstance(code, str) or not isinstance(message, str) or code == "Success":
        raise UnexpectedAnswer("Iterable's answer is neither a result nor an error that it describes.")
    return excerpt(code, 60), message


def _lenient(answer: Answer) -> Mapping[str, Any]:
    try:
        return answer.object()
    except UnexpectedAnswer:
        return {}


def _list_details(entry: Any) -> ListDetails:
    if isinstance(entry, dict):
        number, name, kind = entry.get("id"), entry.get("name"), entry.get("listType")
        if _is_count(number) and isinstance(name, str) and isinstance(kind, str):
            return ListDetails(number, name, kind)
    raise UnexpectedAnswer("Iterable's answer describes a list in an unknown way.")


def _is_count(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
