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
from shared.snapshots.delta.errors import BadTable
from shared.snapshots.heads import BadHead
from shared.snapshots.model_json import BadModel
from shared.wording import Message, Value, say

_Found = TypeVar("_Found")

log = logging.getLogger(__name__)

_WORDS = {
    "BlobArchived": say("cannot be read: a file of it is in the archive tier; rehydrate it, or land a newer one"),
    "BlobBeingRehydrated": say(
        "cannot be read: a file of it is in the archive tier, and is being brought back; wait for it, or land a newer "
        "one"
    ),
    "AuthorizationPermissionMismatch": say(
        "cannot be read: the service may not read a file of it; it needs the role Storage Blob Data Reader"
    ),
    "InvalidRange": say("cannot be read: a file of it is shorter than its listing says"),
}
"""Storage's own word for an error -> ours, which follow the name of what was looked at."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why something could not be looked at, for people."""

    words: Message


def apart(work: Callable[[], _Found], what: Value) -> _Found | Trouble:
    """What `work` finds, or what kept it from that. Raises only what has nothing to do with `what`."""
    try:
        return work()
    except Exception as error:  # noqa: BLE001  # whatever a file holds, its neighbours must not notice
        return Trouble(_in_words(error, what))


def _in_words(error: Exception, what: Value) -> Message:
    if isinstance(error, (ResourceModifiedError, ResourceNotFoundError)):
        return say("%(what)s is being replaced", what=what)
    if isinstance(error, (BadHead, BadTable, UserMustAct)):
        return say("%(what)s cannot be read: %(why)s", what=what, why=error.words)
    if isinstance(error, BadModel):
        return error.words
    if passes(error) or isinstance(error, RetryAfter):
        raise error
    if isinstance(error, HttpResponseError):
        answer = say("cannot be read: storage answers %(status)s", status=str(error.status_code))
        return say("%(what)s %(why)s", what=what, why=words_for(error) or answer)
    frame = traceback.extract_tb(error.__traceback__)[-1]  # and not its text, which may quote a person
    log.error("A segment could not be looked at: %s in %s, line %s", type(error).__name__, frame.name, frame.lineno)
    kind = type(error).__name__
    return say(
        "%(what)s cannot be read, for a reason that is not understood (%(kind)s); the service's log has more",
        what=what,
        kind=kind,
    )


def words_for(error: Exception) -> Message | None:
    """Our words for an answer of storage that is about one blob, None where it is another."""
    code = getattr(error, "error_code", "")
    return _WORDS.get(str(getattr(code, "value", code)))
