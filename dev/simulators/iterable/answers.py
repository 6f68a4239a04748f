"""The bodies that Iterable answers with (contract sections 1, 3, 4, 6, 7 and 8)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from dev.simulators.common.vendor import HTML, Answer, Call, json_answer
from dev.simulators.iterable.bulk import Outcome
from dev.simulators.iterable.settings import Key

_REASONS = ("invalid", "notFound", "invalidData", "conflict", "forgotten")
_FAILED = tuple(f"{reason}{kind}" for reason in _REASONS for kind in ("Emails", "UserIds"))

_ACTION_NOT_FOUND = b"""<!DOCTYPE html>
<html><head><title>Action not found</title></head><body><h1>Action not found</h1></body></html>
"""


def envelope(status: int, code: str, message: str, params: Mapping[str, Any] | None = None) -> Answer:
    """The one shape where a null is normal: the vendor's recorded answers have `"params": null`."""
    return json_answer({"msg": message, "code": code, "params": params}, status)


def invalid_key(call: Call) -> Answer:
    return envelope(401, "BadApiKey", "Invalid API key", {"ip": call.client, "endpoint": call.path})


def insufficient_key(call: Call, secret: str, key: Key) -> Answer:
    params = {
        "ip": call.client,
        "endpoint": call.path,
        "apiKeyIdentifier": hashlib.sha256(secret.encode()).hexdigest()[:8],
        "apiKeyType": key.type,
    }
    return envelope(401, "BadApiKey", "Disabled API key or insufficient privileges", params)


def action_not_found() -> Answer:
    return Answer(404, _ACTION_NOT_FOUND, HTML)


def rate_limited(path: str, project: str) -> Answer:
    message = f"Exceeded rate limit for endpoint: {path}, project: {project} "
    return envelope(429, "RateLimitExceeded", message, {})


_OWN_FAILURES = {503: "Request timeout.  Try again later."}


def own_failure(status: int) -> Answer:
    message = _OWN_FAILURES.get(status, "An error occurred. Please try again later.")
    return envelope(status, "GenericError", message)


def invalid_email(address: str) -> Answer:
    return envelope(400, "InvalidEmailAddressError", f"Invalid email: {address}")


def bad_params(message: str) -> Answer:
    return envelope(400, "BadParams", message)


def bad_json(path: str, problems: Mapping[str, str]) -> Answer:
    return envelope(400, "BadJsonBody", f"[{path}] Invalid JSON body", problems)


def batch_too_large(status: int) -> Answer:
    return envelope(status, "BatchTooLarge", "Batch too large", {})


def invalid_list(status: int, project: int, list_id: int) -> Answer:
    params = {"projectId": project, "listId": list_id}
    return envelope(status, "Success", f"error.lists.invalidListId({list_id})", params)


def list_deleted(project: int, list_id: int) -> Answer:
    return envelope(200, "Success", f"List {list_id} in Project {project} was successfully deleted.")


def list_in_use(list_id: int) -> Answer:
    return envelope(409, "Conflict", f"List {list_id} is in use")


def types_mismatched(project: int, errors: Mapping[str, Mapping[str, Any]]) -> Answer:
    details = " ".join(
        f"Field '{name}' already exists for type 'user' and has a data type of '{error['expectedType']}'"
        f" but possible types '{', '.join(error['incomingTypes'])}' in the request."
        for name, error in errors.items()
    )
    message = (
        f"Project {project}: The request does not have the same data types as the data previously submitted. {details}"
    )
    return envelope(400, "RequestFieldsTypesMismatched", message, {"validationErrors": errors})


def too_many_fields(project: int) -> Answer:
    return envelope(400, "UniqueFieldsLimitExceeded", f"Project {project}: too many unique fields", {})


def bulk(outcome: Outcome, minimal: bool, rows: int) -> Answer:
    """`UserBulkUpdateListResponse`; minimal is the shape of the recordings of 2021."""
    failed = {name: outcome.failed.get(name, []) for name in _FAILED}
    body: dict[str, Any] = {
        "successCount": len(outcome.done),
        "failCount": sum(map(len, failed.values())),
        "invalidEmails": failed["invalidEmails"],
        "invalidUserIds": failed["invalidUserIds"],
    }
    if not minimal:
        body |= {
            "filteredOutFields": sorted(outcome.dropped),
            "createdFields": sorted(outcome.created),
            "failedUpdates": failed,
            "noOpEmails": [one.value for one in outcome.unchanged if one.kind == "Emails"],
            "noOpUserIds": [one.value for one in outcome.unchanged if one.kind == "UserIds"],
        }
    return json_answer(body, rows=rows, touched=outcome.done)
