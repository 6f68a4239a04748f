"""Refusals, as Azure's clients raise them."""

from __future__ import annotations

from azure.core.exceptions import (
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)

_KINDS = {404: ResourceNotFoundError, 409: ResourceExistsError}
_MODIFIED = ("ConditionNotMet", "UpdateConditionNotSatisfied")


def refused(status: int, code: str) -> HttpResponseError:
    """What the service says no with, under its own word for it."""
    kind = ResourceModifiedError if code in _MODIFIED else _KINDS.get(status, HttpResponseError)
    error = kind(code)
    error.status_code = status
    error.error_code = code  # type: ignore[attr-defined]  # the clients add it as they go, too
    return error
