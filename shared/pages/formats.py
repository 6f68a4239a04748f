"""Numbers, ages and durations as people of each language write them. Times of day are the browser's to show."""

from __future__ import annotations

import gettext
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared import wording
from shared.pages.labels import N_

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
SECONDS, MINUTES, HOURS, DAYS = N_("%(n)s s"), N_("%(n)s min"), N_("%(n)s h"), N_("%(n)s d")


@dataclass(frozen=True, slots=True)
class Formats:
    """The formats of one language."""

    language: str
    words: gettext.NullTranslations

    def filters(self) -> dict[str, Callable[..., str]]:
        """For templates, by name."""
        return {
            "number": self.number,
            "duration": self.duration,
            "age": self.age,
            "share": self.share,
            "size": self.size,
            "iso": iso,
        }

    def number(self, value: float | None, digits: int = 0) -> str:
        """`1,234` in the language's own way; a dash for None."""
        return "–" if value is None else wording.number(value, self.language, digits)

    def duration(self, seconds: float | None) -> str:
        """`4 min 20 s`, `2 h 5 min`; the two largest units."""
        if seconds is None:
            return "–"
        if seconds < 10:
            return self._unit(SECONDS, self.number(seconds, 1))
        whole = round(seconds)
        if whole < _MINUTE:
            return self._unit(SECONDS, self.number(whole))
        if whole < _HOUR:
            return self._two(whole, _MINUTE, MINUTES, SECONDS, 1)
        if whole < _DAY:
            return self._two(whole, _HOUR, HOURS, MINUTES, _MINUTE)
        return self._two(whole, _DAY, DAYS, HOURS, _HOUR)

    def age(self, seconds: float | None) -> str:
        """How old, in the largest unit: `3 h`, `12 d`."""
        if seconds is None:
            return "–"
        steps = ((_DAY, DAYS), (_HOUR, HOURS), (_MINUTE, MINUTES))
        size, unit = next((each for each in steps if seconds >= each[0]), (1, SECONDS))
        return self._unit(unit, self.number(int(seconds // size)))

    def share(self, value: float | None) -> str:
        """A share as a percentage."""
        return "–" if value is None else f"{self.number(value * 100)}\u202f%"

    def size(self, octets: int) -> str:
        """Bytes in the unit that reads best."""
        for unit, power in (("GB", 1 << 30), ("MB", 1 << 20), ("kB", 1 << 10)):
            if octets >= power:
                return f"{self.number(octets / power, 1)}\u00a0{unit}"
        return f"{octets}\u00a0B"

    def _two(self, seconds: int, size: int, large: str, small: str, small_size: int) -> str:
        first, rest = divmod(seconds, size)
        text = self._unit(large, self.number(first))
        second = rest // small_size
        return f"{text} {self._unit(small, self.number(second))}" if second else text

    def _unit(self, unit: str, number: str) -> str:
        return (self.words.gettext(unit) % {"n": number}).replace(" ", "\u00a0")


def iso(moment: Any) -> str:
    """For `<time datetime>`; text as it is."""
    return moment.isoformat(timespec="seconds") if isinstance(moment, datetime) else str(moment)
