"""The bodies that Campaign Monitor answers with (contract sections 1 to 4, 7 and 8)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dev.simulators.common.vendor import JSON, Answer, json_answer

XML = "application/xml; charset=utf-8"

_XML_NOT_FOUND = (
    b'<?xml version="1.0" encoding="utf-8"?>\n'
    b"<Result><Code>404</Code><Message>We couldn't find the resource you're looking for.</Message></Result>"
)

# Code -> (HTTP status, message).
_MESSAGES: Mapping[int, tuple[int, str]] = {
    1: (400, "Invalid Email Address"),
    5: (400, "Invalid Date"),
    50: (401, "Must supply a valid HTTP Basic Authorization header"),
    60: (401, "You do not have the required permission to access this resource"),
    100: (401, "Invalid API Key"),
    101: (401, "Invalid ListID"),
    102: (401, "Invalid ClientID"),
    120: (401, "Invalid OAuth Token"),
    121: (401, "Expired OAuth Token"),
    122: (401, "Revoked OAuth Token"),
    176: (400, "Email address not in suppression list"),
    201: (400, "Already subscribed"),
    203: (400, "Subscriber not in list or has already been removed."),
    204: (400, "In Suppression List"),
    205: (400, "Is Deleted"),
    206: (400, "Is Unsubscribed"),
    207: (400, "Is Bounced"),
    208: (400, "Is Unconfirmed"),
    209: (400, "Too many subscribers in this batch. You can only add 1000 subscribers in one call"),
    210: (400, "Subscriber Import had some failures"),
    211: (400, "Invalid New Email Address"),
    212: (400, "No subscribers were provided in this batch"),
    214: (400, "Please provide a consent to track value"),
    215: (400, "Please provide a valid consent to track value"),
    220: (400, "Invalid mobile number"),
    221: (400, "Invalid email address and mobile number"),
    250: (400, "Duplicate list title"),
    251: (400, "List Title Empty"),
    252: (400, "Cannot delete a list attached to at least one campaign draft"),
    253: (400, "Invalid Key. Keys must be surrounded with [ ]"),
    254: (400, "Invalid Field Name"),
    255: (400, "The Field Name already exists in this list"),
    256: (400, "Options defined for Text or Number Field"),
    257: (400, "No options defined for Multi-Valued field"),
    259: (400, "Data type is incorrect"),
    261: (400, "Invalid List Unsubscribe Setting"),
    400: (400, "The value of a custom field is too long"),
    429: (429, "Rate limit exceeded"),
    800: (400, "Invalid page number"),
    801: (400, "Invalid page size"),
    802: (400, "Invalid order field"),
    803: (400, "Invalid order direction"),
}
HAMMERED = "Subscriber was added too many times too quickly, try again later."


def envelope(status: int, code: int, message: str, **more: Any) -> Answer:
    return json_answer({"Code": code, "Message": message, **more}, status)


def refused(code: int, **more: Any) -> Answer:
    """The answer with the vendor's own `code`, with the HTTP status and message that belong to it."""
    status, message = _MESSAGES[code]
    return envelope(status, code, message, **more)


def message(code: int) -> str:
    return _MESSAGES[code][1]


def created(identifier: str) -> Answer:
    """201 with a bare JSON string."""
    return json_answer(identifier, 201)


def empty(status: int = 200) -> Answer:
    return Answer(status, b"", JSON)


def not_json() -> Answer:
    """What a path without its `.json` gets: the vendor's own format."""
    return Answer(404, _XML_NOT_FOUND, XML)


def not_deserialized(what: str) -> Answer:
    text = f"Failed to deserialize your request. Please check the documentation and try again. Fields in error: {what}"
    return envelope(400, 400, text)


def own_failure(status: int) -> Answer:
    return envelope(status, status, "Sorry, we've run into a problem")


def oauth_refused(status: int, error: str, description: str) -> Answer:
    return json_answer({"error": error, "error_description": description}, status)
