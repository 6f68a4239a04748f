"""What goes wrong, and the exit status that says so."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import Any


class Exit(IntEnum):
    """Exit statuses; docs/for-engineers.md lists them."""

    OK = 0
    FAILED = 1
    USAGE = 2
    NOT_ALLOWED = 3
    UNREACHABLE = 4
    WAITING = 5
    DIFFERS = 6


class Failure(Exception):
    """Ends the command.

    `code` is a stable word for programs, `message` says what is wrong and what to do next; `errors` are places in what
    was sent, each with `pointer` and `message`. `status` is the answer's, 0 where there was none. No message may hold
    an e-mail address or a secret.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        exit_status: Exit = Exit.FAILED,
        status: int = 0,
        errors: Sequence[dict[str, Any]] = (),
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.exit_status = exit_status
        self.status = status
        self.errors = list(errors)

    def as_json(self) -> dict[str, Any]:
        """What `--json` prints of it."""
        return {"error": {"code": self.code, "message": self.message, "status": self.status, "errors": self.errors}}


def usage(code: str, message: str, errors: Sequence[dict[str, Any]] = ()) -> Failure:
    """The command was not given what it needs."""
    return Failure(code, message, exit_status=Exit.USAGE, errors=errors)
