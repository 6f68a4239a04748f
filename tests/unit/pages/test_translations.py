"""The catalogues are complete, agree with the pages, and are what the app loads."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from gettext import GNUTranslations
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

from dev.translations import catalogue, compiled, po_file
from shared.pages.messages import TEMPLATES
from shared.pages.phrases import pattern_of, said
from shared.web.languages import best
from shared.wording import LANGUAGES, translations

SHARED = Path(__file__).parents[3] / "shared"
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


@cache
def said_by_the_service() -> set[str]:
    """All texts in the source, with `*` for whatever varies."""
    lists = {SHARED / "pages" / "messages.py"}
    files = [path for path in SHARED.rglob("*.py") if path not in lists]
    return {pattern for path in files for pattern in _texts(ast.parse(path.read_text()))}


def _texts(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = (part.value if isinstance(part, ast.Constant) else "*" for part in node.values)
            yield "".join(str(part) for part in parts)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield re.sub(r"{\w+}", "*", node.value)


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_message_that_is_translated_is_still_one_of_the_service(template: str) -> None:
    assert any(pattern_of(template).fullmatch(text) for text in said_by_the_service())


def test_a_message_of_the_service_is_said_with_its_names_and_numbers() -> None:
    message = "Blocked before the first write: would remove 41 of 100 (41%), limit 20%."
    assert said(translations("sv"), message) == (
        "Stoppad före första skrivningen: skulle ta bort 41 av 100 (41%), gräns 20%."
    )
    assert said(translations("en"), message) == message


def test_what_is_not_translated_is_marked_as_english() -> None:
    words = translations("ro")
    assert said(words, "It <broke>.") == '<span lang="en">It &lt;broke&gt;.</span>'
    assert said(translations("en"), "It <broke>.") == "It &lt;broke&gt;."
    around = said(words, "Its last check failed: Server says no.")
    assert around.endswith('<span lang="en">Server says no.</span>')
    assert not around.startswith("<span")


def test_names_in_a_message_are_no_markup() -> None:
    assert "&lt;b&gt;" in said(translations("sv"), "There is no connection '<b>': create it, or choose another.")


def test_a_message_that_is_the_same_in_a_language_is_not_english() -> None:
    assert "lang" not in said(translations("ro"), "Administrator")


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
