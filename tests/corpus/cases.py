"""What a hostile or broken case is, and how it has to end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

GOOD = ("anna@example.com", "bo@example.com")
HEADER = "EMail,FirstName,City\n"
ANNA, BO = f"{GOOD[0]},Anna,Lund\n", f"{GOOD[1]},Bo,Iași\n"


@dataclass(frozen=True, slots=True)
class Stopped:
    """The run ends without any request that changes something, and its message has these words."""

    words: str


@dataclass(frozen=True, slots=True)
class Counted:
    """The run goes on: these people are on the list, and so many rows were refused or repeat an address."""

    refused: int = 0
    duplicates: int = 0
    people: tuple[str, ...] = GOOD


@dataclass(frozen=True, slots=True)
class PassedOver:
    """The snapshot before it is used, and a warning has these words."""

    words: str


End = Stopped | Counted | PassedOver


@dataclass(frozen=True, slots=True)
class Case:
    """`files`: name in the snapshot's folder -> content."""

    name: str
    files: Mapping[str, bytes]
    end: End


def csv(name: str, content: str | bytes, end: End) -> Case:
    return Case(name, {"part-0.csv": content.encode() if isinstance(content, str) else content}, end)
