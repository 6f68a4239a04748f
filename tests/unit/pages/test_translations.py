"""The catalogues are complete, agree with the pages, and are what the app loads."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from gettext import GNUTranslations
from io import BytesIO

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

from dev.translations import catalogue, compiled, po_file, template
from shared.web.languages import best
from shared.wording import LANGUAGES, Message, rendered, say, together

OTHERS = [language for language in LANGUAGES if language != "en"]
PLACEHOLDER = re.compile(r"%\((\w+)\)s|%%")
UNSAYABLE = re.compile(r"%(?!\(\w+\)s|%)")


@cache
def today(language: str) -> Catalog:
    """The stored catalogue with the messages that the pages have now."""
    return catalogue(language)


def forms(text: object) -> tuple[str, ...]:
    return tuple(text) if isinstance(text, list | tuple) else (str(text),)


@pytest.mark.parametrize("language", OTHERS)
def test_no_message_is_untranslated(language: str) -> None:
    assert [each.id for each in today(language) if each.id and not all(forms(each.string))] == []


@pytest.mark.parametrize("language", OTHERS)
def test_the_stored_catalogue_has_todays_messages_and_no_others(language: str) -> None:
    with po_file(language).open("rb") as file:
        stored = {str(each.id) for each in read_po(file, language) if each.id}
    assert stored == {str(each.id) for each in today(language) if each.id}, "run python -m dev.translations"


@pytest.mark.parametrize("language", OTHERS)
def test_the_compiled_catalogue_is_made_of_the_written_one(language: str) -> None:
    """Message by message, as the app says them: the library has its own words for itself and for plurals."""
    stored = BytesIO(po_file(language).with_suffix(".mo").read_bytes())
    assert spoken(stored) == spoken(BytesIO(compiled(today(language)))), "run python -m dev.translations"


def spoken(compiled_catalogue: BytesIO) -> dict[tuple[str, ...], list[str]]:
    """Message -> what is said in its place, of plurals for every number up to 120."""
    words = GNUTranslations(compiled_catalogue)
    compiled_catalogue.seek(0)
    told = {}
    for one, *several in (forms(each.id) for each in read_mo(compiled_catalogue) if each.id):
        plurals = [words.ngettext(one, several[0], number) for number in range(121)] if several else []
        told[one, *several] = plurals or [words.gettext(one)]
    return told


@pytest.mark.parametrize("language", OTHERS)
def test_placeholders_of_translations_are_those_of_the_message(language: str) -> None:
    for each in today(language):
        if not each.id:
            continue
        wanted = set(PLACEHOLDER.findall(forms(each.id)[-1]))
        for form in forms(each.string):
            # The singular of Romanian and Swedish may say "one" in words; nothing else may lose a value.
            assert set(PLACEHOLDER.findall(form)) <= wanted, (each.id, form)
            assert set(PLACEHOLDER.findall(form)) == wanted or isinstance(each.id, tuple), (each.id, form)
            assert not (wanted and UNSAYABLE.search(form.replace("%%", ""))), (each.id, form)


NUMBERS = (0, 1, 2, 3, 19, 20, 101, 1234)
INSIDE = Message("The run was cancelled.")
"""A message as a value of another."""


def samples(one: str, *many: str) -> Iterator[Message]:
    """The message with values: names, numbers of every plural, a message in each place."""
    places = {name for name in PLACEHOLDER.findall((*many, one)[0]) if name}
    if not places:
        yield Message(one)
        return
    for number in NUMBERS:
        yield Message(one, dict.fromkeys(places, number), *many)
        for place in places - {"num"}:
            yield Message(one, {**dict.fromkeys(places, "<Name>"), "num": number, place: INSIDE}, *many)


def left_in_english(text: str) -> str:
    return f"ENGLISH: {text}"


@pytest.mark.parametrize("language", OTHERS)
def test_every_message_is_said_whole_and_without_a_mixture(language: str) -> None:
    inside = rendered(INSIDE, language)
    assert inside != INSIDE
    for each in template():
        for message in samples(*forms(each.id)) if each.id else ():
            told = rendered(message, language, foreign=left_in_english)
            assert "ENGLISH" not in told
            assert not PLACEHOLDER.search(told)
            assert str(INSIDE) not in told or message == INSIDE
            assert told.count("<Name>") == str(message).count("<Name>") or message.many
            assert not (len(told.split()) > 3 and told == message), message


@pytest.mark.parametrize("language", OTHERS)
def test_no_translation_is_a_guess(language: str) -> None:
    with po_file(language).open("rb") as file:
        assert [each.id for each in read_po(file, language) if each.id and each.fuzzy] == []


@pytest.mark.parametrize(
    ("language", "told"),
    [
        (
            "sv",
            "Stoppad före första skrivningen: 3\u00a0000 av 3\u00a0000 rader (100 %) har ingen giltig adress, "
            "gräns 5 %.",
        ),
        ("ro", "Oprită înainte de prima scriere: 3.000 din 3.000 rânduri (100%) nu au o adresă validă, limita 5%."),
    ],
)
def test_what_guards_say_is_one_language(language: str, told: str) -> None:
    share = say(
        "%(refused)s of %(rows)s rows (%(share)s%%) have no valid address, limit %(limit)s%%",
        refused=3000,
        rows=3000,
        share=100,
        limit=5,
    )
    assert rendered(say("Blocked before the first write: %(why)s.", why=together([share], "; ")), language) == told


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("sv-SE,sv;q=0.9,en;q=0.8", "sv"),
        ("fi,ro;q=0.4,en;q=0.3", "ro"),
        ("de", "en"),
        ("en;q=0.2,sv;q=0.9", "sv"),
        ("sv;q=0", "en"),
        ("", "en"),
        ("*,;;q=x", "en"),
    ],
)
def test_the_browser_says_which_language_it_likes_best(accepted: str, language: str) -> None:
    assert best(accepted) == language
