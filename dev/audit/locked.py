"""Reads locks, and says whether one still belongs to its requirements and to what is installed. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

_HASH = re.compile(r"--hash=(sha256:[0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Locked:
    """One line of the lock: `name==version` with a marker, and the hashes of its files."""

    name: str
    version: str
    requirement: Requirement
    hashes: tuple[str, ...] = field(repr=False)


def read(text: str) -> list[Locked]:
    """The lock's entries. Raises ValueError for one that is not pinned or has no hash."""
    joined = text.replace("\\\n", " ")
    return [_entry(line) for line in joined.splitlines() if line.strip() and not line.lstrip().startswith("#")]


def _entry(line: str) -> Locked:
    requirement = Requirement(_HASH.sub("", line).strip())
    pins, hashes = list(requirement.specifier), tuple(_HASH.findall(line))
    if len(pins) != 1 or pins[0].operator != "==" or not hashes:
        raise ValueError(f"{requirement.name} is not pinned to one version with hashes.")
    return Locked(canonicalize_name(requirement.name), pins[0].version, requirement, hashes)


def wanted(text: str) -> list[Requirement]:
    """The requirements of a requirements file that apply to this Python."""
    lines = [line.partition("#")[0].strip() for line in text.splitlines()]
    found = [Requirement(line) for line in lines if line and not line.startswith("-")]
    return [each for each in found if _applies(each)]


def applicable(locked: Iterable[Locked]) -> dict[str, Locked]:
    """Entries that apply to this Python, by name."""
    return {each.name: each for each in locked if _applies(each.requirement)}


def differences(requirements: Iterable[Requirement], locked: Mapping[str, Locked]) -> list[str]:
    """What is asked for and not locked, or locked at a version that is not asked for."""
    found = []
    for each in requirements:
        entry = locked.get(canonicalize_name(each.name))
        if entry is None:
            found.append(f"{each.name} is not in the lock")
        elif not each.specifier.contains(entry.version, prereleases=True):
            found.append(f"{each.name} is locked at {entry.version}, asked for is {each.specifier}")
    return found


def astray(installed: Mapping[str, str], locked: Mapping[str, Locked]) -> list[str]:
    """Where `installed` (name -> version) is not what is locked: another version, or none."""
    return [
        f"{name} is locked at {entry.version}, installed is {installed.get(name, 'none')}"
        for name, entry in sorted(locked.items())
        if installed.get(name) != entry.version
    ]


def _applies(requirement: Requirement) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({"extra": ""})
