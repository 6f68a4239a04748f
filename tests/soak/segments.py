"""A segment that changes: people join, leave, come back and change; rows are there twice, hold no address or one that
the vendor refuses, and cells hold what nobody should write."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.integration.delivery.engine import Person

CITIES = ("Rome", "Oslo", "Łódź", "", "9" * 60, "1e999", "-Infinity", "=1+1", "<b>", "{{city}}", "null", "🏙")
FIRST_NAMES = ("Ada", "Bo", "Zoë", "")
INVALID = ("", "nobody", "two@@signs", "a b@example.com", "@example.com", "\ufeff", "a\tb@example.com", "x" * 300)
REFUSING = "iterable"
"""The vendor whose simulator refuses an address that is valid here."""


@dataclass
class Segment:
    """The people of one export, who are in no other, so that a vendor's journal tells exports apart."""

    export: str
    random: random.Random
    people: dict[int, Person] = field(default_factory=dict)
    known: int = 0

    def change(self, most: int) -> list[Person]:
        """The next snapshot: its rows, in any order."""
        self._leave(most)
        for number in self.random.sample(range(self.known), min(self.known, self.random.randint(0, most // 4))):
            self.people.setdefault(number, self._person(number))  # some are back
        for _ in range(self.random.randint(0, most - len(self.people)) if len(self.people) < most else 0):
            self.people[self.known] = self._person(self.known)
            self.known += 1
        for number in self._some(0.2):
            self.people[number] = self._person(number)
        return self._rows()

    def members(self) -> Mapping[str, Mapping[str, str]]:
        """Address -> fields, empty ones left out, of everyone who belongs on the list."""
        named = {each.email: {"first": each.first, "city": each.city} for each in self.people.values()}
        return {who: {name: value for name, value in fields.items() if value} for who, fields in named.items()}

    def _leave(self, most: int) -> None:
        for number in self._some(0.3 if len(self.people) > most // 2 else 0.1):
            del self.people[number]

    def _some(self, share: float) -> list[int]:
        return [number for number in self.people if self.random.random() < share]

    def _person(self, number: int) -> Person:
        return Person(
            f"{self.export}.person{number}@example.com",
            self.people[number].first if number in self.people else self.random.choice(FIRST_NAMES[:3]),
            self.random.choice(CITIES),
        )

    def _rows(self) -> list[Person]:
        """The first of several rows with one address counts, so those that repeat one come after it."""
        rows = list(self.people.values())
        self.random.shuffle(rows)
        again = [Person(f"  {each.email.upper()} ", "Late", "Nowhere") for each in rows if self.random.random() < 0.1]
        broken = [Person(self.random.choice(INVALID), "Broken") for _ in range(self.random.randint(0, 2))]
        odd = [Person(f"{self.export}.odd@nowhere.zzz", "Odd")] if self.export.startswith(REFUSING) else []
        return [*rows, *again, *broken, *odd]
