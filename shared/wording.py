"""Messages for people: made in English with values where something happens, said in the reader's language at the edge.

    raise UserMustAct("target_vanished", say("The list %(list)s does not exist in %(vendor)s.", list=..., vendor=...))

A `Message` is its English sentence, so logs, files and comparisons take it for that. It remembers the text and the
values that it was made of: `said` makes the same sentence in the language of whoever reads (`reading_in`), `kept`
and `read` carry it through storage. A plain string is a message without values: what a vendor said, or an old row.
"""

from __future__ import annotations

import gettext
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import PlainSerializer, SerializationInfo, WrapValidator

LANGUAGES: Final = {"en": "English", "ro": "Română", "sv": "Svenska"}
DOMAIN: Final = "pages"
LOCALE: Final = Path(__file__).parent / "locale"

Value = str | int | float
"""What stands in a place of a message. A Message is said in the reader's language, other strings stay as they are."""

_THOUSANDS = {"en": ",", "ro": ".", "sv": "\u00a0"}
_POINT = {"en": ".", "ro": ",", "sv": ","}
_KEPT = '{"text": '
"""How a message with values begins in storage; no plain one begins so."""
_PLACE = re.compile(r"%\(\w+\)s")
_language: ContextVar[str] = ContextVar("language", default="en")


class Message(str):
    """A sentence in English, and the text and values that it was made of; `many` is the text for other numbers."""

    __slots__ = ("many", "text", "values")
    text: str
    many: str
    values: Mapping[str, Value]

    def __new__(cls, text: str, values: Mapping[str, Value] | None = None, many: str = "") -> Message:
        text, values = str(text), values or {}
        english = _form(text, many, values)
        made = super().__new__(cls, english % _in("en", values, str, str) if values else english)
        made.text, made.values, made.many = text, values, many
        return made

    def filled(self, **values: object) -> Message:
        """The message with values: for tables of messages whose values are known later."""
        return Message(self.text, {**self.values, **{name: _value(each) for name, each in values.items()}}, self.many)

    def __getnewargs__(self) -> tuple[str, Mapping[str, Value], str]:  # type: ignore[override]  # str has one
        """For copies."""
        return self.text, self.values, self.many


def say(text: str, **values: object) -> Message:
    """A message. `text` is English with `%(name)s` where a value goes; numbers are written as the reader writes them.

    Ids and codes are given as strings.
    """
    return Message(text).filled(**values)


def say_many(one: str, many: str, num: int, **values: object) -> Message:
    """A message about `%(num)s` things: `one` is its text for a single one, `many` for any other number."""
    return Message(one, {"num": num, **{name: _value(each) for name, each in values.items()}}, many)


def together(messages: Iterable[str], between: str = " ") -> Message:
    """Several messages as one, each once."""
    parts = list(dict.fromkeys(each for each in messages if each))
    if len(parts) == 1:
        return _message(parts[0])
    places = between.join(f"%(part{number})s" for number in range(len(parts)))
    return Message(places, {f"part{number}": _message(each) for number, each in enumerate(parts)})


def some(names: Iterable[str], most: int) -> str:
    """The first few names in order, and how many more there are."""
    ordered = sorted(names)
    shown: str = ", ".join(ordered[:most])
    return say("%(names)s and %(more)s more", names=shown, more=len(ordered) - most) if len(ordered) > most else shown


def either(names: Sequence[Value]) -> Value:
    """`a or b or c`."""
    *others, last = names
    return say("%(names)s or %(name)s", names=either(others), name=last) if others else last


def shortened(message: str, most: int) -> str:
    """The message, or, where it is longer than `most` characters, the beginning of its English sentence."""
    return message if len(message) <= most else message[:most]


@contextmanager
def reading_in(language: str) -> Iterator[None]:
    """Whatever is said meanwhile is said in this language."""
    token = _language.set(language)
    try:
        yield
    finally:
        _language.reset(token)


def reader() -> str:
    """The language of whoever reads."""
    return _language.get()


def said(message: str) -> str:
    """The message in the reader's language."""
    return rendered(message, _language.get())


def rendered(
    message: str, language: str, *, escape: Callable[[str], str] = str, foreign: Callable[[str], str] = str
) -> str:
    """The message in a language; `foreign` marks what has no translation into it, and stays English."""
    made = _message(message)
    text = _translated(made, language)
    values = _in(language, made.values, escape, foreign)
    if text is not None:
        return escape(text) % values if values else escape(text)
    english = _form(made.text, made.many, made.values)
    if not values:
        return foreign(english)
    return (escape if _PLACE.sub("", english).strip(" ;.,") == "" else foreign)(english) % values


def _form(text: str, many: str, values: Mapping[str, Value]) -> str:
    """The English text for the number in the values."""
    return many if many and values["num"] != 1 else text


def _translated(message: Message, language: str) -> str | None:
    if not message:
        return ""
    words = _catalogue(language)
    if words is None:
        return _form(message.text, message.many, message.values)
    if message.many:
        return words.ngettext(message.text, message.many, int(message.values["num"])) or None
    return words.gettext(message.text) or None


def _in(
    language: str, values: Mapping[str, Value], escape: Callable[[str], str], foreign: Callable[[str], str]
) -> dict[str, str]:
    made = {}
    for name, value in values.items():
        if isinstance(value, Message):
            made[name] = rendered(value, language, escape=escape, foreign=foreign)
        else:
            made[name] = escape(value) if isinstance(value, str) else number(value, language)
    return made


def number(value: float, language: str, digits: int | None = None) -> str:
    """`1,234.5` in the language's own way."""
    form = f",.{digits}f" if digits is not None else "," if isinstance(value, int) else ",.10g"
    plain = format(value, form)
    return plain.translate({ord(","): _THOUSANDS[language], ord("."): _POINT[language]})


def kept(message: str) -> str:
    """The message for storage: text without values as it is, any other as JSON."""
    if isinstance(message, Message) and message.values:
        return json.dumps(_parts(message), ensure_ascii=False)
    return str(message)


def read(stored: str) -> Message:
    """A message from storage."""
    if isinstance(stored, Message) or not stored.startswith(_KEPT):
        return _message(stored)
    try:
        return _made(json.loads(stored))
    except (ValueError, TypeError, KeyError, AttributeError):
        return Message(stored)


def kept_within(value: Any) -> Any:
    """Dicts and lists with every message in them for storage."""
    return _within(value, kept)


def read_within(value: Any) -> Any:
    """Dicts and lists from storage with every message in them that has values."""
    return _within(value, lambda text: read(text) if text.startswith(_KEPT) else text)


def said_within(value: Any) -> Any:
    """Dicts and lists with every message in them in the reader's language."""
    return _within(value, lambda text: said(text) if isinstance(text, Message) else text)


def _within(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, Mapping):
        return {name: _within(each, change) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_within(each, change) for each in value]
    return change(value) if isinstance(value, str) else value


def _parts(message: Message) -> dict[str, Any]:
    values = {name: _parts(each) if isinstance(each, Message) else each for name, each in message.values.items()}
    return {"text": message.text, "values": values} | ({"many": message.many} if message.many else {})


def _made(parts: Mapping[str, Any]) -> Message:
    values = {name: _made(each) if isinstance(each, Mapping) else each for name, each in parts["values"].items()}
    return Message(parts["text"], values, parts.get("many", ""))


def _message(text: str) -> Message:
    return text if isinstance(text, Message) else Message(str(text))


def _value(value: object) -> Value:
    if isinstance(value, Message) or (isinstance(value, int | float) and not isinstance(value, bool)):
        return value
    return str(value)


@cache
def translations(language: str) -> gettext.NullTranslations:
    """The catalogue of a language. English is what texts are written in."""
    return gettext.NullTranslations() if language == "en" else gettext.translation(DOMAIN, LOCALE, [language])


class _Nothing(gettext.NullTranslations):
    def gettext(self, message: str) -> str:
        return ""

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return ""


@cache
def _catalogue(language: str) -> gettext.NullTranslations | None:
    """The catalogue that says nothing where it has no translation; None for English."""
    if language == "en":
        return None
    found = gettext.translation(DOMAIN, LOCALE, [language])
    found.add_fallback(_Nothing())
    return found


def _validated(value: Any, validate: Callable[[Any], str]) -> Message:
    return value if isinstance(value, Message) else read(validate(value))


def _serialised(message: str, info: SerializationInfo) -> str:
    return kept(message) if info.context is STORED else said(message)


NOTHING: Final = Message("")
STORED: Final = {"for": "storage"}
"""The context in which pydantic writes what is to be stored."""
Said = Annotated[str, WrapValidator(_validated), PlainSerializer(_serialised, return_type=str)]
"""A message in an answer, where JSON has it in the reader's language, or in storage."""
SaidWithin = Annotated[Any, PlainSerializer(said_within)]
"""Whatever has messages somewhere within, in an answer."""
