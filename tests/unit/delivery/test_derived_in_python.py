"""Whatever is made of whatever cells, the query makes what plain Python makes of them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from shared.delivery.plan.letters import PARTICLES
from shared.mailbox import BLANKS, INVISIBLE
from tests.sampling import EVERY
from tests.unit.delivery.making import filled, rows_made

COLUMNS = ("a", "b", "c")
Step = Mapping[str, Any]


def upper(text: str, step: Step) -> str:
    text = text.translate({ord("i"): "İ", ord("ı"): "I"}) if step.get("turkish") else text
    return "".join("SS" if each == "ß" else each.upper() if len(each.upper()) == 1 else each for each in text)


def lower(text: str, step: Step) -> str:
    text = text.translate({ord("İ"): "i", ord("I"): "ı"}) if step.get("turkish") else text
    small = [each.lower()[0] for each in text]
    for place, each in enumerate(small):
        ends = place + 1 == len(small) or not unicodedata.category(small[place + 1]).startswith("L")
        if each == "σ" and place and unicodedata.category(small[place - 1]).startswith("L") and ends:
            small[place] = "ς"
    return "".join(small)


def pieces(text: str) -> list[str]:
    """Words, what stands between them, and small words with the blanks behind them."""
    found: list[str] = []
    while text:
        inside = [unicodedata.category(each)[0] in "LMN" or each in "'’" for each in text]
        length = next((place for place, each in enumerate(inside) if each != inside[0]), len(text))
        blanks = len(text[length:]) - len(text[length:].lstrip(" "))
        length += blanks if text[:length] in PARTICLES else 0
        found.append(text[:length])
        text = text[length:]
    return found


def title(text: str, step: Step) -> str:
    kinds = {unicodedata.category(each) for each in text}
    mixed = "Ll" in kinds and bool(kinds & {"Lu", "Lt"})

    def named(place: int, word: str) -> str:
        if word.rstrip(" ") in PARTICLES and word.endswith(" ") and (mixed or place):
            return word
        if any(unicodedata.category(each) in ("Lu", "Lt") for each in word):
            return word
        small = [each == "ß" or (len(each.upper()) == 1 and each.upper() != each) for each in word]
        if word.startswith("mc") and small[2:4] == [True, True]:
            return f"Mc{upper(word[2], step)}{word[3:]}"
        if word[1:2] in ("'", "’") and [*small[:1], *small[2:4]] == [True, True, True]:
            return upper(word[0], step) + word[1] + upper(word[2], step) + word[3:]
        return upper(word[0], step) + word[1:]

    return "".join(named(*each) for each in enumerate(pieces(text if mixed else lower(text, step))))


def mapped(text: str, step: Step) -> str | None:
    def same(one: str, other: str) -> bool:
        return [each.lower()[0] for each in " ".join(one.split())] == [
            each.lower()[0] for each in " ".join(other.split())
        ]

    found = next((after for before, after in step["values"].items() if same(before, text)), None)
    return found or {"leave_out": None, "keep": text, "use": step.get("other")}[step["otherwise"]]


ORDERS = {"day_month_year": "dmy", "month_day_year": "mdy", "year_month_day": "ymd"}
WRITTEN: dict[str | None, Callable[[date], str]] = {
    None: date.isoformat,
    "DD.MM.YYYY": lambda day: f"{day.day:02}.{day.month:02}.{day.year:04}",
    "YYYYMMDD": lambda day: day.isoformat().replace("-", ""),
    "DD.MM.": lambda day: f"{day.day:02}.{day.month:02}.",
    "YYYY": lambda day: f"{day.year:04}",
}


def read(text: str, step: Step) -> str | None:
    """A day, or a day with a time behind it."""
    time = re.compile(r"(?:T| +)[0-9]{1,2}[:.][0-9]{2}[^\n]*")
    days = [text, *(text[:place] for place in range(len(text)) if time.fullmatch(text, place))]
    return next(filter(None, (day_of(each, step) for each in days)), None)


def day_of(text: str, step: Step) -> str | None:
    order = ORDERS[step["reads"]]
    if re.fullmatch("[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}", text):
        order, parts = "ymd", text.split("-")
    elif re.fullmatch("[0-9]{8}", text):
        parts = re.findall({"dmy": "(..)(..)(....)", "mdy": "(..)(..)(....)", "ymd": "(....)(..)(..)"}[order], text)[0]
    else:
        parts = re.split(r"\. |[./ -]", text)
    if len(parts) != 3 or not all(re.fullmatch("[0-9]+", each) for each in parts):
        return None
    year, month, day = (parts[order.index(each)] for each in "ymd")
    first = step["two_digit_years_from"]
    if len(year) == 2 and first is not None:
        year = next(str(each) for each in range(first, first + 100) if each % 100 == int(year))
    if len(year) != 4 or len(month) > 2 or len(day) > 2:
        return None
    try:
        return WRITTEN[step["writes"]](date(int(year), int(month), int(day)))
    except ValueError:
        return None


def number(text: str, step: Step) -> str | None:
    text = text.replace("−", "-")
    whole, comma, decimals = text.lstrip("+-").partition(",")
    sign = text[: len(text) - len(text.lstrip("+-"))]
    for marks in (".", " \u00a0\u2009\u202f", "'’"):
        groups = re.split(f"[{re.escape(marks)}]", whole)
        if len(groups) > 1 and len(groups[0]) <= 3 and all(len(each) == 3 for each in groups[1:]):
            whole = "".join(groups)
            break
    digits = [each for each in (whole, decimals) if each]
    if len(sign) > 1 or not digits or (comma and not decimals):
        return None
    if not all(re.fullmatch("[0-9]+", each) for each in digits):
        return None
    return sign + whole + ("." + decimals if comma else "")


STEPS: Mapping[str, Callable[[str, Step], str | None]] = {
    "upper": upper,
    "lower": lower,
    "title": title,
    "map": mapped,
    "date": read,
    "decimal_comma": number,
}
REASONS = {"map": "not_in_map", "date": "no_date", "decimal_comma": "no_number"}


def in_python(given: Mapping[str, Any], row: Mapping[str, str | None]) -> tuple[str | None, str | None]:
    """The value, and why it is left out."""
    cells = [(row[column] or "").strip(BLANKS + INVISIBLE) for column in given["columns"]]
    filled_ones = [cell for cell in cells if cell]
    value = {
        "column": "".join(filled_ones),
        "join": given["separator"].join(filled_ones),
        "first": (filled_ones or [""])[0],
        "constant": given["text"],
    }[given["take"]]
    if not value:
        return None, None
    for step in given["steps"]:
        made = STEPS[step["function"]](value, step)
        if made is None:
            return None, REASONS[step["function"]]
        value = made
    return value, None


LETTERS = "aAbcmMcdoO'’-. ,0123456789iIİıßẞΣσςéÉΑαj\u0301\u00a0\u2009(/T:+−"
words = st.sampled_from([*PARTICLES, "mc", "MACDONALD", "o'brien", "VAN ", "1.234,5", "31.12.2026", "1/2/29", "x"])
texts = st.lists(words | st.text(LETTERS, max_size=4), max_size=4).map("".join)
dates = st.builds(
    "{}{}{}{}{}{}".format,
    st.integers(0, 2100) | st.integers(1, 12),
    st.sampled_from([".", "/", "-", " ", ". ", ""]),
    st.integers(0, 13).map("{:02}".format) | st.integers(1, 12),
    st.sampled_from([".", "/", "-", " ", ""]),
    st.integers(0, 32).map("{:02}".format) | st.integers(1, 2100),
    st.sampled_from(["", "", " 10:00", "T9:30:00Z", " x"]),
) | st.builds("{}{}".format, st.dates().map("{:%Y%m%d}".format), st.sampled_from(["", " 1.00", "T23:59 x"]))
cells = st.none() | texts | dates
short = st.text(LETTERS + "'\"\\%{}$李", min_size=1, max_size=5).filter(str.strip).map(str.strip)
some_steps = st.one_of(
    st.builds(
        lambda name, turkish: {"function": name, "turkish": turkish},
        st.sampled_from(["upper", "lower", "title"]),
        st.booleans(),
    ),
    st.builds(
        lambda values, otherwise, other: (
            {"function": "map", "values": values, "otherwise": otherwise}
            | ({"other": other} if otherwise == "use" else {})
        ),
        st.dictionaries(short, short, min_size=1, max_size=3),
        st.sampled_from(["leave_out", "keep", "use"]),
        short,
    ),
    st.builds(
        lambda reads, first, writes: {
            "function": "date",
            "reads": reads,
            "two_digit_years_from": first,
            "writes": writes,
        },
        st.sampled_from(sorted(ORDERS)),
        st.none() | st.integers(1800, 2100),
        st.sampled_from(list(WRITTEN)),
    ),
    st.just({"function": "decimal_comma"}),
)
takes = st.one_of(
    st.builds(lambda column: {"take": "column", "columns": [column]}, st.sampled_from(COLUMNS)),
    st.builds(
        lambda take, columns: {"take": take, "columns": columns},
        st.sampled_from(["join", "first"]),
        st.lists(st.sampled_from(COLUMNS), min_size=2, max_size=4),
    ),
    st.builds(lambda text: {"take": "constant", "columns": [], "text": text}, short),
)
anything = st.builds(
    lambda take, separator, steps: {"text": None, **take, "separator": separator, "steps": steps},
    takes,
    st.text(LETTERS.replace("\u0301", "") + "'\"\\", max_size=3),
    st.lists(some_steps, max_size=3),
)
rows = st.lists(st.fixed_dictionaries(dict.fromkeys(COLUMNS, cells)), min_size=1, max_size=12)


ISO_READ: dict[str, Any] = {
    "text": None,
    "take": "column",
    "columns": ["a"],
    "separator": "",
    "steps": [{"function": "date", "reads": "year_month_day", "two_digit_years_from": None, "writes": None}],
}


@settings(max_examples=150 if EVERY else 50, deadline=None)
@example(given_=ISO_READ, rows=[{"a": "1000 01.01", "b": None, "c": None}])
@given(given_=anything, rows=rows)
def test_the_query_makes_what_python_makes(given_: dict[str, Any], rows: Sequence[Mapping[str, str | None]]) -> None:
    found = [(values.get("field"), why) for values, [why] in rows_made([filled(given_)], rows)]
    assert found == [in_python(given_, row) for row in rows]
