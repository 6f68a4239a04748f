"""A segment that changes: people join, leave, come back and change; rows are there twice, hold no address or one that
the vendor refuses, and cells hold what nobody should write."""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from shared.catalog.holdout import Holdout
from tests.integration.delivery.engine import Person

CITIES = ("Rome", "Oslo", "Łódź", "", "9" * 60, "1e999", "-Infinity", "=1+1", "<b>", "{{city}}", "null", "🏙")
FIRST_NAMES = ("Ada", "Bo", "Zoë", "")
INVALID = ("", "nobody", "two@@signs", "a b@example.com", "@example.com", "\ufeff", "a\tb@example.com", "x" * 300)
MOST_LET_THROUGH = 25
HOLDOUT = Holdout(name="soak", share=0.2)
"""Of all exports with rules, at every vendor."""


def rules(excluded: str) -> dict[str, Any]:
    """Each kind of rule, excluding a segment of this name."""
    return {
        "exclude": [{"segment": excluded}],
        "require": [{"column": "City"}],
        "limit": {"first": MOST_LET_THROUGH, "by": "City", "read_as": "text"},
        "holdout": HOLDOUT.model_dump(),
    }


REFUSING = "iterable"
"""The vendor whose simulator refuses an address that is valid here."""


@dataclass
class Segment:
    """The people of one export, who are in no other, so that a vendor's journal tells exports apart."""

    export: str
    random: random.Random
    people: dict[int, Person] = field(default_factory=dict)
    known: int = 0
    ruled: bool = False
    """Its export has rules."""
    suppressed: set[int] = field(default_factory=set)
    opted_out: set[str] = field(default_factory=set)
    """Addresses of people who said no at a vendor, which keeps them off at every vendor."""
    identified: bool = False
    """Its rows have an id of the person, most of them, and its export names the column."""
    moves: Counter[int] = field(default_factory=Counter)
    """How often somebody changed their address."""

    def suppress(self) -> list[Person]:
        """The next snapshot of the segment that is excluded: some come, some go."""
        drawn = self.random.sample(range(self.known + 3), min(self.known + 3, self.random.randint(0, 6)))
        self.suppressed = set(drawn)
        return [Person(f" {self._address(number).upper()} ") for number in drawn]

    def change(self, most: int) -> list[Person]:
        """The next snapshot: its rows, in any order."""
        self._leave(most)
        for number in self.random.sample(range(self.known), min(self.known, self.random.randint(0, most // 4))):
            self.people.setdefault(number, self._person(number))  # some are back
        for _ in range(self.random.randint(0, most - len(self.people)) if len(self.people) < most else 0):
            self.people[self.known] = self._person(self.known)
            self.known += 1
        if self.identified:
            self.moves.update(self._some(0.15))
        for number in {*self._some(0.2), *self.moves}.intersection(self.people):
            self.people[number] = self._person(number)
        return self._rows()

    def members(self) -> Mapping[str, Mapping[str, str]]:
        """Address -> fields, empty ones left out, of everyone who belongs on the list."""
        named = {each.email: {"first": each.first, "city": each.city} for each in self._let_through()}
        return {who: {name: value for name, value in fields.items() if value} for who, fields in named.items()}

    def never_goes(self, address: str) -> bool:
        """Whether a holdout has the person, whom no vendor may ever see."""
        return self.ruled and HOLDOUT.holds(address)

    def _let_through(self) -> list[Person]:
        """Whom no rule keeps back, and who did not say no."""
        if not self.ruled:
            return [each for number, each in self.people.items() if not self._said_no(number)]
        barred = {self._address(number) for number in self.suppressed} | self.opted_out
        left = [each for each in self.people.values() if each.email not in barred and each.city not in ("", "null")]
        left.sort(key=lambda each: hashlib.md5(each.email.encode(), usedforsecurity=False).digest()[::-1])
        first = sorted(left, key=lambda each: each.city, reverse=True)[:MOST_LET_THROUGH]
        return [each for each in first if not self.never_goes(each.email)]

    def _address(self, number: int) -> str:
        return self._address_of(number, self.moves[number])

    def _address_of(self, number: int, times: int) -> str:
        return f"{self.export}.person{number}{f'.{times}' if times else ''}@example.com"

    def _said_no(self, number: int) -> bool:
        """Under this address, or under an earlier one of a person with an id."""
        known = self.people[number].id
        addresses = {self._address_of(number, times) for times in range(self.moves[number] + 1)}
        return bool(self.opted_out & (addresses if known else {self._address(number)}))

    def _leave(self, most: int) -> None:
        for number in self._some(0.3 if len(self.people) > most // 2 else 0.1):
            del self.people[number]

    def _some(self, share: float) -> list[int]:
        return [number for number in self.people if self.random.random() < share]

    def _person(self, number: int) -> Person:
        return Person(
            self._address(number),
            self.people[number].first if number in self.people else self.random.choice(FIRST_NAMES[:3]),
            self.random.choice(CITIES),
            (f"c{number}" if number % 9 else "") if self.identified else None,
        )

    def _rows(self) -> list[Person]:
        """The first of several rows with one address counts, so those that repeat one come after it."""
        rows = list(self.people.values())
        self.random.shuffle(rows)
        again = [Person(f"  {each.email.upper()} ", "Late", "Nowhere") for each in rows if self.random.random() < 0.1]
        nobody = "" if self.identified else None
        broken = [
            Person(self.random.choice(INVALID), "Broken", id=nobody)
            for _ in range(self.random.randint(int(self.identified), 2))
        ]
        odd = [Person(f"{self.export}.odd@nowhere.zzz", "Odd")] if self.export.startswith(REFUSING) else []
        return [*rows, *again, *broken, *odd, *self._second_addresses(rows)]

    def _second_addresses(self, rows: list[Person]) -> list[Person]:
        """Of some people with ids, who are on the list under the first."""
        known = [each for each in rows if each.id]
        return [
            replace(each, email=each.email.replace(".person", ".second"))
            for each in known
            if self.random.random() < 0.1
        ]
