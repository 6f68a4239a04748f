"""What kept a segment from being looked at, in words. It is that segment's own trouble, whatever it is.

Only what is wrong with storage as a whole is passed on, since it is nobody's own: the next try may well work.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from azure.core.exceptions import HttpResponseError, ResourceModifiedError, ResourceNotFoundError

from shared.cloud.trouble import passes
from shared.errors import RetryAfter, UserMustAct
from shared.snapshots.heads import BadHead
from shared.snapshots.model_json import BadModel

_Found = TypeVar("_Found")

log = logging.getLogger(__name__)

_ARCHIVED = "cannot be read: a file of it is in the archive tier; rehydrate it, or land a newer one"
_WORDS = {
    "BlobArchived": _ARCHIVED,
    "BlobBeingRehydrated": _ARCHIVED.replace("; rehydrate it,", ", and is being brought back; wait for it,"),
    "AuthorizationPermissionMismatch": "cannot be read: the service may not read a file of it; it needs the role "
    "Storage Blob Data Reader",
    "InvalidRange": "cannot be read: a file of it is shorter than its listing says",
}
"""Storage's own word for an error -> ours, which follow the name of what was looked at."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why something could not be looked at, for people."""

    words: str


def apart(work: Callable[[], _Found], what: str) -> _Found | Trouble:
    """What `work` finds, or what kept it from that. Raises only what has nothing to do with `what`."""
    try:
        return work()
    except Exception as error:  # noqa: BLE001  # whatever a file holds, its neighbours must not notice
        return Trouble(_in_words(error, what))


def _in_words(error: Exception, what: str) -> str:
    if isinstance(error, (ResourceModifiedError, ResourceNotFoundError)):
        return f"{what} is being replaced"
    if isinstance(error, (BadHead, UserMustAct)):
        return f"{what} cannot be read: {error}"
    if isinstance(error, BadModel):
        return str(error)
    if passes(error) or isinstance(error, RetryAfter):
        raise error
    if isinstance(error, HttpResponseError):
        return f"{what} {words_for(error) or f'cannot be read: storage answers {error.status_code}'}"
    frame = traceback.extract_tb(error.__traceback__)[-1]  # and not its text, which may quote a person
    log.error("A segment could not be looked at: %s in %s, line %s", type(error).__name__, frame.name, frame.lineno)
    kind = type(error).__name__
    return f"{what} cannot be read, for a reason that is not understood ({kind}); the service's log has more"


def words_for(error: Exception) -> str | None:
    """Our words for an answer of storage that is about one blob, None where it is another."""
    code = getattr(error, "error_code", "")
    return _WORDS.get(str(getattr(code, "value", code)))
