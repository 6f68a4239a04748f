"""What one Omnisend brand holds: contacts, their tags, segments, batches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from dev.simulators.omnisend.jobs import Batch
from dev.simulators.omnisend.person import Channel, Person, hexadecimal
from dev.simulators.omnisend.rules import Condition, Filter, Segment

_PEOPLE = 0x60A6170920D91C2100000000
_OTHERS = 0x6921A0CF0CF2174700000000  # batches, their items, segments
_PER_BRAND = 1 << 32


@dataclass
class Counts:
    """What no export should cause, or what a test wants to know.

    `welcome_messages`: messages that would have gone out. `resubscribes`: people who had unsubscribed and no
    longer count as such. `status_changes`: "old -> new", where old is "new" for somebody new.
    `tags_overwritten`: tags lost to an upsert that replaces. `selected_nobody`: addresses and ids of tag calls
    that met no contact. `stored_tags_full`: tags left out because the contact had too many.
    """

    welcome_messages: int = 0
    resubscribes: int = 0
    status_changes: Counter[str] = field(default_factory=Counter)
    tags_overwritten: int = 0
    selected_nobody: int = 0
    stored_tags_full: int = 0


class Brand:
    """`version` goes up with every write. Readers see nothing new after `settles_at` (epoch seconds) without one.

    `types` are those of the custom properties; `sorted` is what was last read: what it was, and the people.
    """

    def __init__(self, brand_id: str, number: int) -> None:
        self.id = brand_id
        self.people: list[Person] = []
        self.tags: dict[str, dict[Person, None]] = {}
        self.segments: dict[str, Segment] = {}
        self.batches: dict[str, Batch] = {}
        self.types: dict[str, str] = {}
        self.counts = Counts()
        self.version = 0
        self.settles_at = 0.0
        self.sorted: tuple[object, list[Person]] = (None, [])
        self.items_seen = 0
        self.batches_made = 0
        self._first = _PEOPLE + number * _PER_BRAND
        self._others = 0
        self._first_other = _OTHERS + number * _PER_BRAND
        self._by_email: dict[str, Person] = {}
        self._by_phone: dict[str, Person] = {}

    def reserve(self, numbers: int = 1) -> int:
        """The first of so many numbers for batches, items, segments."""
        self._others += numbers
        return self._others - numbers

    def id_of(self, number: int) -> str:
        """The id of a batch, item or segment."""
        return hexadecimal(self._first_other + number)

    def create(self, now: float, visible_from: float) -> Person:
        person = Person(len(self.people), self._first, now, visible_from)
        self.people.append(person)
        self.settles_at = max(self.settles_at, visible_from)
        return person

    def by_id(self, contact_id: str) -> Person | None:
        try:
            number = int(contact_id, 16) - self._first
        except ValueError:
            return None
        person = self.people[number] if 0 <= number < len(self.people) else None
        return person if person and person.id == contact_id else None

    def by_email(self, address: str, fold: bool) -> Person | None:
        """`fold`: capital letters make no difference."""
        return self._by_email.get(address.lower() if fold else address)

    def by_phone(self, number: str) -> Person | None:
        return self._by_phone.get(number)

    def members(self, segment: Segment, now: float) -> Iterator[Person]:
        """The people whom a segment's rule holds for."""
        return (person for person in self._candidates(segment) if segment.holds(person, now))

    def _candidates(self, segment: Segment) -> Iterable[Person]:
        """Spares looking at everybody where the rule is just one tag, as it mostly is."""
        match segment.groups:
            case ((Condition(filters=(Filter(tags=tags, wanted=True),)),),) if len(tags) == 1:
                return list(self.tags.get(next(iter(tags)), ()))
            case _:
                return self.people

    def name(self, person: Person, address: str, fold: bool) -> None:
        """Give `person` this address in place of the one it had."""
        self._by_email.pop(person.email.lower() if fold else person.email, None)
        person.email = address
        self._by_email[address.lower() if fold else address] = person

    def erase(self, person: Person, fold: bool) -> None:
        """Nobody finds `person` any more: not by the address, and not by a tag."""
        self.untag(person, person.tags)
        self._by_email.pop(person.email.lower() if fold else person.email, None)
        person.email = ""
        self.version += 1

    def add_phone(self, person: Person, number: str, channel: Channel) -> None:
        person.phones = {**person.phones, number: channel}
        self._by_phone[number] = person

    def touch(self, person: Person, now: float) -> None:
        """Something about `person` changed."""
        person.updated = now
        self.version += 1

    def tag(self, person: Person, tags: Iterable[str], most: int) -> None:
        """Add tags; those beyond `most` are lost."""
        for tag in tags:
            if tag in person.tags:
                continue
            if len(person.tags) >= most:
                self.counts.stored_tags_full += 1
                continue
            person.tags = (*person.tags, tag)
            self.tags.setdefault(tag, {})[person] = None

    def untag(self, person: Person, tags: Iterable[str]) -> None:
        gone = {tag for tag in tags if tag in person.tags}
        person.tags = tuple(tag for tag in person.tags if tag not in gone)
        for tag in gone:
            del self.tags[tag][person]
