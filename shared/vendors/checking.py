"""What a connection check says when it fails, in the same words for every vendor."""

from __future__ import annotations

from collections.abc import Callable

from shared.errors import ExportError, LeaseLost, OutcomeUnknown, UserMustAct
from shared.vendors.answers import RateLimited, Unreachable, Unreadable
from shared.vendors.contract import CheckResult
from shared.wording import say

_FAILURES = (
    (Unreachable, "unreachable", say("%(vendor)s could not be reached: check the network and try again.")),
    (RateLimited, "rate_limited", say("%(vendor)s limits the rate at the moment: try again in a minute.")),
    (
        Unreadable,
        "unexpected_answer",
        say("Something answers that is not %(vendor)s: check the network and try again."),
    ),
    (OutcomeUnknown, "unexpected_answer", say("%(vendor)s did not answer clearly: try again in a minute.")),
)


def checked(label: str, check: Callable[[], CheckResult]) -> CheckResult:
    """The result of `check`; an error that it raises becomes a result that says what to do. Raises LeaseLost."""
    try:
        return check()
    except LeaseLost:
        raise
    except ExportError as error:
        return _explained(label, error)


def _explained(label: str, error: ExportError) -> CheckResult:
    if isinstance(error, UserMustAct):
        return CheckResult(False, error.message, code=error.code)
    for kind, code, message in _FAILURES:
        if isinstance(error, kind):
            return CheckResult(False, message.filled(vendor=label), code=code)
    return CheckResult(False, error.words, code="not_checked")
