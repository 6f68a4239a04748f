"""What one client holds: lists with their subscribers and fields, and the suppression list."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import count
from typing import Any, Literal

import orjson

from dev.simulators.campaign_monitor.fields import Field
from dev.simulators.campaign_monitor.settings import State

UnsubscribeSetting = Literal["AllClientLists", "OnlyThisList"]
UNSUBSCRIBE_SETTINGS: tuple[UnsubscribeSetting, ...] = ("AllClientLists", "OnlyThisList")
STATES: tuple[State, ...] = ("Active", "Unconfirmed", "Unsubscribed", "Bounced", "Deleted")
REFUSALS = frozenset[State]({"Unsubscribed", "Bounced"})


class Subscriber:
    """One address on one list; `changed` (of the state) and `joined` are epoch seconds.

    `refused` says that the person unsubscribed or bounced here, also after a deletion has hidden it.
    Values are by the field's id, and packed: a million subscribers then fit in a few hundred megabytes.
    """

    __slots__ = ("_packed", "address", "changed", "joined", "mobile", "name", "refused", "sms", "state")

    def __init__(self, address: str, state: State, now: float) -> None:
        self.address = address
        self.name = self.mobile = ""
        self.state = state
        self.sms = False
        self.refused = False
        self.changed = self.joined = now
        self._packed = b"{}"

    @property
    def values(self) -> dict[str, str | list[str]]:
        """A copy; give it back with `store`. A list only for fields where several options may be chosen."""
        values: dict[str, str | list[str]] = orjson.loads(self._packed)
        return values

    def store(self, values: Mapping[str, str | list[str]]) -> None:
        # orjson hands out bytes with four kilobytes of room behind them; a copy has none.
        self._packed = bytes(memoryview(orjson.dumps(values)))


@dataclass(slots=True, eq=False)
class MailingList:
    """`subscribers` is by address in small letters; `version` tells of every change to them."""

    id: str
    title: str
    unsubscribe_page: str = ""
    success_page: str = ""
    unsubscribe_setting: UnsubscribeSetting = "AllClientLists"
    confirmed_opt_in: bool = False
    confirmation_mail: bool = False
    in_use: bool = False
    fields: list[Field] = field(default_factory=list)
    subscribers: dict[str, Subscriber] = field(default_factory=dict)
    states: Counter[State] = field(default_factory=Counter)
    version: int = 0
    stats: tuple[float, dict[str, int]] | None = None
    sorted: dict[State, tuple[Any, list[Subscriber]]] = field(default_factory=dict)
    _field_ids: count[int] = field(default_factory=lambda: count(1))

    @property
    def heeds_suppression(self) -> bool:
        return self.unsubscribe_setting == "AllClientLists"

    def find(self, address: str) -> Subscriber | None:
        """The subscriber with this address, in any case of letters."""
        return self.subscribers.get(address.lower())

    def add(self, address: str, state: State, now: float) -> Subscriber:
        subscriber = Subscriber(address, state, now)
        self.subscribers[address.lower()] = subscriber
        self.states[state] += 1
        subscriber.refused = state in REFUSALS
        self.version += 1
        return subscriber

    def move(self, subscriber: Subscriber, state: State, now: float) -> None:
        """Give `subscriber` another state."""
        self.states[subscriber.state] -= 1
        self.states[state] += 1
        subscriber.state = state
        subscriber.changed = now
        subscriber.refused |= state in REFUSALS
        self.version += 1

    def rename(self, subscriber: Subscriber, address: str) -> None:
        """Give `subscriber` another address, which nobody on the list has."""
        if subscriber.address.lower() != address.lower():
            del self.subscribers[subscriber.address.lower()]
            self.subscribers[address.lower()] = subscriber
            subscriber.address = address
            self.version += 1

    def erase(self, subscriber: Subscriber) -> None:
        """Forget that `subscriber` was ever on the list."""
        self.states[subscriber.state] -= 1
        del self.subscribers[subscriber.address.lower()]
        self.version += 1

    def add_field(self, name: str, key: str, data_type: str) -> Field:
        created = Field(str(next(self._field_ids)), name, key, data_type)
        self.fields.append(created)
        return created

    def field_of(self, name_or_key: str) -> Field | None:
        return next((each for each in self.fields if name_or_key in (each.name, each.key)), None)

    def details(self) -> dict[str, Any]:
        """The list as `GET /lists/{id}.json` shows it."""
        return {
            "ListID": self.id,
            "Title": self.title,
            "UnsubscribePage": self.unsubscribe_page,
            "ConfirmedOptIn": self.confirmed_opt_in,
            "ConfirmationSuccessPage": self.success_page,
            "UnsubscribeSetting": self.unsubscribe_setting,
        }


@dataclass(frozen=True, slots=True)
class Suppressed:
    """A line of the suppression list; `since` is epoch seconds."""

    address: str
    reason: str
    since: float


@dataclass(slots=True)
class Counts:
    """What an export should not cause, or only knowingly, and the mail that people would have got."""

    unsubscribe_calls: int = 0
    suppress_calls: int = 0
    unsuppress_calls: int = 0
    resubscribes: int = 0
    reentries: int = 0
    refusals_deleted: int = 0
    suppressed_added: int = 0
    verification_mails: int = 0
    confirmation_mails: int = 0
    autoresponders: int = 0


class Client:
    """`tracked` are the addresses with consent to track, which holds for all lists of the client."""

    def __init__(self, client_id: str, name: str, list_numbers: count[int]) -> None:
        self.id = client_id
        self.name = name
        self.lists: dict[str, MailingList] = {}
        self.suppressed: dict[str, Suppressed] = {}
        self.tracked: set[str] = set()
        self.counts = Counts()
        self.dropped_keys: Counter[str] = Counter()
        self._list_numbers = list_numbers

    def create_list(self, title: str, list_id: str | None = None) -> MailingList:
        """Without `list_id` the list gets the next one: the same ones in every run."""
        created = MailingList(list_id or list_id_of(next(self._list_numbers)), title)
        self.lists[created.id] = created
        return created

    def knows(self, address: str) -> bool:
        """Whether any list has this address, whatever its state."""
        return any(each.find(address) is not None for each in self.lists.values())

    def unsubscribe(self, mailing_list: MailingList, subscriber: Subscriber, now: float) -> None:
        """As if the person had clicked on the link: with AllClientLists it holds for the whole client."""
        mailing_list.move(subscriber, "Unsubscribed", now)
        if mailing_list.heeds_suppression:
            self.suppress(subscriber.address, "Unsubscribed", now)

    def suppress(self, address: str, reason: str, now: float) -> None:
        """Onto the suppression list, and off the lists that heed it."""
        self.suppressed.setdefault(address.lower(), Suppressed(address, reason, now))
        for mailing_list in self.lists.values():
            subscriber = mailing_list.find(address)
            if subscriber and mailing_list.heeds_suppression and subscriber.state in ("Active", "Unconfirmed"):
                mailing_list.move(subscriber, "Unsubscribed", now)

    def delete(self, mailing_list: MailingList, subscriber: Subscriber, now: float) -> None:
        self.counts.refusals_deleted += subscriber.state in REFUSALS
        mailing_list.move(subscriber, "Deleted", now)

    def people(self) -> Iterator[str]:
        """Every address on any list, in small letters, each once."""
        yield from {address: None for each in self.lists.values() for address in each.subscribers}


def list_id_of(number: int) -> str:
    """The id of the list that is made as number `number`, counted from 1 over all clients."""
    return sha256(f"list {number}".encode()).hexdigest()[:32]
