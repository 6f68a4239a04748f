"""What one Mailchimp account holds: audiences, and in each of them members, tags and merge fields."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson

from dev.simulators.mailchimp.fields import MergeField, standard
from dev.simulators.mailchimp.settings import Status
from dev.simulators.mailchimp.values import hash_of

GONE: tuple[Status, ...] = ("unsubscribed", "cleaned", "archived")  # nobody who said no, and nobody who was put away


class Member:
    """One person in one audience; moments are epoch seconds. `by` is who unsubscribed them; `before` is the status
    that an archived member had.
    """

    __slots__ = ("_packed", "before", "by", "changed", "email", "number", "opted", "signed_up", "status", "tags")

    def __init__(self, number: int, email: str, status: Status, now: float) -> None:
        self.number = number
        self.email = email
        self.status: Status = status
        self.by: Literal["self", "admin"] = "admin"
        self.before: Status = status
        self.signed_up = self.opted = self.changed = now
        self.tags: tuple[int, ...] = ()
        self._packed = b"{}"

    @property
    def hash(self) -> str:
        return hash_of(self.email)

    @property
    def fields(self) -> dict[str, Any]:
        """Merge fields that have a value. A copy; give it back with `store`."""
        fields: dict[str, Any] = orjson.loads(self._packed)
        return fields

    def store(self, fields: Mapping[str, Any]) -> None:
        kept = {tag: value for tag, value in fields.items() if value != ""}
        # orjson hands out bytes with room behind them; a copy has none.
        self._packed = bytes(memoryview(orjson.dumps(kept)))

    @property
    def refuses(self) -> bool:
        """Whether only they themselves can come back (contract section 4b)."""
        return self.status == "cleaned" or (self.status == "unsubscribed" and self.by == "self")


@dataclass(slots=True, eq=False)
class Segment:
    """A tag, which is the same thing as a static segment; or a saved one, which nobody can be put into."""

    id: int
    name: str
    type: Literal["static", "saved"]
    created: float
    updated: float
    options: dict[str, Any] = field(default_factory=dict)
    members: dict[Member, None] = field(default_factory=dict)
    counted: tuple[float, int] = (0.0, 0)


@dataclass
class Counts:
    """What no export should cause, or what a test wants to know.

    `resubscribes`: people who had unsubscribed, been cleaned or been archived and were subscribed, or made
    transactional, by a call; `revived` are those of them who were archived. `status_changes`: "old -> new" of all that
    calls caused, where old is "new" for somebody new. `unconfirmed`: people subscribed without the confirmation that
    the audience asks for. `updating_calls` are bulk calls that would change existing people, `tag_syncing_calls`
    those that would replace all their tags. `automations_started`: tags that were put on people without `is_syncing`.
    `unknown_in_tag_calls`: addresses of tag calls that met nobody. `results_with_key`: a batch's results were asked for
    with a key. `dropped_fields`: unknown merge tags, which the vendor drops without a word. `ignored_keys`: members of
    bodies that it does not know.
    """

    resubscribes: int = 0
    revived: int = 0
    status_changes: Counter[str] = field(default_factory=Counter)
    confirmation_mails: int = 0
    welcome_mails: int = 0
    unconfirmed: int = 0
    members_archived: int = 0
    members_deleted: int = 0
    addresses_changed: int = 0
    updating_calls: int = 0
    tag_syncing_calls: int = 0
    tags_overwritten: int = 0
    segments_emptied: int = 0
    segments_deleted: int = 0
    batches_deleted: int = 0
    automations_started: int = 0
    unknown_in_tag_calls: int = 0
    results_with_key: int = 0
    dropped_fields: Counter[str] = field(default_factory=Counter)
    ignored_keys: Counter[str] = field(default_factory=Counter)


class Audience:
    """`forgotten` are hashes of people who were deleted for good. `version` goes up with every write."""

    def __init__(self, audience_id: str, name: str, created: float, segment_numbers: Iterator[int]) -> None:
        self.id = audience_id
        self.name = name
        self.created = created
        self.double_optin = False
        self.has_welcome = False
        self.marketing_permissions = False
        self.members: dict[str, Member] = {}
        self.segments: dict[int, Segment] = {}
        self.fields: dict[str, MergeField] = {each.tag: each for each in standard()}
        self.forgotten: set[str] = set()
        self.version = 0
        self.walk: tuple[object, list[Member]] = (None, [])
        self.stats: tuple[float, dict[str, int]] = (-1e12, {})
        self._segment_numbers = segment_numbers
        self._members_made = 0

    def member(self, address: str) -> Member | None:
        return self.members.get(hash_of(address))

    def create(self, address: str, status: Status, now: float) -> Member:
        self._members_made += 1
        member = self.members[hash_of(address)] = Member(self._members_made, address, status, now)
        self.version += 1
        return member

    def touch(self, member: Member, now: float) -> None:
        member.changed = now
        self.version += 1

    def rename(self, member: Member, address: str) -> None:
        self.members.pop(member.hash, None)
        member.email = address
        self.members[member.hash] = member
        self.version += 1

    def erase(self, member: Member) -> None:
        """Nobody finds the member any more."""
        self.members.pop(member.hash, None)
        self.untag(member, member.tags)

    def create_segment(self, name: str, now: float, segment_id: int | None = None) -> Segment:
        number = next(self._segment_numbers) if segment_id is None else segment_id
        made = self.segments[number] = Segment(number, name, "static", now, now)
        return made

    def segment_named(self, name: str) -> Segment | None:
        """Case makes no difference in names."""
        return next((each for each in self.segments.values() if each.name.lower() == name.lower()), None)

    def tag(self, member: Member, segment: Segment) -> bool:
        """Whether the member did not have the tag."""
        if segment.id in member.tags:
            return False
        member.tags = (*member.tags, segment.id)
        segment.members[member] = None
        self.version += 1
        return True

    def untag(self, member: Member, segment_ids: Iterable[int]) -> bool:
        """Whether the member had any of the tags."""
        gone = {each for each in segment_ids if each in member.tags}
        member.tags = tuple(each for each in member.tags if each not in gone)
        for each in gone:
            del self.segments[each].members[member]
        self.version += bool(gone)
        return bool(gone)

    def delete_segment(self, segment: Segment) -> None:
        for member in list(segment.members):
            self.untag(member, [segment.id])
        del self.segments[segment.id]

    def sorted(self, key: object, members: Iterable[Member], place: Any, descending: bool) -> list[Member]:
        """All that is read page by page; kept until something changes."""
        if self.walk[0] != (self.version, key):
            self.walk = ((self.version, key), sorted(members, key=place, reverse=descending))
        return self.walk[1]
