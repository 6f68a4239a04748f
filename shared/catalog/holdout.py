"""A holdout: a stable share of people whom no export that names it sends to any vendor. Pure.

Who is in it follows from its name and a person's address alone, so every export finds the same people:
`int(md5(f"{name}:{address}").hexdigest()[:8], 16) < share * 2**32`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, Field, StringConstraints

from shared.catalog.issues import Issue
from shared.catalog.shapes import Strict
from shared.wording import Message, say

HOLDOUT = "holdout"
"""The name of the rule."""
_RANGE = 1 << 32
_NAME = re.compile(r"[a-z0-9][a-z0-9-]*")


def _plain(name: str) -> str:
    """Raises ValueError for a name that may be written in two ways."""
    if not _NAME.fullmatch(name):
        raise ValueError(say("Write small letters, digits and hyphens."))
    return name


class Holdout(Strict):
    """Whoever is in it is kept back, by every export that names it."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=63), AfterValidator(_plain)] = Field(
        description="Small letters, digits and hyphens. The same name holds back the same people everywhere."
    )
    share: float = Field(ge=0.001, le=0.9, description="Of all people; 0.1 is one in ten.")

    @property
    def below(self) -> int:
        """Of the numbers that people draw, those below this one are in it."""
        return round(self.share * _RANGE)

    def holds(self, address: str) -> bool:
        """Is the person of this normalised address in it?"""
        drawn = hashlib.md5(f"{self.name}:{address}".encode(), usedforsecurity=False).hexdigest()[:8]
        return int(drawn, 16) < self.below

    def reason(self) -> Message:
        """Why it keeps somebody back."""
        return say(
            "Is in the holdout %(name)s, %(share)s%% of people, whom no vendor gets.",
            name=self.name,
            share=round(100 * self.share, 1),
        )


class NamedElsewhere(NamedTuple):
    """Another export that names a holdout, and the share that it gives it."""

    export: str
    share: float


def holdout_issues(holdout: Holdout | None, elsewhere: Mapping[str, NamedElsewhere], *, stays: bool) -> Iterator[Issue]:
    """What keeps a holdout from being one. `elsewhere`: name -> another export that names it. `stays`: people may be on
    a list of the export whom it never takes off."""
    if holdout is None:
        return
    other = elsewhere.get(holdout.name)
    if other is not None and other.share != holdout.share:
        yield Issue(
            "/rules/holdout/share",
            say(
                'The export "%(export)s" names the holdout %(name)s with %(share)s%%: give it the same share, or take '
                "another name. With two shares one export would reach people whom the other holds out.",
                export=other.export,
                name=holdout.name,
                share=round(100 * other.share, 1),
            ),
        )
    if stays:
        yield Issue(
            "/rules/holdout",
            say(
                "This export has added people already and takes nobody off, so people of the holdout would stay on its "
                "list: let people who leave be taken off, or make a new export."
            ),
        )
