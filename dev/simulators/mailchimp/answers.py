"""The bodies that Mailchimp answers with when it refuses (contract section 9)."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from dev.simulators.common.vendor import Answer, Refusal, json_answer

JSON = "application/json; charset=utf-8"
PROBLEM = "application/problem+json; charset=utf-8"
_DOCS = "https://mailchimp.com/developer/marketing/docs/errors/"

COMPLIANCE = (
    "is in a compliance state due to unsubscribe, bounce, or compliance review and cannot be subscribed. "
    "This contact must re-subscribe to get back on the list."
)
FORGOTTEN = "was permanently deleted and cannot be re-imported. The contact must re-subscribe to get back on the list."
FAKE = "looks fake or invalid, please enter a real email address."


class FieldError(NamedTuple):
    field: str
    message: str


def shown(value: Any, status: int = 200, rows: int = 0, touched: Sequence[str] = ()) -> Answer:
    return replace(json_answer(value, status, rows, touched), media=JSON)


def nothing(touched: Sequence[str] = ()) -> Answer:
    """204."""
    return Answer(204, b"", JSON, rows=len(touched), touched=touched)


def problem(status: int, title: str, detail: str, errors: Sequence[FieldError] = ()) -> Answer:
    body: dict[str, Any] = {"type": _DOCS, "title": title, "status": status, "detail": detail}
    body["instance"] = str(uuid.uuid4())
    if errors:
        body["errors"] = [each._asdict() for each in errors]
    return replace(json_answer(body, status), media=PROBLEM)


def invalid(*errors: FieldError, detail: str = "") -> Answer:
    text = "The resource submitted could not be validated."
    if errors:
        text += " For field-specific details, see the 'errors' array."
    return problem(400, "Invalid Resource", detail or text, errors)


def refuse(field: str, message: str) -> Refusal:
    return Refusal(invalid(FieldError(field, message)))


def bad_request(detail: str) -> Answer:
    return problem(400, "Bad Request", detail)


def unreadable() -> Answer:
    return problem(400, "JSON Parse Exception", "We encountered an unspecified JSON parsing error.")


def wrong_key() -> Answer:
    detail = "Your API key may be invalid, or you've attempted to access the wrong datacenter."
    return problem(401, "API Key Invalid", detail)


def missing_key() -> Answer:
    return problem(401, "API Key Missing", "Your request did not include an API key.")


def wrong_data_centre(right: str) -> Answer:
    return problem(403, "Forbidden", f"The API key provided is linked to datacenter '{right}'")


def disabled() -> Answer:
    return problem(403, "User Disabled", "This user has been disabled.")


def role_forbids() -> Answer:
    return problem(403, "Authorization Failure", "The user's role does not permit this action.")


def not_found(detail: str = "The requested resource could not be found.") -> Answer:
    return problem(404, "Resource Not Found", detail)


def method_not_allowed() -> Answer:
    return problem(405, "Method Not Allowed", "The requested method and resource are not compatible.")


def member_exists(address: str) -> Answer:
    detail = f"{address} is already a list member. Use PUT to insert or update list members."
    return problem(400, "Member Exists", detail)


def in_compliance_state(address: str) -> Answer:
    return problem(400, "Member In Compliance State", f"{address} {COMPLIANCE}")


def forgotten(address: str) -> Answer:
    return problem(400, "Forgotten Email Not Subscribed", f"{address} {FORGOTTEN}")


def too_many_connections() -> Answer:
    return problem(429, "Too Many Requests", "You have exceeded the limit of 10 simultaneous connections.")


def too_many_batches(most: int) -> Answer:
    return problem(429, "Too Many Requests", f"You have more than {most} pending batches.")


def too_large() -> Answer:
    return problem(413, "Request Entity Too Large", "The request is too large.")


def own_failure(status: int) -> Answer:
    return problem(status, "Internal Server Error", "An unexpected internal error has occurred.")
