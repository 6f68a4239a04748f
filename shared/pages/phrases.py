"""The service's own messages in the reader's language.

The service says what is wrong in English, with names and numbers in it. A message that one of these templates made is
taken apart and put together again in the translation; any other is shown as it is.
"""

from __future__ import annotations

import gettext
import re
from functools import cache

from shared.pages.messages import TEMPLATES


def said(words: gettext.NullTranslations, message: str) -> str:
    """The message in the catalogue's language."""
    if type(words) is gettext.NullTranslations:
        return message
    translated = words.gettext(message) if message else ""
    if translated != message:
        return translated
    for template, pattern in _patterns():
        if found := pattern.fullmatch(message):
            return words.gettext(template) % {name: _parts(words, value) for name, value in found.groupdict().items()}
    return message


def _parts(words: gettext.NullTranslations, value: str) -> str:
    """What stands in a message may be messages itself: why a run was blocked, what happened last."""
    return "; ".join(said(words, part) for part in value.split("; "))


@cache
def _patterns() -> list[tuple[str, re.Pattern[str]]]:
    return [(template, _pattern(template)) for template in TEMPLATES if "%(" in template]


def _pattern(template: str) -> re.Pattern[str]:
    """`%(name)s` stands for anything; the rest is literal."""
    pieces = re.split(r"%\((\w+)\)s", template)
    parts = [
        f"(?P<{piece}>.*)" if number % 2 else re.escape(piece.replace("%%", "%")) for number, piece in enumerate(pieces)
    ]
    return re.compile("".join(parts), re.DOTALL)
