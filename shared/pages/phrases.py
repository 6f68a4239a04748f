"""The service's own messages in the reader's language.

The service says what is wrong in English, with names and numbers in it. A message that one of these templates made is
taken apart and put together again in the translation. Any other, and what a vendor said, is shown as it is and marked
as English, so that it is read out as that.
"""

from __future__ import annotations

import gettext
import re
from collections.abc import Mapping
from functools import cache

from markupsafe import Markup, escape

from shared.pages.messages import TEMPLATES, WORDS

_SENTENCES = frozenset({"why", "last", "reason"})
"""What stands in these places of a template is a message itself, or several: why a run was blocked, what happened."""


def said(words: gettext.NullTranslations, message: str) -> Markup:
    """The message in the catalogue's language."""
    if type(words) is gettext.NullTranslations or not message:
        return escape(message)
    if (translated := words.gettext(message)) != message or message in _constants():
        return escape(translated)
    for template, pattern in _patterns():
        if found := pattern.fullmatch(message):
            return escape(words.gettext(template)) % _parts(words, found.groupdict())
    return Markup('<span lang="en">{}</span>').format(message)


def _parts(words: gettext.NullTranslations, values: Mapping[str, str]) -> dict[str, Markup | str]:
    return {
        name: _sentences(words, value) if name in _SENTENCES else _known(words, value) for name, value in values.items()
    }


def _known(words: gettext.NullTranslations, value: str) -> str:
    return words.gettext(value) if value else ""


def _sentences(words: gettext.NullTranslations, value: str) -> Markup:
    return Markup("; ").join(said(words, part) for part in value.split("; "))


@cache
def _constants() -> frozenset[str]:
    """Messages without a place in them: a translation may be the same word."""
    return frozenset(each for each in (*TEMPLATES, *WORDS) if "%(" not in each)


@cache
def _patterns() -> list[tuple[str, re.Pattern[str]]]:
    return [(template, pattern_of(template)) for template in TEMPLATES if "%(" in template]


def pattern_of(template: str) -> re.Pattern[str]:
    """`%(name)s` stands for anything; the rest is literal."""
    pieces = re.split(r"%\((\w+)\)s", template)
    parts = [
        f"(?P<{piece}>.*)" if number % 2 else re.escape(piece.replace("%%", "%")) for number, piece in enumerate(pieces)
    ]
    return re.compile("".join(parts), re.DOTALL)
