"""Request bodies: is it JSON, and has every member the type that the vendor's samples give it?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from dev.simulators.campaign_monitor.answers import not_deserialized, refused
from dev.simulators.common.vendor import Call, Refusal

Row = Mapping[str, Any]
Shape = Mapping[str, type]

LIST: Shape = {
    "Title": str,
    "UnsubscribePage": str,
    "UnsubscribeSetting": str,
    "ConfirmedOptIn": bool,
    "ConfirmationSuccessPage": str,
}
FIELD: Shape = {"FieldName": str, "DataType": str, "Options": list, "VisibleInPreferenceCenter": bool}
OPTIONS: Shape = {"Options": list, "KeepExistingOptions": bool}
ADDRESS: Shape = {"EmailAddress": str}
ADDRESSES: Shape = {"EmailAddresses": list}
SUBSCRIBER: Shape = {
    "EmailAddress": str,
    "Name": str,
    "MobileNumber": str,
    "CustomFields": list,
    "ConsentToTrack": str,
    "ConsentToSendSms": str,
}
_FLAGS: Shape = {
    "Resubscribe": bool,
    "QueueSubscriptionBasedAutoResponders": bool,
    "RestartSubscriptionBasedAutoresponders": bool,
}
IMPORT: Shape = {"Subscribers": list, **_FLAGS}
ONE: Shape = {**SUBSCRIBER, **_FLAGS}

CONSENT = frozenset({"yes", "no", "unchanged"})

_VALUE: Shape = {"Key": str, "Value": str, "Clear": bool}
_VALUE_ITEMS = tuple(_VALUE.items())
_SUBSCRIBER_ITEMS = tuple(SUBSCRIBER.items())
# Spelled in two ways by the vendor's own libraries (contract section 4).
_ANY_CASE = {name.lower(): name for name in _FLAGS}


def read(call: Call, shape: Shape, what: str) -> dict[str, Any]:
    """The body of `call`, nulls left out. Raises `Refusal` (400) naming `what` when it is not of that shape."""
    try:
        content = orjson.loads(call.body)
    except orjson.JSONDecodeError:
        content = None
    is_json = call.headers.get("content-type", "").startswith("application/json")
    if not is_json or type(content) is not dict:
        raise Refusal(not_deserialized(what))
    given: dict[str, Any] = content
    named = {_ANY_CASE.get(name.lower(), name): value for name, value in given.items() if value is not None}
    if any(type(named[name]) is not kind for name, kind in shape.items() if name in named):
        raise Refusal(not_deserialized(what))
    return named


def check_rows(rows: Sequence[Any]) -> None:
    """Raises `Refusal` (400) when a row is not of the right shape; the vendor does not say which."""
    for row in rows:
        if not _fits(row, _SUBSCRIBER_ITEMS) or not all(
            _fits(value, _VALUE_ITEMS) for value in row.get("CustomFields") or ()
        ):
            raise Refusal(not_deserialized("subscribers"))


def check_consent(rows: Sequence[Row]) -> None:
    """Raises `Refusal` (400, 214 or 215) for the first row without a valid ConsentToTrack."""
    for row in rows:
        if code := consent_fault(row):
            raise Refusal(refused(code))


def consent_fault(row: Row) -> int | None:
    consent = row.get("ConsentToTrack")
    if not consent:
        return 214
    if consent.lower() not in CONSENT or (row.get("ConsentToSendSms") or "No").lower() not in CONSENT:
        return 215
    return None


def texts(values: Sequence[Any], what: str) -> list[str]:
    """`values`, all of them text. Raises `Refusal` (400)."""
    if any(type(value) is not str for value in values):
        raise Refusal(not_deserialized(what))
    return [*values]


def _fits(value: Any, shape: Sequence[tuple[str, type]]) -> bool:
    if type(value) is not dict:
        return False
    for name, kind in shape:
        member = value.get(name)
        if member is not None and type(member) is not kind:
            return False
    return True
