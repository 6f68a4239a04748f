"""Storage, queue, tables and Key Vault when they are busy or out of reach."""

from __future__ import annotations

SECONDS = 10
"""When to try again, after the clients' own repetitions."""
_PASSING = frozenset({408, 429, 500, 502, 503, 504, 507})


def passes(error: BaseException) -> bool:
    """Whether an Azure service failed in a way that passes by itself; False for what it refuses for good."""
    from azure.core.exceptions import AzureError, HttpResponseError, ServiceRequestError, ServiceResponseError

    if isinstance(error, HttpResponseError):
        return error.status_code in _PASSING
    return isinstance(error, AzureError) and isinstance(error, ServiceRequestError | ServiceResponseError)


def code(error: BaseException) -> str:
    """Storage's own word for an error, such as `AuthorizationFailure`, with its status; "" where it has none. Unlike
    its message it never repeats what was sent."""
    word, status = getattr(error, "error_code", None), getattr(error, "status_code", None)
    return " ".join(str(getattr(each, "value", each)) for each in (status, word) if each)
