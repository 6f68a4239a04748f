"""The bodies that Dotdigital answers with (contract sections 1, 5, 8, 9 and 10)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dev.simulators.common.vendor import HTML, TEXT, Answer, json_answer
from dev.simulators.dotdigital.settings import Case, Settings

_FORBIDDEN = b"""<!DOCTYPE html>
<html><head><title>403 - Forbidden: Access is denied.</title></head><body><h2>403 - Forbidden: Access is denied.</h2></body></html>
"""  # noqa: E501 - a page

_DENIED = "Authorization has been denied for this request."
_CAPPED = "Your account has generated excess API activity and is being temporarily capped."

_DOCS_CODES = {"duplicateIdentifier": "Duplicate"}


def empty(status: int) -> Answer:
    return Answer(status, b"", TEXT)


def unauthorized(is_v3: bool) -> Answer:
    """The v3 specification declares no body for it."""
    return empty(401) if is_v3 else v2_message(401, _DENIED)


def forbidden(form: str) -> Answer:
    match form:
        case "html":
            return Answer(403, _FORBIDDEN, HTML)
        case "json":
            return v2_message(403, "Forbidden: Access is denied")
        case _:
            return empty(403)


def capped(form: str) -> Answer:
    """The flat scheme's refusal, a 400; one of the texts that were seen has no token."""
    return v2_message(400, _CAPPED if form == "prose" else "Error: ERROR_APIUSAGE_EXCEEDED")


def own_failure(status: int) -> Answer:
    busy = status == 503
    return v2_message(status, "Error: ERROR_SYSTEM_SERVICETEMPORARILYUNAVAILABLE" if busy else "An error has occurred.")


def no_such_path(is_v3: bool) -> Answer:
    return empty(404) if is_v3 else v2_message(404, "No HTTP resource was found that matches the request URI.")


def v2_message(status: int, message: str) -> Answer:
    return json_answer({"message": message}, status)


def v2_error(settings: Settings, token: str, text: str = "Error:") -> Answer:
    """The HTTP status of a token is UNCONFIRMED: `v2_statuses` has those that are not 400."""
    return v2_message(settings.v2_statuses.get(token, 400), f"{text} {token}")


def v3_error(
    settings: Settings, status: int, code: str, description: str, details: Mapping[str, str] | None = None
) -> Answer:
    """`details` maps an item to what is wrong with it."""
    body: dict[str, Any] = {"errorCode": f"contacts:{code}", "description": description}
    if details and settings.error_details != "absent":
        body["details"] = [{"item": item, settings.error_details: text} for item, text in details.items()]
    return json_answer(body, status)


def bad_request(settings: Settings, description: str, item: str = "") -> Answer:
    return v3_error(settings, 400, "badRequest", description, {item: description} if item else None)


def not_found(settings: Settings, identifier: str, value: str) -> Answer:
    details = {value: f"Not found using the identifier '{identifier}'"}
    return v3_error(settings, 404, "contactNotFound", "The following contacts could not be found", details)


def cased(value: str, case: Case, spec_is_pascal: bool = False) -> str:
    """An enumerated value as the account's answers write it."""
    pascal = spec_is_pascal if case == "spec" else case == "pascal"
    first = value[:1].upper() if pascal else value[:1].lower()
    return first + value[1:]


def failure(settings: Settings, code: str, description: str) -> dict[str, str]:
    """`code` is spelled as in the specification's examples; the documentation's table has other spellings."""
    if settings.failure_codes == "docs":
        code = _DOCS_CODES.get(code) or cased(code, "pascal")
    return {"failureCode": code, "description": description}
