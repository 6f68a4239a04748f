"""ETags and conditional requests (RFC 9110, section 13)."""

from __future__ import annotations

import hashlib
from typing import Annotated

from fastapi import Header

from shared.errors import UserMustAct
from shared.wording import say


class PreconditionFailed(UserMustAct):
    """If-Match or If-None-Match does not hold."""

    def __init__(self, message: str) -> None:
        super().__init__("precondition_failed", message)


def etag(version: str) -> str:
    """Strong validator of a stored version; the table's own is weak and tells its clock."""
    return f'"{hashlib.sha256(version.encode()).hexdigest()[:32]}"'


class Preconditions:
    """The request's conditions. Without any, a write takes whatever version is there."""

    def __init__(
        self,
        if_match: Annotated[str | None, Header(description="Only if this is the stored version (ETag).")] = None,
        if_none_match: Annotated[str | None, Header(description="`*`: only if there is none yet.")] = None,
    ) -> None:
        self.if_match = if_match
        self.if_none_match = if_none_match

    def require(self, version: str | None) -> None:
        """`version` is the stored one, None where there is none. Raises PreconditionFailed."""
        stored = None if version is None else etag(version)
        if self.if_match is not None and not _matches(self.if_match, stored):
            raise PreconditionFailed(
                say("It is not the version that If-Match names: read it again and repeat the change.")
            )
        if self.if_none_match is not None and _matches(self.if_none_match, stored):
            raise PreconditionFailed(say("It exists already, and If-None-Match forbids to replace it."))


def _matches(header: str, stored: str | None) -> bool:
    if stored is None:
        return False
    return any(tag.strip() in ("*", stored) for tag in header.split(","))
