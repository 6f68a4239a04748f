"""Errors as the libraries raise them, for calls that are told to fail."""

from __future__ import annotations

import errno

from azure.core.exceptions import HttpResponseError, ServiceResponseError

from shared.errors import Conflict


def busy() -> Exception:
    """Storage is overloaded, and the client library gave up."""
    error = HttpResponseError("The server is busy.")
    error.status_code = 503
    return error


def timed_out() -> Exception:
    """No answer: the work may be done."""
    return ServiceResponseError("Read timed out.")


def conflict_with_oneself() -> Exception:
    """The client library asked again after a lost answer, and found that somebody had been first: itself."""
    return Conflict("it is not as it was read")


def no_space() -> Exception:
    return OSError(errno.ENOSPC, "No space left on device")
