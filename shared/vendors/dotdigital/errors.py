"""Refusals and pauses that any Dotdigital call may answer with. Pure. Facts: contract, sections 1, 4, 9 and 10."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from shared.cloud.scrubbing import excerpt
from shared.errors import ExportError, RetryAfter, UserMustAct
from shared.vendors.answers import Answer, RateLimited
from shared.vendors.retrying import retry_after
from shared.wording import Message, say

BUSY_SECONDS = 60.0
"""When to come back while Dotdigital works on as much as it takes at once."""
LIMITED_SECONDS = 30.0
"""A 429 that does not say when its window ends."""
CAPPED_SECONDS = 300.0
"""The older scheme counts by the hour and does not say when it ends."""

_SHORTEST_RESET, _LONGEST_RESET = 1.0, 120.0
_EPOCH = 1e9
"""A reset above this is a point in time, below it is seconds: the sources disagree which it is."""
_TOKEN = re.compile(r"ERROR_[A-Z_]+")
_CAPPED_WORDS = b"excess API activity"

_BUSY: Mapping[str, str] = {
    "contacts:toomanyactiveimports": say("Dotdigital works on as many imports as the account may have at once."),
    "error_import_toomanyactiveimports": say("Dotdigital works on as many imports as the account may have at once."),
    "error_addressbook_in_use": say("The list is in use in Dotdigital at the moment."),
    "error_system_servicetemporarilyunavailable": say("Dotdigital is not available at the moment."),
}

_BAD_CREDENTIALS = (
    "bad_credentials",
    say("Dotdigital does not accept this API user and password: check both, and that the API user is enabled."),
)
_FORBIDDEN = (
    "forbidden",
    say(
        "Dotdigital does not allow this API user to do that: check its permissions, and that the "
        "account is migrated to unified contacts (API v3)."
    ),
)
_FOR_PEOPLE: Mapping[str, tuple[str, str]] = {
    "error_apiuser_invalid": _BAD_CREDENTIALS,
    "error_invalid_login": _BAD_CREDENTIALS,
    "error_featurenotactive": (
        "feature_not_active",
        say("The Dotdigital account does not have this feature: ask Dotdigital to switch it on."),
    ),
}


def error_code(answer: Answer) -> str:
    """The error's code in lower case, `contacts:…` or `error_…`; empty where the answer has none."""
    code = answer.object_or_empty().get("errorCode")
    if isinstance(code, str):
        return code.lower()
    found = _TOKEN.search(answer.body.decode(errors="replace"))
    return found[0].lower() if found else ""


def error_words(answer: Answer) -> str:
    """Dotdigital's own words, scrubbed; the status where it has none."""
    body = answer.object_or_empty()
    words = body.get("description") or body.get("message") or body.get("errorCode")
    return Message(excerpt(words)) if isinstance(words, str) else say("status %(status)s", status=str(answer.status))


def refusal(answer: Answer) -> UserMustAct:
    """A 401 or 403, for people. A 403 may also mean another region, which is asked for anew by every slice."""
    if answer.status == 401:
        return UserMustAct(*_BAD_CREDENTIALS)
    return UserMustAct(*_FOR_PEOPLE.get(error_code(answer), _FORBIDDEN))


def turned_away(answer: Answer) -> ExportError | None:
    """Why nothing was done, where any call may be told so: RateLimited, RetryAfter or UserMustAct.

    A 429 means two things: too many calls, or too many imports at once, which is no reason to call less often.
    """
    if answer.status < 400:
        return None
    code = error_code(answer)
    if code in _BUSY:
        return RetryAfter(BUSY_SECONDS, _BUSY[code])
    if code in _FOR_PEOPLE:
        return UserMustAct(*_FOR_PEOPLE[code])
    if answer.status == 429:
        seconds = retry_after(answer) or _reset(answer) or LIMITED_SECONDS
        return RateLimited(seconds, say("Dotdigital limits the rate."))
    if code == "error_apiusage_exceeded" or _CAPPED_WORDS in answer.body:
        return RateLimited(CAPPED_SECONDS, say("The Dotdigital account has used up its calls of this hour."))
    return None


def used_up(answer: Answer) -> float | None:
    """Seconds until the minute's calls are counted anew, where the headers say that none is left."""
    return _reset(answer) if answer.headers.get("x-ratelimit-remaining", "").strip() == "0" else None


def _reset(answer: Answer) -> float | None:
    try:
        reset = float(answer.headers.get("x-ratelimit-reset", ""))
    except ValueError:
        return None
    seconds = reset - _vendor_clock(answer) if reset > _EPOCH else reset
    # NaN is smaller and larger than nothing, so it ends as the shortest.
    return min(max(_SHORTEST_RESET, seconds), _LONGEST_RESET)


def _vendor_clock(answer: Answer) -> float:
    try:
        return parsedate_to_datetime(answer.headers.get("date", "")).timestamp()
    except (TypeError, ValueError):
        return time.time()
