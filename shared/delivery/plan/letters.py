"""Capital letters, small letters, and names as names are written, as SQL. Pure. docs/derived-values.md has the rule.

Letters are changed one by one, as in no language in particular, but for `ß`, which becomes `SS`, and the `ς` that ends
a Greek word. In Turkish i and İ, ı and I belong together.
"""

from __future__ import annotations

from shared.delivery.sql import literal

PARTICLES = (
    *("af", "av", "da", "das", "de", "del", "della", "den", "der", "di", "do", "dos", "du", "la", "le", "ten", "ter"),
    *("van", "vom", "von", "zu", "zum", "zur"),
)
"""Words inside a name that stay small, where another word follows."""

_PARTICLE = rf"(?:{'|'.join(PARTICLES)})\s+"
_WORD = r"[\p{L}\p{M}\p{N}'\x{2019}]"
_TOKENS = rf"{_PARTICLE}|{_WORD}+|{_WORD.replace('[', '[^')}+"
_ONE_LETTER = r"^\p{L}['\x{2019}]\p{L}{2}"
"""O'Brien, and not John's."""
_SCOTTISH = r"^mc\p{L}{2}"


def upper(text: str, *, turkish: bool) -> str:
    letters = f"translate({text}, 'iı', 'İI')" if turkish else text
    return f"upper(replace({letters}, 'ß', 'SS'))"


def lower(text: str, *, turkish: bool) -> str:
    letters = f"translate({text}, 'İI', 'iı')" if turkish else text
    return rf"regexp_replace(lower({letters}), '(\p{{L}})σ(\PL|$)', '\1ς\2', 'g')"


def title(text: str, *, turkish: bool) -> str:
    """Names as names are written. Where a text has capital and small letters, somebody wrote it so, and only words
    that begin small are changed."""
    mixed = rf"(regexp_matches({text}, '\p{{Ll}}') AND regexp_matches({text}, '[\p{{Lu}}\p{{Lt}}]'))"
    words = (
        f"regexp_extract_all(CASE WHEN {mixed} THEN {text} ELSE {lower(text, turkish=turkish)} END, {literal(_TOKENS)})"
    )
    return f"array_to_string(list_transform({words}, lambda word, place: {_named(mixed, turkish=turkish)}), '')"


def _named(mixed: str, *, turkish: bool) -> str:
    """A word of a name; `place` is counted from 1."""

    def capital(place: int) -> str:
        return upper(f"word[{place}]", turkish=turkish)

    return f"""
        CASE WHEN ({mixed} OR place > 1) AND regexp_full_match(word, {literal(_PARTICLE)}) THEN word
             WHEN regexp_matches(word, '[\\p{{Lu}}\\p{{Lt}}]') THEN word
             WHEN regexp_matches(word, {literal(_SCOTTISH)}) THEN 'Mc' || {capital(3)} || word[4:]
             WHEN regexp_matches(word, {literal(_ONE_LETTER)})
             THEN {capital(1)} || word[2] || {capital(3)} || word[4:]
             ELSE {capital(1)} || word[2:] END
    """
