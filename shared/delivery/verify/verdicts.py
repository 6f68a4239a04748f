"""What the vendor shows after a delivery, beside what the ledger expects, in numbers and in words. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.delivery.state.records import Verdict
from shared.vendors.contract import Count
from shared.wording import Message, say, say_many, together


@dataclass(frozen=True, slots=True)
class Expected:
    """People on the target by the ledger: `members` are certain, `maybe` are not. `strangers` were on it before us, as
    far as they were read."""

    members: int
    maybe: int = 0
    strangers: int = 0


@dataclass(frozen=True, slots=True)
class Sample:
    """A few operations of the delivery that were accepted, looked up one by one.

    `different` are those who are not as they should be: `missing` were delivered and are not there, `still_there` were
    taken off and are, others have other values; `inactive` are off by their own doing. `differing` counts people by
    field; `proven` are those whose receipt was only for the request and who are as they should be.
    """

    looked_at: int = 0
    different: int = 0
    missing: int = 0
    still_there: int = 0
    inactive: int = 0
    proven: int = 0
    compared: tuple[str, ...] = ()
    differing: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Naming:
    """How the vendor, and what it calls a target, are named in sentences."""

    vendor: str
    target: str


def difference(expected: Expected, count: Count | None) -> int | None:
    """How many more people the vendor counts than are expected; negative where people are missing. People whose
    outcome is unknown are not counted as a difference."""
    if count is None:
        return None
    beyond = count.people - expected.members
    return max(beyond - expected.maybe, 0) if beyond > 0 else beyond


def judge(expected: Expected, count: Count | None, sample: Sample, naming: Naming) -> tuple[Verdict, str]:
    """The verdict, and why, for people."""
    if count is None and not sample.looked_at:
        return Verdict.NOT_VERIFIED, say(
            "%(vendor)s offers no way to verify this %(target)s.", vendor=naming.vendor, target=Message(naming.target)
        )
    beyond = difference(expected, count) or 0
    inactive = count.inactive if count else 0
    doubts = [*_missing(sample, naming), *_short(beyond, inactive, naming), *_other(sample, naming)]
    lingering = _still_there(sample, naming)
    if doubts or lingering:
        return Verdict.DIFFERS, together([*doubts, *([_MEND] if doubts else []), *lingering])
    notes = _notes(expected, beyond, naming)
    return (Verdict.EXPLAINED, together(notes)) if notes else (Verdict.AGREES, "")


_MEND = say("Check the list in full, and let a repair mend what that finds; a full resync would send everyone again.")


def _missing(sample: Sample, naming: Naming) -> list[str]:
    if not sample.missing:
        return []
    return [
        say(
            "%(missing)s of %(looked_at)s people looked up are not on the %(target)s, although %(vendor)s "
            "accepted them.",
            missing=sample.missing,
            looked_at=sample.looked_at,
            target=Message(naming.target),
            vendor=naming.vendor,
        )
    ]


def _short(beyond: int, inactive: int, naming: Naming) -> list[str]:
    if -beyond <= inactive:
        return []
    return [
        say_many(
            "%(vendor)s counts %(num)s person fewer on the %(target)s than this export has put there. They may have "
            "been taken off or deleted there, or have unsubscribed.",
            "%(vendor)s counts %(num)s people fewer on the %(target)s than this export has put there. They may have "
            "been taken off or deleted there, or have unsubscribed.",
            -beyond,
            vendor=naming.vendor,
            target=Message(naming.target),
        )
    ]


def _other(sample: Sample, naming: Naming) -> list[str]:
    if not sample.differing:
        return []
    fields = ", ".join(f"{name} ({people})" for name, people in sorted(sample.differing.items()))
    return [
        say(
            "Of %(looked_at)s people looked up, some have other values in %(vendor)s than were delivered: %(fields)s. "
            "Something else may write these fields there.",
            looked_at=sample.looked_at,
            vendor=naming.vendor,
            fields=fields,
        )
    ]


def _still_there(sample: Sample, naming: Naming) -> list[str]:
    if not sample.still_there:
        return []
    return [
        say(
            "%(still_there)s of %(looked_at)s people looked up are still on the %(target)s, although %(vendor)s "
            "accepted taking them off. Check it in full, and let a repair take them off.",
            still_there=sample.still_there,
            looked_at=sample.looked_at,
            target=Message(naming.target),
            vendor=naming.vendor,
        )
    ]


def _notes(expected: Expected, beyond: int, naming: Naming) -> list[str]:
    if beyond > 0:
        before = (
            say_many(
                " %(num)s was on it before this export.", " %(num)s were on it before this export.", expected.strangers
            )
            if expected.strangers
            else ""
        )
        return [
            say_many(
                "%(num)s person on the %(target)s is not from this export.%(more)s",
                "%(num)s people on the %(target)s are not from this export.%(more)s",
                beyond,
                target=Message(naming.target),
                more=before,
            )
        ]
    if beyond < 0:
        return [
            say_many(
                "%(num)s person has unsubscribed or bounced in %(vendor)s since they were put there.",
                "%(num)s people have unsubscribed or bounced in %(vendor)s since they were put there.",
                -beyond,
                vendor=naming.vendor,
            )
        ]
    return []


def evidence(
    before: Mapping[str, int], verdict: Verdict, expected: Expected, count: Count | None, sample: Sample
) -> dict[str, int]:
    """Receipts by evidence, after what was seen: where the count fits exactly, what the vendor acknowledged is
    confirmed; else only who was looked up."""
    acknowledged, confirmed = before.get("acknowledged", 0), before.get("confirmed", 0)
    exact = verdict is Verdict.AGREES and count is not None and count.people == expected.members and not expected.maybe
    proven = acknowledged if exact else min(sample.proven, acknowledged)
    return {"acknowledged": acknowledged - proven, "confirmed": confirmed + proven}
