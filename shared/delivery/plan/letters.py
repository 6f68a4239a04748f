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

_LETTER = r"[\p{L}\p{M}\p{N}'\x{2019}]"
_OTHER = _LETTER.replace("[", "[^")
_PIECE = f"{_LETTER}+{_OTHER}*|{_OTHER}+"
"""A word with what follows it up to the next one."""
_CAPITAL = r"[\p{Lu}\p{Lt}]"
_IS_PARTICLE = f"right(word, 1) = ' ' AND rtrim(word) IN ({', '.join(map(literal, PARTICLES))})"


def upper(text: str, *, turkish: bool) -> str:
    letters = f"translate({text}, 'iı', 'İI')" if turkish else text
    return f"upper(replace({letters}, 'ß', 'SS'))"


def lower(text: str, *, turkish: bool) -> str:
    letters = f"translate({text}, 'İI', 'iı')" if turkish else text
    return rf"regexp_replace(lower({letters}), '(\p{{L}})σ(\PL|$)', '\1ς\2', 'g')"


def title(text: str, *, turkish: bool) -> str:
    """Names as names are written. Where a text has capital and small letters, somebody wrote it so: words with a
    capital stay, and so does a small word that comes first."""
    mixed = rf"regexp_matches({text}, '\p{{Ll}}') AND regexp_matches({text}, '{_CAPITAL}')"
    as_written = f"WHEN {_IS_PARTICLE} OR word <> lower(word) THEN word"
    anew = f"WHEN place > 1 AND {_IS_PARTICLE} THEN word"
    of_mixed = _words(text, as_written, turkish=turkish)
    of_others = _words(lower(text, turkish=turkish), anew, turkish=turkish)
    return f"array_to_string(CASE WHEN {mixed} THEN {of_mixed} ELSE {of_others} END, '')"


def _words(text: str, staying: str, *, turkish: bool) -> str:
    """The words of a text, each with its capital, but for those that stay. No regular expression looks at a word: it
    would be made anew for every two thousand of them, which takes longer than all the rest."""

    def capital(place: int) -> str:
        return upper(f"word[{place}]", turkish=turkish)

    def small(*places: int) -> str:
        return " AND ".join(f"upper(word[{place}]) <> word[{place}]" for place in places)

    word = f"""
        CASE {staying}
             WHEN starts_with(word, 'mc') AND {small(3, 4)} THEN 'Mc' || {capital(3)} || word[4:]
             WHEN word[2] IN (chr(39), chr(8217)) AND {small(1, 3, 4)}
             THEN {capital(1)} || word[2] || {capital(3)} || word[4:]
             ELSE {capital(1)} || word[2:] END
    """
    return f"list_transform(regexp_extract_all({text}, {literal(_PIECE)}), lambda word, place: {word})"
