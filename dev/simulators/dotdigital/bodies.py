"""Request bodies and the pages asked for: what makes Dotdigital refuse a request whole (contract sections 4 and 10)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from dev.simulators.common.vendor import Answer, Call, Refusal
from dev.simulators.dotdigital import answers
from dev.simulators.dotdigital.settings import Settings

Row = Mapping[str, Any]

MERGE_OPTIONS = ("overwrite", "overwriteIfNotEmpty", "overwriteIfEmpty")
KEBAB_OPTIONS = dict(zip(("overwrite", "overwrite-if-not-empty", "overwrite-if-empty"), MERGE_OPTIONS, strict=True))

MOST_LISTS = 100
MOST_CONSENTS = 5
_INT32 = 2**31
_MOST_SELECTED = 1000

# Member of a contact -> the types it may have.
_SHAPE: Mapping[str, type] = {
    "identifiers": dict,
    "dataFields": dict,
    "channelProperties": dict,
    "lists": list,
    "preferences": list,
    "consentRecords": list,
}
# Member of channelProperties.email -> its values, compared without regard to case (the specification's own example
# and its enum differ).
_ENUMS: Mapping[str, frozenset[str]] = {
    "emailType": frozenset({"plaintext", "html"}),
    "optInType": frozenset({"unknown", "single", "double", "verifieddouble"}),
    "status": frozenset({"subscribed", "unsubscribed", "suppressed"}),
}


def v3(call: Call, settings: Settings) -> Any:
    """The JSON value of a v3 body. Raises `Refusal`: `contacts:badJson`, or too many bytes."""
    if len(call.body) > settings.most_bytes:
        too_large = answers.bad_request(settings, "The request is too large")
        raise Refusal(answers.empty(413) if settings.too_large_status == 413 else too_large)
    if not call.headers.get("content-type", "").startswith("application/json"):
        raise Refusal(_bad_json(settings))
    try:
        return orjson.loads(call.body)
    except orjson.JSONDecodeError:
        raise Refusal(_bad_json(settings)) from None


def v2(call: Call, settings: Settings) -> Any:
    """The JSON value of a v2 body. Raises `Refusal`: `ERROR_PARAMETER_INVALID`."""
    try:
        return orjson.loads(call.body)
    except orjson.JSONDecodeError:
        raise Refusal(answers.v2_error(settings, "ERROR_PARAMETER_INVALID")) from None


def v2_object(call: Call, settings: Settings) -> dict[str, Any]:
    """The same, where the body is to be an object."""
    content = v2(call, settings)
    if type(content) is not dict:
        raise Refusal(answers.v2_error(settings, "ERROR_PARAMETER_INVALID"))
    return content


def v2_page(call: Call, settings: Settings) -> slice:
    """What `select` (1 to 1000) and `skip` ask for. Raises `Refusal`: `ERROR_PARAMETER_INVALID`."""
    select, skip = call.query.get("select", str(_MOST_SELECTED)), call.query.get("skip", "0")
    if not select.isdecimal() or not skip.isdecimal() or not 1 <= int(select) <= _MOST_SELECTED:
        raise Refusal(answers.v2_error(settings, "ERROR_PARAMETER_INVALID"))
    return slice(int(skip), int(skip) + int(select))


def import_rows(content: Any, settings: Settings) -> tuple[str, Sequence[Row]]:
    """The merge option and the contacts of an import. Raises `Refusal` for what is wrong with any of them."""
    if type(content) is not dict:
        raise Refusal(_bad_json(settings))
    option = content.get("mergeOption", "overwrite")
    if option not in MERGE_OPTIONS:
        raise Refusal(answers.bad_request(settings, "The value is not valid for MergeOption", "mergeOption"))
    rows = content.get("contacts")
    if type(rows) is not list or not rows:
        raise Refusal(answers.bad_request(settings, "The Contacts field is required", "contacts"))
    for number, row in enumerate(rows):
        if type(row) is dict and type(row.get("matchIdentifier")) is not str and "identifiers" in row:
            what = "The MatchIdentifier field is required"
            raise Refusal(answers.bad_request(settings, what, f"contacts[{number}].matchIdentifier"))
        check_contact(row, settings, f"contacts[{number}]")
    return option, rows


def check_contact(row: Any, settings: Settings, where: str = "", needs_identifiers: bool = True) -> None:
    """Raises `Refusal` when `row` has not the specification's shape."""
    if type(row) is not dict:
        raise Refusal(answers.bad_request(settings, "A contact is expected", where))
    wrong = _wrong(row, needs_identifiers)
    if wrong is not None:
        member, what = wrong
        raise Refusal(answers.bad_request(settings, what, f"{where}.{member}" if where else member))


def _wrong(row: Row, needs_identifiers: bool) -> tuple[str, str] | None:
    """The first member at fault, and what is wrong with it."""
    if needs_identifiers and row.get("identifiers") is None:
        return "identifiers", "The Identifiers field is required"
    for member, kind in _SHAPE.items():
        if member in row and type(row[member]) is not kind:
            return member, f"The value is not valid for {member}"
    lists = row.get("lists")
    if lists is not None and not _list_ids(lists):
        return "lists", f"1 to {MOST_LISTS} list ids are expected"
    if "consentRecords" in row and not 1 <= len(row["consentRecords"]) <= MOST_CONSENTS:
        return "consentRecords", f"1 to {MOST_CONSENTS} records are expected"
    return _wrong_channel(row["channelProperties"]) if "channelProperties" in row else None


def _list_ids(lists: Sequence[Any]) -> bool:
    return 1 <= len(lists) <= MOST_LISTS and all(type(each) is int and 0 < each < _INT32 for each in lists)


def _wrong_channel(channels: Mapping[str, Any]) -> tuple[str, str] | None:
    email = channels.get("email", {})
    if type(email) is not dict:
        return "channelProperties.email", "An object is expected"
    for member, values in _ENUMS.items():
        if member in email and str(email[member]).lower() not in values:
            return f"channelProperties.email.{member}", "The value is not one of those allowed"
    if type(email.get("resubscribeOptions", {})) is not dict:
        return "channelProperties.email.resubscribeOptions", "An object is expected"
    return None


def _bad_json(settings: Settings) -> Answer:
    return answers.v3_error(settings, 400, "badJson", "The request JSON is badly formed")
