"""What one Iterable project holds: lists, people, field types."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Literal, NamedTuple

import orjson

from dev.simulators.iterable.types import STANDARD_FIELDS

ListType = Literal["Standard", "Dynamic", "Suppression", "Internal"]


class Identity(NamedTuple):
    """How a row names a person. `kind` is the ending of the answer's arrays, as in `invalidEmails`."""

    kind: Literal["Emails", "UserIds"]
    value: str


class Person:
    """A profile; `created` and `updated` are epoch seconds.

    Its fields are kept packed: a million people then fit in a few hundred megabytes.
    """

    __slots__ = ("_packed", "created", "email", "global_unsubscribe", "updated", "user_id")

    def __init__(self, email: str | None = None, user_id: str | None = None) -> None:
        self.email = email
        self.user_id = user_id
        self.global_unsubscribe = False
        self.created = self.updated = 0.0
        self._packed = b"{}"

    def named(self, kind: str) -> str | None:
        """The address for "Emails", the user id for "UserIds"."""
        return self.email if kind == "Emails" else self.user_id

    @property
    def fields(self) -> dict[str, Any]:
        """A copy; give it back with `store`."""
        fields: dict[str, Any] = orjson.loads(self._packed)
        return fields

    def store(self, fields: dict[str, Any]) -> bool:
        """Whether that changed anything."""
        # orjson hands out bytes with four kilobytes of room behind them; a copy has none.
        old, self._packed = self._packed, bytes(memoryview(orjson.dumps(fields)))
        return self._packed != old


@dataclass(slots=True, eq=False)
class MailingList:
    """`created_at` is epoch milliseconds. Writes do not know the list before `known_from` (monotonic seconds)
    nor for the next `calls_until_known` calls (contract section 7).
    """

    id: int
    name: str
    created_at: int
    description: str | None = None
    list_type: ListType = "Standard"
    is_global_suppression: bool = False
    in_use: bool = False
    known_from: float = 0.0
    calls_until_known: int = 0
    members: dict[Person, None] = field(default_factory=dict)

    def is_known(self, now: float) -> bool:
        """Ask once per write: it counts down the calls."""
        if self.calls_until_known > 0:
            self.calls_until_known -= 1
            return False
        return now >= self.known_from

    def details(self) -> dict[str, Any]:
        """The list as `GET /api/lists` shows it; what is absent is left out."""
        shown: dict[str, Any] = {"id": self.id, "name": self.name}
        if self.description is not None:
            shown["description"] = self.description
        shown |= {"createdAt": self.created_at, "listType": self.list_type}
        if self.list_type == "Suppression":
            shown["isGlobalSuppressionEnabled"] = self.is_global_suppression
        return shown


class Event(NamedTuple):
    """Something that happened to a person, as the export of data tells it; `at` is epoch seconds."""

    kind: str
    at: float
    email: str
    fields: dict[str, Any]


class Project:
    """`forgotten` holds addresses and user ids. The counts are of what no export should ever cause."""

    def __init__(self, number: int, list_ids: count[int]) -> None:
        self.id = number
        self.lists: dict[int, MailingList] = {}
        self.types: dict[str, str] = dict(STANDARD_FIELDS)
        self.forgotten: set[str] = set()
        self.channel_unsubscribe_calls = 0
        self.created_by_unsubscribe = 0
        self.resubscribes = 0
        self.events: list[Event] = []
        self._list_ids = list_ids
        self._people: dict[str, dict[str, Person]] = {"Emails": {}, "UserIds": {}}

    def create_list(self, name: str, created_at: int, list_id: int | None = None) -> MailingList:
        """`created_at` is epoch milliseconds; without `list_id` the list gets the next free one."""
        created = MailingList(next(self._list_ids) if list_id is None else list_id, name, created_at)
        self.lists[created.id] = created
        return created

    def find(self, identity: Identity) -> Person | None:
        return self._people[identity.kind].get(identity.value)

    def person(self, address: str) -> Person | None:
        """The person with this address, in any case of letters."""
        return self._people["Emails"].get(address.lower())

    def create(self, identity: Identity) -> Person:
        person = Person()
        self.identify(person, identity)
        return person

    def identify(self, person: Person, identity: Identity) -> None:
        """Give `person` this address or user id, in place of the one it had."""
        people = self._people[identity.kind]
        people.pop(person.named(identity.kind) or "", None)
        if identity.kind == "Emails":
            person.email = identity.value
        else:
            person.user_id = identity.value
        people[identity.value] = person

    def forget(self, identity: Identity) -> None:
        """GDPR-forget: the profile goes, and its identifier is refused from now on."""
        self.forgotten.add(identity.value)
        self.erase(identity)

    def erase(self, identity: Identity) -> None:
        """The profile goes; its identifier is free."""
        person = self.find(identity)
        if person is None:
            return
        for kind, people in self._people.items():
            people.pop(person.named(kind) or "", None)
        for mailing_list in self.lists.values():
            mailing_list.members.pop(person, None)

    def people(self) -> Iterator[Person]:
        """Everyone, each once."""
        yield from self._people["Emails"].values()
        yield from (person for person in self._people["UserIds"].values() if person.email is None)

    def lists_of(self, person: Person) -> list[int]:
        return [each.id for each in self.lists.values() if person in each.members]
