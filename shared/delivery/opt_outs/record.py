"""What is known of a connection's opt-outs: how far each roll was read, which parts were landed, and the last reading.

It is a blob of its own, written once the files that it tells of are there. It holds no address.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from pydantic import TypeAdapter, ValidationError

from shared.cloud.cloud import Cloud
from shared.delivery.opt_outs.model import Part
from shared.delivery.state import layout
from shared.errors import UserMustAct
from shared.wording import STORED, Said, say


class ReadingState(StrEnum):
    """How far a reading is."""

    RUNNING = "running"
    ENDED = "ended"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class OptOutReading:
    """One reading of all rolls; times are seconds since 1970. `found` counts people by what became of them, as far as
    they were landed. `done` are rolls that were read to their end, `roll` is the one that is being read, from `place`
    on, and `newest` are the newest moments in them."""

    mark: str
    started: float
    started_by: str
    whole: bool = False
    """Of everybody, whenever it was."""
    state: ReadingState = ReadingState.RUNNING
    finished: float | None = None
    message: Said = ""
    found: dict[str, int] = field(default_factory=dict)
    done: tuple[str, ...] = ()
    roll: str = ""
    place: str = ""
    newest: dict[str, str] = field(default_factory=dict)
    lost: tuple[str, ...] = ()
    """Lists that are gone at the vendor."""
    afresh: bool = False
    """Whoever is in a roll now takes the place of all who were landed before."""
    parts: tuple[Part, ...] = ()
    """Of a reading afresh: what it landed. They count once it has ended."""


@dataclass(frozen=True, slots=True)
class FormerFolder:
    """A folder that the connection had before, with what was landed there: forgetting somebody looks there too."""

    location: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OptOutRecord:
    """`since` is roll -> the newest moment in it when it was last read to its end. `whole_at` is when everybody was
    last read, in seconds since 1970."""

    account: str
    location: str
    parts: tuple[Part, ...] = ()
    since: dict[str, str] = field(default_factory=dict)
    whole_at: float = 0.0
    reading: OptOutReading | None = None
    former: tuple[FormerFolder, ...] = ()
    gone: tuple[Part, ...] = ()
    """Parts that count no more, whose files are still to be deleted."""

    @property
    def every_part(self) -> tuple[Part, ...]:
        """All whose files may be there."""
        return (*self.parts, *self.left_over)

    @property
    def left_over(self) -> tuple[Part, ...]:
        """Those that count for nobody when another reading begins: their files are still to be deleted."""
        return (*self.gone, *(self.reading.parts if self.reading else ()))

    @property
    def next_number(self) -> int:
        """Of a part that is still to be landed."""
        return next_number(self.every_part)

    def at(self, location: str) -> OptOutRecord:
        """The record with another folder: an empty one, or one that was the connection's before, with what is in it."""
        if location == self.location:
            return self
        known = {each.location: each for each in self.former}
        known[self.location] = FormerFolder(self.location, self.every_part)
        back = known.pop(location, None)
        former = tuple(each for each in known.values() if each.parts)
        return OptOutRecord(account=self.account, location=location, parts=back.parts if back else (), former=former)

    @property
    def people(self) -> int:
        """Rows that were landed."""
        return sum(each.rows for each in self.parts)


def next_number(parts: Sequence[Part]) -> int:
    """Of the part that follows these in a folder: a worker that dies before the record may have left its files."""
    return max((each.number for each in parts), default=0) + 1


_SHAPE = TypeAdapter(OptOutRecord)


def read(cloud: Cloud, connection: str) -> OptOutRecord | None:
    """Raises UserMustAct where it cannot be read."""
    stored = cloud.blobs.read(layout.opt_outs(connection))
    if stored is None:
        return None
    try:
        return _SHAPE.validate_json(stored[0])
    except ValidationError:
        raise UserMustAct(
            "opt_outs_unreadable",
            say(
                "What is known of the opt-outs of '%(connection)s' cannot be read: delete the blob %(blob)s, and give "
                "the connection an empty folder.",
                connection=connection,
                blob=layout.opt_outs(connection),
            ),
        ) from None


def write(cloud: Cloud, connection: str, record: OptOutRecord) -> None:
    cloud.blobs.write(layout.opt_outs(connection), _SHAPE.dump_json(record, context=STORED))


def added(found: Mapping[str, int], more: Mapping[str, int]) -> dict[str, int]:
    """Both counts together."""
    return {kind: found.get(kind, 0) + more.get(kind, 0) for kind in sorted({*found, *more})}
