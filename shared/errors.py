"""Errors, grouped by what happens next.

ExportError
├── UserMustAct          a person has to do something first; the message says what. The run fails.
│   ├── Unprocessable    what was asked for cannot be saved or started; the answer is 422.
│   ├── Forbidden        the caller may not do this; somebody else may.
│   └── Blocked          nothing was sent; the run waits for a decision or for the cause to go away.
├── RetryAfter           nothing is known to be wrong for good; try again after `seconds`.
├── OutcomeUnknown       a request went out and its answer did not come back, or made no sense.
├── Conflict             somebody else changed the same row, blob or lease first.
└── LeaseLost            this worker no longer holds the account; it must stop without another request.

No message may hold an e-mail address or a secret.
"""

from __future__ import annotations

from shared.wording import Message, read


class ExportError(Exception):
    """Base of every error that the service raises on purpose."""

    @property
    def words(self) -> Message:
        """What it says to people: a message (`shared/wording.py`), or English."""
        return read(self.args[0] if self.args else "")


class UserMustAct(ExportError):
    """A person has to do something first.

    `code` is a stable word for programs (`bad_credentials`), `message` says what is wrong and what to do next.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Unprocessable(UserMustAct):
    """What was asked for cannot be saved or started."""


class Forbidden(UserMustAct):
    """The caller may not do this."""

    def __init__(self, message: str) -> None:
        super().__init__("forbidden", message)


class Blocked(UserMustAct):
    """The delivery stopped before its first write and waits."""


class RetryAfter(ExportError):
    """Try again after `seconds`; nothing that was asked for in the failed call was done."""

    def __init__(self, seconds: float, reason: str) -> None:
        super().__init__(reason)
        self.seconds = seconds
        self.reason = reason


class OutcomeUnknown(ExportError):
    """A request may or may not have been carried out."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Conflict(ExportError):
    """Somebody else was first: the row, blob or lease is not as this worker read it."""


class LeaseLost(ExportError):
    """The account belongs to another worker now."""
