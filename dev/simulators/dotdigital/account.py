"""What one Dotdigital account holds: lists, contacts, data fields, and who said no."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Literal

import orjson

from dev.simulators.dotdigital.fields import DataField, built_in
from dev.simulators.dotdigital.jobs import Jobs

Visibility = Literal["Private", "Public"]

# A channel status that is not one of these keeps mail from its contact (contract section 4; the enum is in the
# specification, emailChannelStatus).
WILLING = frozenset({"subscribed", "pendingOptIn", "noSubscription"})


class Contact:
    """A contact of the account; `created` and `updated` are epoch seconds, and so is `said_no_at`, which holds while
    the status is not a willing one.

    Enumerated values are kept in lower camel case. Data fields are kept packed: a million contacts then take less than
    a gigabyte.
    """

    __slots__ = (
        "_packed",
        "consents",
        "created",
        "email",
        "email_type",
        "id",
        "mobile_number",
        "opt_in_type",
        "said_no_at",
        "status",
        "updated",
    )

    def __init__(self, contact_id: int, now: float) -> None:
        self.id = contact_id
        self.email: str | None = None
        self.mobile_number: str | None = None
        self.status = "noSubscription"
        self.email_type = "html"
        self.opt_in_type = "unknown"
        self.created = self.updated = self.said_no_at = now
        self.consents: tuple[dict[str, Any], ...] = ()
        self._packed = b"{}"

    @property
    def key(self) -> str:
        """The address by which the contact is found, in any case of letters."""
        return in_small_letters(self.email or "")

    @property
    def identifiers(self) -> dict[str, str]:
        """Those that the contact has: what is absent is left out (contract section 15)."""
        known = {"email": self.email, "mobileNumber": self.mobile_number}
        return {name: value for name, value in known.items() if value is not None}

    @property
    def data(self) -> dict[str, Any]:
        """The values of the data fields; a copy, give it back with `store`."""
        data: dict[str, Any] = orjson.loads(self._packed)
        return data

    def store(self, data: dict[str, Any]) -> None:
        # orjson hands out bytes with four kilobytes of room behind them; a copy has none.
        self._packed = bytes(memoryview(orjson.dumps(data)))


@dataclass(slots=True, eq=False)
class MailingList:
    """`members` are contact ids with the status each has on this list: subscribed, suppressed or pending.

    `said_no` are the contact ids that unsubscribed from it, on the list or not, and when (epoch seconds); `former` were
    taken off it, and may be back. Nobody may write to a `reserved` list.
    """

    id: int
    name: str
    visibility: Visibility = "Private"
    reserved: bool = False
    in_use: bool = False
    members: dict[int, str] = field(default_factory=dict)
    said_no: dict[int, float] = field(default_factory=dict)
    former: set[int] = field(default_factory=set)
    count_shown: int = 0
    count_taken: float | None = None
    _sorted: list[int] | None = None

    def put(self, contact_id: int, status: str) -> None:
        if contact_id not in self.members:
            self._sorted = None
        self.members[contact_id] = status

    def drop(self, contact_id: int) -> bool:
        """Whether the contact was a member."""
        if self.members.pop(contact_id, None) is None:
            return False
        self._sorted = None
        self.former.add(contact_id)
        return True

    def ascending(self) -> list[int]:
        """The contact ids in order, kept for the next page."""
        if self._sorted is None:
            self._sorted = sorted(self.members)
        return self._sorted

    def details(self, members: int, now: float, lag: float) -> dict[str, Any]:
        """The list as v2 shows it; its count is `lag` seconds old at most."""
        if self.count_taken is None or now - self.count_taken >= lag:
            self.count_shown, self.count_taken = members, now
        return {"id": self.id, "name": self.name, "visibility": self.visibility, "contacts": self.count_shown}


@dataclass(slots=True)
class Counts:
    """What no export should ever cause; `list_resubscribes` are among the `resubscribes`."""

    resubscribes: int = 0
    list_resubscribes: int = 0
    unsubscribes: int = 0
    list_unsubscribes: int = 0
    contacts_deleted: int = 0
    contacts_replaced: int = 0
    confirmation_mails: int = 0


class Account:
    """`barred` holds addresses, and domains with an @ before them, that the account never takes."""

    def __init__(self, number: int, region: str, list_ids: count[int], contact_ids: count[int]) -> None:
        self.id = number
        self.region = region
        self.lists: dict[int, MailingList] = {}
        self.fields: dict[str, DataField] = built_in()
        self.contacts: dict[int, Contact] = {}
        self.barred: set[str] = set()
        self.said_no: set[str] = set()
        self.counts = Counts()
        self.jobs = Jobs()
        self._list_ids = list_ids
        self._contact_ids = contact_ids
        self._index: dict[str, dict[str, Contact]] = {"email": {}, "mobileNumber": {}}
        self.everyone = self.create_list("All contacts", list_id=number * 10 + 1, reserved=True)
        self.create_list("Test", list_id=number * 10 + 2, reserved=True)

    def create_list(
        self, name: str, visibility: Visibility = "Private", list_id: int | None = None, reserved: bool = False
    ) -> MailingList:
        """Without `list_id` the list gets the next free one."""
        created = MailingList(next(self._list_ids) if list_id is None else list_id, name, visibility, reserved)
        self.lists[created.id] = created
        return created

    def size(self, mailing_list: MailingList) -> int:
        return len(self.contacts if mailing_list is self.everyone else mailing_list.members)

    def find(self, identifier: str, value: Any) -> Contact | None:
        """By "email" in any case of letters, "mobileNumber" or "contactId"."""
        if identifier == "contactId":
            return self.contacts.get(value) if type(value) is int else None
        return self._index[identifier].get(_key(identifier, value)) if type(value) is str else None

    def create(self, now: float, contact_id: int | None = None) -> Contact:
        """A contact without identifiers; give it some with `identify`."""
        created = Contact(next(self._contact_ids) if contact_id is None else contact_id, now)
        self.contacts[created.id] = created
        return created

    def identify(self, contact: Contact, identifier: str, value: str) -> None:
        """Give `contact` this "email" or "mobileNumber", in place of the one it had."""
        index, key = self._index[identifier], _key(identifier, value)
        if index.get(key) is contact:
            return  # the first spelling of an address stays
        index.pop(_key(identifier, contact.identifiers.get(identifier, "")), None)
        index[key] = contact
        if identifier == "mobileNumber":
            contact.mobile_number = value
            return
        contact.email = value
        if contact.status not in WILLING:
            self.said_no.add(contact.key)

    def set_status(self, contact: Contact, status: str, now: float) -> None:
        """The status of the e-mail channel. Who said no and is subscribed again is counted, also when the contact was
        deleted and made anew in between.
        """
        if status not in WILLING:
            self.counts.unsubscribes += contact.status in WILLING
            self.said_no.add(contact.key)
            contact.said_no_at = contact.said_no_at if status == contact.status else now
        elif status == "subscribed" and contact.key in self.said_no:
            self.counts.resubscribes += 1
            self.said_no.discard(contact.key)
        contact.status = status

    def delete(self, contact: Contact) -> None:
        for identifier, value in contact.identifiers.items():
            self._index[identifier].pop(_key(identifier, value), None)
        for mailing_list in self.lists.values():
            mailing_list.drop(contact.id)
        del self.contacts[contact.id]
        self.counts.contacts_deleted += 1

    def drop_field(self, name: str) -> None:
        """The field, and everybody's value of it."""
        del self.fields[name]
        for contact in self.contacts.values():
            data = contact.data
            if data.pop(name, None) is not None:
                contact.store(data)

    def lists_of(self, contact: Contact) -> Iterator[MailingList]:
        return (each for each in self.lists.values() if contact.id in each.members)


def in_small_letters(address: str) -> str:
    """The same object where nothing changes, so that an address is kept but once."""
    lower = address.lower()
    return address if lower == address else lower


def _key(identifier: str, value: str) -> str:
    return in_small_letters(value) if identifier == "email" else value
