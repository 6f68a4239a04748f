"""Keeps e-mail addresses and secrets out of free text: vendors' messages, exceptions, library logs."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable

ADDRESS = "[address]"
SECRET = "[secret]"  # noqa: S105 - what is written instead of one

# The at sign as is, full width, percent-encoded any number of times, as an HTML entity, as an escape.
_AT = r"(?:@|＠|%(?:25)*40|&#0*64|&#x0*40|&commat|\\u0040|\\x40)"
_HAS_AT = re.compile(_AT, re.IGNORECASE)
_QUOTED = re.compile(rf'\\?"[^"\n]{{1,64}}"{_AT}\S*', re.IGNORECASE)
# Whole tokens, not an address grammar: linear time, and rather a word too many than half an address left.
_TOKEN = re.compile(r'[^\s"<>()\[\],;]+')
_NAMED_SECRET = re.compile(
    r"(?i)(api[-_]?key|authorization|password|secret|token|sig)(\\?[\"']?\s*[:=]\s*\\?[\"']?)"
    r"(?:(?:basic|bearer|[a-z]+-api-key)\s+)?[^\s\"',;&\\]+"
)
_HEX_SECRET = re.compile(r"(?<![0-9a-fA-F])[0-9a-fA-F]{24,}(?![0-9a-fA-F])")

_LIBRARY_LOGGERS = (
    "urllib3",
    "urllib3.connection",
    "urllib3.connectionpool",
    "urllib3.poolmanager",
    "urllib3.response",
    "urllib3.util.retry",
    "requests",
)


def scrub(text: str) -> str:
    """The text without e-mail addresses (plain or encoded) and without what looks like a secret."""
    text = _HEX_SECRET.sub(SECRET, _NAMED_SECRET.sub(rf"\1\2{SECRET}", text))
    if not _HAS_AT.search(text):
        return text
    return _TOKEN.sub(_without_address, _QUOTED.sub(ADDRESS, text))


def excerpt(text: str, longest: int = 200) -> str:
    """Scrubbed text on one line, cut to `longest` characters: what we keep of a vendor's words."""
    # Scrubbed before it is cut: half an encoded at sign would no longer be recognised.
    line = " ".join(scrub(text).split())
    return line if len(line) <= longest else line[: longest - 1] + "…"


class ScrubbingFilter(logging.Filter):
    """Rewrites a record's message scrubbed, and drops its traceback, whose texts could not be."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = scrub(record.getMessage()), None
        record.exc_info = record.exc_text = record.stack_info = None
        return True


_FILTER = ScrubbingFilter()


def guard_library_logs(names: Iterable[str] = _LIBRARY_LOGGERS) -> None:
    """Scrub what the HTTP libraries log, since they log whole URLs. Calling it again changes nothing.

    A logger's filter does not hold for its children, so every logger is named.
    """
    for name in names:
        logging.getLogger(name).addFilter(_FILTER)


def _without_address(token: re.Match[str]) -> str:
    return ADDRESS if _HAS_AT.search(token[0]) else token[0]
