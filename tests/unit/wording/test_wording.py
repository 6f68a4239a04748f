"""A message is its English sentence, and is said in the reader's language."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from gettext import GNUTranslations, NullTranslations
from io import BytesIO

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from markupsafe import Markup, escape
from pydantic import BaseModel

from shared import wording
from shared.wording import (
    STORED,
    Message,
    Said,
    kept,
    read,
    reading_in,
    rendered,
    said,
    say,
    say_many,
    shortened,
    together,
)

SWEDISH: dict[str | tuple[str, str], str | tuple[str, ...]] = {
    "It does not work.": "Det fungerar inte.",
    "%(vendor)s has no list %(list)s. %(why)s": "%(vendor)s saknar listan %(list)s. %(why)s",
    "Its last check failed: %(why)s": "Senaste kontrollen misslyckades: %(why)s",
    ("%(num)s row is broken.", "%(num)s rows are broken."): ("%(num)s rad är trasig.", "%(num)s rader är trasiga."),
    "Fine": "Fine",
}
ROMANIAN: dict[str | tuple[str, str], str | tuple[str, ...]] = {
    ("%(num)s row is broken.", "%(num)s rows are broken."): (
        "%(num)s rând este defect.",
        "%(num)s rânduri sunt defecte.",
        "%(num)s de rânduri sunt defecte.",
    ),
}


@pytest.fixture(autouse=True)
def two_catalogues(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def found(domain: str, folder: object, languages: list[str]) -> NullTranslations:
        catalog = Catalog(languages[0])
        texts = SWEDISH if languages[0] == "sv" else ROMANIAN
        for text, translation in texts.items():
            catalog.add(text, translation)
        made = BytesIO()
        write_mo(made, catalog)
        made.seek(0)
        return GNUTranslations(made)

    monkeypatch.setattr("gettext.translation", found)
    wording._catalogue.cache_clear()
    yield
    wording._catalogue.cache_clear()


NO_LIST = say(
    "%(vendor)s has no list %(list)s. %(why)s", vendor="Iterable", list="50% off", why=say("It does not work.")
)


def test_a_message_is_its_english_sentence() -> None:
    assert NO_LIST == "Iterable has no list 50% off. It does not work."
    assert f"{NO_LIST}" == str(NO_LIST) == "".join([NO_LIST])
    assert type(str(NO_LIST)) is str


@pytest.mark.parametrize(
    ("message", "swedish"),
    [
        (NO_LIST, "Iterable saknar listan 50% off. Det fungerar inte."),
        (say("It does not work."), "Det fungerar inte."),
        ("It does not work.", "Det fungerar inte."),
        ("Server says %(no)s.", "Server says %(no)s."),
        (say("Its last check failed: %(why)s", why="100% no"), "Senaste kontrollen misslyckades: 100% no"),
        (say_many("%(num)s row is broken.", "%(num)s rows are broken.", 1), "1 rad är trasig."),
        (say_many("%(num)s row is broken.", "%(num)s rows are broken.", 4100), "4\u00a0100 rader är trasiga."),
        (together([say("Fine"), say("It does not work.")]), "Fine Det fungerar inte."),
        (together([say("Fine"), "", say("It does not work.")], "; "), "Fine; Det fungerar inte."),
        ("", ""),
    ],
)  # fmt: skip
def test_it_is_said_in_the_readers_language(message: str, swedish: str) -> None:
    assert said(message) == str(message)
    with reading_in("sv"):
        assert said(message) == swedish
    assert said(message) == str(message)


@pytest.mark.parametrize(
    ("number", "english", "romanian"),
    [
        (0, "0 rows are broken.", "0 rânduri sunt defecte."),
        (1, "1 row is broken.", "1 rând este defect."),
        (2, "2 rows are broken.", "2 rânduri sunt defecte."),
        (20, "20 rows are broken.", "20 de rânduri sunt defecte."),
        (1102, "1,102 rows are broken.", "1.102 rânduri sunt defecte."),
        (4100, "4,100 rows are broken.", "4.100 de rânduri sunt defecte."),
    ],
)
def test_a_number_chooses_the_form(number: int, english: str, romanian: str) -> None:
    message = say_many("%(num)s row is broken.", "%(num)s rows are broken.", number)
    assert (message, rendered(message, "ro")) == (english, romanian)


FAILED = "Senaste kontrollen misslyckades: {}"


def marked(text: str) -> Markup:
    return Markup("<en>{}</en>").format(text)


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("It <broke>.", "<en>It &lt;broke&gt;.</en>"),
        (say("Fine"), "Fine"),
        (say("Its last check failed: %(why)s", why=Message("<No>")), FAILED.format("<en>&lt;No&gt;</en>")),
        (say("Its last check failed: %(why)s", why="<No>"), FAILED.format("&lt;No&gt;")),
        (say("Odd: %(why)s", why="<No>"), "<en>Odd: &lt;No&gt;</en>"),
        (together(["It does not work.", "Odd."]), "Det fungerar inte. <en>Odd.</en>"),
    ],
)  # fmt: skip
def test_what_has_no_translation_is_marked(message: str, shown: str) -> None:
    assert rendered(message, "sv", escape=escape, foreign=marked) == shown
    assert "<en>" not in rendered(message, "en", escape=escape, foreign=marked)


EVERY = [
    NO_LIST,
    say("It does not work."),
    say_many("%(num)s row is broken.", "%(num)s rows are broken.", 2),
    together([NO_LIST, "Odd."]),
    Message('{"text": "words of a vendor"}'),
    Message("50% %(off)s"),
    Message(""),
]
CARRIERS: list[Callable[[Message], object]] = [
    lambda message: read(kept(message)),
    copy.deepcopy,
]


@pytest.mark.parametrize("carry", CARRIERS)
@pytest.mark.parametrize("message", EVERY)
def test_nothing_is_lost_on_the_way(carry: Callable[[Message], object], message: Message) -> None:
    carried = carry(message)
    assert isinstance(carried, Message)
    assert (carried, carried.text, carried.values, carried.many) == (
        message,
        message.text,
        message.values,
        message.many,
    )


@pytest.mark.parametrize("stored", ["", "The run was cancelled.", "{", '{"text": 1}', '{"text": "a", "values": []}'])
def test_an_old_row_is_a_message_without_values(stored: str) -> None:
    assert (read(stored), read(stored).values) == (stored, {})


def test_a_message_that_is_too_long_is_cut_in_english() -> None:
    assert shortened(NO_LIST, 1000) is NO_LIST
    assert shortened(NO_LIST, 8) == "Iterable"


class _View(BaseModel):
    said: Said
    kept: Said = ""


def test_in_answers_it_is_said_and_in_storage_it_is_kept() -> None:
    view = _View(said=NO_LIST, kept=NO_LIST)
    with reading_in("sv"):
        shown = json.loads(view.model_dump_json())
    assert shown["said"] == "Iterable saknar listan 50% off. Det fungerar inte."
    again = _View.model_validate_json(view.model_dump_json(context=STORED))
    with reading_in("sv"):
        assert said(again.kept) == shown["said"]
    assert _View.model_json_schema()["properties"]["said"]["type"] == "string"
