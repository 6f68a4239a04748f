"""What a check-up means, and what to do about it, in words. Pure."""

from __future__ import annotations

from typing import Protocol

from shared.vendors.contract import Definition
from shared.wording import Message, Said, say, say_many


class Numbers(Protocol):
    """What was found of a target, see `doctor.CheckUp`."""

    @property
    def full(self) -> bool: ...
    @property
    def members(self) -> int: ...
    @property
    def maybe(self) -> int: ...
    @property
    def counted(self) -> int | None: ...
    @property
    def missing(self) -> int | None: ...
    @property
    def strangers(self) -> int | None: ...
    @property
    def lost(self) -> int | None: ...
    @property
    def differs(self) -> int | None: ...
    @property
    def without_values(self) -> Said: ...


MEND = say("A repair mends this, and nothing else.")


def advice(found: Numbers, vendor: Definition) -> list[str]:
    """Sentences for people: what differs, who is left alone, what to do."""
    word, label = Message(vendor.target_word), vendor.label
    if not found.full:
        return _of_count(found, vendor.target_word, label)
    mendable = [*_missing(found, word, label), *_lost(found, word), *_other_values(found, label)]
    said = [*mendable, *([MEND] if mendable else []), *_strangers(found, word, label)]
    said = said or [say("The record and the %(target)s agree.", target=word)]
    return [*said, found.without_values] if found.without_values else said


def _missing(found: Numbers, word: Message, label: str) -> list[str]:
    if not found.missing:
        return []
    return [
        say_many(
            "%(num)s person whom the export put on the %(target)s is not there. Who unsubscribed, bounced or was "
            "deleted in %(vendor)s stays off it.",
            "%(num)s people whom the export put on the %(target)s are not there. Who unsubscribed, bounced or was "
            "deleted in %(vendor)s stays off it.",
            found.missing,
            target=word,
            vendor=label,
        )
    ]


def _lost(found: Numbers, word: Message) -> list[str]:
    if not found.lost:
        return []
    return [
        say_many(
            "%(num)s person on the %(target)s was put there by this export and is not on its record, or was taken off "
            "and is there again.",
            "%(num)s people on the %(target)s were put there by this export and are not on its record, or were taken "
            "off and are there again.",
            found.lost,
            target=word,
        )
    ]


def _other_values(found: Numbers, label: str) -> list[str]:
    if not found.differs:
        return []
    return [
        say_many(
            "%(num)s person has other values in %(vendor)s than were delivered.",
            "%(num)s people have other values in %(vendor)s than were delivered.",
            found.differs,
            vendor=label,
        )
    ]


def _strangers(found: Numbers, word: Message, label: str) -> list[str]:
    never_ours = (found.strangers or 0) - (found.lost or 0)
    if not never_ours:
        return []
    return [
        say_many(
            "%(num)s person on the %(target)s is not from this export, which never takes them off: where they do "
            "not belong there, take them off in %(vendor)s.",
            "%(num)s people on the %(target)s are not from this export, which never takes them off: where they "
            "do not belong there, take them off in %(vendor)s.",
            never_ours,
            target=word,
            vendor=label,
        )
    ]


def _of_count(found: Numbers, word: str, label: str) -> list[str]:
    if found.counted is None:
        return [
            say(
                "%(vendor)s does not tell how many people are on the %(target)s: check it in full.",
                vendor=label,
                target=Message(word),
            )
        ]
    if found.members <= found.counted <= found.members + found.maybe:
        return [say("%(vendor)s counts as many people as the record has.", vendor=label)]
    return [
        say(
            "%(vendor)s counts %(counted)s people, the record has %(members)s: check in full who differs.",
            vendor=label,
            counted=found.counted,
            members=found.members,
        )
    ]
